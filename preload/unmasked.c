/* Every hook once more, under hidden names and green whatever the program's mask: for objects that are patched by
   themselves (evy_import_patched). And the list of both sets for who looks hooks up by name. */
#define HOOK_SYMBOL(name) "unmasked_" #name
#define HOOK_LINKAGE
#define PATCHED(subset) true
#define LOCKS_OURS true

#include "preload/unmasked.h"

#include "preload/fortify.c"
#include "preload/hooks.c"
#include "preload/own.c"
#include "preload/stdio.c"
#include "preload/syscall.c"
#include "preload/syscall_signal.c"

__asm__(".hidden unmasked_vfork"); /* the one hook that is not C */

/* The public hook of a name, by its symbol. */
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    extern const char public_##name[] __asm__(#name);
#define OWN HOOK
#define BLOCK HOOK
#define ALIAS(alias, name) extern const char public_##alias[] __asm__(#alias);
#define CHK(subset, name, ret, params) extern const char public_##name[] __asm__(#name);
#include "preload/hooks.def"

/* An alias belongs to the subset of what it is another name for. */
enum {
#define HOOK(subset, when, ret, name, params, args, version) SUBSET_OF_##name = SUBSET_##subset,
#define OWN HOOK
#define BLOCK HOOK
#define ALIAS(alias, name)
#define CHK(subset, name, ret, params)
#include "preload/hooks.def"
};

#define ENTRY(of, name, as, next) {#name, of, public_##name, (void *)hook_##as, next},

const struct hook_entry hook_entries[] = {
#define HOOK(subset, when, ret, name, params, args, version)                                       \
    ENTRY(SUBSET_##subset, name, name, (void *const *)&real.name)
#define OWN HOOK
#define BLOCK HOOK
#define ALIAS(alias, name) ENTRY(SUBSET_OF_##name, alias, name, NULL)
#define CHK(subset, name, ret, params) ENTRY(SUBSET_##subset, name, name, NULL)
#include "preload/hooks.def"
};

const size_t hook_entries_count = array_len(hook_entries);
