// 200 green threads at a time fetch pages; imap gives the bodies in the order of the pages, whichever came first.
#include "example.h"

static int port;

static void *get(void *page)
{
    char *body = malloc(100);
    NEED(body && fetch(port, (int)(intptr_t)page, body, 100) == 0);
    return body;
}

int main(void)
{
    void *pages[1000], *body;
    intptr_t n = 0;
    size_t bytes = 0;
    for (intptr_t i = 0; i < 1000; i++)
        pages[i] = (void *)i;
    port = site_start();
    evy_pool *pool = evy_pool_new(200);
    evy_map *bodies = evy_pool_imap(pool, get, pages, 1000);
    for (; evy_map_next(bodies, &body) == 1; n++) {
        NEED(atoi(body) == 2 * n + 1);
        bytes += strlen(body);
        free(body);
    }
    NEED(n == 1000);
    printf("%ld pages, %zu bytes\n", (long)n, bytes);
    evy_map_free(bodies);
    return evy_pool_free(pool);
}
