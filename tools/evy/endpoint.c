#include "endpoint.h"

#include "cmd.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct inet {
    unsigned long inode; /* of the socket */
    const char *table;   /* tcp, udp6, ... */
    char local[40];      /* address and port as /proc/net writes them */
    char peer[40];       /* likewise; zeros: none */
};

struct endpoints {
    int pid;
    struct inet *all; /* ordered by inode */
    size_t count;
};

static void add(struct endpoints *e, const struct inet *socket)
{
    if ((e->count & (e->count + 1)) == 0) {
        e->all = realloc(e->all, (2 * e->count + 2) * sizeof *e->all);
        if (!e->all)
            die("out of memory");
    }
    e->all[e->count++] = *socket;
}

static void read_table(struct endpoints *e, const char *table)
{
    char line[512];
    char *path = xformat("/proc/%d/net/%s", e->pid, table);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        struct inet s = {.table = table};
        if (sscanf(line, " %*u: %39s %39s %*x %*s %*s %*s %*u %*u %lu", s.local, s.peer,
                   &s.inode) == 3)
            add(e, &s);
    }
    if (file)
        fclose(file);
    free(path);
}

static int by_inode(const void *a, const void *b)
{
    const struct inet *x = a, *y = b;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

struct endpoints *endpoints_new(int pid)
{
    static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
    struct endpoints *e = xalloc(sizeof *e);
    e->pid = pid;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        read_table(e, tables[i]);
    qsort(e->all, e->count, sizeof *e->all, by_inode);
    return e;
}

void endpoints_free(struct endpoints *e)
{
    free(e->all);
    free(e);
}

/* /proc/net writes addresses as words of the host's order in hexadecimal. */
static char *inet_text(const char *hex)
{
    struct in6_addr address = {0};
    char text[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;
    size_t digits = strcspn(hex, ":");
    for (size_t i = 0; i < digits / 8; i++)
        sscanf(hex + 8 * i, "%8x", &address.s6_addr32[i]);
    sscanf(hex + digits, ":%x", &port);
    inet_ntop(digits == 8 ? AF_INET : AF_INET6, &address, text, sizeof text);
    return digits == 8 ? xformat("%s:%u", text, port) : xformat("[%s]:%u", text, port);
}

static char *socket_text(const struct inet *socket)
{
    char *here = inet_text(socket->local), *there = inet_text(socket->peer);
    bool alone = strspn(socket->peer, "0:") == strlen(socket->peer);
    char *text = alone ? xformat("%s %s", socket->table, here)
                       : xformat("%s %s - %s", socket->table, here, there);
    free(here);
    free(there);
    return text;
}

char *endpoint_of(const struct endpoints *e, int fd)
{
    char target[PATH_MAX];
    char *link = xformat("/proc/%d/fd/%d", e->pid, fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    free(link);
    if (n < 0)
        return xformat("closed");
    target[n] = '\0';
    struct inet key;
    if (sscanf(target, "socket:[%lu]", &key.inode) != 1) {
        make_printable(target);
        return xformat("%s", target);
    }
    const struct inet *socket = bsearch(&key, e->all, e->count, sizeof key, by_inode);
    return socket ? socket_text(socket) : xformat("UNIX socket %lu", key.inode);
}
