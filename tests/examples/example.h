/* What the examples share: a check, and a small web site to crawl. Eventlet's examples ask the internet; these bring their
   own other side, so that each can be run anywhere and tells by its exit status whether it worked. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <arpa/inet.h>
#include <errno.h>
#include <evy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NEED(x) ((x) ? (void)0 : give_up(#x, __LINE__))

__attribute__((noreturn)) static inline void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: not so: %s\n", line, what);
    exit(1);
}

static inline int port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    NEED(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    return ntohs(a.sin_port);
}

#define SITE_PAGES 100 /* page n links to 2n + 1 and 2n + 2 */

/* GET /n answers with the numbers of the pages that page n links to. */
static inline int site_page(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    char text[1000];
    int n;
    (void)addr, (void)len, (void)arg;
    NEED(evy_recv(fd, text, sizeof text, 0) > 0 && sscanf(text, "GET /%d", &n) == 1);
    evy_sleep(0.001 * (n % 7)); /* some pages take longer */
    snprintf(text, sizeof text, "HTTP/1.0 200 OK\r\n\r\n%d %d\n", 2 * n + 1, 2 * n + 2);
    return evy_sendall(fd, text, strlen(text));
}

static inline void *site_serve(void *listener)
{
    evy_serve((int)(intptr_t)listener, site_page, NULL, 0);
    return NULL;
}

/* Starts the site. Returns its port. */
static inline int site_start(void)
{
    int fd = evy_listen("127.0.0.1", 0, 1000, 0);
    NEED(fd >= 0 && evy_spawn_n(site_serve, (void *)(intptr_t)fd));
    return port_of(fd);
}

/* The body of a page, in body, which has room for n bytes. Returns 0 or -1. */
static inline int fetch(int port, int page, char *body, size_t n)
{
    char text[1000];
    size_t got = 0;
    ssize_t r = 0;
    int fd = evy_connect_host("127.0.0.1", port);
    if (fd < 0)
        return -1;
    snprintf(text, sizeof text, "GET /%d HTTP/1.0\r\n\r\n", page);
    if (evy_sendall(fd, text, strlen(text)) == 0)
        while ((r = evy_recv(fd, text + got, sizeof text - 1 - got, 0)) > 0)
            got += (size_t)r;
    evy_close(fd);
    text[got] = 0;
    const char *end = strstr(text, "\r\n\r\n");
    if (r < 0 || !end)
        return -1;
    snprintf(body, n, "%s", end + 4);
    return 0;
}

#endif
