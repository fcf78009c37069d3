#include "core/hub.h"

#include <evy/hub.h>

EVY_API void evy_hub_counts(evy_counts *counts)
{
    if (!counts)
        return;
    *counts = (evy_counts){.hubs = hub_count};
    for (unsigned i = 0; i < hub_count; i++) {
        counts->switches += atomic_load_explicit(&hubs[i].switches, memory_order_relaxed);
        counts->hand_offs += atomic_load_explicit(&hubs[i].hand_offs, memory_order_relaxed);
        counts->moves += atomic_load_explicit(&hubs[i].moves, memory_order_relaxed);
    }
}
