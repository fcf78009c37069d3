/* TCBs over time: libraries that come later, and memory that does not grow. */
#include "../suite.h"
#include "tcb_body.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CYCLES 100000
#define KEYS 40 /* more than the block inside struct pthread */

static pthread_key_t keys[KEYS];
static __thread int with_value = 42;

static void create_keys(void)
{
    for (int i = 0; i < KEYS; i++) {
        ck_assert_int_eq(pthread_key_create(&keys[i], free), 0);
        tcb_key_created(keys[i], free);
    }
}

/* Builds a library with thread-local variables, loads it as the model says. */
static int *(*load(const char *name, const char *model))(void)
{
    char command[512], path[128];
    snprintf(path, sizeof(path), "/tmp/evy_tls_%d_%s.so", (int)getpid(), name);
    snprintf(command, sizeof(command),
             "echo '__thread int v = 77, pad[20]; int *get(void) { return &v; } "
             "__attribute__((constructor)) "
             "static void start(void) { pad[3] = 5; } int *get_pad(void) { return &pad[3]; }' | "
             "cc -shared -fPIC -ftls-model=%s -x c -o %s -",
             model, path);
    ck_assert_int_eq(system(command), 0);
    void *lib = dlopen(path, RTLD_NOW);
    unlink(path);
    ck_assert_msg(lib != NULL, "%s", dlerror());
    int *(*get)(void);
    *(void **)&get = dlsym(lib, "get");
    return get;
}

static int *(*get_value)(void);
static int seen_value;
static int *seen_address;

static void use_library(void)
{
    seen_address = get_value();
    seen_value = *seen_address;
    *seen_address = 3;
}

static const char *const models[] = {"global-dynamic", "initial-exec"};

START_TEST(library_loaded_later)
{
    get_value = load("a", models[_i]);
    tcb_modules_changed();
    *get_value() = 1;
    run(&body, use_library);
    ck_assert_int_eq(seen_value, 77);
    ck_assert_ptr_ne(seen_address, get_value());
    for (int i = 0; i < 3; i++) {
        rerun(use_library);
        ck_assert_int_eq(seen_value, 77);
    }
    struct body fresh = {.tp = 0};
    make(&fresh, TID + 3);
    run(&fresh, use_library);
    ck_assert_int_eq(seen_value, 77);
    ck_assert_int_eq(*get_value(), 1);
}
END_TEST

static void load_and_use(void)
{
    get_value = load("b", models[1]);
    tcb_modules_changed();
    use_library();
}

/* A library loaded by a green thread: its constructor ran before we could enter the library. */
START_TEST(library_loaded_by_a_green_thread)
{
    run(&body, load_and_use);
    ck_assert_int_eq(seen_value, 77);
    ck_assert_int_eq(*get_value(), 77);
    rerun(use_library);
    ck_assert_int_eq(seen_value, 77);
}
END_TEST

static void use_everything(void)
{
    pthread_setspecific(keys[0], malloc(100));
    pthread_setspecific(keys[KEYS - 1], malloc(100));
    free(malloc(50));
    seen_value = *get_value();
    *get_value() = 1;
    ck_assert(with_value == 42 && seen_value == 77);
    with_value = 0;
}

static size_t resident(void)
{
    size_t size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(f, "%zu %zu", &size, &pages), 2);
    fclose(f);
    return pages * 4096;
}

static void use_up(int cycles)
{
    for (int i = 0; i < cycles; i++)
        rerun(use_everything);
}

START_TEST(recycling_does_not_leak)
{
    create_keys();
    get_value = load("c", models[0]);
    use_up(1000);
    size_t before = resident(), used = mallinfo2().uordblks;
    use_up(CYCLES);
    ck_assert_uint_le(resident(), before + (256 << 10));
    ck_assert_uint_le(mallinfo2().uordblks, used + (64 << 10));
}
END_TEST

static void renew(int cycles)
{
    for (int i = 0; i < cycles; i++) {
        run(&body, use_everything);
        tcb_destroy(body.tp);
        body.tp = tcb_create(stack_top(&body.stack), TID);
        ck_assert_uint_ne(body.tp, 0);
    }
}

START_TEST(destroying_does_not_leak)
{
    create_keys();
    get_value = load("d", models[0]);
    renew(1000);
    size_t before = resident();
    renew(CYCLES / 4);
    ck_assert_uint_le(resident(), before + (256 << 10));
}
END_TEST

static TCase *all_tests(void)
{
    TCase *tc = tcase_create("tcb_life");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_loop_test(tc, library_loaded_later, 0, array_len(models));
    tcase_add_test(tc, library_loaded_by_a_green_thread);
    tcase_add_test(tc, recycling_does_not_leak);
    tcase_add_test(tc, destroying_does_not_leak);
    return tc;
}

int main(void)
{
    Suite *s = suite_create("tcb_life");
    suite_add_tcase(s, all_tests());
    return run_suite(s);
}
