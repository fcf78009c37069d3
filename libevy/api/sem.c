/* Semaphore, BoundedSemaphore, CappedSemaphore. */
#include "api/sem.h"

#include <stdlib.h>

void sem_init_as(evy_sem *s, long value, long limit)
{
    *s = (evy_sem){.free = value, .limit = limit};
    list_init(&s->waiters);
}

int sem_try(evy_sem *s)
{
    object_lock(&s->lock);
    bool got = s->free > 0;
    s->free -= got;
    object_unlock(&s->lock);
    return got ? 0 : -EAGAIN;
}

/* Nobody overtakes: while somebody waits a given permit goes to him, and free stays 0. */
int sem_take(evy_sem *s, deadline_t d)
{
    struct turn t;
    object_lock(&s->lock);
    if (s->free > 0) {
        s->free--;
        object_unlock(&s->lock);
        return 0;
    }
    s->waiting++;
    int r = turn_wait(&s->waiters, &s->lock, &t, d);
    if (r) {
        s->waiting--;
        object_unlock(&s->lock);
    }
    return r;
}

int sem_give(evy_sem *s)
{
    const atomic_uint *served = NULL;
    int r = 0;
    object_lock(&s->lock);
    if (s->waiting > 0) {
        s->waiting--;
        served = turn_serve(turn_first(&s->waiters));
    } else if (s->free < s->limit) {
        s->free++;
    } else {
        r = -EOVERFLOW;
    }
    object_unlock(&s->lock);
    if (served)
        turn_call(served);
    return r;
}

static evy_sem *sem_new(long value, long limit)
{
    if (value < 0) {
        errno = EINVAL;
        return NULL;
    }
    evy_sem *s = malloc(sizeof *s);
    if (s)
        sem_init_as(s, value, limit);
    return s;
}

EVY_API evy_sem *evy_sem_new(long value)
{
    return sem_new(value, LONG_MAX);
}

EVY_API evy_sem *evy_sem_new_bounded(long value)
{
    return sem_new(value, value);
}

EVY_API void evy_sem_free(evy_sem *s)
{
    free(s);
}

EVY_API int evy_sem_acquire(evy_sem *s, double timeout)
{
    deadline_t d;
    int r = s ? api_deadline(timeout, &d) : -EINVAL;
    return api_edge(r ? r : sem_take(s, d));
}

EVY_API int evy_sem_try(evy_sem *s)
{
    return api_edge(s ? sem_try(s) : -EINVAL);
}

EVY_API int evy_sem_release(evy_sem *s)
{
    return api_edge(s ? sem_give(s) : -EINVAL);
}

EVY_API int evy_sem_locked(const evy_sem *s)
{
    return s && s->free == 0;
}

EVY_API long evy_sem_value(const evy_sem *s)
{
    return s ? s->free : 0;
}

EVY_API long evy_sem_balance(const evy_sem *s)
{
    return s ? s->free - s->waiting : 0;
}

/* Permits, and room for more: each operation gives on one side and takes on the other. */
struct evy_capsem {
    evy_sem lower; /* permits to acquire */
    evy_sem upper; /* room to release */
};

EVY_API evy_capsem *evy_capsem_new(long value, long limit)
{
    if (value < 0 || value > limit) {
        errno = EINVAL;
        return NULL;
    }
    evy_capsem *s = malloc(sizeof *s);
    if (s) {
        sem_init_as(&s->lower, value, LONG_MAX);
        sem_init_as(&s->upper, limit - value, LONG_MAX);
    }
    return s;
}

EVY_API void evy_capsem_free(evy_capsem *s)
{
    free(s);
}

/* What was given and is to be taken back may be in use already: then it is missing for a while. */
static void take_back(evy_sem *s)
{
    object_lock(&s->lock);
    s->free--;
    object_unlock(&s->lock);
}

static int exchange(evy_sem *give, evy_sem *take, double timeout)
{
    deadline_t d;
    int r = api_deadline(timeout, &d);
    if (r)
        return r;
    sem_give(give);
    r = sem_take(take, d);
    if (r)
        take_back(give);
    return r;
}

static int try_exchange(evy_sem *give, evy_sem *take)
{
    int r = sem_try(take);
    if (r == 0)
        sem_give(give);
    return r;
}

EVY_API int evy_capsem_acquire(evy_capsem *s, double timeout)
{
    return api_edge(s ? exchange(&s->upper, &s->lower, timeout) : -EINVAL);
}

EVY_API int evy_capsem_release(evy_capsem *s, double timeout)
{
    return api_edge(s ? exchange(&s->lower, &s->upper, timeout) : -EINVAL);
}

EVY_API int evy_capsem_try_acquire(evy_capsem *s)
{
    return api_edge(s ? try_exchange(&s->upper, &s->lower) : -EINVAL);
}

EVY_API int evy_capsem_try_release(evy_capsem *s)
{
    return api_edge(s ? try_exchange(&s->lower, &s->upper) : -EINVAL);
}

EVY_API long evy_capsem_balance(const evy_capsem *s)
{
    return s ? evy_sem_balance(&s->lower) - evy_sem_balance(&s->upper) : 0;
}
