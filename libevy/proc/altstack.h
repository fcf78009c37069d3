/* sigaltstack for green threads, each of which has one of its own. */
#ifndef EVY_SIGALTSTACK_H
#define EVY_SIGALTSTACK_H

#include <signal.h>

int evy_sigaltstack(const stack_t *new, stack_t *old);

#endif
