#include "../suite.h"
#include "base/clock.h"
#include "core/gather.h"
#include "core/share.h"
#include "greens.h"

#include <evy/hub.h>
#include <string.h>

#define BUSY_ONES 8

static atomic_uint ran_on[BUSY_ONES][2]; /* turns of each on either hub */
static atomic_uint word;

static int64_t in_ms(int ms)
{
    return clock_now() + (int64_t)ms * 1000000;
}

/* Keeps its hub from sleeping, and never for long. */
static void *keeps_busy(void *arg)
{
    atomic_uint *ran = arg;
    for (int64_t end = in_ms(300); clock_now() < end; sched_yield_now())
        atomic_fetch_add(&ran[this_hub()->index], 1);
    return NULL;
}

/* Until the other hub has slept for so long that it counts as idle. */
static void let_other_sleep(void)
{
    while (!hubs[1].asleep || clock_now() - hubs[1].slept_at < 1000000)
        lot_sleep(in_ms(1));
}

static void start_busy_ones(unsigned flags)
{
    let_other_sleep();
    for (int i = 0; i < BUSY_ONES; i++) {
        struct green *g = greens_make(keeps_busy, &ran_on[i]);
        g->flags |= flags;
        g->hub = &hubs[0];
        sched_start(g);
    }
}

START_TEST(a_busy_hub_gives_half)
{
    greens_start(2);
    start_busy_ones(0);
    greens_join(BUSY_ONES);
    unsigned stayed = 0, moved = 0;
    for (int i = 0; i < BUSY_ONES; i++) {
        stayed += ran_on[i][0] > 0;
        moved += ran_on[i][1] > 0;
    }
    ck_assert_uint_ge(moved, BUSY_ONES / 2);
    ck_assert_uint_ge(stayed, BUSY_ONES / 2);
    ck_assert_uint_ge(hubs[0].moves, BUSY_ONES / 2);
    evy_counts counts;
    evy_hub_counts(&counts);
    ck_assert_uint_ge(counts.moves, BUSY_ONES / 2);
}
END_TEST

START_TEST(who_belongs_to_a_hub_stays)
{
    greens_start(2);
    start_busy_ones(GREEN_STAYS);
    greens_join(BUSY_ONES);
    for (int i = 0; i < BUSY_ONES; i++)
        ck_assert_uint_eq(ran_on[i][1], 0);
}
END_TEST

static void *waits_for_word(void *arg)
{
    for (int i = 0; i < 300; i++)
        atomic_fetch_add((atomic_uint *)arg, lot_park(&word, 0, in_ms(10000), 0) == 0);
    return NULL;
}

/* Their deadlines stay behind on the hub that they leave. */
START_TEST(timed_waits_survive_a_move)
{
    static atomic_uint woken;
    greens_start(2);
    start_busy_ones(0);
    for (int i = 0; i < 4; i++)
        greens_spawn(waits_for_word, &woken);
    while (atomic_load(&greens_ended) < BUSY_ONES + 4) {
        lot_unpark(&word, 4);
        sched_yield_now();
    }
    ck_assert_uint_eq(woken, 1200);
    ck_assert(hubs[0].timers.count == 0 && hubs[1].timers.count == 0);
}
END_TEST

START_TEST(a_new_one_goes_where_it_runs_soonest)
{
    greens_start(2);
    let_other_sleep();
    ck_assert_ptr_eq(share_hub_for_new(), &hubs[0]);
    struct green *g = greens_spawn(keeps_busy, &ran_on[0]);
    ck_assert_ptr_eq(g->hub, &hubs[0]);
    ck_assert_ptr_eq(share_hub_for_new(), &hubs[1]);
    greens_join(1);
}
END_TEST

static atomic_uint ball;             /* whose turn it is: 0 or 1 */
static int64_t turn_ns;              /* how long each keeps it */
static atomic_uint rounds, together; /* of these, how many with both on one hub */
static atomic_uint place[2];         /* hub + 1 of each player */

static void play(unsigned me, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned turn;
        while ((turn = atomic_load(&ball)) != me)
            lot_park(&ball, turn, in_ms(10000), 0);
        for (int64_t end = clock_now() + turn_ns; clock_now() < end;)
            ;
        place[me] = this_hub()->index + 1;
        atomic_fetch_add(&together, place[0] == place[1]);
        atomic_fetch_add(&rounds, 1);
        atomic_store(&ball, !me);
        lot_unpark(&ball, 1);
    }
}

static void *plays_short(void *me)
{
    play((unsigned)(uintptr_t)me, 4000);
    return NULL;
}

static void *plays_long(void *me)
{
    play((unsigned)(uintptr_t)me, 100);
    return NULL;
}

static void two_players(void *(*body)(void *), unsigned flags)
{
    greens_start(2);
    for (unsigned i = 0; i < 2; i++) {
        struct green *g = greens_make(body, (void *)(uintptr_t)i);
        g->flags |= flags;
        g->hub = &hubs[i];
        sched_start(g);
    }
    greens_join(2);
}

START_TEST(who_only_ever_wait_for_each_other_come_together)
{
    two_players(plays_short, 0);
    ck_assert_uint_gt(together, rounds / 2);
    ck_assert_uint_ge(hubs[0].moves + hubs[1].moves, 1);
}
END_TEST

/* Without spare carriers: one that gets no processor for long would lose its hub, and then its hub gives it away. */
START_TEST(who_work_for_long_stay_apart)
{
    turn_ns = 300000;
    config.spares = 0;
    two_players(plays_long, 0);
    ck_assert_uint_eq(together, 0);
}
END_TEST

START_TEST(who_belong_to_their_hubs_stay_apart)
{
    two_players(plays_short, GREEN_STAYS);
    ck_assert_uint_eq(together, 0);
}
END_TEST

static atomic_bool stop;
static atomic_uint turns_on[2]; /* taken on either hub */

/* Often enough, and together less than one hub's time. */
static void *works_and_waits(void *unused)
{
    while (!atomic_load(&stop)) {
        for (int64_t end = clock_now() + turn_ns; clock_now() < end;)
            ;
        atomic_fetch_add(&turns_on[this_hub()->index], 1);
        lot_sleep(clock_now() + 6 * turn_ns + 100000);
    }
    return unused;
}

/* Whether a tenth of a second passes in which all turns are taken on hub 0, within so many. */
static bool all_gather(int tenths)
{
    bool one = false;
    while (!one && tenths-- > 0) {
        atomic_store(&turns_on[0], 0);
        atomic_store(&turns_on[1], 0);
        lot_sleep(in_ms(100));
        one = turns_on[0] > 0 && turns_on[1] == 0;
    }
    return one;
}

static bool gather(int64_t ns, unsigned flags, int tenths)
{
    turn_ns = ns;
    greens_start(2);
    for (unsigned i = 0; i < 4; i++) {
        struct green *g = greens_make(works_and_waits, NULL);
        g->flags |= flags;
        g->hub = &hubs[i % 2];
        sched_start(g);
    }
    bool one = all_gather(tenths);
    atomic_store(&stop, true);
    greens_join(4);
    return one;
}

START_TEST(what_one_hub_can_do_is_done_by_one)
{
    ck_assert(gather(1000, 0, 200));
    ck_assert_uint_ge(hubs[1].moves, 2);
}
END_TEST

#define WINDOW 10000000

/* Where hub 1 gathers after so many spells of work of ns each within a window, hub 0 having had other's. */
static struct hub *gathers_on(unsigned spells, int64_t ns, const struct load *other)
{
    int64_t now = clock_now();
    struct load *l = &hubs[1].load;
    memset(l, 0, sizeof *l);
    memcpy(&hubs[0].load, other, sizeof *other);
    atomic_store(&hubs[0].load.at, now - WINDOW);
    l->since = now - WINDOW;
    for (unsigned i = 1; i < spells; i++)
        gather_slept(&hubs[1], now - 1, ns);
    gather_slept(&hubs[1], now, ns);
    return l->to;
}

START_TEST(what_is_long_rare_or_too_much_is_done_by_two)
{
    struct load little = {.permille = 300, .spell = 10000},
                much = {.permille = 600, .spell = 10000}, slow = {.permille = 300, .spell = 60000};
    ck_assert_ptr_eq(gathers_on(50, 40000, &little), &hubs[0]);
    ck_assert_ptr_null(gathers_on(50, 60000, &little));
    ck_assert_ptr_null(gathers_on(10, 40000, &little));
    ck_assert_ptr_null(gathers_on(50, 40000, &much));
    ck_assert_ptr_null(gathers_on(50, 40000, &slow));
    hubs[0].apart = true;
    ck_assert_ptr_null(gathers_on(50, 40000, &little));
}
END_TEST

START_TEST(who_belong_to_their_hubs_do_not_gather)
{
    gather(1000, GREEN_STAYS, 5);
    ck_assert_uint_eq(hubs[0].moves + hubs[1].moves, 0);
}
END_TEST

/* Never waits, and takes turns as short as they can be. */
static void *yields(void *unused)
{
    while (!atomic_load(&stop)) {
        atomic_fetch_add(&turns_on[this_hub()->index], 1);
        sched_yield_now();
    }
    return unused;
}

/* Whether a hub holds what it was given so long ago, for so long, after so many turns in so long. */
static bool holds(int64_t given, int64_t hold, unsigned turns, int64_t busy)
{
    struct hub *h = &hubs[1];
    int64_t now = clock_now();
    h->load.held_at = now - given;
    h->load.hold = hold;
    h->busy_from = h->switches - turns;
    return gather_holds(h, now, busy);
}

/* Short turns: the longer, the more often the other hub was of no use. */
START_TEST(a_hub_that_was_given_all_keeps_it_for_a_while)
{
    const int64_t ms = 1000000;
    ck_assert(holds(10 * ms, 20 * ms, 1000, 19 * ms));
    ck_assert(!holds(10 * ms, 20 * ms, 1000, 21 * ms));
    ck_assert(!holds(1001 * ms, 20 * ms, 1000, 19 * ms));
    ck_assert(!holds(10 * ms, 20 * ms, 100, 19 * ms));
}
END_TEST

START_TEST(but_not_for_ever)
{
    greens_start(2);
    let_other_sleep();
    int64_t held_at = clock_now();
    hubs[0].load.held_at = held_at;
    hubs[0].load.hold = 50000000;
    for (int i = 0; i < 8; i++) {
        struct green *g = greens_make(yields, NULL);
        g->hub = &hubs[0];
        sched_start(g);
    }
    while (!turns_on[1] && clock_now() < held_at + 10 * NSEC_PER_SEC)
        lot_sleep(clock_now() + 500000);
    atomic_store(&stop, true);
    greens_join(8);
    ck_assert_uint_gt(turns_on[1], 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("share");
    TCase *c = tcase_create("share");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_busy_hub_gives_half);
    tcase_add_test(c, who_belongs_to_a_hub_stays);
    tcase_add_test(c, timed_waits_survive_a_move);
    tcase_add_test(c, a_new_one_goes_where_it_runs_soonest);
    tcase_add_test(c, who_only_ever_wait_for_each_other_come_together);
    tcase_add_test(c, who_work_for_long_stay_apart);
    tcase_add_test(c, who_belong_to_their_hubs_stay_apart);
    tcase_add_test(c, what_one_hub_can_do_is_done_by_one);
    tcase_add_test(c, what_is_long_rare_or_too_much_is_done_by_two);
    tcase_add_test(c, who_belong_to_their_hubs_do_not_gather);
    tcase_add_test(c, a_hub_that_was_given_all_keeps_it_for_a_while);
    tcase_add_test(c, but_not_for_ever);
    suite_add_tcase(s, c);
    return run_suite(s);
}
