// Proves: a thread that is bound to a processor is told that processor, by every call that tells it, also after others
// have run; one that is bound to nothing is told one that it may use.
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { TURNS = 300 };

static cpu_set_t all;

static void tell(int *a, int *b, int *c)
{
    unsigned cpu;
    *a = sched_getcpu();
    CHECK(getcpu(&cpu, NULL) == 0);
    *b = (int)cpu;
    CHECK(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0);
    *c = (int)cpu;
}

static void *bound(void *cpu)
{
    int a, b, c, wanted = (int)(intptr_t)cpu;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(wanted, &set);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1);
    for (int i = 0; i < TURNS; i++) {
        tell(&a, &b, &c);
        CHECK(a == wanted && b == wanted && c == wanted);
        sched_yield();
    }
    return NULL;
}

static void *unbound(void *unused)
{
    int a, b, c;
    for (int i = 0; i < TURNS; i++) {
        tell(&a, &b, &c);
        CHECK(CPU_ISSET(a, &all) && CPU_ISSET(b, &all) && CPU_ISSET(c, &all));
        sched_yield();
    }
    return unused;
}

int main(void)
{
    pthread_t t[2 * CPU_SETSIZE];
    intptr_t last = 0;
    int n = 0;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    for (intptr_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        last = cpu;
        t[n++] = spawn(bound, (void *)cpu);
        t[n++] = spawn(unbound, NULL);
    }
    unbound(NULL);
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    bound((void *)last);
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
    unbound(NULL);
    puts("each on its own");
    return 0;
}
