// Proves: while threads pass a recursive or error-checking mutex to each other none of them, main included, is ever
// taken for its owner: not when it is shared between processes, robust or priority-inheriting, all of whose words say
// the same of every green thread.
#define _GNU_SOURCE
#include "check.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { THREADS = 3, TURNS = 200000 };

static pthread_mutex_t m;
static long held; /* under m */
static atomic_bool over;

static void turn(void)
{
    CHECK(pthread_mutex_lock(&m) == 0);
    CHECK(++held == 1);
    CHECK(--held == 0);
    CHECK(pthread_mutex_unlock(&m) == 0);
    CHECK(pthread_mutex_unlock(&m) == EPERM);
}

static void *turns(void *unused)
{
    while (!atomic_load(&over))
        turn();
    return unused;
}

static void among_threads(int type, int shared, int robust, int protocol)
{
    pthread_mutexattr_t a;
    pthread_t t[THREADS];
    CHECK(pthread_mutexattr_init(&a) == 0 && pthread_mutexattr_settype(&a, type) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, shared) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, robust) == 0);
    CHECK(pthread_mutexattr_setprotocol(&a, protocol) == 0);
    CHECK(pthread_mutex_init(&m, &a) == 0);
    atomic_store(&over, false);
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(turns, NULL);
    for (int i = 0; i < TURNS; i++)
        turn();
    atomic_store(&over, true);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(pthread_mutex_destroy(&m) == 0);
    printf("type %d, shared %d, robust %d, protocol %d\n", type, shared, robust, protocol);
}

int main(void)
{
    static const int types[] = {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};
    for (int i = 0; i < 2; i++) {
        among_threads(types[i], 0, 0, 0);
        among_threads(types[i], 1, 0, 0);
        among_threads(types[i], 0, 1, 0);
        among_threads(types[i], 0, 0, PTHREAD_PRIO_INHERIT);
        among_threads(types[i], 1, 1, PTHREAD_PRIO_INHERIT);
    }
    return 0;
}
