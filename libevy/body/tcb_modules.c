/* Who has static TLS: the initial values of everybody's block in one image that is copied over a TCB
 * when it is recycled, and the list of all TCBs, into which a library loaded later must be entered
 * because glibc knows only its own threads (elf/dl-tls.c, _dl_init_static_tls). */
#include "base/spin.h"
#include "base/sys.h"
#include "body/critical.h"
#include "body/tcb_internal.h"
#include "tls.h"
#include "tp.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#define MODULES_MAX 128 /* static TLS is a few KB: never that many */

/* A block of static TLS, of libc's what has initial values. */
struct module {
    ptrdiff_t at; /* from the thread pointer */
    size_t size;
    const void
        *init; /* where its initial values came from: tells a new library at the same place */
};

struct table {
    size_t count;
    size_t highest;    /* module number, static or not */
    size_t generation; /* of a DTV built for this table */
    bool libc_seen;
    struct module modules[MODULES_MAX];
};

static struct spin scan_lock; /* one scan at a time; nests around lock */
static struct spin lock;      /* protects the list of all TCBs; nests around nothing */
static struct list all;
static struct table tables[2]; /* readers of the old one are gone before it is filled again */
static _Atomic(struct table *) current = &tables[0];
static char *image; /* initial static TLS; image[0] is at image_at from the thread pointer */
static ptrdiff_t image_at;
static ptrdiff_t map_modid, map_offset; /* in struct link_map */

static uintptr_t tp_of_node(struct list *node)
{
    return (uintptr_t)list_entry(node, struct tcb_extra, all) - (uintptr_t)tcb_layout.extra;
}

static char *image_of(ptrdiff_t at)
{
    return image + (at - image_at);
}

static const struct link_map *map_of_module(size_t id)
{
    for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next)
        if (field(size_t, (uintptr_t)m, map_modid) == id)
            return m;
    return NULL;
}

static const ElfW(Phdr) * tls_segment(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            return &info->dlpi_phdr[i];
    return NULL;
}

/* Offset of the module's block, if it has one in static TLS: l_tls_offset is then a plain small number
   (include/link.h: 0 is none yet, -1 forced to be dynamic). */
static bool static_block(size_t id, size_t size, ptrdiff_t *at)
{
    const struct link_map *m = map_of_module(id);
    if (!m)
        return false;
    const struct tcb_layout *l = &tcb_layout;
    size_t bytes = tls_static_bytes(l->static_size, tcb_facts.pthread_size);
    size_t offset = field(size_t, (uintptr_t)m, map_offset);
    *at = tls_block_at(offset);
    return offset - 1 < l->static_size && *at >= image_at &&
           *at + (ptrdiff_t)size <= image_at + (ptrdiff_t)bytes;
}

static int scan_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct table *t = arg;
    const ElfW(Phdr) *tls = tls_segment(info);
    ptrdiff_t at;
    if (info->dlpi_tls_modid > t->highest)
        t->highest = info->dlpi_tls_modid;
    if (!tls || !static_block(info->dlpi_tls_modid, tls->p_memsz, &at))
        return 0;
    const char *init = (const char *)info->dlpi_addr + tls->p_vaddr;
    memcpy(image_of(at), init, tls->p_filesz);
    memset(image_of(at) + tls->p_filesz, 0, tls->p_memsz - tls->p_filesz);
    size_t reset = tls->p_memsz;
    if (tcb_layout.err_no >= at && tcb_layout.err_no < at + (ptrdiff_t)tls->p_memsz) {
        tcb_layout.libc_block = at;
        tcb_layout.libc_block_size = tls->p_memsz;
        t->libc_seen = true;
        reset = tls->p_filesz; /* locale, resolver state; behind them is its malloc cache */
    }
    if (t->count < MODULES_MAX)
        t->modules[t->count++] = (struct module){at, reset, init};
    return 0;
}

static bool has_module(const struct table *t, const struct module *m)
{
    for (size_t i = 0; i < t->count; i++)
        if (memcmp(&t->modules[i], m, sizeof(*m)) == 0)
            return true;
    return false;
}

/* Enters a new library into a TCB. What is not zero any more was written by the library's constructors,
   which ran on the thread that loaded it. */
static void enter_module(uintptr_t tp, const struct module *m)
{
    char *to = (char *)tp + m->at;
    const char *from = image_of(m->at);
    for (size_t i = 0; i < m->size; i++)
        if (to[i] == 0)
            to[i] = from[i];
}

/* Brings all TCBs from one table to the next. */
static void update_tcb(uintptr_t tp, const struct table *old, const struct table *new)
{
    for (size_t i = 0; i < old->count; i++)
        if (!has_module(new, &old->modules[i]))
            memset((char *)tp + old->modules[i].at, 0, old->modules[i].size);
    for (size_t i = 0; i < new->count; i++)
        if (!has_module(old, &new->modules[i]))
            enter_module(tp, &new->modules[i]);
}

static bool same_modules(const struct table *a, const struct table *b)
{
    return a->count == b->count &&
           memcmp(a->modules, b->modules, a->count * sizeof(a->modules[0])) == 0;
}

/* Looks at what is loaded now; generation is that of a DTV that was made before. */
static EVY_COLD void scan(size_t generation)
{
    spin_lock(&scan_lock);
    struct table *old = atomic_load(&current);
    struct table *new = old == &tables[0] ? &tables[1] : &tables[0];
    memset(new, 0, sizeof(*new));
    new->generation = generation;
    dl_iterate_phdr(scan_module, new);
    atomic_store(&current, new);
    if (!same_modules(old, new)) {
        spin_lock(&lock);
        list_for_each (node, &all)
            update_tcb(tp_of_node(node), old, new);
        spin_unlock(&lock);
    }
    spin_unlock(&scan_lock);
}

void tcb_modules_changed(void)
{
    if (!tcb_facts.ready || list_empty(&all)) /* the first TCB will look for itself */
        return;
    critical_enter();
    scan(atomic_load(&current)->generation);
    critical_leave();
}

static bool find_map_field(const char *name, ptrdiff_t *offset)
{
    const uint32_t *fact = dlsym(RTLD_DEFAULT, name);
    if (fact)
        *offset = (ptrdiff_t)fact[2];
    return fact != NULL;
}

int tcb_modules_init(void)
{
    const struct tcb_layout *l = &tcb_layout;
    if (!find_map_field("_thread_db_link_map_l_tls_modid", &map_modid) ||
        !find_map_field("_thread_db_link_map_l_tls_offset", &map_offset))
        return -ENOTSUP;
    list_init(&all);
    image_at = tls_static_at(l->static_size, tcb_facts.pthread_size);
    long at = sys_call6(SYS_mmap, 0, (long)tls_static_bytes(l->static_size, tcb_facts.pthread_size),
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096)
        return (int)at;
    image = (char *)at;
    scan(0);
    return atomic_load(&current)->libc_seen ? 0 : -ENOTSUP;
}

void tcb_modules_add(uintptr_t tp)
{
    spin_lock(&lock);
    list_append(&all, &tcb_extra_of(tp)->all);
    spin_unlock(&lock);
}

void tcb_modules_remove(uintptr_t tp)
{
    spin_lock(&lock);
    list_remove(&tcb_extra_of(tp)->all);
    spin_unlock(&lock);
}

void tcb_modules_fresh(uintptr_t tp)
{
    struct tcb_extra *x = tcb_extra_of(tp);
    const union dtv *dtv = tcb_dtv(tp);
    x->generation = dtv[0].counter;
    if (unlikely(atomic_load(&current)->generation != x->generation))
        scan(x->generation);
    size_t highest = atomic_load(&current)->highest;
    x->modules = highest < dtv[-1].counter ? highest : dtv[-1].counter;
}

/* Most blocks are a few words: a call for each would cost more than the copy. */
static inline void reset_block(char *to, const char *from, size_t size)
{
    if (unlikely(size % 16 || size > 64)) {
        memcpy(to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i += 16)
        memcpy(to + i, from + i, 16);
}

void tcb_modules_reset(uintptr_t tp)
{
    const struct table *t = atomic_load_explicit(&current, memory_order_acquire);
    const char *from = image_of(0);
    for (const struct module *m = t->modules, *end = m + t->count; m < end; m++)
        reset_block((char *)tp + m->at, from + m->at, m->size);
}

void tcb_modules_fork_locks(bool take)
{
    spin_fork(&scan_lock, take);
    spin_fork(&lock, take);
}
