// flags: -lcheck -lsubunit -lm -ldl
// env: EVY_HUBS=1 EVY_PATCH=all EVY_PATCH_EXCLUDE=libdeep*,liblazy.so
// Proves: what EVY_PATCH_EXCLUDE names stays native, also when it is loaded later.
#define _GNU_SOURCE
#include "../suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <evy.h>
#include <sched.h>
#include <stdlib.h>

typedef int call(void);

static int others;

static void *other(void *arg)
{
    others++;
    return arg;
}

static int is_green(call *yield)
{
    others = 0;
    evy_spawn_n(other, NULL);
    ck_assert_int_eq(yield(), 0);
    int ran = others;
    evy_sleep(0);
    return ran;
}

static call *found(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_LAZY);
    ck_assert_msg(handle != NULL, "%s", dlerror());
    return (call *)dlsym(handle, name);
}

START_TEST(libraries)
{
    ck_assert_uint_eq(evy_patched_mask(), EVY_PATCH_ALL);
    ck_assert(is_green(sched_yield));
    ck_assert(is_green(found("libplain.so", "plain_yield")));
    ck_assert(!is_green(found("libplain.so", "plain_deep_yield")));
    ck_assert(!is_green(found("liblazy.so", "lazy_yield")));
}
END_TEST

/* A program that is named, which this one is when it runs itself as "child". */
START_TEST(program)
{
    char command[500];
    snprintf(command, sizeof command, "EVY_PATCH_EXCLUDE='no,excl?de' %s child",
             program_invocation_name);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command, "EVY_PATCH_EXCLUDE=excl %s child", program_invocation_name);
    ck_assert_int_ne(system(command), 0);
}
END_TEST

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return evy_patched_mask() != 0;
    Suite *suite = suite_create("exclude");
    TCase *tc = tcase_create("exclude");
    tcase_add_test(tc, libraries);
    tcase_add_test(tc, program);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
