#include "body/stack.h"

#include "base/spin.h"
#include "base/sys.h"
#include "body/annotate.h"
#include "body/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define SIZE_MAX_STACK ((size_t)1 << 44)
#define SLAB_MIN ((size_t)1 << 20)
#define SLAB_MAX ((size_t)1 << 30)
#define PAGE_TABLE_SPAN ((size_t)2 << 20) /* what one page of page table entries maps */
#define CLASSES 160
#define CROWD 8192 /* more stacks than translations of addresses are cached for */

/* At the top end of a pooled stack: pages that were in use anyway. */
struct pooled {
    struct pooled *next;
    size_t guard;
};

/* All stacks of one total size. */
struct class
{
    struct spin lock;    /* protects the rest; held for a few instructions, nests inside nothing */
    struct pooled *free; /* last freed first: its pages are in the cache */
    char *slab;          /* start of the part of the newest slab that was never handed out */
    size_t fresh;        /* stacks in that part */
    size_t mapped;       /* bytes in all slabs */
    size_t live;         /* handed out */
    size_t pooled;       /* on the free list */
} __attribute__((aligned(CACHE_LINE)));

static struct class classes[CLASSES];
static struct class exact[CLASSES]; /* of exact_total, not more */
static _Atomic size_t
    exact_total[CLASSES]; /* the first of that class that was asked for; 0: none */
static size_t page_size = 4096;
static atomic_uint made; /* stacks that have been handed out for the first time */

/* Four classes per doubling: 1 2 3 4 5 6 7 8 10 12 14 16 20 ... pages, so less than a quarter of the
   address space (not of the memory) is wasted and neighbouring sizes pool. */
static struct class *class_of(size_t size, size_t *total)
{
    size_t n = (size - 1) / page_size; /* pages, less one */
    unsigned shift = n < 8 ? 0 : 61 - (unsigned)__builtin_clzl(n);
    size_t top = n >> shift; /* 4..7, less only for the smallest */
    *total = (top + 1) << shift;
    *total *= page_size;
    size_t index = 4 * shift + top, first = atomic_load(&exact_total[index]);
    if (*total < PAGE_TABLE_SPAN)
        return &classes[index];
    /* Of such sizes a program uses one or two. What is too much would have to be guarded, for an overflow to show where
       it does natively, and that would cost page tables. */
    n = align_up(size, page_size);
    if (first == 0 && atomic_compare_exchange_strong(&exact_total[index], &first, n))
        first = n;
    if (first != n)
        return &classes[index];
    *total = n;
    return &exact[index];
}

static void *map_pages(size_t n)
{
    long at = sys_call6(SYS_mmap, 0, (long)n, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

static void unmap_pages(void *at, size_t n)
{
    sys3(SYS_munmap, at, n, 0);
}

void stack_init(void)
{
    page_size = getauxval(AT_PAGESZ);
    guard_init();
}

/* Guards stay over reuse; they change only when the new owner wants more guard or more room. */
static EVY_COLD void change_guard(struct stack *s, size_t guard)
{
    if (s->guard > 0)
        guard_remove(s->map, s->guard);
    s->guard = guard > 0 ? guard_install(s->map, guard) : 0;
}

/* Pops a pooled stack. With the class locked. */
static bool take_pooled(struct class *c, struct stack *out)
{
    struct pooled *p = c->free;
    if (!p)
        return false;
    c->free = p->next;
    c->pooled--;
    c->live++;
    out->map = (char *)(p + 1) - out->total;
    out->guard = p->guard;
    return true;
}

/* From one stack of a slab to the next: an odd number of pages. Tops a power of two apart would share a few sets of the
   caches, and a dozen green threads fill those. */
static size_t stride_of(size_t total)
{
    return total | page_size;
}

/* Carves a stack that was never used, highest first. With the class locked. */
static bool take_fresh(struct class *c, struct stack *out)
{
    if (c->fresh == 0)
        return false;
    c->fresh--;
    c->live++;
    out->map = c->slab + c->fresh * stride_of(out->total);
    out->guard = 0;
    return true;
}

/* A guard lies right above the neighbour's top. On a boundary of page tables, each of the two would
   need a table of its own; stacks that large are close to multiples of half a megabyte, so a quarter off keeps
   nearly all of them together. */
static char *slab_start(char *map, size_t total)
{
    if (total < PAGE_TABLE_SPAN)
        return map;
    return (char *)align_up(map, PAGE_TABLE_SPAN) + PAGE_TABLE_SPAN / 8;
}

static size_t slab_bytes(size_t count, size_t total)
{
    return count * stride_of(total) + (total < PAGE_TABLE_SPAN ? 0 : PAGE_TABLE_SPAN / 8 * 9);
}

/* As much again as the class has: few mappings however many stacks, and next to each other the kernel
   merges them. */
static size_t slab_count(const struct class *c, size_t total)
{
    size_t bytes = c->mapped < SLAB_MIN ? SLAB_MIN : c->mapped > SLAB_MAX ? SLAB_MAX : c->mapped;
    return bytes < stride_of(total) ? 1 : bytes / stride_of(total);
}

/* Maps a slab for the class, unlocked while in the kernel. Returns 0 or -EAGAIN. */
static EVY_COLD int grow(struct class *c, size_t total)
{
    size_t count = slab_count(c, total);
    char *map = NULL;
    for (; count > 0 && !(map = map_pages(slab_bytes(count, total))); count /= 2)
        ;
    if (!map)
        return -EAGAIN;
    size_t bytes = slab_bytes(count, total);
    sys3(SYS_madvise, map, bytes, MADV_NOHUGEPAGE); /* one huge page would commit many stacks */
    spin_lock(&c->lock);
    bool wanted = c->fresh == 0;
    if (wanted) {
        c->slab = slab_start(map, total);
        c->fresh = count;
        c->mapped += bytes;
    }
    spin_unlock(&c->lock);
    if (!wanted) /* somebody else was quicker */
        unmap_pages(map, bytes);
    return 0;
}

int stack_alloc(struct stack *out, size_t size, size_t guard)
{
    if (size > SIZE_MAX_STACK || guard > SIZE_MAX_STACK)
        return -EAGAIN;
    size = size > 0 ? align_up(size, page_size) : page_size;
    guard = align_up(guard, page_size);
    struct class *c = class_of(size + guard, &out->total);
    if (guard > 0 && out->total < PAGE_TABLE_SPAN) /* what is too much costs no page table */
        guard = out->total - size;
    bool fresh;
    for (;;) {
        spin_lock(&c->lock);
        bool pooled = take_pooled(c, out), got = pooled || take_fresh(c, out);
        fresh = !pooled;
        spin_unlock(&c->lock);
        if (likely(got))
            break;
        if (grow(c, out->total) != 0)
            return -EAGAIN;
    }
    if (unlikely(out->guard < guard || out->total - out->guard < size))
        change_guard(out, guard);
    if (fresh && atomic_fetch_add(&made, 1) == CROWD)
        observe_from_now(OBSERVE_CROWD);
    if (fresh && observes(OBSERVE_TOOLS))
        annotate_stack(out);
    return 0;
}

void stack_free(const struct stack *s)
{
    size_t total;
    struct class *c = class_of(s->total, &total);
    struct pooled *p = (struct pooled *)stack_top(s) - 1;
    p->guard = s->guard;
    spin_lock(&c->lock);
    p->next = c->free;
    c->free = p;
    c->pooled++;
    c->live--;
    spin_unlock(&c->lock);
}

void stack_allow_code(const struct stack *s)
{
    sys3(SYS_mprotect, stack_low(s), s->total - s->guard, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void add_stats(struct stack_stats *sum, struct class *c)
{
    spin_lock(&c->lock);
    sum->mapped += c->mapped;
    sum->live += c->live;
    sum->pooled += c->pooled;
    spin_unlock(&c->lock);
}

struct stack_stats stack_stats(void)
{
    struct stack_stats sum = {.guard_kind = guard_kind_left()};
    for (size_t i = 0; i < CLASSES; i++) {
        add_stats(&sum, &classes[i]);
        add_stats(&sum, &exact[i]);
    }
    return sum;
}

void stack_fork_locks(bool take)
{
    for (size_t i = 0; i < CLASSES; i++) {
        spin_fork(&classes[i].lock, take);
        spin_fork(&exact[i].lock, take);
    }
}
