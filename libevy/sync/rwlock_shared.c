#include "sync/rwlock_shared.h"

#include "body/green.h"
#include "core/handoff.h"
#include "core/lot.h"
#include "real/real.h"
#include "sync/shared.h"

#include <errno.h>

/* glibc writes its writer's tid, which for a green thread is an invented one that another process may have
   invented too: there the lock says the process instead, as a negative number, which is nobody's tid. */
static int process(void)
{
    return -tcb_tid(shared_thread());
}

static struct rwlock *words(pthread_rwlock_t *l)
{
    return (struct rwlock *)l;
}

static bool has_invented_tid(void)
{
    return tcb_is_green(tcb_thread_of(tp_get()));
}

static bool mine(struct rwlock *l)
{
    return has_invented_tid() && atomic_load(&l->writer) == process() &&
           atomic_load(&l->holder) == sync_tid();
}

static int written(pthread_rwlock_t *l, int r)
{
    if (r == 0 && has_invented_tid()) {
        atomic_store(&words(l)->holder, sync_tid());
        atomic_store(&words(l)->writer, process());
    }
    return r;
}

/* Every wait holds a kernel thread: those that come when there are many look now and then. */
#define MANY 100
#define LOOK_AGAIN (NSEC_PER_SEC / 500)

static int look_until(pthread_rwlock_t *l, bool write, deadline_t deadline)
{
    const atomic_uint never = 0;
    int r;
    while ((r = rwlock_shared_trylock(l, write)) == EBUSY) {
        if (deadline != DEADLINE_NEVER && deadline_left(deadline) == 0)
            return ETIMEDOUT;
        deadline_t next = deadline_after(LOOK_AGAIN);
        lot_park(&never, 0, next < deadline ? next : deadline, LOT_RWLOCK);
    }
    return r;
}

static int lock_blocking(pthread_rwlock_t *l, bool write, struct limit limit)
{
    if (limit.at)
        return write ? REAL(pthread_rwlock_clockwrlock)(l, limit.clock, limit.at)
                     : REAL(pthread_rwlock_clockrdlock)(l, limit.clock, limit.at);
    return write ? REAL(pthread_rwlock_wrlock)(l) : REAL(pthread_rwlock_rdlock)(l);
}

static int lock_slow(pthread_rwlock_t *l, bool write, struct limit limit, deadline_t deadline)
{
    static atomic_uint waiting;
    bool many = atomic_fetch_add(&waiting, 1) >= MANY;
    int r;
    if (many && self()) {
        r = look_until(l, write, deadline);
    } else {
        blocking_begin();
        r = lock_blocking(l, write, limit);
        blocking_end();
        r = write ? written(l, r) : r;
        if (r == EDEADLK && has_invented_tid()) /* a tid that written() is about to replace */
            r = look_until(l, write, deadline);
    }
    atomic_fetch_sub(&waiting, 1);
    return r;
}

int rwlock_shared_trylock(pthread_rwlock_t *l, bool write)
{
    return write ? written(l, REAL(pthread_rwlock_trywrlock)(l))
                 : REAL(pthread_rwlock_tryrdlock)(l);
}

int rwlock_shared_lock(pthread_rwlock_t *l, bool write, struct limit limit)
{
    deadline_t deadline;
    int r = limit_deadline(limit, &deadline);
    if (r)
        return r;
    if (mine(words(l)))
        return EDEADLK;
    r = rwlock_shared_trylock(l, write);
    return r == EBUSY ? lock_slow(l, write, limit, deadline) : r;
}

/* glibc knows the writer by its tid. */
int rwlock_shared_unlock(pthread_rwlock_t *l)
{
    if (mine(words(l)))
        atomic_store(&words(l)->writer, sync_tid());
    return REAL(pthread_rwlock_unlock)(l);
}
