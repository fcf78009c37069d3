/* The echo server on GNU Pth, a thread per connection. pth [PORT]; prints "listening PORT". */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pth.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[16384];
    ssize_t n;
    while ((n = pth_read(fd, buffer, sizeof buffer)) > 0 && pth_write(fd, buffer, (size_t)n) == n)
        ;
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1, fd, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!pth_init() || bind(listener, (void *)&at, sizeof at) || listen(listener, 4096) ||
        getsockname(listener, (void *)&at, &size))
        return 1;
    printf("listening %d\n", ntohs(at.sin_port));
    fflush(stdout);
    pth_attr_t attributes = pth_attr_new();
    pth_attr_set(attributes, PTH_ATTR_JOINABLE, FALSE);
    pth_attr_set(attributes, PTH_ATTR_STACK_SIZE, 64 * 1024);
    while ((fd = pth_accept(listener, NULL, NULL)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!pth_spawn(attributes, serve, (void *)(intptr_t)fd))
            close(fd);
    }
    return 1;
}
