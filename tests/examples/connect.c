// A pile of green threads, each of which resolves a name, connects and asks; the answers come in the order of the names.
#include "example.h"

#include <netdb.h>
#include <netinet/in.h>

static int port;

struct visit {
    const char *host;
    int page;
    char address[64], body[64];
};

static void *visit(void *arg)
{
    struct visit *v = arg;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (evy_getaddrinfo(v->host, NULL, &hints, &found))
        evy_exit_error(ENOENT);
    NEED(evy_getnameinfo(found->ai_addr, found->ai_addrlen, v->address, sizeof v->address, NULL, 0,
                         NI_NUMERICHOST) == 0);
    freeaddrinfo(found);
    NEED(fetch(port, v->page, v->body, sizeof v->body) == 0);
    return v;
}

int main(void)
{
    struct visit visits[] = {{.host = "localhost", .page = 6},
                             {.host = "127.0.0.1", .page = 1},
                             {.host = "no.such.invalid", .page = 0},
                             {.host = "localhost", .page = 2}};
    int n = sizeof visits / sizeof *visits;
    port = site_start();
    evy_pile *pile = evy_pile_new(10);
    for (int i = 0; i < n; i++)
        NEED(evy_pile_spawn(pile, visit, &visits[i]) == 0);
    for (int i = 0; i < n; i++) {
        void *result = NULL;
        int r = evy_pile_next(pile, &result);
        NEED(i == 2 ? r == -1 && errno == ENOENT : r == 1 && result == &visits[i]);
        printf("%s %s: %s", visits[i].host, visits[i].address,
               r == 1 ? visits[i].body : "no such host\n");
    }
    NEED(strcmp(visits[0].body, "13 14\n") == 0);
    evy_pile_free(pile);
    return 0;
}
