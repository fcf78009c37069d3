/* All hooks by name. */
#ifndef EVY_UNMASKED_H
#define EVY_UNMASKED_H

#include "api/object.h"

extern const struct hook_entry hook_entries[];
extern const size_t hook_entries_count;

#endif
