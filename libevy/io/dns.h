/* Name resolution: only what really asks somebody gives the hub away. */
#ifndef EVY_DNS_H
#define EVY_DNS_H

#include <netdb.h>

int evy_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                    struct addrinfo **found);
int evy_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_room,
                    char *service, socklen_t service_room, int flags);

#endif
