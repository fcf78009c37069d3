// flags: -lresolv
// Proves: every lookup call asks its server while the other threads of the hub go on - the server is one of them - and
// answers as natively.
#define _GNU_SOURCE
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int server_fd;
static struct sockaddr_in server_at = {.sin_family = AF_INET};

/* Answers every question with "no such name". */
static void *server(void *arg)
{
    unsigned char q[512];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n;
    while ((n = recvfrom(server_fd, q, sizeof q, 0, (void *)&from, &size)) > 12) {
        q[2] |= 0x80, q[3] = 0x83; // an answer, recursion available, NXDOMAIN
        sendto(server_fd, q, (size_t)n, 0, (void *)&from, size);
    }
    return arg;
}

static void ask_server(struct __res_state *r)
{
    r->nscount = 1;
    r->nsaddr_list[0] = server_at;
    r->retrans = 5;
    r->retry = 2;
    r->options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
}

static void *resolver(void *arg)
{
    unsigned char answer[512], query[512];
    struct __res_state mine = {0};
    CHECK(res_init() == 0 && res_ninit(&mine) == 0);
    ask_server(&_res), ask_server(&mine);
    CHECK(res_query("no.example", C_IN, T_A, answer, sizeof answer) == -1);
    CHECK(h_errno == HOST_NOT_FOUND);
    CHECK(res_search("no.example.", C_IN, T_A, answer, sizeof answer) == -1);
    CHECK(res_querydomain("no", "example", C_IN, T_A, answer, sizeof answer) == -1);
    CHECK(res_nquery(&mine, "no.example", C_IN, T_A, answer, sizeof answer) == -1);
    CHECK(res_nsearch(&mine, "no.example.", C_IN, T_A, answer, sizeof answer) == -1);
    CHECK(res_nquerydomain(&mine, "no", "example", C_IN, T_A, answer, sizeof answer) == -1);
    int n = res_mkquery(QUERY, "no.example", C_IN, T_A, NULL, 0, NULL, query, sizeof query);
    CHECK(n > 12 && res_send(query, n, answer, sizeof answer) == n && (answer[3] & 15) == 3);
    CHECK(res_nsend(&mine, query, n, answer, sizeof answer) == n && (answer[3] & 15) == 3);
    res_nclose(&mine);
    return arg;
}

static void *hosts(void *arg)
{
    struct hostent entry, *found;
    char buf[2048];
    int error;
    struct in_addr loop = {htonl(INADDR_LOOPBACK)};
    CHECK(gethostbyname_r("127.0.0.1", &entry, buf, sizeof buf, &found, &error) == 0 && found);
    CHECK(memcmp(found->h_addr_list[0], &loop, sizeof loop) == 0);
    CHECK(gethostbyname2_r("127.0.0.1", AF_INET, &entry, buf, sizeof buf, &found, &error) == 0);
    CHECK(found && found->h_length == 4);
    CHECK(gethostbyaddr_r(&loop, sizeof loop, AF_INET, &entry, buf, sizeof buf, &found, &error) ==
          0);
    CHECK(found && found->h_name[0]);
    return arg;
}

int main(void)
{
    pthread_t t[12], s;
    socklen_t size = sizeof server_at;
    struct in_addr loop = {htonl(INADDR_LOOPBACK)};
    server_at.sin_addr = loop;
    CHECK((server_fd = socket(AF_INET, SOCK_DGRAM, 0)) >= 0 &&
          bind(server_fd, (void *)&server_at, size) == 0 &&
          getsockname(server_fd, (void *)&server_at, &size) == 0);
    s = spawn(server, NULL);
    for (int i = 0; i < 12; i++)
        t[i] = spawn(i % 2 ? hosts : resolver, NULL);
    for (int i = 0; i < 12; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    struct hostent *h = gethostbyname("127.0.0.1");
    CHECK(h && memcmp(h->h_addr_list[0], &loop, sizeof loop) == 0);
    h = gethostbyname2("127.0.0.1", AF_INET);
    CHECK(h && h->h_length == 4);
    CHECK(gethostbyaddr(&loop, sizeof loop, AF_INET) != NULL);
    CHECK(sendto(server_fd, "end", 3, 0, (void *)&server_at, sizeof server_at) == 3);
    CHECK(pthread_join(s, NULL) == 0);
    printf("lookups ok\n");
    return 0;
}
