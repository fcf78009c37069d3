// flags: -Wl,-soname,libdeep.so
// What libplain needs and nobody else has loaded.
#include <sched.h>

int deep_yield(void);

int deep_yield(void)
{
    return sched_yield();
}
