#include "io/public.h"

#include "io/blocking.h"
#include "real/real.h"

#include <arpa/inet.h>

/* An address in figures, or none, is answered without files or servers. */
static bool is_figures(const char *node)
{
    unsigned char addr[sizeof(struct in6_addr)];
    return node == NULL || inet_pton(AF_INET, node, addr) == 1 ||
           inet_pton(AF_INET6, node, addr) == 1;
}

int evy_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                    struct addrinfo **found)
{
    if (is_figures(node))
        return REAL(getaddrinfo)(node, service, hints, found);
    return BLOCKING(LOOKUP, int, REAL(getaddrinfo)(node, service, hints, found));
}

int evy_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_room,
                    char *service, socklen_t service_room, int flags)
{
    if (flags & NI_NUMERICHOST)
        return REAL(getnameinfo)(addr, len, host, host_room, service, service_room, flags);
    return BLOCKING(LOOKUP, int,
                    REAL(getnameinfo)(addr, len, host, host_room, service, service_room, flags));
}
