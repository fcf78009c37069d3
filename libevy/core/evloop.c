#include "core/evloop.h"

#include "base/log.h"
#include "base/spin.h"
#include "base/sys.h"
#include "core/hub.h"
#include "core/own_fd.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct evloop_watch {
    struct event event;        /* libevent's part */
    void *arg;                 /* what evloop_ready is called with */
    struct evloop_watch *free; /* next in the free list */
    struct inbox_node link;    /* in the hub's retired inbox */
};

struct evloop_wake {
    struct event event; /* readable when somebody kicked */
    atomic_int fd;      /* eventfd */
    bool edge;          /* edge-triggered: need not be drained */
};

void (*evloop_ready)(void *arg, int what);

static struct evloop_watch *free_watches; /* watches_lock */
static struct spin watches_lock;          /* protects free_watches; nests inside nothing */
static struct evloop_wake wakes[HUB_SLOTS];
static struct hub *opening; /* whose base is being made: by one thread, before the hub runs */

/* Registrations are slab memory, not malloc'ed: read() must stay callable where malloc is not. */
static struct evloop_watch *watch_alloc(void)
{
    spin_lock(&watches_lock);
    if (!free_watches) {
        size_t bytes = 1 << 18;
        long p = sys_map(bytes);
        if (p < 0) {
            spin_unlock(&watches_lock);
            return NULL;
        }
        struct evloop_watch *slab = (struct evloop_watch *)p;
        for (size_t i = 0; i < bytes / sizeof *slab; i++) {
            slab[i].free = free_watches;
            free_watches = &slab[i];
        }
    }
    struct evloop_watch *w = free_watches;
    free_watches = w->free;
    spin_unlock(&watches_lock);
    return w;
}

static void watch_free(struct evloop_watch *w)
{
    spin_lock(&watches_lock);
    w->free = free_watches;
    free_watches = w;
    spin_unlock(&watches_lock);
}

/* A hub's descriptors may change their numbers: libevent is told this one for its epoll instance. */
#define EPOLL_NUMBER (1 << 30)

int evloop_epoll_made(int fd)
{
    int r = own_fd(fd, &opening->epoll_fd);
    return r ? r : EPOLL_NUMBER + (int)opening->index;
}

int evloop_epoll_fd(int number)
{
    return hubs[number - EPOLL_NUMBER].epoll_fd;
}

static const char *const method_names[] = {
    [METHOD_EPOLL] = "epoll", [METHOD_POLL] = "poll", [METHOD_SELECT] = "select"};

static struct event_base *base_new(enum hub_method method)
{
    struct event_config *cfg = event_config_new();
    if (!cfg)
        return NULL;
    event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
                                   EVENT_BASE_FLAG_NO_CACHE_TIME);
    for (size_t i = 0; i < array_len(method_names); i++)
        if (i != method)
            event_config_avoid_method(cfg, method_names[i]);
    struct event_base *base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    return base;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct evloop_wake *w = arg;
    uint64_t count;
    if (!w->edge)
        sys_read(w->fd, &count, sizeof count);
}

/* A descriptor may be closed on another hub while it is being registered: its reader is told, nobody else. Why no hub
   can be started is told by who wanted it. */
static void on_log(int severity, const char *text)
{
    if (severity == EVENT_LOG_WARN && (strstr(text, strerror(EBADF)) || !hub_count))
        log_debug("libevent: %s", text);
    else if (severity >= EVENT_LOG_WARN)
        log_warn("libevent: %s", text);
}

static void on_fatal(int err)
{
    log_error("libevent cannot go on (%d)", err);
    abort();
}

static int wake_add(struct hub *h)
{
    struct evloop_wake *w = h->wake;
    short events = (short)(EV_READ | EV_PERSIST | (w->edge ? EV_ET : 0));
    if (event_assign(&w->event, h->base, w->fd, events, on_wake, w) || event_add(&w->event, NULL))
        return -ENOMEM;
    return 0;
}

/* poll and select are told the number at each call: it must be the one the wake has now. */
static void wake_follow(struct hub *h)
{
    struct evloop_wake *w = h->wake;
    if (likely(w->edge || event_get_fd(&w->event) == w->fd))
        return;
    event_del(&w->event);
    if (wake_add(h))
        log_error("hub %u: no memory to wait for its wake-ups", h->index);
}

static int open_parts(struct hub *h)
{
    opening = h;
    h->base = base_new(config.method);
    if (!h->base)
        return errno == EPERM || errno == ENOSYS ? -errno : -ENOMEM;
    h->edge_triggered = event_base_get_features(h->base) & EV_FEATURE_ET;
    struct evloop_wake *w = h->wake;
    int r =
        OWN_FDS_PASSING(own_fd((int)sys3(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0), &w->fd));
    w->edge = evloop_edge_triggered(h);
    return r ? r : wake_add(h);
}

int evloop_open(struct hub *h)
{
    event_set_log_callback(on_log);
    event_set_fatal_callback(on_fatal);
    h->epoll_fd = -1;
    h->wake = &wakes[h->index];
    int r = open_parts(h);
    if (r)
        evloop_close(h);
    return r;
}

void evloop_close(struct hub *h)
{
    if (h->base)
        event_base_free(h->base);
    h->base = NULL;
    own_fd_close(&h->wake->fd);
    own_fd_close(&h->epoll_fd);
}

void evloop_kick(struct hub *h)
{
    uint64_t one = 1;
    sys_write(h->wake->fd, &one, sizeof one);
}

static void reap_retired(struct hub *h)
{
    struct inbox_node *node = inbox_take(&h->retired);
    h->skip_epoll_ctl = true;
    while (node) {
        struct evloop_watch *w = container_of(node, struct evloop_watch, link);
        node = node->next;
        evloop_unwatch(h, w);
    }
    h->skip_epoll_ctl = false;
}

/* These flags make libevent dispatch exactly once, ready or not; how long that may wait is decided by lev_epoll_wait
   and its like, which know the hub's deadline to the nanosecond: so neither libevent's timers nor a timerfd
   is needed. */
void evloop_poll(struct hub *h)
{
    reap_retired(h);
    wake_follow(h);
    event_base_loop(h->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct evloop_watch *w = arg;
    evloop_ready(w->arg, (what & EV_READ ? EVLOOP_READ : 0) | (what & EV_WRITE ? EVLOOP_WRITE : 0) |
                             (what & EV_CLOSED ? EVLOOP_CLOSED : 0));
}

static int watch_add(struct hub *h, struct evloop_watch *w, int fd, short events)
{
    if (event_assign(&w->event, h->base, fd, events, on_event, w))
        return -EINVAL;
    int saved = errno, r = 0; /* the program's: no call that succeeds changes it */
    errno = EINVAL;
    h->registering = w->arg;
    if (event_add(&w->event, NULL))
        r = errno == ENOSPC ? -ENOMEM : -errno; /* no call that waits knows of epoll's watches */
    h->registering = NULL;
    errno = saved;
    return r;
}

int evloop_watch(struct hub *h, int fd, int what, void *arg, struct evloop_watch **out)
{
    reap_retired(h); /* a dead registration of this number would hide the new one from the kernel */
    struct evloop_watch *w = watch_alloc();
    if (!w)
        return -ENOMEM;
    w->arg = arg;
    short events = 0;
    if (what & EVLOOP_READ)
        events |= EV_READ;
    if (what & EVLOOP_WRITE)
        events |= EV_WRITE;
    if (evloop_edge_triggered(h))
        events |= EV_ET | EV_PERSIST | EV_CLOSED;
    int r = watch_add(h, w, fd, events);
    if (r) {
        watch_free(w);
        return r;
    }
    h->watches++;
    *out = w;
    return 0;
}

void evloop_unwatch(struct hub *h, struct evloop_watch *w)
{
    h->watches--;
    event_del(&w->event);
    watch_free(w);
}

/* The kernel's side, when it needs telling at all, is done at once: after the close it could not be. */
void evloop_retire(struct hub *h, struct evloop_watch *w, bool last)
{
    if (!last && h->epoll_fd >= 0)
        sys_call4(SYS_epoll_ctl, h->epoll_fd, EPOLL_CTL_DEL, event_get_fd(&w->event), 0);
    inbox_push(&h->retired, &w->link);
    if (hub_is_here(h))
        reap_retired(h);
    else
        hub_kick(h);
}

void evloop_fork_locks(bool take)
{
    spin_fork(&watches_lock, take);
}
