/* Waiting for words in memory that several processes share. Other processes wake the kernel's waiters; green
   threads wait in the parking lot, and one kernel thread waits in the kernel for all words they wait for. */
#ifndef EVY_SHARED_H
#define EVY_SHARED_H

#include "base/base.h"
#include "base/clock.h"

#include <stdatomic.h>

/* Waits while *addr == expected; results and lot_flags as lot_park, and it may return 0 for no reason. */
int shared_wait(const atomic_uint *addr, unsigned expected, deadline_t deadline, unsigned flags);

/* Wakes one waiter of any process, or all. The caller's change was a memory_order_seq_cst operation. */
void shared_wake_one(const atomic_uint *addr);
void shared_wake_all(const atomic_uint *addr);

/* In the child of a fork: nobody watches, nobody waits. */
void shared_after_fork(void);

/* The thread's id that other processes may see in a lock: the kernel's. Green threads use that of the process's
   first thread, whose TCB this returns; a kernel thread its own. */
uintptr_t shared_thread(void);

/* Whether the caller is a kernel thread on its own TCB: then glibc's waits serve it as they are. */
bool shared_is_native(void);

#endif
