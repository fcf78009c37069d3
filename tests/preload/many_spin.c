// env: EVY_BLOCKING_THREADS=300
// only-preload
// Proves: a thread that has waited does not wait again until each of many that compute has had a kernel thread.
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 100, WAITS = 4 };

static atomic_int begun, stop;

static void *spins(void *arg)
{
    begun++;
    while (!stop)
        ;
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(spins, NULL);
    for (int i = 0; i < WAITS; i++)
        usleep(1000);
    stop = 1;
    int n = begun;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    if (n > THREADS / 2)
        printf("%d had begun before\n", n);
    puts("done");
    return 0;
}
