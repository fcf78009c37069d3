#include "hook.h"

#include "core/tcb.h"
#include "tp.h"

bool preload_ready;

/* No descriptor, no thread, no allocation here: until the first thread is made the process is as it would be
   without us. */
__attribute__((constructor)) void preload_init(void)
{
    if (preload_ready)
        return;
    config_load();
    real_resolve();
    tp_init();
    if (config.patch & SUBSET_THREAD && tcb_discover())
        config.patch &= ~(unsigned)SUBSET_THREAD;
    preload_ready = true;
}
