/* Jobs on kernel threads. A job is a free green thread of its own that declares its call as blocking, so that its hub
   goes on under another carrier; who waits for it may leave. */
#include "api/api.h"

#include "base/config.h"
#include "base/sys.h"
#include "core/hub.h"
#include "io/blocking.h"
#include "sync/sync.h"
#include "sync/thread.h"

#include <evy/blocking.h>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct job {
    evy_fn fn;
    void *arg;
    void *result;     /* valid once done, as is: */
    int error;        /* 0, or ECANCELED when fn did not return */
    int left_errno;   /* errno after fn */
    atomic_uint done; /* 1 at the end; the caller parks on it */
    atomic_uint refs; /* the caller's, while it waits, and the job's own */
};

static atomic_uint jobs;    /* that have not ended; who waits for the last parks on it */
static atomic_int jobs_pid; /* of the process that counts them: a forked child has none */

static void count_anew_in_child(void)
{
    int pid = (int)sys3(SYS_getpid, 0, 0, 0);
    if (atomic_exchange(&jobs_pid, pid) != pid)
        atomic_store(&jobs, 0);
}

static void unref(struct job *j)
{
    if (atomic_fetch_sub(&j->refs, 1) == 1)
        free(j);
}

/* Also when fn has called pthread_exit. */
static void over(struct job **cleanup)
{
    struct job *j = *cleanup;
    atomic_store(&j->done, 1);
    lot_unpark_fenced(&j->done, 1);
    unref(j);
    if (atomic_fetch_sub(&jobs, 1) == 1)
        lot_unpark_fenced(&jobs, UINT_MAX);
}

static void *job_main(void *arg)
{
    __attribute__((cleanup(over))) struct job *j = arg;
    errno = 0;
    j->result = BLOCKING(LOOKUP, void *, j->fn(j->arg));
    j->left_errno = errno;
    j->error = 0;
    return NULL;
}

static int start(struct job *j)
{
    sigset_t all;
    pthread_attr_t attr;
    pthread_t thread;
    sigfillset(&all);
    int err = pthread_attr_init(&attr);
    if (err)
        return -err;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    err = pthread_attr_setsigmask_np(&attr, &all);
    if (!err)
        err = evy_pthread_create(&thread, &attr, job_main, j);
    pthread_attr_destroy(&attr);
    return -err;
}

static int wait_for(struct job *j, void **result)
{
    int r = 0;
    while (r == 0 && !atomic_load(&j->done))
        r = api_wait(&j->done, 0, DEADLINE_NEVER);
    if (r == 0)
        r = -j->error;
    if (r == 0 && result)
        *result = j->result;
    return r;
}

static int execute(evy_fn fn, void *arg, void **result)
{
    struct job *j = malloc(sizeof *j);
    if (!j)
        return -EAGAIN;
    *j = (struct job){.fn = fn, .arg = arg, .error = ECANCELED, .refs = 2};
    count_anew_in_child();
    atomic_fetch_add(&jobs, 1);
    int r = start(j);
    if (r) {
        atomic_fetch_sub(&jobs, 1);
        free(j);
        return r;
    }
    r = wait_for(j, result);
    int left = j->left_errno;
    unref(j);
    if (r == 0)
        errno = left;
    return r;
}

static bool in_job(const struct green *g)
{
    return g && g->start == job_main;
}

EVY_API int evy_blocking(evy_fn fn, void *arg, void **result)
{
    struct green *g = self();
    if (!fn)
        return api_edge(-EINVAL);
    if ((!g && hub_count) || in_job(g)) {
        void *r = fn(arg);
        if (result)
            *result = r;
        return 0;
    }
    int r = api_may_wait();
    if (r == 0)
        r = execute(fn, arg, result);
    return r ? api_edge(r) : 0;
}

EVY_API unsigned evy_blocking_threads(void)
{
    return config.blocking;
}

EVY_API int evy_blocking_set_threads(unsigned most)
{
    if (most == 0 || most > MAX_BLOCKING)
        return api_edge(-EINVAL);
    blocking_limit(most);
    return 0;
}

EVY_API int evy_blocking_finish(double seconds)
{
    deadline_t d;
    unsigned n;
    count_anew_in_child();
    int r = api_deadline(seconds, &d);
    if (r == 0)
        r = in_job(self()) ? -EDEADLK : api_may_wait();
    while (r == 0 && (n = atomic_load(&jobs)) > 0)
        r = api_wait(&jobs, n, d);
    return api_edge(r);
}
