#include "body/execstack.h"

#include "body/green.h"
#include "body/stack.h"

#include <link.h>

static atomic_bool wanted; /* for good, as natively */

static int asks(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_STACK && info->dlpi_phdr[i].p_flags & PF_X)
            return 1;
    return 0;
}

/* What the program has brought itself stays as it is. */
static bool allow(struct green *g, void *unused)
{
    (void)unused;
    if (!(g->flags & (GREEN_FOREIGN_STACK | GREEN_MAIN | GREEN_LIGHT)))
        stack_allow_code(&g->stack);
    return true;
}

void execstack_look(void)
{
    if (atomic_load(&wanted) || !dl_iterate_phdr(asks, NULL))
        return;
    atomic_store(&wanted, true);
    green_each(allow, NULL);
}

void execstack_of_new(const struct stack *s)
{
    if (unlikely(atomic_load(&wanted)))
        stack_allow_code(s);
}
