/* evy_serve: an accept loop and a green thread per connection. */
#include "api/gt.h"
#include "io/calls.h"
#include "io/io.h"

#include <evy/net.h>
#include <stdlib.h>

#define CONCURRENCY 1000 /* Eventlet's */

/* All on one hub, whose green threads take turns. It lives as long as serve or a handler of it. */
struct server {
    evy_handler *handler;
    void *arg;
    evy_gt *self;     /* who is in evy_serve, NULL once that has its answer */
    atomic_uint free; /* connections that may begin; the server waits on it */
    unsigned users;   /* handlers and evy_serve */
    int answer;       /* what evy_serve returns: 0 or -errno */
};

struct connection {
    struct server *server;
    int fd;
    int answer; /* of the handler: its result, or -errno */
    socklen_t len;
    struct sockaddr_storage addr;
};

static void server_leave(struct server *s)
{
    if (--s->users == 0)
        free(s);
}

/* Ends evy_serve: it is in accept, or waits for a free place. */
static void server_end(struct server *s, int answer)
{
    evy_gt *waiting = s->self;
    if (!waiting)
        return;
    s->self = NULL;
    s->answer = answer;
    evy_kill(waiting, ECANCELED);
}

static void *serve_one(void *arg)
{
    struct connection *c = arg;
    int r = c->server->handler(c->fd, (struct sockaddr *)&c->addr, c->len, c->server->arg);
    c->answer = r < 0 ? -errno : r;
    return NULL;
}

/* Whatever ended the handler's green thread. */
static void connection_ended(evy_gt *g, void *arg)
{
    struct connection *c = arg;
    struct server *s = c->server;
    int answer = evy_gt_error(g) ? -evy_gt_error(g) : c->answer;
    evy_close(c->fd);
    free(c);
    atomic_fetch_add(&s->free, 1);
    lot_unpark(&s->free, 1);
    if (answer && answer != -ECANCELED)
        server_end(s, answer == EVY_STOP_SERVE ? 0 : answer);
    server_leave(s);
}

static int wait_for_place(struct server *s)
{
    int r = 0;
    while (r == 0 && atomic_load(&s->free) == 0)
        r = api_wait(&s->free, 0, DEADLINE_NEVER);
    return r;
}

/* Accepts one connection and starts its handler. Returns 0 or -errno. */
static int serve_next(struct server *s, int listener)
{
    int r = wait_for_place(s);
    struct connection *c = r ? NULL : malloc(sizeof *c);
    if (!c)
        return r ? r : -ENOMEM;
    *c = (struct connection){.server = s, .len = sizeof c->addr};
    c->fd = evy_accept4(listener, (struct sockaddr *)&c->addr, &c->len, SOCK_CLOEXEC);
    evy_gt *g = c->fd >= 0 ? evy_spawn(serve_one, c) : NULL;
    if (!g || evy_gt_link(g, connection_ended, c)) {
        r = -errno;
        evy_cancel(g, 0);
        evy_gt_unref(g);
        if (c->fd >= 0)
            evy_close(c->fd);
        free(c);
        return r;
    }
    s->users++;
    atomic_fetch_sub(&s->free, 1);
    evy_gt_unref(g);
    return 0;
}

EVY_API int evy_serve(int listener, evy_handler *handler, void *arg, unsigned concurrency)
{
    evy_gt *self = handler ? evy_getcurrent() : NULL;
    struct server *s = self ? malloc(sizeof *s) : NULL;
    if (!s)
        return (int)errno_edge(!handler ? -EINVAL : self ? -ENOMEM : -errno);
    *s = (struct server){handler, arg, self, concurrency ? concurrency : CONCURRENCY, 1, 0};
    int r;
    do
        r = serve_next(s, listener);
    while (r == 0 && s->self);
    if (!s->self) { /* a handler has ended it, perhaps before it could wait */
        r = s->answer;
        atomic_store(&green_of(self)->raises.kill, 0);
    }
    s->self = NULL;
    server_leave(s);
    return api_edge(r);
}
