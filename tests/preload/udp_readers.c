// methods
// Proves: several threads in recvfrom on one UDP socket share the datagrams without losing or
// duplicating any; sendto and recvfrom carry addresses; recvmmsg and sendmmsg work on threads.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { READERS = 5, MESSAGES = 2000 };

static struct sockaddr_in at = {.sin_family = AF_INET};
static int s;
static atomic_int seen[MESSAGES], total;

static void *reader(void *arg)
{
    (void)arg;
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        int n;
        ssize_t got = recvfrom(s, &n, sizeof n, 0, (void *)&from, &size);
        CHECK(got == sizeof n);
        if (n < 0)
            return NULL;
        CHECK(size == sizeof from && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        atomic_fetch_add(&seen[n], 1);
        atomic_fetch_add(&total, 1);
        CHECK(sendto(s, &n, sizeof n, 0, (void *)&from, size) == sizeof n);
    }
}

int main(void)
{
    pthread_t t[READERS];
    socklen_t size = sizeof at;
    int c = socket(AF_INET, SOCK_DGRAM, 0), end = -1, once = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK((s = socket(AF_INET, SOCK_DGRAM, 0)) >= 0 && bind(s, (void *)&at, sizeof at) == 0);
    CHECK(getsockname(s, (void *)&at, &size) == 0 && connect(c, (void *)&at, sizeof at) == 0);
    for (int i = 0; i < READERS; i++)
        t[i] = spawn(reader, NULL);
    for (int i = 0; i < MESSAGES; i += 10) { // ten in flight, so that no buffer overflows
        struct mmsghdr m[10] = {0};
        struct iovec v[10];
        int numbers[10];
        for (int k = 0; k < 10; k++) {
            numbers[k] = i + k;
            v[k] = (struct iovec){&numbers[k], sizeof *numbers};
            m[k].msg_hdr.msg_iov = &v[k];
            m[k].msg_hdr.msg_iovlen = 1;
        }
        CHECK(sendmmsg(c, m, 10, 0) == 10);
        for (int got = 0; got < 10;) {
            int n = recvmmsg(c, m, 10 - (unsigned)got, MSG_WAITFORONE, NULL);
            CHECK(n > 0);
            got += n;
        }
    }
    for (int i = 0; i < READERS; i++)
        CHECK(send(c, &end, sizeof end, 0) == sizeof end);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    for (int i = 0; i < MESSAGES; i++)
        once += seen[i] == 1;
    printf("total %d once %d\n", total, once);
    return 0;
}
