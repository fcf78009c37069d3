/* How glibc's pthread_exit unwinds. */
#ifndef EVY_UNWIND_H
#define EVY_UNWIND_H

#include <stdbool.h>

/* Once all cleanup handlers and destructors of the running thread have run, pthread_exit shall call fn, which does not
   return, on what is left of its stack. False when there is nothing to unwind to: then it must not be called. */
bool unwind_end_at(void (*fn)(void));

#endif
