/* Stacks: reuse, guards, many of them, no memory. */
#include "../suite.h"
#include "body/observe.h"
#include "body/stack.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KB ((size_t)1 << 10)
#define MB ((size_t)1 << 20)
#define MANY 100000

static struct stack get(size_t size, size_t guard)
{
    struct stack s;
    ck_assert_int_eq(stack_alloc(&s, size, guard), 0);
    return s;
}

static int maps_count(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    int lines = 0;
    for (int c; (c = getc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    return lines;
}

static int signal_of_write(char *at)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)at = 1;
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(sizes_are_kept)
{
    static const size_t sizes[] = {1,        4 * KB, 16 * KB, 64 * KB, 65 * KB,
                                   100 * KB, MB,     8 * MB,  9 * MB};
    for (size_t i = 0; i < array_len(sizes); i++) {
        struct stack s = get(sizes[i], 4096);
        size_t usable = (size_t)(stack_top(&s) - stack_low(&s));
        ck_assert_uint_ge(usable, sizes[i]);
        ck_assert_uint_le(s.total, (sizes[i] + 8 * KB) * 5 / 4);
        ck_assert_uint_eq((uintptr_t)stack_top(&s) % 4096, 0);
        memset(stack_low(&s), 1, usable);
        stack_free(&s);
    }
}
END_TEST

START_TEST(last_freed_comes_first)
{
    struct stack a = get(64 * KB, 4096), b = get(64 * KB, 4096), again;
    ck_assert_ptr_ne(a.map, b.map);
    stack_free(&a);
    stack_free(&b);
    again = get(64 * KB, 4096);
    ck_assert_ptr_eq(again.map, b.map);
    again = get(64 * KB, 4096);
    ck_assert_ptr_eq(again.map, a.map);
    ck_assert_uint_eq(stack_stats().live, 2);
    ck_assert_uint_eq(stack_stats().pooled, 0);
}
END_TEST

START_TEST(guard_faults)
{
    for (int use = 0; use < 2; use++) { /* guards stay over reuse */
        struct stack s = get(64 * KB, 4096);
        ck_assert_uint_ge(s.guard, 4096);
        ck_assert_int_eq(signal_of_write(stack_low(&s)), 0);
        ck_assert_int_eq(signal_of_write(stack_low(&s) - 1), SIGSEGV);
        ck_assert_int_eq(signal_of_write(s.map), SIGSEGV);
        stack_free(&s);
    }
}
END_TEST

START_TEST(guard_changes_with_owner)
{
    struct stack s = get(64 * KB, 16 * KB);
    char *map = s.map;
    stack_free(&s);
    s = get(s.total, 0); /* the whole of it: the guard must go */
    ck_assert_ptr_eq(s.map, map);
    ck_assert_uint_eq(s.guard, 0);
    memset(s.map, 1, s.total);
    stack_free(&s);
    s = get(64 * KB, 16 * KB);
    ck_assert_ptr_eq(s.map, map);
    ck_assert_int_eq(signal_of_write(stack_low(&s) - 1), SIGSEGV);
}
END_TEST

START_TEST(many)
{
    struct stack *all = malloc(MANY * sizeof(*all));
    int before = maps_count();
    for (int i = 0; i < MANY; i++) {
        all[i] = get(64 * KB, 4096);
        stack_top(&all[i])[-1] = 1;
    }
    if (stack_stats().guard_kind == 2)
        ck_assert_int_le(maps_count() - before, 64);
    for (int i = 0; i < MANY; i++)
        stack_free(&all[i]);
    size_t mapped = stack_stats().mapped;
    for (int i = 0; i < MANY; i++)
        all[i] = get(64 * KB, 4096);
    ck_assert_uint_eq(stack_stats().mapped, mapped);
    ck_assert_uint_eq(stack_stats().live, MANY);
    free(all);
}
END_TEST

/* Those in use are counted once, however often they change hands. */
START_TEST(a_crowd_is_noticed)
{
    for (int i = 0; i < MANY; i++) {
        struct stack s = get(64 * KB, 4096);
        stack_free(&s);
    }
    ck_assert(!observes(OBSERVE_CROWD));
    for (int i = 0; i < MANY; i++)
        get(64 * KB, 4096);
    ck_assert(observes(OBSERVE_CROWD));
}
END_TEST

/* What AddressSanitizer maps for itself is counted, too. */
static size_t address_space(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    ck_assert_int_eq(fscanf(f, "%zu", &pages), 1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Mapped from below to beyond the limit: every stack it still allows, then EAGAIN, then reuse. */
START_TEST(exhaustion)
{
    size_t limit = address_space() + 256 * MB;
    struct rlimit lim = {limit, limit};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &lim), 0);
    struct stack s = {0}, last = {0};
    size_t count = 0;
    int err;
    while ((err = stack_alloc(&s, 8 * MB, 4096)) == 0) {
        last = s;
        count++;
    }
    ck_assert_int_eq(err, -EAGAIN);
    ck_assert_uint_ge(count, 8);
    stack_free(&last);
    ck_assert_int_eq(stack_alloc(&s, 8 * MB, 4096), 0);
    ck_assert_int_eq(stack_alloc(&s, SIZE_MAX, 4096), -EAGAIN);
    ck_assert_int_eq(stack_alloc(&s, 4096, SIZE_MAX - 4096), -EAGAIN);
}
END_TEST

START_TEST(locked_memory_has_guards)
{
    if (mlockall(MCL_FUTURE) != 0)
        return;
    struct stack s = get(64 * KB, 4096);
    munlockall();
    ck_assert_uint_ge(s.guard, 4096);
    ck_assert_int_eq(signal_of_write(stack_low(&s) - 1), SIGSEGV);
    stack_free(&s);
    s = get(s.total, 0);
    memset(s.map, 1, s.total);
}
END_TEST

int main(void)
{
    stack_init();
    Suite *s = suite_create("stack");
    TCase *tc = tcase_create("stack");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, sizes_are_kept);
    tcase_add_test(tc, last_freed_comes_first);
    tcase_add_test(tc, guard_faults);
    tcase_add_test(tc, guard_changes_with_owner);
    tcase_add_test(tc, many);
    tcase_add_test(tc, a_crowd_is_noticed);
    tcase_add_test(tc, exhaustion);
    tcase_add_test(tc, locked_memory_has_guards);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
