/* When a hook is green. */
#ifndef EVY_HOOK_H
#define EVY_HOOK_H

#include "base/config.h"
#include "core/green.h"
#include "real/real.h"

/* Declares each hook under a C name of its own; the symbol is libc's. */
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    EVY_API ret hook_##name params __asm__(#name);
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version)                                      \
    EVY_API ret hook_##name params __asm__(#name);
#define ALIAS(alias, name)
#define CHK(name, ret, params) EVY_API ret hook_##name params __asm__(#name);
#include "preload/hooks.def"

/* Set once the library is ready: config, real functions and, for threads, glibc's layout are known. Until then
   ALWAYS hooks pass through too. */
extern bool preload_ready;

/* Idempotent; also called by the first pthread_create, which may come from another library's constructor. */
void preload_init(void);

#define WHEN_GREEN(subset) (self() && config.patch & SUBSET_##subset)
#define WHEN_ALWAYS(subset) (likely(preload_ready) && config.patch & SUBSET_##subset)

#endif
