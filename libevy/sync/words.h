/* Names of the words inside glibc's pthread objects. Where code that libevy does not see uses them too
   (a mutex, a semaphore, once, a spin lock), layout and protocol are glibc's; the words of conditions,
   rwlocks and barriers are ours, but for those that glibc's initialisers set. */
#ifndef EVY_WORDS_H
#define EVY_WORDS_H

#include "base/base.h"
#include "body/tcb.h"
#include "spinword.h"
#include "tp.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A mutex's lock word. glibc only tells 0, 1 and more apart. */
enum { MUTEX_FREE, MUTEX_HELD, MUTEX_WAITERS };

#define MUTEX_ELISION (256 | 512) /* flags in kind that change nothing here */
#define MUTEX_KIND_OURS 3         /* above it: mutex_full.c; destroyed ones too */

/* In kind, above the type. glibc sets SHARED for every robust one. */
enum { MUTEX_ROBUST = 16, MUTEX_PI = 32, MUTEX_PP = 64, MUTEX_SHARED = 128 };

#define MUTEX_TYPE 3           /* PTHREAD_MUTEX_* in kind */
#define MUTEX_CEILING_SHIFT 19 /* the lock word of a PP mutex holds its ceiling */
#define MUTEX_CEILING (~0u << MUTEX_CEILING_SHIFT)

/* In owner of a robust one: its owner has died; and nobody has put it right. */
#define MUTEX_INCONSISTENT INT_MAX
#define MUTEX_NOTRECOVERABLE (INT_MAX - 1)

struct mutex {
    atomic_uint lock;  /* MUTEX_*; for others than ours see mutex_full.c */
    unsigned count;    /* recursive: how often locked; owner */
    atomic_int owner;  /* tid of the owner, 0 when free */
    unsigned nusers;   /* owner and condition waiters; under the lock; destroy looks at it */
    atomic_int kind;   /* type in the low bits, and MUTEX_* */
    atomic_int holder; /* mutex_full.c: which thread of the owner; glibc's spins and elision */
    uintptr_t list[2]; /* robust: previous and next on its owner's list */
};

#define COND_SHARED 1    /* in flags */
#define COND_MONOTONIC 2 /* in flags: the clock of timedwait, else CLOCK_REALTIME */

struct cond {
    char unused[36]; /* glibc's sequences and groups */
    unsigned flags;  /* glibc's __wrefs as pthread_cond_init leaves it */
    char unused2[8];
};

/* One between processes, as glibc 2.25 to 2.40 have it (cond_shared.c). */
struct shared_cond {
    _Atomic uint64_t wseq;     /* position of the next waiter * 2 + index of the group it joins */
    _Atomic uint64_t g1_start; /* position where G1 begins * 2 + index of G2 */
    atomic_uint refs[2];       /* per group: sleepers * 2 + whether a closer waits */
    unsigned size[2];          /* per group: waiters not yet signalled; under the lock */
    atomic_uint orig_size;     /* of G1, * 4 + the internal lock */
    atomic_uint wrefs;         /* waiters * 8 + destroyer waits, clock, shared */
    atomic_uint signals[2];    /* per group: signals to take * 2 + closed */
};

struct rwlock {
    atomic_uint state;   /* rwlock.c */
    unsigned unused[3];  /* glibc's writers, futexes */
    atomic_int holder;   /* shared: which thread of the writer; a pad of glibc's */
    unsigned unused3;    /* a pad */
    atomic_int writer;   /* tid of the writer that holds it, or 0 */
    int shared;          /* between processes */
    char unused2[16];    /* elision, pads */
    unsigned preference; /* PTHREAD_RWLOCK_* of pthread_rwlockattr_setkind_np */
};

/* One between processes, as glibc has it. */
struct shared_barrier {
    atomic_uint in;    /* how many have come since the last reset */
    atomic_uint round; /* how many of them are free to go */
    unsigned count;
    int shared;
    atomic_uint out; /* how many have left */
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
SAME_PLACE(mutex, holder, pthread_mutex_t, __data.__spins);
SAME_PLACE(mutex, list, pthread_mutex_t, __data.__list);
SAME_PLACE(cond, flags, pthread_cond_t, __data.__wrefs);
SAME_PLACE(rwlock, holder, pthread_rwlock_t, __data.__pad3);
SAME_PLACE(rwlock, writer, pthread_rwlock_t, __data.__cur_writer);
SAME_PLACE(rwlock, shared, pthread_rwlock_t, __data.__shared);
SAME_PLACE(rwlock, preference, pthread_rwlock_t, __data.__flags);
FITS(mutex, pthread_mutex_t);
FITS(cond, pthread_cond_t);
FITS(shared_cond, pthread_cond_t);
FITS(rwlock, pthread_rwlock_t);
FITS(barrier, pthread_barrier_t);
FITS(shared_barrier, pthread_barrier_t);
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
