// An accept loop that feeds a pool of 10,000 green threads, one per client; here the clients are green threads too.
#include "example.h"

#define CLIENTS 500
#define ROUNDS 5

static int port;

static void *handle(void *client)
{
    int fd = (int)(intptr_t)client;
    FILE *in = evy_fdopen(fd, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, in)) > 0 && evy_sendall(fd, line, (size_t)n) == 0)
        ;
    free(line);
    fclose(in);
    return NULL;
}

static void *serve(void *listener)
{
    evy_pool *pool = evy_pool_new(10000);
    int client;
    while ((client = evy_accept((int)(intptr_t)listener, NULL, NULL)) >= 0)
        NEED(evy_pool_spawn_n(pool, handle, (void *)(intptr_t)client) == 0);
    evy_pool_waitall(pool);
    evy_pool_free(pool);
    return NULL;
}

static void *talk(void *number)
{
    char line[100], answer[100];
    int fd = evy_connect_host("127.0.0.1", port);
    NEED(fd >= 0);
    for (int round = 0; round < ROUNDS; round++) {
        int n = snprintf(line, sizeof line, "client %d says %d\n", (int)(intptr_t)number, round);
        NEED(evy_sendall(fd, line, (size_t)n) == 0);
        for (ssize_t got = 0, r; got < n; got += r)
            NEED((r = evy_recv(fd, answer + got, sizeof answer - (size_t)got, 0)) > 0);
        NEED(memcmp(line, answer, (size_t)n) == 0);
    }
    evy_close(fd);
    return NULL;
}

int main(void)
{
    int listener = evy_listen("127.0.0.1", 0, 1000, 0);
    NEED(listener >= 0);
    port = port_of(listener);
    evy_gt *server = evy_spawn(serve, (void *)(intptr_t)listener);
    evy_pool *clients = evy_pool_new(CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        NEED(evy_pool_spawn_n(clients, talk, (void *)(intptr_t)i) == 0);
    NEED(evy_pool_waitall(clients) == 0 && evy_pool_free(clients) == 0);
    evy_close(listener);
    NEED(evy_gt_wait(server, NULL) == 0);
    evy_gt_unref(server);
    printf("%d lines echoed to %d clients\n", CLIENTS * ROUNDS, CLIENTS);
    return 0;
}
