#include "core/stats.h"

#include "base/config.h"
#include "base/log.h"
#include "body/observe.h"
#include "core/hub.h"

#include <sys/resource.h>

static atomic_uint started; /* green threads, light ones too */
static atomic_uint living;  /* of these, those that have not ended */
static atomic_uint peak;    /* the most that lived at a time */
static atomic_ulong saved;  /* system calls left out */

struct totals {
    unsigned switches; /* modulo 2^32, as each hub counts */
    unsigned parks;    /* of these, those away from a green thread that waits */
    unsigned moves;    /* ready green threads that one hub gave to another */
    unsigned handed;   /* hubs that went to another carrier */
    unsigned declared; /* of these, because a call said that it would block */
};

void stats_start(void)
{
    if (config.stats)
        observed |= OBSERVE_STATS | OBSERVE_CPU;
}

void stats_forget(void)
{
    atomic_store(&started, 0);
    atomic_store(&living, 0);
    atomic_store(&peak, 0);
    atomic_store(&saved, 0);
}

void stats_started(void)
{
    atomic_fetch_add(&started, 1);
    unsigned now = atomic_fetch_add(&living, 1) + 1, most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
}

void stats_ended(void)
{
    atomic_fetch_sub(&living, 1);
}

void stats_saved(void)
{
    atomic_fetch_add_explicit(&saved, 1, memory_order_relaxed);
}

static struct totals add_up(void)
{
    struct totals t = {0};
    for (unsigned i = 0; i < hub_count; i++) {
        const struct hub *h = &hubs[i];
        t.switches += atomic_load(&h->switches);
        t.parks += h->parks;
        t.moves += atomic_load(&h->moves);
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
    long memory = usage.ru_maxrss / 1024;
    if (!hub_count) {
        log_write(LOG_OFF, "stats: no thread was made; peak memory %ld MB", memory);
        return;
    }
    struct totals t = add_up();
    log_write(
        LOG_OFF,
        "stats: %u threads made, at most %u at a time, %u hubs, %u switches, %u parks, %u moves to "
        "another hub, %u hand-offs (%u computed or blocked unseen, %u declared), %lu system calls "
        "saved, peak memory %ld MB",
        atomic_load(&started), atomic_load(&peak), hub_count, t.switches, t.parks, t.moves,
        t.handed, t.handed - t.declared, t.declared, atomic_load(&saved), memory);
}
