// The dispatch pattern (Eventlet's feedscraper): a server whose clients each send a list of pages and get their titles in
// that order. One pool bounds what all clients together fetch; each request has a pile of its own on it.
#include "example.h"

static int port, at_once, most_at_once;
static evy_pool *pool; /* shared by all requests */

static void *title_of(void *page)
{
    char *body = malloc(100);
    if (++at_once > most_at_once)
        most_at_once = at_once;
    NEED(body && fetch(port, (int)(intptr_t)page, body, 100) == 0);
    at_once--;
    return body;
}

/* A line of page numbers is answered by a line for each. */
static int answer(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    char *line = NULL, *next;
    size_t size = 0;
    void *title;
    (void)addr, (void)len, (void)arg;
    FILE *in = evy_fdopen(evy_dup(fd), "r");
    while (evy_readuntil(in, "\n", &line, &size) > 0) {
        evy_pile *pile = evy_pile_on(pool);
        for (char *at = line; strtol(at, &next, 10), next != at; at = next)
            NEED(evy_pile_spawn(pile, title_of, (void *)strtol(at, NULL, 10)) == 0);
        while (evy_pile_next(pile, &title) == 1) {
            NEED(evy_sendall(fd, title, strlen(title)) == 0);
            free(title);
        }
        evy_pile_free(pile);
    }
    free(line);
    fclose(in);
    return 0;
}

static void *serve(void *listener)
{
    evy_serve((int)(intptr_t)listener, answer, NULL, 0);
    return NULL;
}

static void *client(void *dispatcher)
{
    char text[200] = "";
    size_t got = 0;
    ssize_t n;
    int fd = evy_connect_host("127.0.0.1", (int)(intptr_t)dispatcher);
    NEED(fd >= 0 && evy_sendall(fd, "6 5 4 3 2 1\n", 12) == 0 && shutdown(fd, SHUT_WR) == 0);
    while ((n = evy_recv(fd, text + got, sizeof text - 1 - got, 0)) > 0)
        got += (size_t)n;
    NEED(strcmp(text, "13 14\n11 12\n9 10\n7 8\n5 6\n3 4\n") == 0);
    evy_close(fd);
    return NULL;
}

int main(void)
{
    port = site_start();
    pool = evy_pool_new(10);
    int listener = evy_listen("127.0.0.1", 0, 0, 0);
    NEED(listener >= 0 && evy_spawn_n(serve, (void *)(intptr_t)listener));
    evy_pool *clients = evy_pool_new(30);
    for (int i = 0; i < 30; i++)
        NEED(evy_pool_spawn_n(clients, client, (void *)(intptr_t)port_of(listener)) == 0);
    NEED(evy_pool_waitall(clients) == 0 && evy_pool_waitall(pool) == 0);
    NEED(most_at_once == 10);
    printf("30 requests, %d pages at a time\n", most_at_once);
    return evy_pool_free(clients) || evy_pool_free(pool);
}
