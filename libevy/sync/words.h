/* Names of the words inside glibc's pthread objects. Where code that libevy does not see uses them too
   (a mutex, a semaphore, once, a spin lock), layout and protocol are glibc's; the words of conditions,
   rwlocks and barriers are ours, but for those that glibc's initialisers set. */
#ifndef EVY_WORDS_H
#define EVY_WORDS_H

#include "base/base.h"
#include "core/tcb.h"
#include "spinword.h"
#include "tp.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A mutex's lock word. glibc only tells 0, 1 and more apart. */
enum { MUTEX_FREE, MUTEX_HELD, MUTEX_WAITERS, MUTEX_STARVING };

#define MUTEX_ELISION (256 | 512) /* flags in kind that change nothing here */
#define MUTEX_KIND_OURS 3         /* above it: robust, PI, PP, process-shared, destroyed */

struct mutex {
    atomic_uint lock; /* MUTEX_* */
    unsigned count;   /* recursive: how often locked; owner */
    atomic_int owner; /* tid of the owner, 0 when free */
    unsigned nusers;  /* owner and condition waiters; under the lock; destroy looks at it */
    atomic_int kind;  /* type in the low bits, robust 16, PI 32, PP 64, shared 128 */
};

#define COND_SHARED 1    /* in flags */
#define COND_MONOTONIC 2 /* in flags: the clock of timedwait, else CLOCK_REALTIME */

struct cond {
    char unused[36]; /* glibc's sequences and groups */
    unsigned flags;  /* glibc's __wrefs as pthread_cond_init leaves it */
    char unused2[8];
};

struct rwlock {
    atomic_uint state;   /* rwlock.c */
    unsigned unused[5];  /* glibc's writers, futexes, pads */
    atomic_int writer;   /* tid of the writer that holds it, or 0 */
    int shared;          /* between processes */
    char unused2[16];    /* elision, pads */
    unsigned preference; /* PTHREAD_RWLOCK_* of pthread_rwlockattr_setkind_np */
};

struct barrier {
    atomic_uint arrived; /* how many wait for the round to be complete, < count */
    unsigned unused;     /* glibc's round */
    unsigned count;      /* how many make a round */
    int shared;          /* between processes */
};

#define SEM_WAITER (UINT64_C(1) << 32)

struct sem {
    _Atomic uint64_t data; /* value | waiters * SEM_WAITER */
    int shared;            /* between processes: every named one */
};

enum { ONCE_RUNNING = 1, ONCE_DONE = 2, ONCE_GENERATION = 4 };

#define SAME_PLACE(type, field, libc_type, libc_field)                                             \
    _Static_assert(offsetof(struct type, field) == offsetof(libc_type, libc_field), #field)
#define FITS(type, libc_type)                                                                      \
    _Static_assert(sizeof(struct type) <= sizeof(libc_type) &&                                     \
                       _Alignof(struct type) <= _Alignof(libc_type),                               \
                   #type)

SAME_PLACE(mutex, lock, pthread_mutex_t, __data.__lock);
SAME_PLACE(mutex, count, pthread_mutex_t, __data.__count);
SAME_PLACE(mutex, owner, pthread_mutex_t, __data.__owner);
SAME_PLACE(mutex, nusers, pthread_mutex_t, __data.__nusers);
SAME_PLACE(mutex, kind, pthread_mutex_t, __data.__kind);
SAME_PLACE(cond, flags, pthread_cond_t, __data.__wrefs);
SAME_PLACE(rwlock, writer, pthread_rwlock_t, __data.__cur_writer);
SAME_PLACE(rwlock, shared, pthread_rwlock_t, __data.__shared);
SAME_PLACE(rwlock, preference, pthread_rwlock_t, __data.__flags);
FITS(mutex, pthread_mutex_t);
FITS(cond, pthread_cond_t);
FITS(rwlock, pthread_rwlock_t);
FITS(barrier, pthread_barrier_t);
FITS(sem, sem_t);
_Static_assert(sizeof(atomic_uint) == sizeof(pthread_once_t), "once");
_Static_assert(sizeof(atomic_int) == sizeof(pthread_spinlock_t), "spin");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a semaphore's value is its first word");

/* The word that a semaphore's waiters sleep on: the value. */
static inline const atomic_uint *sem_value(const struct sem *s)
{
    return (const atomic_uint *)&s->data;
}

/* The tid that owner words hold. */
static inline int sync_tid(void)
{
    return tcb_tid(tcb_thread_of(tp_get()));
}

#endif
