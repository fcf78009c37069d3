/* The echo server on libevent's buffered events. bufferevent [PORT]; prints "listening PORT". */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void on_read(struct bufferevent *b, void *arg)
{
    (void)arg;
    bufferevent_write_buffer(b, bufferevent_get_input(b));
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
    (void)what;
    (void)arg;
    bufferevent_free(b);
}

static void on_client(evutil_socket_t listener, short what, void *base)
{
    int one = 1, fd;
    (void)what;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct bufferevent *b = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        bufferevent_setcb(b, on_read, NULL, on_event, NULL);
        bufferevent_enable(b, EV_READ | EV_WRITE);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct event_base *base = event_base_new();
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!base || bind(listener, (void *)&at, sizeof at) || listen(listener, 4096) ||
        getsockname(listener, (void *)&at, &size))
        return 1;
    printf("listening %d\n", ntohs(at.sin_port));
    fflush(stdout);
    event_add(event_new(base, listener, EV_READ | EV_PERSIST, on_client, base), NULL);
    return event_base_dispatch(base);
}
