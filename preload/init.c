#include "hook.h"

#include "api/elf.h"
#include "core/tcb.h"
#include "preload/unmasked.h"
#include "tp.h"

#include <stdlib.h>
#include <string.h>

bool preload_ready;

/* A program that was linked with us asks for green calls itself (evy_monkey_patch). Until then only those are on
   that keep fork, exec and signals right around its green threads. */
static unsigned default_patch(void)
{
    const char *preloads = secure_getenv("LD_PRELOAD");
    bool linked = elf_anyone_needs("libevy.so.0") && !(preloads && strstr(preloads, "libevy"));
    return linked ? SUBSET_PROCESS | SUBSET_SIGNAL : SUBSET_ALL;
}

/* No descriptor, no thread, no allocation here: until the first thread is made the process is as it would be
   without us. */
__attribute__((constructor)) void preload_init(void)
{
    if (preload_ready)
        return;
    config.patch = default_patch();
    config_load();
    real_resolve();
    tp_init();
    object_hooks(hook_entries, hook_entries_count);
    if (config.patch & SUBSET_THREAD && tcb_discover())
        config.patch &= ~(unsigned)SUBSET_THREAD;
    preload_ready = true;
}
