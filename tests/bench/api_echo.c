/*
 * The echo server of the explicit API: a pool of green threads, one per client, as Eventlet's Basic Usage page has it.
 *
 *   api_echo [PORT]     PORT 0 or none: any; prints "listening PORT"
 */
#include <evy.h>
#include <evy/libc.h>
#include <evy/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *handle(void *client)
{
    int fd = (int)(intptr_t)client, on = 1;
    char buffer[16384];
    ssize_t n;
    evy_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((n = evy_recv(fd, buffer, sizeof buffer, 0)) > 0 &&
           evy_sendall(fd, buffer, (size_t)n) == 0)
        ;
    evy_close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    int client, listener = evy_listen("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0, 4096, 0);
    evy_pool *pool = evy_pool_new(10000);
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&addr, &len))
        return 1;
    printf("listening %d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while ((client = evy_accept(listener, NULL, NULL)) >= 0)
        evy_pool_spawn_n(pool, handle, (void *)(intptr_t)client);
    return 1;
}
