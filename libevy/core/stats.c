#include "core/stats.h"

#include "base/config.h"
#include "base/log.h"
#include "core/hub.h"

#include <sys/resource.h>

struct totals {
    unsigned made;     /* green threads that were pthreads */
    unsigned switches; /* modulo 2^32, as each hub counts */
    unsigned handed;   /* hubs that went to another carrier */
    unsigned declared; /* of these, because a call said that it would block */
};

static struct totals add_up(void)
{
    struct totals t = {0};
    for (unsigned i = 0; i < hub_count; i++) {
        const struct hub *h = &hubs[i];
        t.made += atomic_load(&h->born) + atomic_load(&h->adopted);
        t.switches += atomic_load(&h->switches);
        t.handed += atomic_load(&h->hand_offs);
        t.declared += atomic_load(&h->declared);
    }
    return t;
}

void stats_write(void)
{
    struct rusage usage;
    if (!config.stats)
        return;
    getrusage(RUSAGE_SELF, &usage);
    long peak = usage.ru_maxrss / 1024;
    if (!hub_count) {
        log_write(LOG_OFF, "stats: no thread was made; peak memory %ld MB", peak);
        return;
    }
    struct totals t = add_up();
    log_write(LOG_OFF,
              "stats: %u threads made, %u hubs, %u switches, %u hand-offs (%u computed or blocked "
              "unseen, %u declared), peak memory %ld MB",
              t.made - 1, hub_count, t.switches, t.handed, t.handed - t.declared, t.declared, peak);
}
