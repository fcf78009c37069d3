// flags: -Wl,-z,lazy -Wl,-z,norelro
// Bound at the first call.
#include <sched.h>

int lazy_yield(void);

int lazy_yield(void)
{
    return sched_yield();
}
