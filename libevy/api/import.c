#include "api/import.h"

#include "api/api.h"
#include "api/elf.h"
#include "api/object.h"
#include "api/patch.h"
#include "io/io.h"
#include "proc/private_fd.h"
#include "real/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <evy/patch.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LOAD_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)

/* Never freed: a patched object is never unloaded. */
struct import {
    struct import *next;
    const struct link_map *map;
    const struct link_map *origin; /* the ordinary copy that was loaded before, NULL: none */
    void *handle;          /* of the library that was asked for; its dependencies share it */
    _Atomic unsigned mask; /* subsets that are green in it */
};

static _Atomic(struct import *) imports; /* grows at the head */

/* A library on its way in. On the stack of who loads it. */
struct arrival {
    struct list node;              /* in arrivals */
    const void *who;               /* loads it: a green thread, or a kernel thread's errno */
    const char *path;              /* what dlopen was given */
    const struct link_map *last;   /* the last object before */
    const struct link_map *origin; /* as struct import has it */
    unsigned mask;                 /* subsets to be green */
    bool busy;                     /* import_arrived is at work on it */
};

static struct list arrivals = {&arrivals, &arrivals};
static struct spin arrivals_lock; /* protects arrivals */

static struct import *import_of(const struct link_map *m)
{
    struct import *i = atomic_load(&imports);
    while (i && i->map != m)
        i = i->next;
    return i;
}

static struct import *import_from(const struct link_map *origin)
{
    struct import *i = atomic_load(&imports);
    while (i && i->origin != origin)
        i = i->next;
    return i;
}

static int import_add(const struct link_map *m, void *handle, unsigned mask)
{
    struct import *i = import_of(m);
    if (!i) {
        i = malloc(sizeof *i);
        if (!i)
            return -ENOMEM;
        *i = (struct import){.map = m, .handle = handle, .next = atomic_load(&imports)};
        while (!atomic_compare_exchange_weak(&imports, &i->next, i))
            ;
    }
    atomic_fetch_or(&i->mask, mask);
    return object_patch(m, mask);
}

void *import_dlsym(void *handle, const char *name)
{
    Dl_info info;
    void *map = NULL;
    void *found = dlsym(handle, name);
    dladdr1(__builtin_return_address(0), &info, &map, RTLD_DL_LINKMAP);
    const struct import *i = import_of(map);
    if (!found && i && handle == RTLD_DEFAULT) /* which includes what was loaded for it alone */
        found = dlsym(i->handle, name);
    const struct hook_entry *e = object_hook(name);
    bool ours = e && (found == e->hook || found == object_original(name));
    return i && ours && e->subset & atomic_load(&i->mask) ? e->unmasked : found;
}

static struct link_map *map_of(void *handle)
{
    struct link_map *m = NULL;
    return handle && dlinfo(handle, RTLD_DI_LINKMAP, &m) == 0 ? m : NULL;
}

static const void *myself(void)
{
    return self() ? (const void *)self() : &errno;
}

static const struct link_map *last_map(void)
{
    const struct link_map *m = _r_debug.r_map;
    while (m && m->l_next)
        m = m->l_next;
    return m;
}

/* A loaded object by name; NULL is the program itself. */
static struct link_map *loaded(const char *name)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    struct link_map *m = map_of(handle);
    if (handle)
        dlclose(handle);
    return m;
}

static bool fill(int copy, const char *path)
{
    struct stat s;
    int from = real.open(path, O_RDONLY | O_CLOEXEC);
    bool filled = from >= 0 && fstat(from, &s) == 0 &&
                  real.sendfile(copy, from, NULL, (size_t)s.st_size) == s.st_size;
    if (from >= 0)
        real.close(from);
    return filled;
}

/* dlopen, and what is to be done before constructors run. */
static void *open_patched(const char *path, struct arrival *a)
{
    a->who = myself();
    a->path = path;
    object_lock(&arrivals_lock);
    list_append(&arrivals, &a->node);
    object_unlock(&arrivals_lock);
    void *handle = dlopen(path, LOAD_FLAGS);
    object_lock(&arrivals_lock);
    list_remove(&a->node);
    object_unlock(&arrivals_lock);
    return handle;
}

/* A copy of a loaded library under a name of its own: the loader takes it for another object. The descriptor stays
   open, or the next copy might get the same name. */
static void *load_copy(const struct link_map *ordinary, struct arrival *a)
{
    char path[32];
    int copy = private_fd((int)or_errno(memfd_create("import", MFD_CLOEXEC)));
    if (copy < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    void *handle = fill(copy, ordinary->l_name) ? open_patched(path, a) : NULL;
    if (!handle)
        private_fd_close(copy);
    return handle;
}

/* What others have loaded already stays theirs. */
static void *load(const char *library, struct arrival *a)
{
    const struct link_map *m = a->origin = loaded(library);
    struct import *i = m ? import_of(m) : NULL;
    if (!m || i)
        return open_patched(library, a);
    i = import_from(m);
    return i ? i->handle : load_copy(m, a);
}

/* Whether m is a dependency of what has been imported by that handle. */
static bool is_needed(const struct link_map *m, void *handle)
{
    const char *soname = elf_soname(m);
    for (struct import *i = atomic_load(&imports); i && soname; i = i->next)
        if (i->handle == handle && elf_needs(i->map, soname))
            return true;
    return false;
}

/* The loader enters new objects at the end of its list, and dependencies behind those that need them. Others may have
   loaded something meanwhile. */
static int import_new(const struct arrival *a, void *handle)
{
    int err = import_add(map_of(handle), handle, a->mask);
    for (const struct link_map *m = a->last->l_next; m && !err; m = m->l_next)
        if (is_needed(m, handle))
            err = import_add(m, handle, a->mask);
    for (struct import *i = atomic_load(&imports); i && !err; i = i->next)
        if (i->handle == handle)
            err = import_add(i->map, handle, a->mask);
    if (!err)
        import_of(map_of(handle))->origin = a->origin;
    return err;
}

static struct arrival *my_arrival(void)
{
    struct arrival *mine = NULL;
    if (list_empty(
            &arrivals)) /* nearly always; also in a child forked while somebody had the lock */
        return NULL;
    object_lock(&arrivals_lock);
    list_for_each (node, &arrivals)
        if (list_entry(node, struct arrival, node)->who == myself())
            mine = list_entry(node, struct arrival, node); /* the innermost */
    object_unlock(&arrivals_lock);
    return mine;
}

/* An error shows once more when dlopen has returned. */
void import_arrived(void)
{
    struct arrival *a = my_arrival();
    if (!a || a->busy)
        return;
    a->busy = true;
    void *handle = dlopen(a->path, RTLD_NOW | RTLD_NOLOAD);
    if (handle) {
        import_new(a, handle);
        dlclose(handle);
    }
    a->busy = false;
}

EVY_API void *evy_import_patched(const char *library, unsigned mask)
{
    struct arrival a = {.last = last_map(), .mask = mask ? mask : EVY_PATCH_DEFAULT};
    int err = library ? patch_prepare(mask) : -EINVAL;
    void *handle = err ? NULL : load(library, &a);
    if (!err && !handle)
        err = -ENOENT;
    if (!err)
        err = import_new(&a, handle);
    if (err)
        errno = -err;
    return err ? NULL : handle;
}

EVY_API int evy_patch_object(const char *name, unsigned mask)
{
    int err = patch_prepare(mask);
    struct link_map *m = loaded(name);
    if (!err)
        err = m ? import_add(m, NULL, mask ? mask : EVY_PATCH_DEFAULT) : -ENOENT;
    return (int)errno_edge(err);
}

EVY_API int evy_unpatch_object(const char *name)
{
    struct link_map *m = loaded(name);
    struct import *i = m ? import_of(m) : NULL;
    if (i)
        atomic_store(&i->mask, 0);
    return (int)errno_edge(m ? object_restore(m) : -ENOENT);
}
