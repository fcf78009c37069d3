#include "sync/runtime.h"

#include "base/config.h"
#include "core/hub.h"
#include "core/tcb.h"
#include "proc/setxid.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/attr.h"
#include "sync/cancel.h"
#include "sync/deadlock.h"
#include "sync/thread.h"
#include "tp.h"

void runtime_prepare(void)
{
    static bool prepared;
    if (prepared)
        return;
    prepared = true;
    config_load();
    real_resolve();
    tp_init();
    if (config.patch & SUBSET_THREAD && tcb_discover())
        config.patch &= ~(unsigned)SUBSET_THREAD;
}

int runtime_start(void)
{
    if (likely(hub_count))
        return 0;
    int r = tcb_discover();
    if (r == 0)
        r = hubs_start();
    if (r == 0) {
        cancel_adopt_main();
        sched_adopt_main(self());
        signals_start();
        setxid_start();
        deadlock_start();
    }
    return r;
}
