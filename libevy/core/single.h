/* Whether one kernel thread runs all of the process, as glibc keeps count: then what it does needs no
   atomic read-modify-write, which costs as much as a switch. It becomes false for good by a call of that
   very thread (the next pthread_create), so never in the middle of a section. */
#ifndef EVY_SINGLE_H
#define EVY_SINGLE_H

#include "base/base.h"

#include <sys/single_threaded.h>

static inline bool single_threaded(void)
{
    return __libc_single_threaded;
}

#endif
