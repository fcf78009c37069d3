/* A hub's timers: order, ties, removal from anywhere, growth. */
#include "../suite.h"
#include "base/timers.h"

#include <stdlib.h>

#define MANY 20000

static struct timer many[MANY];

START_TEST(empty_has_none)
{
    struct timers ts = {0};
    struct timer t = {0};
    ck_assert_int_eq(timers_next(&ts), DEADLINE_NEVER);
    ck_assert_ptr_null(timers_pop(&ts, INT64_MAX));
    timers_remove(&ts, &t);
    ck_assert_uint_eq(ts.count, 0);
}
END_TEST

START_TEST(nothing_before_its_time)
{
    struct timers ts = {0};
    struct timer t = {0};
    ck_assert_int_eq(timers_add(&ts, &t, 10), 0);
    ck_assert_int_eq(timers_next(&ts), 10);
    ck_assert_ptr_null(timers_pop(&ts, 9));
    ck_assert_ptr_eq(timers_pop(&ts, 10), &t);
    ck_assert_uint_eq(t.index, 0);
}
END_TEST

START_TEST(equal_deadlines_first_in_first_out)
{
    struct timers ts = {0};
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(timers_add(&ts, &many[i], i % 7), 0);
    for (int at = 0; at < 7; at++) {
        for (int i = at; i < MANY; i += 7)
            ck_assert_ptr_eq(timers_pop(&ts, 7), &many[i]);
    }
    ck_assert_ptr_null(timers_pop(&ts, 7));
}
END_TEST

START_TEST(random_adds_and_removes_stay_ordered)
{
    struct timers ts = {0};
    size_t armed = 0;
    srand(1);
    for (int turn = 0; turn < 5 * MANY; turn++) {
        struct timer *t = &many[rand() % MANY];
        if (t->index) {
            timers_remove(&ts, t);
            armed--;
        } else {
            ck_assert_int_eq(timers_add(&ts, t, rand() % 1000), 0);
            armed++;
        }
        ck_assert_uint_eq(ts.count, armed);
    }
    deadline_t last = 0;
    struct timer *t;
    while ((t = timers_pop(&ts, 1000))) {
        ck_assert_int_ge(t->at, last);
        last = t->at;
        armed--;
    }
    ck_assert_uint_eq(armed, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("timers");
    TCase *tc = tcase_create("timers");
    tcase_add_test(tc, empty_has_none);
    tcase_add_test(tc, nothing_before_its_time);
    tcase_add_test(tc, equal_deadlines_first_in_first_out);
    tcase_add_test(tc, random_adds_and_removes_stay_ordered);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
