/* GreenPile and GreenMap: jobs of a pool in a queue, in the order they were given. */
#include "api/gt.h"

#include <evy/pool.h>
#include <evy/queue.h>

#include <stdlib.h>

/* One call. Belongs to who runs it and to who waits for it: the last of the two frees it. */
struct job {
    evy_fn fn;
    void *arg;
    void *result;      /* what fn returned */
    int err;           /* or the errno it ended with */
    bool last;         /* nothing comes after this one */
    atomic_uint state; /* JOB_* */
};

enum { JOB_DONE = 1, JOB_ALONE = 2 };

struct evy_pile {
    evy_pool *pool;
    bool own_pool;
    evy_queue *jobs;
    struct job *current; /* taken from jobs and not handed out yet, as the wait was cut short */
};

/* Says what has become of the caller's half. The second to say so frees. */
static void job_leave(struct job *j, unsigned state)
{
    if (atomic_fetch_or(&j->state, state))
        free(j);
    else if (state == JOB_DONE)
        lot_unpark(&j->state, 1);
}

static struct job *job_new(evy_fn fn, void *arg)
{
    struct job *j = calloc(1, sizeof *j);
    if (j) {
        j->fn = fn;
        j->arg = arg;
    }
    return j;
}

/* fn has ended its green thread by evy_exit. */
static void job_exits(void *arg)
{
    struct job *j = arg;
    j->err = self()->gt.error;
    j->result = self()->result;
    job_leave(j, JOB_DONE);
}

static void *job_run(void *arg)
{
    struct job *j = arg;
    evy_cleanup c;
    evy_cleanup_push(&c, job_exits, j);
    j->result = j->fn ? j->fn(j->arg) : j->arg;
    evy_cleanup_pop(0);
    job_leave(j, JOB_DONE);
    return NULL;
}

static evy_pile *pile_new(evy_pool *pool, bool own, long ahead)
{
    evy_pile *p = pool ? calloc(1, sizeof *p) : NULL;
    evy_queue *jobs = p ? evy_queue_new(ahead, EVY_Q_FIFO) : NULL;
    if (jobs) {
        p->pool = pool;
        p->own_pool = own;
        p->jobs = jobs;
        return p;
    }
    if (pool && own)
        evy_pool_free(pool);
    free(p);
    return NULL;
}

EVY_API evy_pile *evy_pile_new(int size)
{
    return pile_new(evy_pool_new(size), true, -1);
}

EVY_API evy_pile *evy_pile_on(evy_pool *p)
{
    if (!p)
        errno = EINVAL;
    return pile_new(p, false, -1);
}

/* Those of its own pool that still run keep it: the last gives it back. */
static void *free_when_idle(void *pool)
{
    while (evy_pool_waitall(pool))
        ;
    evy_pool_free(pool);
    return NULL;
}

EVY_API void evy_pile_free(evy_pile *p)
{
    void *job;
    if (!p)
        return;
    if (p->current)
        job_leave(p->current, JOB_ALONE);
    while (evy_queue_tryget(p->jobs, &job) == 0)
        job_leave(job, JOB_ALONE);
    evy_queue_free(p->jobs);
    if (p->own_pool && evy_pool_free(p->pool))
        evy_spawn_n(free_when_idle, p->pool);
    free(p);
}

static int pile_spawn(evy_pile *p, struct job *j)
{
    if (evy_pool_spawn_n(p->pool, job_run, j))
        return -1;
    return 0;
}

EVY_API int evy_pile_spawn(evy_pile *p, evy_fn fn, void *arg)
{
    if (!p || !fn)
        return api_edge(-EINVAL);
    struct job *j = job_new(fn, arg);
    if (!j)
        return -1;
    if (pile_spawn(p, j)) {
        free(j);
        return -1;
    }
    if (evy_queue_tryput(p->jobs, j) == 0)
        return 0;
    job_leave(j, JOB_ALONE);
    return -1;
}

static int job_result(struct job *j, void **result)
{
    int err = j->err;
    if (result)
        *result = j->result;
    job_leave(j, JOB_ALONE);
    return err ? -err : 1;
}

/* Waits for the current job. -errno with the job still there: the wait itself has failed. */
static int hand_out(evy_pile *p, void **result)
{
    struct job *j = p->current;
    while (!atomic_load(&j->state)) {
        int r = api_wait(&j->state, 0, DEADLINE_NEVER);
        if (r)
            return r;
    }
    if (j->last && !j->err)
        return 0; /* stays: the end is the end */
    p->current = NULL;
    return job_result(j, result);
}

EVY_API int evy_pile_next(evy_pile *p, void **result)
{
    void *job;
    if (!p)
        return api_edge(-EINVAL);
    if (!p->current) {
        if (evy_queue_tryget(p->jobs, &job))
            return 0;
        p->current = job;
    }
    return api_edge(hand_out(p, result));
}

struct evy_map {
    evy_pile *pile;
    evy_fn fn;
    int (*next)(void *, void **); /* gives the items */
    void *arg;
    evy_gt *producer;   /* pulls the items; NULL before the first result is asked for */
    void *const *items; /* evy_pool_imap: those to come */
    size_t left;        /* and their number */
    bool ends;          /* evy_map_free has begun */
};

static int next_of_array(void *arg, void **item)
{
    struct evy_map *m = arg;
    if (m->left == 0)
        return 0;
    m->left--;
    *item = *m->items++;
    return 1;
}

/* The end, or an error and then the end: such jobs are done as they come. */
static bool put_mark(struct evy_map *m, int err)
{
    struct job *j = job_new(NULL, NULL);
    if (!j)
        return false;
    j->err = err;
    j->last = !err;
    j->state = JOB_DONE;
    return evy_queue_put(m->pile->jobs, j, EVY_FOREVER) == 0 || (free(j), false);
}

/* The queue has room for size results and the pool for size that run: so far it runs ahead. */
static void *produce(void *arg)
{
    struct evy_map *m = arg;
    void *item;
    int r;
    while ((r = m->next(m->arg, &item)) > 0 && !m->ends) {
        struct job *j = job_new(m->fn, item);
        if (!j || pile_spawn(m->pile, j)) {
            free(j);
            r = -1;
            break;
        }
        if (evy_queue_put(m->pile->jobs, j, EVY_FOREVER)) {
            job_leave(j, JOB_ALONE);
            return NULL;
        }
    }
    if (!m->ends && (r == 0 || put_mark(m, errno)))
        put_mark(m, 0);
    return NULL;
}

EVY_API evy_map *evy_pool_map(evy_pool *p, evy_fn fn, int (*next)(void *, void **), void *arg)
{
    int size = evy_pool_size(p);
    if (size <= 0 || !next) {
        errno = EINVAL;
        return NULL;
    }
    struct evy_map *m = calloc(1, sizeof *m);
    evy_pile *pile = m ? pile_new(evy_pool_new(size), true, size) : NULL;
    if (!pile) {
        free(m);
        return NULL;
    }
    *m = (struct evy_map){.pile = pile, .fn = fn, .next = next, .arg = arg};
    return m;
}

EVY_API evy_map *evy_pool_imap(evy_pool *p, evy_fn fn, void *const *items, size_t n)
{
    struct evy_map *m = evy_pool_map(p, fn, items || !n ? next_of_array : NULL, NULL);
    if (m) {
        m->arg = m;
        m->items = items;
        m->left = n;
    }
    return m;
}

EVY_API int evy_map_next(evy_map *m, void **result)
{
    void *job;
    if (!m)
        return api_edge(-EINVAL);
    if (!m->producer && !(m->producer = evy_spawn(produce, m)))
        return -1;
    if (!m->pile->current) {
        if (evy_queue_get(m->pile->jobs, &job, EVY_FOREVER))
            return -1;
        m->pile->current = job;
    }
    return api_edge(hand_out(m->pile, result));
}

EVY_API void evy_map_free(evy_map *m)
{
    if (!m)
        return;
    m->ends = true;
    if (m->producer) {
        evy_kill(m->producer, 0);
        while (!evy_gt_dead(m->producer))
            evy_gt_wait(m->producer, NULL);
        evy_gt_unref(m->producer);
    }
    evy_pile_free(m->pile);
    free(m);
}
