#include "hook.h"

#include "api/elf.h"
#include "body/tcb.h"
#include "core/stats.h"
#include "preload/unmasked.h"
#include "sync/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool preload_ready;

static bool is_linked(void)
{
    const char *preloads = secure_getenv("LD_PRELOAD");
    return elf_anyone_needs("libevy.so.0") && !(preloads && strstr(preloads, "libevy"));
}

/* No descriptor, no thread, no allocation here: until the first thread is made the process is as it would be
   without us. A program that was linked with us asks for green calls itself (evy_monkey_patch). Until then only
   those are on that keep fork, exec and signals right around its green threads. */
__attribute__((constructor)) static void preload_init(void)
{
    static bool begun; /* what this calls may lead back here: to an allocator's lock, for one */
    if (begun)
        return;
    begun = true;
    config.linked = is_linked();
    config.patch = config.linked ? SUBSET_PROCESS | SUBSET_SIGNAL : SUBSET_ALL;
    runtime_prepare();
    object_hooks(hook_entries, hook_entries_count);
    /* Go's runtime knows its threads as the kernel's, by bare system calls, also those that libc made for it. */
    if (config_excludes(program_invocation_short_name) || (!config.linked && elf_program_is_go()))
        config.patch = 0;
    config.locks =
        config.patch & SUBSET_THREAD || (config.patch && config.linked && !tcb_discover());
    object_exclude(false);
    preload_ready = true;
}

__attribute__((destructor)) static void preload_end(void)
{
    stats_write();
}

bool preload_now(void)
{
    if (environ) /* set by libc's constructor, which nothing may come before */
        preload_init();
    return preload_ready;
}
