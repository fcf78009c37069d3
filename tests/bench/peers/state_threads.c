/* The echo server on State Threads, one per connection. state_threads [PORT]; prints "listening PORT". */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <st.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void *serve(void *arg)
{
    st_netfd_t fd = arg;
    char buffer[16384];
    ssize_t n;
    while ((n = st_read(fd, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0 &&
           st_write(fd, buffer, (size_t)n, ST_UTIME_NO_TIMEOUT) == n)
        ;
    st_netfd_close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (st_set_eventsys(ST_EVENTSYS_ALT) < 0 || st_init() < 0 ||
        bind(listener, (void *)&at, sizeof at) || listen(listener, 4096) ||
        getsockname(listener, (void *)&at, &size))
        return 1;
    printf("listening %d\n", ntohs(at.sin_port));
    fflush(stdout);
    st_netfd_t from = st_netfd_open_socket(listener), client;
    while ((client = st_accept(from, NULL, NULL, ST_UTIME_NO_TIMEOUT))) {
        setsockopt(st_netfd_fileno(client), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!st_thread_create(serve, client, 0, 64 * 1024))
            st_netfd_close(client);
    }
    return 1;
}
