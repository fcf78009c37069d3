/* When a hook is green. */
#ifndef EVY_HOOK_H
#define EVY_HOOK_H

#include "base/config.h"
#include "body/green.h"
#include "real/real.h"

/* The symbol of a hook is libc's name and it asks the program's mask; unmasked.c builds all of them once more
   under hidden names, green whatever the mask. */
#ifndef HOOK_SYMBOL
#define HOOK_SYMBOL(name) #name
#define HOOK_LINKAGE EVY_API
#define PATCHED(subset) (config.patch & SUBSET_##subset)
#define LOCKS_OURS config.locks
#endif

/* Declares each hook under a C name of its own. */
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    HOOK_LINKAGE ret hook_##name params __asm__(HOOK_SYMBOL(name));
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version)                                      \
    HOOK_LINKAGE ret hook_##name params __asm__(HOOK_SYMBOL(name));
#define ALIAS(alias, name)
#define CHK(subset, name, ret, params)                                                             \
    HOOK_LINKAGE ret hook_##name params __asm__(HOOK_SYMBOL(name));
#include "preload/hooks.def"

/* Set once the library is ready: config, real functions and, for threads, glibc's layout are known. Until then
   ALWAYS hooks pass through too. */
extern bool preload_ready;

/* The first ALWAYS hook makes the library ready: constructors of other libraries run before ours, and in a lock
   that libc's own code has touched the words mean other things. False as long as that is too early. */
EVY_COLD bool preload_now(void);

#define WHEN_GREEN(subset) (self() && PATCHED(subset))
#define WHEN_ALWAYS(subset) ((likely(preload_ready) || preload_now()) && PATCHED(subset))
#define WHEN_LOCKS(subset) (likely(LOCKS_OURS) || (!preload_ready && preload_now() && LOCKS_OURS))
#define WHEN_STARTS(subset) (unlikely(config.children != CHILDREN_ALL) || WHEN_GREEN(subset))
#define WHEN_KEEP(subset) (self() != NULL)

/* The same in two steps, the first of which calls nothing. */
#define FIRST_GREEN WHEN_GREEN
#define FIRST_ALWAYS(subset) (likely(preload_ready) && PATCHED(subset))
#define FIRST_LOCKS(subset) (likely(LOCKS_OURS))
#define FIRST_STARTS WHEN_STARTS
#define FIRST_KEEP WHEN_KEEP
#define FIRST_KNOWN(subset) (self() != NULL || FIRST_ALWAYS(subset))
#define SECOND_GREEN(subset) false
#define SECOND_ALWAYS WHEN_ALWAYS
#define SECOND_LOCKS WHEN_LOCKS
#define SECOND_STARTS(subset) false
#define SECOND_KEEP(subset) false
#define SECOND_KNOWN WHEN_ALWAYS

#endif
