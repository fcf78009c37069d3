// The crawler again, with the links going back through a queue to one producer, and five seconds at most for a page.
#include "example.h"

static int port, visited;
static evy_queue *found;

static void *get(void *page)
{
    char body[100];
    int links[2], fetched;
    evy_timeout limit = EVY_TIMEOUT_INIT;
    NEED(evy_timeout_start(&limit, 5, 0) == 0);
    fetched = fetch(port, (int)(intptr_t)page, body, sizeof body) == 0;
    evy_timeout_cancel(&limit);
    if (fetched && sscanf(body, "%d %d", &links[0], &links[1]) == 2) {
        visited++;
        for (int i = 0; i < 2; i++)
            NEED(evy_queue_put(found, (void *)(intptr_t)links[i], EVY_FOREVER) == 0);
    }
    return NULL;
}

int main(void)
{
    char seen[SITE_PAGES] = {0};
    evy_pool *pool = evy_pool_new(50);
    void *page;
    port = site_start();
    found = evy_queue_new(-1, EVY_Q_FIFO);
    NEED(evy_queue_put(found, (void *)0, EVY_FOREVER) == 0);
    do {
        while (evy_queue_tryget(found, &page) == 0) {
            intptr_t n = (intptr_t)page;
            if (n < SITE_PAGES && !seen[n]++)
                NEED(evy_pool_spawn_n(pool, get, page) == 0);
        }
        NEED(evy_pool_waitall(pool) == 0);
    } while (!evy_queue_empty(found));
    NEED(visited == SITE_PAGES);
    printf("%d pages, none twice\n", visited);
    evy_queue_free(found);
    return evy_pool_free(pool);
}
