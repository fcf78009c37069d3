/* Guards below stacks: pages that fault. */
#ifndef EVY_GUARD_H
#define EVY_GUARD_H

#include "base/base.h"

/* Finds out which kind works here. Once, before the first one. */
void guard_init(void);

/* Makes n bytes at a page's start fault. Returns n, or 0 when guards have run out. */
size_t guard_install(char *at, size_t n);

/* They may be used again, whichever kind it was. */
void guard_remove(char *at, size_t n);

/* Of those to come: 0 none left, 1 PROT_NONE, 2 MADV_GUARD_INSTALL. */
int guard_kind_left(void);

#endif
