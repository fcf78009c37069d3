#include "sync/runtime.h"

#include "base/config.h"
#include "base/log.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "io/watch.h"
#include "proc/setxid.h"
#include "proc/signals.h"
#include "real/real.h"
#include "sync/attr.h"
#include "sync/cancel.h"
#include "sync/deadlock.h"
#include "sync/thread.h"
#include "tp.h"

#include <errno.h>
#include <string.h>

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

/* What a sandbox refuses once it refuses for ever. The process is alone: nobody waits for one of our locks. */
static int start_hubs(void)
{
    int r = hubs_start();
    if (r == -EPERM || r == -ENOSYS) {
        log_warn("the kernel refuses what hubs need (%s): threads stay native", strerror(-r));
        config.patch &= ~(unsigned)SUBSET_THREAD;
        config.locks = false;
    }
    return r;
}

int runtime_start(void)
{
    if (likely(hub_count))
        return 0;
    int r = tcb_discover();
    if (r == 0)
        r = start_hubs();
    if (r == 0) {
        watch_start();
        cancel_adopt_main();
        sched_adopt_main(self());
        signals_start();
        setxid_start();
        deadlock_start();
    }
    return r;
}
