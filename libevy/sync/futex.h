/* syscall(SYS_futex): Rust's std, C++20's atomics and the guards of C++ statics wait this way. */
#ifndef EVY_FUTEX_H
#define EVY_FUTEX_H

#include "base/base.h"

/* The six words after the number. For green threads and all others alike; errno is set. */
long evy_futex(const long args[6]);

/* Likewise futex_waitv, for a green thread. */
long evy_futex_waitv(const long args[6]);

/* Whether other processes may have that word's memory, too. */
bool futex_others_have(const void *word);

#endif
