/* DAGPool: nodes by name, and green threads that compute them. */
#include "api/api.h"

#include <evy/dag.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A key that somebody has named. */
struct node {
    struct list link;    /* in its graph, oldest first */
    struct run *run;     /* what computes it, NULL: nobody */
    bool known;          /* it has a result */
    void *value;         /* that */
    int err;             /* or the errno it failed with, 0: a value */
    const char *root;    /* then: the key that failed at first */
    unsigned long order; /* of arrival among all results */
    char key[];
};

struct evy_dag {
    struct list nodes;
    size_t runs;         /* green threads that have not ended, killed ones too */
    atomic_uint news;    /* grows with each result and end: who waits for anything waits here */
    unsigned long order; /* of the next result */
};

struct evy_dag_results {
    evy_dag *dag;
    size_t count;        /* nodes that have not been handed out */
    const char *root;    /* of the failure handed out last, NULL: none */
    struct node *left[]; /* these */
};

/* One green thread of the graph. */
struct run {
    struct node *node; /* what it computes; its node->run is another once it was killed */
    evy_dag_results *in;
    void *(*fn)(evy_dag_results *, void *);
    void *arg;
    evy_gt *gt;
};

EVY_API evy_dag *evy_dag_new(void)
{
    evy_dag *d = calloc(1, sizeof *d);
    if (d)
        list_init(&d->nodes);
    return d;
}

EVY_API int evy_dag_free(evy_dag *d)
{
    if (!d || d->runs)
        return api_edge(d ? -EBUSY : -EINVAL);
    list_for_each_safe (link, &d->nodes)
        free(list_entry(link, struct node, link));
    free(d);
    return 0;
}

static struct node *find(const evy_dag *d, const char *key)
{
    list_for_each (link, &d->nodes) {
        struct node *n = list_entry(link, struct node, link);
        if (strcmp(n->key, key) == 0)
            return n;
    }
    return NULL;
}

static struct node *name(evy_dag *d, const char *key)
{
    struct node *n = find(d, key);
    if (n)
        return n;
    n = calloc(1, sizeof *n + strlen(key) + 1);
    if (n) {
        strcpy(n->key, key);
        list_append(&d->nodes, &n->link);
    }
    return n;
}

static void tell(evy_dag *d)
{
    atomic_fetch_add(&d->news, 1);
    lot_unpark_fenced(&d->news, UINT_MAX);
}

static void set_result(evy_dag *d, struct node *n, void *value, int err, const char *root)
{
    n->known = true;
    n->value = value;
    n->err = err;
    n->root = err ? root ? root : n->key : NULL;
    n->order = d->order++;
    tell(d);
}

static evy_dag_results *results_new(evy_dag *d, const char *const *keys, size_t count)
{
    evy_dag_results *in = calloc(1, sizeof *in + count * sizeof(struct node *));
    if (!in)
        return NULL;
    in->dag = d;
    for (; in->count < count; in->count++) {
        if (!keys[in->count])
            errno = EINVAL;
        if (!keys[in->count] || !(in->left[in->count] = name(d, keys[in->count]))) {
            free(in);
            return NULL;
        }
    }
    return in;
}

/* The place in left of the one that arrived first; count when none has. */
static size_t first_arrived(const evy_dag_results *in)
{
    size_t first = in->count;
    for (size_t i = 0; i < in->count; i++)
        if (in->left[i]->known &&
            (first == in->count || in->left[i]->order < in->left[first]->order))
            first = i;
    return first;
}

static int result_of(const struct node *n, void **value)
{
    if (n->err)
        return -n->err;
    if (value)
        *value = n->value;
    return 0;
}

static int next(evy_dag_results *in, const char **key, void **value)
{
    size_t i;
    unsigned news = atomic_load(&in->dag->news);
    while ((i = first_arrived(in)) == in->count) {
        int r = api_wait(&in->dag->news, news, DEADLINE_NEVER);
        if (r)
            return r;
        news = atomic_load(&in->dag->news);
    }
    const struct node *n = in->left[i];
    in->left[i] = in->left[--in->count];
    in->root = n->root;
    *key = n->key;
    int r = result_of(n, value);
    return r ? r : 1;
}

EVY_API int evy_dag_next(evy_dag_results *in, const char **key, void **value)
{
    const char *unwanted;
    key = key ? key : &unwanted;
    *key = NULL;
    if (!in)
        return api_edge(-EINVAL);
    return in->count ? api_edge(next(in, key, value)) : 0;
}

EVY_API evy_dag_results *evy_dag_each(evy_dag *d, const char *const *keys, size_t count)
{
    if (!d) {
        errno = EINVAL;
        return NULL;
    }
    if (keys)
        return results_new(d, keys, count);
    count = 0;
    list_for_each (link, &d->nodes)
        count++;
    evy_dag_results *in = calloc(1, sizeof *in + count * sizeof(struct node *));
    if (!in)
        return NULL;
    in->dag = d;
    list_for_each (link, &d->nodes)
        in->left[in->count++] = list_entry(link, struct node, link);
    return in;
}

EVY_API void evy_dag_each_free(evy_dag_results *in)
{
    free(in);
}

/* What was killed, or has posted its result itself, is not asked any more. */
static void run_ends(struct run *r, void *value, int err)
{
    evy_dag *d = r->in->dag;
    d->runs--;
    if (r->node->run == r) {
        r->node->run = NULL;
        if (!r->node->known)
            set_result(d, r->node, value, err, err ? r->in->root : NULL);
    }
    tell(d);
    evy_gt_unref(r->gt);
    free(r->in);
    free(r);
}

static void run_exits(void *arg)
{
    run_ends(arg, self()->result, self()->gt.error);
}

static void *run_body(void *arg)
{
    struct run *r = arg;
    evy_cleanup c;
    evy_cleanup_push(&c, run_exits, r);
    void *value = r->fn(r->in, r->arg);
    evy_cleanup_pop(0);
    run_ends(r, value, 0);
    return NULL;
}

static int run_new(struct node *n, evy_dag_results *in, void *(*fn)(evy_dag_results *, void *),
                   void *arg)
{
    struct run *r = malloc(sizeof *r);
    if (!r)
        return -1;
    *r = (struct run){.node = n, .in = in, .fn = fn, .arg = arg};
    r->gt = evy_spawn(run_body, r);
    if (!r->gt) {
        free(r);
        return -1;
    }
    n->run = r;
    in->dag->runs++;
    return 0;
}

EVY_API int evy_dag_spawn(evy_dag *d, const char *key, const char *const *deps, size_t count,
                          void *(*fn)(evy_dag_results *, void *), void *arg)
{
    if (!d || !key || !fn || (count && !deps))
        return api_edge(-EINVAL);
    struct node *n = name(d, key);
    if (n && (n->run || n->known))
        return api_edge(-EEXIST);
    evy_dag_results *in = n ? results_new(d, deps, count) : NULL;
    if (in && run_new(n, in, fn, arg) == 0)
        return 0;
    free(in);
    return -1;
}

static int post(evy_dag *d, const char *key, void *value, int err, int replace)
{
    if (!d || !key || err < 0)
        return api_edge(-EINVAL);
    struct node *n = name(d, key);
    if (!n)
        return -1;
    if ((n->run && n->run->gt != evy_getcurrent()) || (n->known && !replace))
        return api_edge(-EEXIST);
    set_result(d, n, value, err, NULL);
    return 0;
}

EVY_API int evy_dag_post(evy_dag *d, const char *key, void *value, int replace)
{
    return post(d, key, value, 0, replace);
}

EVY_API int evy_dag_post_error(evy_dag *d, const char *key, int err, int replace)
{
    return post(d, key, NULL, err ? err : -1, replace);
}

EVY_API int evy_dag_kill(evy_dag *d, const char *key)
{
    struct node *n = d && key ? find(d, key) : NULL;
    if (!n || !n->run)
        return api_edge(d && key ? -ENOENT : -EINVAL);
    struct run *r = n->run;
    n->run = NULL;
    evy_gt *gt = evy_gt_ref(r->gt);
    bool begun = evy_gt_started(gt);
    evy_kill(gt, 0);
    if (!begun)
        run_ends(r, NULL, ECANCELED);
    evy_gt_unref(gt);
    return 0;
}

EVY_API int evy_dag_get(evy_dag *d, const char *key, void **value)
{
    if (!d || !key)
        return api_edge(-EINVAL);
    const struct node *n = find(d, key);
    return api_edge(n && n->known ? result_of(n, value) : -EAGAIN);
}

EVY_API int evy_dag_wait(evy_dag *d, const char *key, void **value, double timeout)
{
    deadline_t at;
    int r = d && key ? api_deadline(timeout, &at) : -EINVAL;
    if (r)
        return api_edge(r);
    const struct node *n = name(d, key);
    if (!n)
        return -1;
    while (r == 0 && !n->known)
        r = api_wait(&d->news, atomic_load(&d->news), at);
    return api_edge(r ? r : result_of(n, value));
}

EVY_API int evy_dag_waitall(evy_dag *d)
{
    int r = d ? 0 : -EINVAL;
    while (r == 0 && evy_dag_running(d, NULL, 0) > 0)
        r = api_wait(&d->news, atomic_load(&d->news), DEADLINE_NEVER);
    if (r)
        return api_edge(r);
    list_for_each (link, &d->nodes)
        if (list_entry(link, struct node, link)->err)
            r = -list_entry(link, struct node, link)->err;
    return api_edge(r);
}

EVY_API int evy_dag_error(evy_dag *d, const char *key, const char **root)
{
    const struct node *n = d && key ? find(d, key) : NULL;
    if (root)
        *root = n ? n->root : NULL;
    return n ? n->err : 0;
}

static bool runs(const struct node *n)
{
    return n->run;
}

static bool is_known(const struct node *n)
{
    return n->known;
}

static size_t list_keys(evy_dag *d, bool (*which)(const struct node *), const char **keys,
                        size_t max)
{
    size_t count = 0;
    if (!d)
        return 0;
    list_for_each (link, &d->nodes) {
        const struct node *n = list_entry(link, struct node, link);
        if (!which(n))
            continue;
        if (keys && count < max)
            keys[count] = n->key;
        count++;
    }
    return count;
}

EVY_API size_t evy_dag_keys(evy_dag *d, const char **keys, size_t max)
{
    return list_keys(d, is_known, keys, max);
}

EVY_API size_t evy_dag_running(evy_dag *d, const char **keys, size_t max)
{
    return list_keys(d, runs, keys, max);
}

EVY_API long evy_dag_waiting_for(evy_dag *d, const char *key, const char **keys, size_t max)
{
    const struct node *n = d && key ? find(d, key) : NULL;
    if (!n)
        return api_edge(d && key ? -ENOENT : -EINVAL);
    long count = 0;
    for (size_t i = 0; n->run && i < n->run->in->count; i++) {
        const struct node *dep = n->run->in->left[i];
        if (dep->known)
            continue;
        if (keys && (size_t)count < max)
            keys[count] = dep->key;
        count++;
    }
    return count;
}
