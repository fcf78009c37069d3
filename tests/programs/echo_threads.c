/*
 * A thread-per-connection TCP echo server, written as such servers always were and built without
 * libevy: the tests and the demo run the same binary natively and under the preload.
 *
 *   echo_threads [PORT]     PORT 0 or none: any; prints "listening PORT"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, BUFFER_BYTES = 16 * 1024, BACKLOG = 4096, RETRY_USEC = 10 * 1000 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[BUFFER_BYTES];
    ssize_t n;

    for (;;) {
        n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || send_all(fd, buffer, (size_t)n) < 0)
            break;
    }
    close(fd);
    return NULL;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof addr;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        die("socket");
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        die("bind");
    if (listen(fd, BACKLOG) < 0)
        die("listen");
    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        die("getsockname");
    printf("listening %u\n", (unsigned)ntohs(addr.sin_port));
    fflush(stdout);
    return fd;
}

/* Out of descriptors or memory is a state that passes when clients leave: wait a little, go on. */
static int accept_failed(void)
{
    switch (errno) {
    case EINTR:
    case ECONNABORTED:
        return 0;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        usleep(RETRY_USEC);
        return 0;
    default:
        return -1;
    }
}

static void start_thread(const pthread_attr_t *attr, int fd)
{
    pthread_t thread;
    int one = 1;
    int err;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    err = pthread_create(&thread, attr, serve, (void *)(intptr_t)fd);
    if (err) {
        fprintf(stderr, "pthread_create: %s\n", strerror(err));
        close(fd);
    }
}

int main(int argc, char **argv)
{
    pthread_attr_t attr;
    int listener = listen_on((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));

    signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            start_thread(&attr, fd);
        else if (accept_failed() < 0)
            die("accept");
    }
}
