/* Hubs, as far as a program has a say. */
#include "api/gt.h"
#include "api/timer.h"

#include "base/config.h"
#include "core/hub.h"
#include "core/raise.h"
#include "io/fdtab.h"

#include <evy/hub.h>

#include <string.h>

static const char *const methods[] = {
    [METHOD_EPOLL] = "epoll", [METHOD_POLL] = "poll", [METHOD_SELECT] = "select"};

EVY_API evy_hub *evy_hub_get(void)
{
    struct green *g = api_self();
    return g ? (evy_hub *)g->hub : NULL;
}

static int method_of(const char *name)
{
    for (size_t i = 0; name && i < array_len(methods); i++)
        if (strcmp(methods[i], name) == 0)
            return (int)i;
    return -1;
}

EVY_API int evy_hub_available(const char *method)
{
    return method_of(method) >= 0; /* Linux has them all */
}

EVY_API int evy_hub_use(const char *method)
{
    int m = method ? method_of(method) : (int)config.method;
    if (m < 0 || hub_count)
        return api_edge(m < 0 ? -EINVAL : -EBUSY);
    config.method = (enum hub_method)m;
    return 0;
}

EVY_API const char *evy_hub_method(void)
{
    return methods[config.method];
}

EVY_API double evy_hub_clock(void)
{
    return (double)clock_now() / 1e9;
}

/* The parks of green threads have no fire and stay. */
static struct timer *first_to_drop(const struct timers *ts)
{
    for (size_t i = 0; i < ts->count; i++)
        if (ts->heap[i].timer->fire)
            return ts->heap[i].timer;
    return NULL;
}

static void drop_timers(struct hub *h)
{
    struct timer *t;
    while ((t = first_to_drop(&h->timers)))
        if (!timer_drop(t) && !raise_drop(t))
            gt_end_unstarted(container_of(t, struct green, timer), ECANCELED);
}

EVY_API int evy_hub_abort(int wait)
{
    struct green *g = api_self();
    if (!g)
        return -1;
    if (wait && g->flags & GREEN_LOOP)
        return api_edge(-EDEADLK);
    critical_enter_as(g);
    drop_timers(g->hub);
    critical_leave_as(g);
    listeners_drop();
    return wait ? evy_sleep(0) : 0;
}

static void count_waits(int fd, struct fd *s, void *arg)
{
    unsigned *count = arg;
    (void)fd;
    for (int dir = FD_READ; dir <= FD_WRITE; dir++)
        count[dir] += lot_waiters(&s->seq[dir], NULL, 0);
}

static unsigned waits(int dir)
{
    unsigned count[2] = {0, 0};
    fd_each(count_waits, count);
    return count[dir];
}

EVY_API unsigned evy_hub_nreaders(void)
{
    return waits(FD_READ);
}

EVY_API unsigned evy_hub_nwriters(void)
{
    return waits(FD_WRITE);
}

EVY_API unsigned evy_hub_ntimers(void)
{
    size_t count = 0;
    for (unsigned i = 0; i < hub_count; i++)
        count += hubs[i].timers.count;
    return (unsigned)count;
}
