/* Listeners: each has a green thread that waits for its descriptor and calls. */
#include "api/debug.h"
#include "api/gt.h"
#include "api/timer.h"
#include "core/raise.h"
#include "core/sched.h"
#include "io/calls.h"

#include <evy/hub.h>

#include <poll.h>
#include <stdlib.h>

struct evy_listener {
    struct list node;                 /* in listeners, oldest first; lock */
    int event;                        /* 1 or 2 */
    int fd;                           /* its descriptor */
    void (*cb)(int, void *);          /* for readiness */
    void (*err_cb)(int, int, void *); /* for its end, or NULL */
    void *arg;                        /* for both */
    evy_gt *gt;                       /* its green thread: a reference */
    atomic_uint state;                /* LISTENER_* */
};

enum { LISTENER_WAITS, LISTENER_PROMOTED, LISTENER_SPENT };

static struct list listeners = {&listeners, &listeners};
static struct spin lock; /* protects listeners; nests inside nothing */

/* The oldest for its descriptor and direction that is not spent, NULL: none. The lock is held. */
static evy_listener *primary(int fd, int event)
{
    list_for_each (node, &listeners) {
        evy_listener *l = list_entry(node, struct evy_listener, node);
        if (l->fd == fd && l->event == event && l->state != LISTENER_SPENT)
            return l;
    }
    return NULL;
}

static void promote(int fd, int event)
{
    unsigned waits = LISTENER_WAITS;
    object_lock(&lock);
    evy_listener *l = primary(fd, event);
    if (l)
        atomic_compare_exchange_strong(&l->state, &waits, LISTENER_PROMOTED);
    object_unlock(&lock);
    if (l)
        lot_unpark_fenced(&l->state, 1);
}

static void spend(evy_listener *l)
{
    if (atomic_exchange(&l->state, LISTENER_SPENT) != LISTENER_SPENT)
        promote(l->fd, l->event);
}

static void serve_once(evy_listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = l->event == 1 ? POLLIN : POLLOUT};
    int r = evy_poll(&p, 1, -1), err = r < 0 ? errno : EBADF;
    if (l->state == LISTENER_SPENT || (r < 0 && err == EINTR))
        return;
    if (r > 0 && !(p.revents & POLLNVAL)) {
        l->cb(l->fd, l->arg);
        return;
    }
    spend(l);
    if (l->err_cb)
        l->err_cb(l->fd, err, l->arg);
}

static void *listen_for(void *arg)
{
    evy_listener *l = arg;
    while (l->state == LISTENER_WAITS)
        api_wait(&l->state, LISTENER_WAITS, DEADLINE_NEVER);
    while (l->state == LISTENER_PROMOTED)
        serve_once(l);
    return NULL;
}

EVY_API evy_listener *evy_hub_add(int event, int fd, void (*cb)(int, void *),
                                  void (*err_cb)(int, int, void *), void *arg)
{
    evy_listener *l = NULL;
    if ((event != 1 && event != 2) || fd < 0 || !cb)
        errno = EINVAL;
    else if (debug_one_reader && primary(fd, event))
        errno = EBUSY;
    else
        l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct evy_listener){.event = event, .fd = fd, .cb = cb, .err_cb = err_cb, .arg = arg};
    l->gt = evy_spawn(listen_for, l);
    if (!l->gt) {
        free(l);
        return NULL;
    }
    object_lock(&lock);
    list_append(&listeners, &l->node);
    object_unlock(&lock);
    promote(fd, event);
    return l;
}

/* Its thread may be in cb, which may be what calls us. */
static void free_at_end(evy_gt *g, void *l)
{
    (void)g;
    free(l);
}

EVY_API int evy_hub_remove(evy_listener *l)
{
    if (!l)
        return api_edge(-EINVAL);
    spend(l);
    object_lock(&lock);
    list_remove(&l->node);
    object_unlock(&lock);
    evy_gt *g = l->gt;
    if (evy_gt_link(g, free_at_end, l) == 0 && green_of(g) != self())
        evy_kill(g, 0);
    evy_gt_unref(g);
    return 0;
}

/* The first of fd's, or of any with fd below 0, that is not spent. */
static evy_listener *first_of(int fd)
{
    evy_listener *found = NULL;
    object_lock(&lock);
    list_for_each (node, &listeners) {
        evy_listener *l = list_entry(node, struct evy_listener, node);
        if (!found && (fd < 0 || l->fd == fd) && l->state != LISTENER_SPENT)
            found = l;
    }
    object_unlock(&lock);
    return found;
}

static void spend_all(int fd)
{
    evy_listener *l;
    while ((l = first_of(fd))) {
        atomic_store(&l->state, LISTENER_SPENT);
        if (fd >= 0)
            l->cb(fd, l->arg);
        raise_kill(green_of(l->gt), ECANCELED);
        sched_unpark(green_of(l->gt));
    }
}

EVY_API int evy_hub_remove_fd(int fd)
{
    if (fd < 0)
        return api_edge(-EINVAL);
    spend_all(fd);
    return 0;
}

void listeners_drop(void)
{
    spend_all(-1);
}
