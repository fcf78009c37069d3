// Proves: short messages that several threads send through one small buffer all arrive, each byte once, though many of them
// go out in parts.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

enum { SENDERS = 4, MESSAGES = 3000, SIZE = 1500 };

static int out;

static void *sends(void *arg)
{
    char message[SIZE];
    memset(message, (int)(long)arg, sizeof message);
    for (int i = 0; i < MESSAGES; i++)
        CHECK(send(out, message, sizeof message, 0) == SIZE);
    return NULL;
}

int main(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int small = 4096;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
    CHECK(bind(listener, (void *)&a, sizeof a) == 0 && listen(listener, 1) == 0 &&
          getsockname(listener, (void *)&a, &size) == 0);
    out = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(setsockopt(out, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    CHECK(connect(out, (void *)&a, sizeof a) == 0);
    int in = accept(listener, NULL, NULL);
    CHECK(in >= 0);

    pthread_t t[SENDERS];
    for (long i = 0; i < SENDERS; i++)
        t[i] = spawn(sends, (void *)i);
    long got[SENDERS] = {0};
    char buf[5000];
    for (long left = (long)SENDERS * MESSAGES * SIZE; left > 0;) {
        ssize_t n = recv(in, buf, sizeof buf, 0);
        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i++)
            got[(unsigned char)buf[i] % SENDERS]++;
        left -= n;
    }
    for (int i = 0; i < SENDERS; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
        printf("%ld\n", got[i]);
    }
    return 0;
}
