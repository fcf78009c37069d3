/* A real glibc thread control block for a green thread: static TLS, DTV, struct pthread, in memory we
 * choose. Every fact about glibc's layout is found at run time (discover), none is hard-wired.
 *
 * x86-64 (TLS below the thread pointer):      aarch64 (TLS above it):
 *   | static TLS | struct pthread |             | struct pthread | tcbhead | static TLS |
 *                ^ tp                                            ^ tp
 */
#ifndef EVY_TCB_H
#define EVY_TCB_H

#include "base/base.h"
#include "tls.h"

struct tcb_facts {
    bool ready;          /* discovery succeeded: TCBs can be made */
    size_t reserve;      /* bytes a TCB with its static TLS takes, alignment slack included */
    size_t align;        /* of static TLS */
    size_t pthread_size; /* of struct pthread */
    ptrdiff_t tid;       /* offset of the int tid from the pthread_t value */
};

extern struct tcb_facts tcb_facts;

/* pthread_t values are addresses of struct pthread, as in glibc; tp is what the CPU register holds.
   They are equal on x86-64. */
static inline uintptr_t tcb_thread_of(uintptr_t tp)
{
    return tls_thread_of(tp, tcb_facts.pthread_size);
}

static inline uintptr_t tcb_tp_of(uintptr_t thread)
{
    return tls_tp_of(thread, tcb_facts.pthread_size);
}

/* Finds out glibc's layout. Returns 0, or -ENOTSUP after one log_warn line that says which fact is
   missing; then nothing else here may be called. Idempotent; the first call is from the main thread. */
int tcb_discover(void);

/* Builds a TCB in the tcb_facts.reserve bytes that end at top (any alignment), with fresh TLS and the
   unique invented tid. Returns the thread pointer, 0 without memory (DTV). */
uintptr_t tcb_create(char *top, int tid);

/* Makes a TCB whose thread has ended as good as new: everybody's TLS re-initialised but libc's own block
   (its malloc cache is kept, errno and locale reset), keys cleared, dynamic TLS freed, new tid. */
void tcb_recycle(uintptr_t tp, int tid);

/* Frees what tcb_create allocated besides the caller's memory. */
void tcb_destroy(uintptr_t tp);

/* First thing to run on a new or recycled TCB, on that TCB: what glibc's start_thread does before the
   start routine (ctype tables; see tcb.c for the list). */
void tcb_begin(void);

/* Last thing a thread does on its own TCB: thread_local destructors, then key destructors, up to
   PTHREAD_DESTRUCTOR_ITERATIONS rounds. Calls user code, which may park. */
void tcb_end(void);

/* errno of that TCB. */
int *tcb_errno(uintptr_t tp);

/* Tells glibc how much stack the thread has, so that its alloca decisions suit small stacks. */
void tcb_set_stack(uintptr_t tp, size_t size);

/* Between the steps in which the loader opens and closes libraries: enters those with static TLS into all
   TCBs, live and pooled, as glibc does for its own threads. */
void tcb_modules_changed(void);

/* The preload tells of every key so that tcb_end can run its destructor. */
void tcb_key_created(unsigned key, void (*destructor)(void *));
void tcb_key_deleted(unsigned key);

/* Around fork: takes the locks of TCBs, or gives them back, in parent and child. */
void tcb_fork_locks(bool take);

#define TID_GONE (-1)

static inline int tcb_tid(uintptr_t thread)
{
    return *(volatile int *)(thread + (uintptr_t)tcb_facts.tid);
}

static inline void tcb_set_tid(uintptr_t thread, int tid)
{
    *(volatile int *)(thread + (uintptr_t)tcb_facts.tid) = tid;
}

/* Its thread has been joined or, detached, has ended: glibc answers ESRCH from now on, until it is recycled. */
static inline void tcb_mark_gone(uintptr_t thread)
{
    tcb_set_tid(thread, TID_GONE);
}

static inline bool tcb_is_gone(uintptr_t thread)
{
    return tcb_tid(thread) == TID_GONE;
}

/* Invented tids lie above every tid the kernel gives (PID_MAX_LIMIT) and inside FUTEX_TID_MASK. */
#define TID_INVENTED_MIN ((1 << 22) + 1)
#define TID_INVENTED_MAX ((1 << 30) - 2)

/* True when thread is the address of a TCB made here (its tid is an invented one). */
static inline bool tcb_is_green(uintptr_t thread)
{
    return tcb_tid(thread) >= TID_INVENTED_MIN;
}

#endif
