#include "core/ready.h"

#include "core/evloop.h"
#include "core/lot.h"

#define MARK (UINT64_C(1) << 63) /* neither addresses nor descriptors have it */

uint64_t ready_data(const void *arg)
{
    return (uintptr_t)arg | MARK;
}

static bool marked(const struct epoll_event *e)
{
    return e->data.u64 & MARK;
}

static void *argument(const struct epoll_event *e)
{
    return (void *)(uintptr_t)(e->data.u64 & ~MARK);
}

static void expect(const struct epoll_event *events, int n)
{
    const void *addrs[READY_MOST];
    int count = 0;
    for (int i = 0; i < n; i++)
        if (marked(&events[i]))
            addrs[count++] = argument(&events[i]);
    lot_expect(addrs, count);
}

/* Conditions that stay and concern every waiter - hang-ups, errors, urgent data - are told as "both directions, closed":
   libevent has no word for urgent data, and takes a hang-up for plain readiness. */
static uint32_t translate(uint32_t events)
{
    return events & (EPOLLHUP | EPOLLERR | EPOLLPRI) ? EPOLLIN | EPOLLOUT | EPOLLRDHUP : events;
}

static int what(uint32_t events)
{
    return (events & EPOLLIN ? EVLOOP_READ : 0) | (events & EPOLLOUT ? EVLOOP_WRITE : 0) |
           (events & EPOLLRDHUP ? EVLOOP_CLOSED : 0);
}

int ready_dispatch(struct epoll_event *events, int n)
{
    int left = 0;
    expect(events, n);
    for (int i = 0; i < n; i++) {
        uint32_t e = translate(events[i].events);
        if (marked(&events[i])) {
            evloop_ready(argument(&events[i]), what(e));
        } else {
            events[left] = events[i];
            events[left++].events = e;
        }
    }
    return left;
}
