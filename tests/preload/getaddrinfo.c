// Proves: getaddrinfo and getnameinfo from 50 threads at once give the right answers and errors,
// and others run meanwhile.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void *body(void *arg)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *a;
    char host[64], service[64];
    for (int i = 0; i < 5; i++) {
        const char *name = ((intptr_t)arg + i) % 2 ? "127.0.0.1" : "localhost";
        hints.ai_flags = 0;
        CHECK(getaddrinfo(name, "80", &hints, &a) == 0);
        struct sockaddr_in *in = (struct sockaddr_in *)a->ai_addr;
        CHECK(in->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && in->sin_port == htons(80));
        CHECK(getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, service, sizeof service,
                          NI_NUMERICHOST | NI_NUMERICSERV) == 0);
        CHECK(strcmp(host, "127.0.0.1") == 0 && strcmp(service, "80") == 0);
        freeaddrinfo(a);
        hints.ai_flags = AI_NUMERICHOST;
        CHECK(getaddrinfo("not-a-number", NULL, &hints, &a) == EAI_NONAME);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[50];
    for (intptr_t i = 0; i < 50; i++)
        CHECK(pthread_create(&t[i], NULL, body, (void *)i) == 0);
    for (int i = 0; i < 50; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    body(NULL);
    puts("names ok");
    return 0;
}
