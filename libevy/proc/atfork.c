#include "proc/atfork.h"

#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"

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

/* A fork under way counts on the places of the others. */
void atfork_drop(const void *dso)
{
    critical_enter();
    spin_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        if (list[i].dso == dso)
            list[i] = (struct handlers){0};
    }
    while (count && !list[count - 1].prepare && !list[count - 1].parent && !list[count - 1].child)
        count--;
    spin_unlock(&lock);
    critical_leave();
}

size_t atfork_prepare(void)
{
    struct handlers h;
    size_t n = count;
    for (size_t i = n; i-- > 0;)
        if (get(i, &h) && h.prepare)
            h.prepare();
    return n;
}

void atfork_parent(size_t n)
{
    struct handlers h;
    for (size_t i = 0; i < n && get(i, &h); i++)
        if (h.parent)
            h.parent();
}

void atfork_child(size_t n)
{
    struct handlers h;
    lock = (struct spin){0};
    for (size_t i = 0; i < n && get(i, &h); i++)
        if (h.child)
            h.child();
}
