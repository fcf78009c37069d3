/* Only in builds with SAN=address. Before a call that does not return the compiler has the stack's red zones
   forgotten; AddressSanitizer would ask libc where the stack ends, which knows none of ours. */
#include "body/green.h"

#include <sanitizer/asan_interface.h>

void __wrap___asan_handle_no_return(void);
void __real___asan_handle_no_return(void);

__attribute__((no_sanitize("address"))) void __wrap___asan_handle_no_return(void)
{
    const struct green *g = self();
    const char *here = __builtin_frame_address(0);
    const char *low = g && g->stack.map ? g->stack.map : here + 1;
    if (here < low || here >= low + g->stack.total)
        __real___asan_handle_no_return();
    else
        __asan_unpoison_memory_region(here, (size_t)(low + g->stack.total - here));
}
