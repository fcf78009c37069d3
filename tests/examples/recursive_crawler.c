// Members of a pool spawn others into it for the links they find. A set of pages seen needs no lock: green threads change
// only where one waits.
#include "example.h"

static int port, visited;
static char seen[SITE_PAGES];
static evy_pool *pool;

static void *crawl(void *page)
{
    char body[100];
    int links[2];
    NEED(fetch(port, (int)(intptr_t)page, body, sizeof body) == 0);
    visited++;
    NEED(sscanf(body, "%d %d", &links[0], &links[1]) == 2);
    for (int i = 0; i < 2; i++)
        if (links[i] < SITE_PAGES && !seen[links[i]]) {
            seen[links[i]] = 1;
            NEED(evy_pool_spawn_n(pool, crawl, (void *)(intptr_t)links[i]) == 0);
        }
    return NULL;
}

int main(void)
{
    port = site_start();
    pool = evy_pool_new(4); /* a full one runs the member's spawn here and now: no deadlock */
    seen[0] = 1;
    NEED(evy_pool_spawn_n(pool, crawl, (void *)0) == 0);
    NEED(evy_pool_waitall(pool) == 0);
    NEED(visited == SITE_PAGES);
    printf("%d pages found from the first\n", visited);
    return evy_pool_free(pool);
}
