/* Lock, recursive lock, wait group. */
#include "api/sem.h"

#include <stdlib.h>

struct evy_lock {
    evy_sem sem; /* one permit */
};

EVY_API evy_lock *evy_lock_new(void)
{
    evy_lock *l = malloc(sizeof *l);
    if (l)
        sem_init_as(&l->sem, 1, 1);
    return l;
}

EVY_API void evy_lock_free(evy_lock *l)
{
    free(l);
}

EVY_API int evy_lock_acquire(evy_lock *l, double timeout)
{
    return evy_sem_acquire(l ? &l->sem : NULL, timeout);
}

EVY_API int evy_lock_try(evy_lock *l)
{
    return evy_sem_try(l ? &l->sem : NULL);
}

EVY_API int evy_lock_release(evy_lock *l)
{
    int r = l ? sem_give(&l->sem) : -EINVAL;
    return api_edge(r == -EOVERFLOW ? -EPERM : r);
}

EVY_API int evy_lock_locked(const evy_lock *l)
{
    return l && evy_sem_locked(&l->sem);
}

EVY_API int evy_lock_reinit(evy_lock *l)
{
    if (!l)
        return api_edge(-EINVAL);
    sem_init_as(&l->sem, 1, 1);
    return 0;
}

struct evy_rlock {
    evy_sem sem;                  /* one permit */
    _Atomic(unsigned long) owner; /* evy_ident of who has it, 0: nobody */
    unsigned long depth;          /* how often; the owner's */
};

EVY_API evy_rlock *evy_rlock_new(void)
{
    evy_rlock *l = calloc(1, sizeof *l);
    if (l)
        sem_init_as(&l->sem, 1, 1);
    return l;
}

EVY_API void evy_rlock_free(evy_rlock *l)
{
    free(l);
}

EVY_API int evy_rlock_acquire(evy_rlock *l, double timeout)
{
    if (!l || !api_self())
        return l ? -1 : api_edge(-EINVAL);
    if (l->owner != evy_ident() && evy_sem_acquire(&l->sem, timeout))
        return -1;
    l->owner = evy_ident();
    l->depth++;
    return 0;
}

EVY_API int evy_rlock_release(evy_rlock *l)
{
    if (!l || l->owner != evy_ident() || !l->depth)
        return api_edge(l ? -EPERM : -EINVAL);
    if (--l->depth)
        return 0;
    l->owner = 0;
    return api_edge(sem_give(&l->sem));
}

struct evy_wg {
    struct spin lock;    /* protects waiters */
    struct list waiters; /* turns */
    long count;          /* above 0: waits last; under lock */
};

EVY_API evy_wg *evy_wg_new(void)
{
    evy_wg *w = calloc(1, sizeof *w);
    if (w)
        list_init(&w->waiters);
    return w;
}

EVY_API void evy_wg_free(evy_wg *w)
{
    free(w);
}

EVY_API int evy_wg_add(evy_wg *w, long n)
{
    if (!w || n <= 0)
        return api_edge(-EINVAL);
    object_lock(&w->lock);
    w->count += n;
    object_unlock(&w->lock);
    return 0;
}

EVY_API int evy_wg_done(evy_wg *w)
{
    if (!w)
        return api_edge(-EINVAL);
    object_lock(&w->lock);
    int r = w->count > 0 ? 0 : -EINVAL;
    if (r == 0 && --w->count == 0)
        turns_serve_all(&w->waiters, &w->lock, NULL, 0);
    else
        object_unlock(&w->lock);
    return api_edge(r);
}

EVY_API int evy_wg_wait(evy_wg *w, double timeout)
{
    deadline_t d;
    struct turn t;
    int r = w ? api_deadline(timeout, &d) : -EINVAL;
    if (r)
        return api_edge(r);
    object_lock(&w->lock);
    if (w->count > 0)
        r = turn_wait(&w->waiters, &w->lock, &t, d);
    else
        object_unlock(&w->lock);
    if (r)
        object_unlock(&w->lock);
    return api_edge(r);
}
