/*
 * The yardstick: a TCP echo server as one hand-written edge-triggered epoll loop.
 *
 *   echo_epoll [PORT [empty | threaded]]     PORT 0 or none: any; prints "listening PORT"
 *
 * A connection is registered once for its whole life; a read shorter than its buffer means that the
 * socket is drained, so a request costs one recv, one send and its share of an epoll_wait.
 *
 *   empty      reads until EAGAIN, as most such loops do: one recv more
 *   threaded   has what no program with a thread per connection can do without: a buffer for each connection, and
 *              a second kernel thread, so that the kernel counts references to a file at each call
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 16 * 1024, BATCH = 512, BACKLOG = 4096 };

struct connection {
    int fd;
    char *buffer;
    size_t kept, sent; /* what the socket did not take yet lies in rest[sent..kept) */
    char *rest;
};

static int epoll;
static int until_empty, threaded;
static char common_buffer[BUFFER_BYTES];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void finish(struct connection *c)
{
    close(c->fd);
    if (threaded)
        free(c->buffer);
    free(c->rest);
    free(c);
}

/* Sends and keeps what did not fit. Returns 0, or -1 when the connection is dead. */
static int give(struct connection *c, const char *data, size_t size)
{
    ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
    if (n == (ssize_t)size)
        return 0;
    if (n < 0 && errno != EAGAIN)
        return -1;
    c->sent = 0;
    c->kept = size - (size_t)(n < 0 ? 0 : n);
    c->rest = malloc(c->kept);
    if (!c->rest)
        return -1;
    memcpy(c->rest, data + (n < 0 ? 0 : n), c->kept);
    return 0;
}

static int give_rest(struct connection *c)
{
    while (c->sent < c->kept) {
        ssize_t n = send(c->fd, c->rest + c->sent, c->kept - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->sent += (size_t)n;
    }
    free(c->rest);
    c->rest = NULL;
    return 0;
}

static void serve(struct connection *c, uint32_t events)
{
    int more = 1;
    if (c->rest && give_rest(c) < 0) {
        finish(c);
        return;
    }
    while (more && !c->rest) {
        ssize_t n = recv(c->fd, c->buffer, BUFFER_BYTES, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || give(c, c->buffer, (size_t)n) < 0) {
            finish(c);
            return;
        }
        /* An end of the stream that arrived with the data brings no edge of its own. */
        more = until_empty || n == BUFFER_BYTES || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    }
}

static void welcome(int listener)
{
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        if (!c || !(c->buffer = threaded ? malloc(BUFFER_BYTES) : common_buffer))
            die("calloc");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
            die("epoll_ctl");
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        die("accept4");
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (void *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (void *)&at, &size) < 0)
        die("listener");
    printf("listening %u\n", (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void *idle(void *arg)
{
    pause();
    return arg;
}

int main(int argc, char **argv)
{
    static struct epoll_event events[BATCH];
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    pthread_t thread;
    until_empty = argc > 2 && strcmp(argv[2], "empty") == 0;
    threaded = argc > 2 && strcmp(argv[2], "threaded") == 0;
    if (threaded && pthread_create(&thread, NULL, idle, NULL) != 0)
        die("pthread_create");
    int listener = listen_on((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e) < 0)
        die("epoll");
    for (;;) {
        int n = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                welcome(listener);
        }
    }
}
