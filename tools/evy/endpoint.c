#include "endpoint.h"

#include "cmd.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Address and port as /proc/net writes them: words of the host's order in hexadecimal. */
static char *endpoint_text(const char *hex)
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

/* The line of that inode in a table of internet sockets. */
static char *find_inet(int pid, const char *table, unsigned long inode)
{
    char line[512], local[64], peer[64], *found = NULL;
    char *path = xformat("/proc/%d/net/%s", pid, table);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        unsigned long its;
        if (sscanf(line, " %*u: %63s %63s %*x %*s %*s %*s %*u %*u %lu", local, peer, &its) != 3 ||
            its != inode)
            continue;
        char *here = endpoint_text(local), *there = endpoint_text(peer);
        found = strspn(peer, "0:") == strlen(peer) ? xformat("%s %s", table, here)
                                                   : xformat("%s %s - %s", table, here, there);
        free(here);
        free(there);
    }
    if (file)
        fclose(file);
    free(path);
    return found;
}

char *endpoint_of(int pid, int fd)
{
    static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
    char target[PATH_MAX];
    char *link = xformat("/proc/%d/fd/%d", pid, fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    free(link);
    if (n < 0)
        return xformat("closed");
    target[n] = '\0';
    unsigned long inode;
    if (sscanf(target, "socket:[%lu]", &inode) != 1)
        return xformat("%s", target);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char *found = find_inet(pid, tables[i], inode);
        if (found)
            return found;
    }
    return xformat("UNIX socket %lu", inode);
}
