// flags: -lcheck -lsubunit -lm -ldl
// env: EVY_HUBS=1
// Proves: which calls are green after monkey_patch, import_patched, and the patching of one object.
#define _GNU_SOURCE
#include "../suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <evy.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define AT_START (EVY_PATCH_PROCESS | EVY_PATCH_SIGNAL)

typedef int call(void);

static atomic_int others;

static void *other(void *arg)
{
    atomic_fetch_add(&others, 1);
    return arg;
}

/* Whether yield lets a new green thread of the same hub run, as a green sched_yield does and libc's does not. */
static int is_green(call *yield)
{
    pthread_t t;
    int before = atomic_load(&others);
    ck_assert_int_eq(pthread_create(&t, NULL, other, NULL), 0);
    ck_assert_int_eq(yield(), 0);
    int ran = atomic_load(&others) - before;
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    return ran;
}

static call *found(void *handle, const char *name)
{
    call *f = (call *)dlsym(handle, name);
    ck_assert_ptr_nonnull(f);
    return f;
}

START_TEST(starts_with_libc)
{
    ck_assert_uint_eq(evy_patched_mask(), AT_START);
    ck_assert_int_eq(evy_is_monkey_patched("socket"), 0);
    ck_assert_int_eq(evy_is_monkey_patched("process"), 1);
}
END_TEST

START_TEST(adds_up)
{
    ck_assert_int_eq(evy_monkey_patch(EVY_PATCH_SOCKET), 0);
    ck_assert_int_eq(evy_monkey_patch(EVY_PATCH_TIME), 0);
    ck_assert_int_eq(evy_monkey_patch(EVY_PATCH_TIME), 0);
    ck_assert_int_eq(evy_monkey_patch(0), 0);
    ck_assert_uint_eq(evy_patched_mask(), AT_START | EVY_PATCH_SOCKET | EVY_PATCH_TIME);
    ck_assert_int_eq(evy_is_monkey_patched("socket"), 1);
    ck_assert_int_eq(evy_is_monkey_patched("socket,time"), 1);
    ck_assert_int_eq(evy_is_monkey_patched("socket,os"), 0);
}
END_TEST

/* Eventlet's truth table: keywords True, keywords False, what is then patched. */
static const struct {
    unsigned on, off, patched;
} truths[] = {
    {0, 0, EVY_PATCH_ALL},
    {EVY_PATCH_ALL, 0, EVY_PATCH_ALL},
    {EVY_PATCH_ALL | EVY_PATCH_SOCKET, 0, EVY_PATCH_ALL},
    {EVY_PATCH_SELECT, EVY_PATCH_SOCKET, EVY_PATCH_SELECT},
    {EVY_PATCH_SOCKET, 0, EVY_PATCH_SOCKET},
    {EVY_PATCH_SOCKET | EVY_PATCH_SELECT, 0, EVY_PATCH_SOCKET | EVY_PATCH_SELECT},
    {0, EVY_PATCH_SOCKET, EVY_PATCH_ALL & ~EVY_PATCH_SOCKET},
    {0, EVY_PATCH_SOCKET | EVY_PATCH_TIME, EVY_PATCH_ALL & ~(EVY_PATCH_SOCKET | EVY_PATCH_TIME)},
    {EVY_PATCH_ALL, EVY_PATCH_TIME, EVY_PATCH_ALL & ~EVY_PATCH_TIME},
};

START_TEST(truth_table)
{
    ck_assert_int_eq(evy_monkey_patch_but(truths[_i].on, truths[_i].off), 0);
    ck_assert_uint_eq(evy_patched_mask(), truths[_i].patched | AT_START);
}
END_TEST

START_TEST(refuses)
{
    errno = 0;
    ck_assert(evy_monkey_patch(2 * EVY_PATCH_FILE) == -1 && errno == EINVAL);
    errno = 0;
    ck_assert(evy_monkey_patch_but(1u << 31, 0) == -1 && errno == EINVAL);
    errno = 0;
    ck_assert(evy_is_monkey_patched("sockets") == -1 && errno == EINVAL);
    errno = 0;
    ck_assert(evy_is_monkey_patched(NULL) == -1 && errno == EINVAL);
    errno = 0;
    ck_assert(!evy_import_patched("libplain.so", 1u << 20) && errno == EINVAL);
    errno = 0;
    ck_assert(!evy_import_patched(NULL, 0) && errno == EINVAL);
    errno = 0;
    ck_assert(!evy_import_patched("no such library", 0) && errno == ENOENT);
    errno = 0;
    ck_assert(evy_patch_object("no such library", 0) == -1 && errno == ENOENT);
    errno = 0;
    ck_assert(evy_unpatch_object("no such library") == -1 && errno == ENOENT);
    errno = 0;
    ck_assert(!evy_original("no_such_function") && errno == ENOENT);
    ck_assert_uint_eq(evy_patched_mask(), AT_START);
}
END_TEST

START_TEST(original_is_libcs)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    ck_assert_int_eq(evy_monkey_patch(EVY_PATCH_ALL), 0);
    static const char *const names[] = {"recv", "__recv_chk", "__poll", "fcntl64", "getpid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_ptr_eq(evy_original(names[i]), dlsym(libc, names[i]));
    ck_assert_ptr_ne(evy_original("recv"), (void *)recv);
}
END_TEST

/* The program's own calls, switched while it runs. */
START_TEST(dispatches_by_call)
{
    ck_assert_int_eq(evy_patch_object(NULL, EVY_PATCH_THREAD), 0);
    void *plain = dlopen("libplain.so", RTLD_NOW);
    ck_assert_ptr_nonnull(plain);
    ck_assert(!is_green(found(plain, "plain_yield")));
    ck_assert_int_eq(evy_monkey_patch(EVY_PATCH_THREAD), 0);
    ck_assert(is_green(found(plain, "plain_yield")));
    ck_assert_int_eq(evy_unpatch_object("libplain.so"), 0);
    ck_assert(!is_green(found(plain, "plain_yield")));
    ck_assert(!is_green(found(plain, "plain_pointer_yield")));
    ck_assert(is_green(found(plain, "plain_deep_yield")));
    ck_assert(is_green(sched_yield));
}
END_TEST

static const char *const ways[] = {"plain_yield", "plain_deep_yield", "plain_pointer_yield",
                                   "plain_lookup_yield"};

/* Calls, pointers, private dependencies and dlsym of the imported library are green; nothing else is. */
START_TEST(imports)
{
    ck_assert_int_eq(evy_patch_object(NULL, EVY_PATCH_THREAD), 0);
    void *plain = evy_import_patched("libplain.so", EVY_PATCH_THREAD);
    ck_assert_ptr_nonnull(plain);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        ck_assert_msg(is_green(found(plain, ways[i])), "%s", ways[i]);
    ck_assert_int_eq(found(plain, "plain_own_lookup")(), 1);
    void *lazy = dlopen("liblazy.so", RTLD_LAZY);
    ck_assert_ptr_nonnull(lazy);
    ck_assert(!is_green(found(lazy, "lazy_yield")));
    ck_assert_uint_eq(evy_patched_mask(), AT_START);
}
END_TEST

/* Its constructors find it patched: what they wait for lets others run. Those of a copy do, too. */
START_TEST(constructors_are_green)
{
    if (_i)
        ck_assert_ptr_nonnull(dlopen("libplain.so", RTLD_NOW));
    ck_assert_ptr_nonnull(evy_spawn_n(other, NULL));
    void *plain = evy_import_patched("libplain.so", 0);
    ck_assert_ptr_nonnull(plain);
    ck_assert_int_eq(others, 1);
    void **first = dlsym(plain, "plain_first_poll");
    ck_assert_ptr_ne(*first, (void *)poll);
    ck_assert_ptr_ne(*first, evy_original("poll"));
    first = dlsym(evy_import_patched("libdeep.so", 0), "deep_first_yield");
    ck_assert_ptr_ne(*first, (void *)sched_yield);
}
END_TEST

static void *address(void *handle, const char *name)
{
    return ((void *(*)(void))dlsym(handle, name))();
}

START_TEST(imports_once_and_by_subset)
{
    void *plain = evy_import_patched("libplain.so", EVY_PATCH_SOCKET);
    ck_assert_ptr_ne(address(plain, "plain_recv"), (void *)recv);
    ck_assert_ptr_eq(address(plain, "plain_poll"), (void *)poll);
    ck_assert_ptr_eq(evy_import_patched("libplain.so", EVY_PATCH_SELECT), plain);
    ck_assert_ptr_ne(address(plain, "plain_recv"), (void *)recv);
    ck_assert_ptr_ne(address(plain, "plain_poll"), (void *)poll);
}
END_TEST

/* Whoever loaded the library before keeps it as it is. */
START_TEST(imports_a_copy)
{
    ck_assert_int_eq(evy_patch_object(NULL, EVY_PATCH_THREAD), 0);
    void *ordinary = dlopen("libplain.so", RTLD_NOW);
    void *plain = evy_import_patched("libplain.so", 0);
    ck_assert_ptr_nonnull(plain);
    ck_assert_ptr_ne(plain, ordinary);
    ck_assert_ptr_eq(evy_import_patched("libplain.so", 0), plain);
    ck_assert_ptr_nonnull(dlopen("liblazy.so", RTLD_LAZY));
    ck_assert_ptr_ne(evy_import_patched("liblazy.so", 0), plain);
    ck_assert_ptr_ne(dlsym(plain, "plain_counter"), dlsym(ordinary, "plain_counter"));
    ck_assert(is_green(found(plain, "plain_yield")));
    ck_assert(!is_green(found(ordinary, "plain_yield")));
    ck_assert(!is_green(found(plain, "plain_deep_yield"))); /* shared with the ordinary one */
}
END_TEST

START_TEST(patches_one_object)
{
    ck_assert_int_eq(evy_patch_object(NULL, EVY_PATCH_THREAD), 0);
    void *lazy = dlopen("liblazy.so", RTLD_LAZY);
    ck_assert_int_eq(evy_patch_object("liblazy.so", 0), 0); /* before it is bound */
    ck_assert(is_green(found(lazy, "lazy_yield")));
    ck_assert_int_eq(evy_unpatch_object("liblazy.so"), 0);
    ck_assert(!is_green(found(lazy, "lazy_yield")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("patch");
    TCase *tc = tcase_create("patch");
    tcase_add_test(tc, starts_with_libc);
    tcase_add_test(tc, adds_up);
    tcase_add_loop_test(tc, truth_table, 0, sizeof truths / sizeof *truths);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, original_is_libcs);
    tcase_add_test(tc, dispatches_by_call);
    tcase_add_test(tc, imports);
    tcase_add_loop_test(tc, constructors_are_green, 0, 2);
    tcase_add_test(tc, imports_once_and_by_subset);
    tcase_add_test(tc, imports_a_copy);
    tcase_add_test(tc, patches_one_object);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
