#include "base/clock.h"
#include "core/share.h"
#include "greens.h"

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

static void start_busy_ones(unsigned flags)
{
    lot_sleep(in_ms(5)); /* the other hub sleeps for long enough */
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
    unsigned moved = 0;
    for (int i = 0; i < BUSY_ONES; i++) {
        ck_assert_uint_gt(ran_on[i][0], 0);
        moved += ran_on[i][1] > 0;
    }
    ck_assert_uint_ge(moved, BUSY_ONES / 2);
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
    lot_sleep(in_ms(5));
    ck_assert_ptr_eq(share_hub_for_new(), &hubs[0]);
    struct green *g = greens_spawn(keeps_busy, &ran_on[0]);
    ck_assert_ptr_eq(g->hub, &hubs[0]);
    ck_assert_ptr_eq(share_hub_for_new(), &hubs[1]);
    greens_join(1);
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
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
