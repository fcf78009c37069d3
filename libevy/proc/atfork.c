#include "proc/atfork.h"

#include "base/spin.h"
#include "base/sys.h"
#include "core/critical.h"

#include <dlfcn.h>
#include <errno.h>

struct handlers {
    void (*prepare)(void); /* any of the three may be NULL */
    void (*parent)(void);
    void (*child)(void);
    const void *dso; /* handle of the library that registered it, NULL: the program */
};

static struct handlers *list; /* mapped; lock */
static size_t count, room;    /* used and mapped entries */
static struct spin lock;      /* protects the above; nests inside nothing */

/* The lock is held. */
static bool grow(void)
{
    size_t bytes = room * sizeof *list;
    long map = bytes ? sys_call6(SYS_mremap, (long)list, (long)bytes, (long)bytes * 2,
                                 MREMAP_MAYMOVE, 0, 0)
                     : sys_map(bytes = 2048);
    if (map < 0)
        return false;
    list = (struct handlers *)map;
    room = room ? room * 2 : bytes / sizeof *list;
    return true;
}

int evy___register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
                          void *dso)
{
    critical_enter();
    spin_lock(&lock);
    bool ok = count < room || grow();
    if (ok)
        list[count++] = (struct handlers){prepare, parent, child, dso};
    spin_unlock(&lock);
    critical_leave();
    return ok ? 0 : ENOMEM;
}

/* Handlers may register more while they run: entries are copied out one at a time. */
static bool get(size_t i, struct handlers *h)
{
    critical_enter();
    spin_lock(&lock);
    bool ok = i < count;
    if (ok)
        *h = list[i];
    spin_unlock(&lock);
    critical_leave();
    return ok;
}

/* glibc drops the handlers of a library when it is closed; here they are skipped. */
static void run(const struct handlers *h, void (*fn)(void))
{
    Dl_info info;
    if (fn && (!h->dso || dladdr((const void *)fn, &info)))
        fn();
}

void atfork_prepare(void)
{
    struct handlers h;
    for (size_t i = count; i-- > 0;)
        if (get(i, &h))
            run(&h, h.prepare);
}

void atfork_parent(void)
{
    struct handlers h;
    for (size_t i = 0; get(i, &h); i++)
        run(&h, h.parent);
}

void atfork_child(void)
{
    struct handlers h;
    lock = (struct spin){0};
    for (size_t i = 0; get(i, &h); i++)
        run(&h, h.child);
}
