// Cooperative code needs no locks: between two waits nobody else runs. A plain counter and a list that all share stay
// right; what is read before a wait and written after it does not.
#include "example.h"

#define THREADS 1000
#define ROUNDS 10

static int counter, careless;

struct node {
    struct node *next;
} * stack;

static void *count(void *arg)
{
    struct node own[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        counter = counter + 1;
        own[i].next = stack;
        stack = &own[i];
        evy_cede();
        int before = careless;
        evy_cede(); /* others run here */
        careless = before + 1;
        stack = stack->next; /* somebody's: one for one */
    }
    evy_sleep(0.05); /* own stays where others may find it until all are done */
    return arg;
}

int main(void)
{
    evy_pool *pool = evy_pool_new(THREADS);
    for (int i = 0; i < THREADS; i++)
        NEED(evy_pool_spawn_n(pool, count, NULL) == 0);
    NEED(evy_pool_waitall(pool) == 0 && evy_pool_free(pool) == 0);
    NEED(counter == THREADS * ROUNDS && stack == NULL);
    NEED(careless < counter);
    printf("%d counted without a lock, %d where a wait came between\n", counter, careless);
    return 0;
}
