/* Redirecting the libc calls of one loaded object: its own slots are rewritten, nobody else's. */
#ifndef EVY_OBJECT_H
#define EVY_OBJECT_H

#include "base/base.h"

#include <link.h>

/* One hooked name. */
struct hook_entry {
    const char *name;
    unsigned subset;   /* SUBSET_* it belongs to */
    const void *hook;  /* what the program's own calls reach: green as its mask says */
    void *unmasked;    /* green for every green caller */
    void *const *real; /* the next definition, NULL: to be looked up */
};

/* The floor above hands in all hooks when the library is loaded. */
void object_hooks(const struct hook_entry *entries, size_t count);

/* The entry of a name, NULL if it is not hooked. */
const struct hook_entry *object_hook(const char *name);

/* libc's function of that name (or of a library preloaded behind us), NULL if there is none. */
void *object_original(const char *name);

/* Makes the calls of m in the subsets of mask green, or (object_restore) all of its calls native. Slots that lead
   to other definitions than libc's and ours stay. Returns 0, or -errno of mprotect. */
int object_patch(const struct link_map *m, unsigned mask);
int object_restore(const struct link_map *m);

/* Restores what is loaded and EVY_PATCH_EXCLUDE names. busy: the loader is at work, perhaps on another thread. */
void object_exclude(bool busy);

#endif
