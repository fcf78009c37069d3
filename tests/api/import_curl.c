// flags: -ldl
// env: EVY_HUBS=1
// Proves: libcurl, as the distribution has it, works in green threads of a program that patches nothing: its waits let the
// server, a green thread of the same hub, answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <evy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 20
#define PAGE "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
#define CHECK(x) ((x) ? (void)0 : fail(#x, __LINE__))

/* Of <curl/curl.h>, whose package is not needed to run this. */
enum { URL = 10002, WRITEDATA = 10001, WRITEFUNCTION = 20011, PROXY = 10004 };
static void *(*easy_init)(void);
static int (*easy_setopt)(void *, int, ...);
static int (*easy_perform)(void *);
static void (*easy_cleanup)(void *);

static int port, asked;

__attribute__((noreturn)) static void fail(const char *what, int line)
{
    printf("line %d: %s\n", line, what);
    exit(1);
}

static int answer(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    char request[1000];
    (void)addr, (void)len, (void)arg;
    CHECK(evy_recv(fd, request, sizeof request, 0) > 0);
    asked++;
    while (asked < CLIENTS) /* nobody is answered before all have asked */
        evy_sleep(0.001);
    return evy_sendall(fd, PAGE, sizeof PAGE - 1);
}

static void *serve(void *listener)
{
    evy_serve((int)(intptr_t)listener, answer, NULL, 0);
    return NULL;
}

static size_t keep(char *data, size_t size, size_t n, void *to)
{
    CHECK(size * n == 6);
    memcpy(to, data, 6);
    return 6;
}

static void *fetch(void *body)
{
    char url[100];
    void *curl = easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    CHECK(curl && easy_setopt(curl, URL, url) == 0 && easy_setopt(curl, PROXY, "") == 0);
    CHECK(easy_setopt(curl, WRITEFUNCTION, keep) == 0 && easy_setopt(curl, WRITEDATA, body) == 0);
    CHECK(easy_perform(curl) == 0);
    easy_cleanup(curl);
    return body;
}

int main(void)
{
    char bodies[CLIENTS][8] = {""};
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int listener = evy_listen("127.0.0.1", 0, 0, 0);
    void *curl = evy_import_patched("libcurl.so.4", 0);
    if (!curl) {
        printf("no libcurl: %s\n", dlerror());
        return 77;
    }
    easy_init = (void *(*)(void))dlsym(curl, "curl_easy_init");
    easy_setopt = (int (*)(void *, int, ...))dlsym(curl, "curl_easy_setopt");
    easy_perform = (int (*)(void *))dlsym(curl, "curl_easy_perform");
    easy_cleanup = (void (*)(void *))dlsym(curl, "curl_easy_cleanup");
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    port = ntohs(a.sin_port);
    evy_spawn_n(serve, (void *)(intptr_t)listener);
    evy_pool *pool = evy_pool_new(CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(evy_pool_spawn_n(pool, fetch, bodies[i]) == 0);
    CHECK(evy_pool_waitall(pool) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(memcmp(bodies[i], "hello\n", 6) == 0);
    CHECK(asked == CLIENTS);
    CHECK(evy_patched_mask() == (EVY_PATCH_PROCESS | EVY_PATCH_SIGNAL));
    return 0;
}
