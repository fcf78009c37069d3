/*
 * Opens connections to an echo server, asks over each, compares the answers and closes it.
 *
 *   churn PORT CONNECTIONS REQUESTS     REQUESTS over each connection
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 16, LENGTH = 64 };

static struct sockaddr_in server = {.sin_family = AF_INET};
static atomic_long left;
static int requests;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void ask(int fd, uint32_t number)
{
    uint32_t sent[LENGTH / 4], got[LENGTH / 4];
    for (unsigned i = 0; i < LENGTH / 4; i++)
        sent[i] = number * 2654435761u + i;
    if (send(fd, sent, LENGTH, MSG_NOSIGNAL) != LENGTH)
        die("send");
    if (recv(fd, got, LENGTH, MSG_WAITALL) != LENGTH || memcmp(sent, got, LENGTH) != 0)
        die("another answer, or none");
}

/* Half of the connections end with a reset, half with an orderly end that the server sees first. */
static void finish(int fd, long number)
{
    struct linger reset = {.l_onoff = 1};
    char c;
    if (number & 1) {
        shutdown(fd, SHUT_WR);
        if (recv(fd, &c, 1, 0) != 0)
            die("no end");
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static void *client(void *unused)
{
    int one = 1;
    for (long number; (number = atomic_fetch_sub(&left, 1)) > 0;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
            die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        for (int i = 0; i < requests; i++)
            ask(fd, (uint32_t)(number * requests + i));
        finish(fd, number);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc != 4)
        return 2;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    atomic_store(&left, atol(argv[2]));
    requests = atoi(argv[3]);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, client, NULL))
            die("pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
