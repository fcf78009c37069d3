// Two one-way pumps make a port forwarder; a link tells when a connection is over. Behind it is an echo.
#include "example.h"

#define CLIENTS 20

static int target, closed;

struct pump {
    int from, to;
};

static void *pump(void *arg)
{
    struct pump *p = arg;
    char buf[4096];
    ssize_t n;
    while ((n = evy_recv(p->from, buf, sizeof buf, 0)) > 0 &&
           evy_sendall(p->to, buf, (size_t)n) == 0)
        ;
    evy_shutdown_safe(p->from);
    evy_shutdown_safe(p->to);
    return NULL;
}

static void both_ended(evy_gt *g, void *arg)
{
    (void)g, (void)arg;
    closed++;
}

static int forward(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    (void)addr, (void)len, (void)arg;
    int there = evy_connect_host("127.0.0.1", target);
    struct pump in = {fd, there}, out = {there, fd};
    evy_gt *g = there < 0 ? NULL : evy_spawn(pump, &in);
    NEED(g && evy_gt_link(g, both_ended, NULL) == 0);
    pump(&out);
    evy_gt_wait(g, NULL);
    evy_gt_unref(g);
    evy_close(there);
    return 0;
}

static int echo(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    struct pump back = {fd, fd};
    (void)addr, (void)len, (void)arg;
    pump(&back);
    return 0;
}

static evy_handler *handlers[2] = {echo, forward};
static int listeners[2];

static void *serve(void *which)
{
    evy_serve(listeners[(intptr_t)which], handlers[(intptr_t)which], NULL, 0);
    return NULL;
}

static void *talk(void *number)
{
    char text[20000], answer[sizeof text];
    size_t got = 0;
    ssize_t n;
    memset(text, 'a' + (int)(intptr_t)number, sizeof text);
    int fd = evy_connect_host("127.0.0.1", port_of(listeners[1]));
    NEED(fd >= 0 && evy_sendall(fd, text, sizeof text) == 0);
    while (got < sizeof answer && (n = evy_recv(fd, answer + got, sizeof answer - got, 0)) > 0)
        got += (size_t)n;
    NEED(got == sizeof text && memcmp(text, answer, got) == 0);
    evy_close(fd);
    return NULL;
}

int main(void)
{
    evy_pool *clients = evy_pool_new(CLIENTS);
    for (int i = 0; i < 2; i++) {
        listeners[i] = evy_listen("127.0.0.1", 0, 0, 0);
        NEED(listeners[i] >= 0 && evy_spawn_n(serve, (void *)(intptr_t)i));
    }
    target = port_of(listeners[0]);
    for (int i = 0; i < CLIENTS; i++)
        NEED(evy_pool_spawn_n(clients, talk, (void *)(intptr_t)i) == 0);
    NEED(evy_pool_waitall(clients) == 0);
    while (closed < CLIENTS)
        evy_sleep(0.001);
    printf("%d connections forwarded and closed\n", closed);
    return evy_pool_free(clients);
}
