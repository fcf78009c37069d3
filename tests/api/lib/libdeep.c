// flags: -Wl,-soname,libdeep.so
// What libplain needs and nobody else has loaded.
#include <sched.h>

int deep_yield(void);
void *deep_first_yield; /* what sched_yield was to the constructor */

__attribute__((constructor)) static void begin(void)
{
    deep_first_yield = (void *)sched_yield;
}

int deep_yield(void)
{
    return sched_yield();
}
