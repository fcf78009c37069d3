// Proves: a hundred lookups at once through an NSS module that asks a server over a socket are all under way together
// and stop nobody: the server is a thread beside them that answers none before it has heard all. Users, groups and
// services go the same way; a thread can be cancelled in the middle of a lookup.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "check.h"

enum { MANY = 100 };

static int server_fd;

// The module is found by the loader's search path, which is read at the start of a program.
static void with_module(char *argv[])
{
    char path[PATH_MAX + 40], dir[] = "/tmp/dns_nss.XXXXXX", name[64];
    if (getenv("EVYTEST_DIR"))
        return;
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    CHECK(n > 0 && mkdtemp(dir));
    path[n] = 0;
    strcpy(strrchr(path, '/'), "/lib/libnss_evytest.so");
    snprintf(name, sizeof name, "%s/libnss_evytest.so.2", dir);
    CHECK(symlink(path, name) == 0 && setenv("EVYTEST_DIR", dir, 1) == 0);
    CHECK(setenv("LD_LIBRARY_PATH", dir, 1) == 0);
    execv("/proc/self/exe", argv);
    fail("execv", __LINE__);
}

// The module is loaded once for all databases.
static void clean_up(void)
{
    char name[64];
    snprintf(name, sizeof name, "%s/libnss_evytest.so.2", getenv("EVYTEST_DIR"));
    CHECK(unlink(name) == 0 && rmdir(getenv("EVYTEST_DIR")) == 0);
}

// "n5": 5 once all hundred have asked; "silent": nothing; else 77.
static void *server(void *arg)
{
    struct sockaddr_in from[MANY];
    char name[64], numbers[MANY][16];
    int waiting = 0;
    for (;;) {
        struct sockaddr_in at;
        socklen_t size = sizeof at;
        ssize_t n = recvfrom(server_fd, name, sizeof name - 1, 0, (void *)&at, &size);
        CHECK(n > 0);
        name[n] = 0;
        if (strcmp(name, "end") == 0)
            return arg;
        if (name[0] == 'n') {
            from[waiting] = at;
            strcpy(numbers[waiting++], name + 1);
        } else if (strcmp(name, "silent") != 0) {
            CHECK(sendto(server_fd, "77", 2, 0, (void *)&at, size) == 2);
        }
        for (int i = 0; waiting == MANY && i < MANY; i++)
            CHECK(sendto(server_fd, numbers[i], strlen(numbers[i]), 0, (void *)&from[i], size) > 0);
        if (waiting == MANY)
            waiting = 0;
    }
}

static void *looks_up(void *arg)
{
    long i = (long)arg;
    char name[32];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    snprintf(name, sizeof name, "n%ld", i + 1);
    CHECK(getaddrinfo(name, "80", &hints, &found) == 0);
    CHECK(((struct sockaddr_in *)found->ai_addr)->sin_addr.s_addr ==
          htonl(0x7f000000u + (unsigned)i + 1));
    freeaddrinfo(found);
    return NULL;
}

static void *never_answered(void *arg)
{
    struct addrinfo hints = {.ai_family = AF_INET}, *found;
    getaddrinfo("silent", NULL, &hints, &found);
    return arg;
}

static void *others(void *arg)
{
    char buf[2048];
    struct hostent host, *h;
    struct servent service, *s;
    struct passwd user, *u;
    struct group group, *g;
    int error;
    CHECK(gethostbyname_r("host", &host, buf, sizeof buf, &h, &error) == 0 && h &&
          h->h_length == 4);
    CHECK(gethostbyname2_r("host", AF_INET, &host, buf, sizeof buf, &h, &error) == 0 && h);
    CHECK(getservbyname_r("service", "tcp", &service, buf, sizeof buf, &s) == 0 && s &&
          ntohs((uint16_t)s->s_port) == 77);
    CHECK(getpwnam_r("user", &user, buf, sizeof buf, &u) == 0 && u && u->pw_uid == 77);
    CHECK(getgrnam_r("group", &group, buf, sizeof buf, &g) == 0 && g && g->gr_gid == 77);
    CHECK(gethostbyname("host") && getservbyname("service", "tcp") && getpwnam("user") &&
          getgrnam("group"));
    return arg;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    char port[16];
    pthread_t t[MANY], s, cancelled;
    void *result;
    (void)argc;
    with_module(argv);
    server_fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(server_fd, (void *)&at, size) == 0 &&
          getsockname(server_fd, (void *)&at, &size) == 0);
    snprintf(port, sizeof port, "%d", ntohs(at.sin_port));
    CHECK(setenv("EVYTEST_PORT", port, 1) == 0);
    static const char *const databases[] = {"hosts", "services", "passwd", "group"};
    for (int i = 0; i < 4; i++)
        CHECK(__nss_configure_lookup(databases[i], "evytest") == 0);
    s = spawn(server, NULL);
    for (int round = 0; round < 3; round++) {
        for (long i = 0; i < MANY; i++)
            t[i] = spawn(looks_up, (void *)i);
        for (int i = 0; i < MANY; i++)
            CHECK(pthread_join(t[i], NULL) == 0);
    }
    for (int i = 0; i < 8; i++)
        t[i] = spawn(others, NULL);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    cancelled = spawn(never_answered, NULL);
    usleep(20000);
    CHECK(pthread_cancel(cancelled) == 0 && pthread_join(cancelled, &result) == 0);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
    CHECK(sendto(server_fd, "end", 3, 0, (void *)&at, sizeof at) == 3 &&
          pthread_join(s, NULL) == 0);
    clean_up();
    puts("modules ok");
    return 0;
}
