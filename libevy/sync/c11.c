#include "sync/c11.h"

#include "io/calls.h"
#include "sync/sync.h"
#include "sync/thread.h"

#include <errno.h>
#include <stdint.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t");

/* As sysdeps/nptl/thrd_priv.h. */
static int answer(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

static pthread_mutex_t *mutex(mtx_t *m)
{
    return (pthread_mutex_t *)m;
}

static pthread_cond_t *cond(cnd_t *c)
{
    return (pthread_cond_t *)c;
}

/* The int that start returns is the low half of the word that pthread_join gives. */
int evy_thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
    void *(*body)(void *) = (void *(*)(void *))(void (*)(void))start;
    return answer(evy_pthread_create(thread, NULL, body, arg));
}

int evy_thrd_join(thrd_t thread, int *result)
{
    void *word;
    int r = evy_pthread_join(thread, &word);
    if (r == 0 && result)
        *result = (int)(intptr_t)word;
    return answer(r);
}

int evy_thrd_detach(thrd_t thread)
{
    return answer(evy_pthread_detach(thread));
}

void evy_thrd_exit(int result)
{
    evy_pthread_exit((void *)(intptr_t)result);
}

int evy_thrd_sleep(const struct timespec *duration, struct timespec *left)
{
    int r = evy_clock_nanosleep(CLOCK_REALTIME, 0, duration, left);
    return r == 0 ? 0 : r == EINTR ? -1 : -2;
}

void evy_thrd_yield(void)
{
    evy_sched_yield();
}

int evy_mtx_lock(mtx_t *m)
{
    return answer(evy_pthread_mutex_lock(mutex(m)));
}

int evy_mtx_trylock(mtx_t *m)
{
    return answer(evy_pthread_mutex_trylock(mutex(m)));
}

int evy_mtx_timedlock(mtx_t *m, const struct timespec *at)
{
    return answer(evy_pthread_mutex_timedlock(mutex(m), at));
}

int evy_mtx_unlock(mtx_t *m)
{
    return answer(evy_pthread_mutex_unlock(mutex(m)));
}

void evy_mtx_destroy(mtx_t *m)
{
    evy_pthread_mutex_destroy(mutex(m));
}

int evy_cnd_wait(cnd_t *c, mtx_t *m)
{
    return answer(evy_pthread_cond_wait(cond(c), mutex(m)));
}

int evy_cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *at)
{
    return answer(evy_pthread_cond_timedwait(cond(c), mutex(m), at));
}

int evy_cnd_signal(cnd_t *c)
{
    return answer(evy_pthread_cond_signal(cond(c)));
}

int evy_cnd_broadcast(cnd_t *c)
{
    return answer(evy_pthread_cond_broadcast(cond(c)));
}

void evy_cnd_destroy(cnd_t *c)
{
    evy_pthread_cond_destroy(cond(c));
}

void evy_call_once(once_flag *flag, void (*init)(void))
{
    evy_pthread_once((pthread_once_t *)flag, init);
}
