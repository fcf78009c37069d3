/* TCBs: what a thread may expect of its C library holds on one of ours, fresh and recycled. */
#include "../suite.h"
#include "tcb_body.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static __thread int with_value = 42;
static __thread int zero;

static pthread_t seen_self;
static pid_t seen_tid;

static void note_self(void)
{
    seen_self = pthread_self();
    seen_tid = gettid();
}

START_TEST(identity)
{
    uintptr_t thread = tcb_thread_of(body.tp);
    run(&body, note_self);
    ck_assert_uint_eq((uintptr_t)seen_self, thread);
    ck_assert_uint_eq(tcb_tp_of(thread), body.tp);
    ck_assert_int_eq(seen_tid, getpid());
    ck_assert_int_eq(tcb_tid(thread), TID);
    ck_assert(tcb_is_green(thread));
    ck_assert(!tcb_is_green((uintptr_t)pthread_self()));
    tcb_recycle(body.tp, TID + 9);
    ck_assert_int_eq(tcb_tid(thread), TID + 9);
}
END_TEST

static int seen_with_value, seen_zero, seen_errno;

static void use_locals(void)
{
    seen_with_value = with_value;
    seen_zero = zero;
    seen_errno = errno;
    with_value = 1;
    zero = 2;
    errno = 3;
    h_errno = 4;
    pause_body();
    ck_assert(with_value == 1 && zero == 2 && errno == 3);
}

START_TEST(locals_are_separate_and_fresh)
{
    with_value = 5;
    errno = 6;
    run(&body, use_locals);
    ck_assert(seen_with_value == 42 && seen_zero == 0 && seen_errno == 0);
    run(&second, use_locals);
    ck_assert(seen_with_value == 42 && seen_zero == 0 && seen_errno == 0);
    ck_assert(with_value == 5 && errno == 6);
    resume(&body);
    rerun(use_locals);
    ck_assert(seen_with_value == 42 && seen_zero == 0 && seen_errno == 0);
}
END_TEST

static void use_libc(void)
{
    char text[64];
    ck_assert(isalpha('x') && !isalpha('1') && toupper('y') == 'Y');
    for (size_t n = 1; n < 100000; n = n * 3 / 2 + 1)
        free(memset(malloc(n), 1, n));
    snprintf(text, sizeof(text), "%.3f %s", 1.5, strerror(ENOENT));
    ck_assert_str_eq(text, "1.500 No such file or directory");
    ck_assert(strtod("2.25", NULL) == 2.25);
    ck_assert_ptr_nonnull(strsignal(1000));
    FILE *f = fopen("/dev/null", "w");
    ck_assert_int_eq(fprintf(f, "%d\n", 12), 3);
    fclose(f);
    ck_assert_int_eq(system("exit 3") >> 8, 3);
}

START_TEST(libc_works)
{
    run(&body, use_libc);
    for (int i = 0; i < 100; i++)
        rerun(use_libc);
}
END_TEST

static locale_t seen_locale;

static void change_locale(void)
{
    seen_locale = uselocale((locale_t)0);
    uselocale(newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0));
}

START_TEST(locale_is_global_again)
{
    run(&body, change_locale);
    ck_assert_ptr_eq(seen_locale, LC_GLOBAL_LOCALE);
    ck_assert_ptr_eq(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
    rerun(change_locale);
    ck_assert_ptr_eq(seen_locale, LC_GLOBAL_LOCALE);
}
END_TEST

#define KEYS 40 /* more than the block inside struct pthread */

static pthread_key_t keys[KEYS];
static int destroyed[KEYS], rounds;
static bool seen_null;

static void count_destroyed(void *value)
{
    pthread_key_t *key = value;
    ck_assert_ptr_null(pthread_getspecific(*key));
    destroyed[key - keys]++;
}

static void set_again(void *value)
{
    rounds++;
    pthread_setspecific(*(pthread_key_t *)value, value);
}

static void create_key(pthread_key_t *key, void (*destructor)(void *))
{
    ck_assert_int_eq(pthread_key_create(key, destructor), 0);
    tcb_key_created(*key, destructor);
}

static void use_keys(void)
{
    seen_null = true;
    for (int i = 0; i < KEYS; i++) {
        seen_null = seen_null && pthread_getspecific(keys[i]) == NULL;
        pthread_setspecific(keys[i], &keys[i]);
    }
}

static void look_at_keys(void)
{
    seen_null = true;
    for (int i = 0; i < KEYS; i++)
        seen_null = seen_null && pthread_getspecific(keys[i]) == NULL;
}

START_TEST(keys_and_destructors)
{
    for (int i = 0; i < KEYS; i++)
        create_key(&keys[i], i % 2 ? count_destroyed : NULL);
    pthread_setspecific(keys[1], "main's");
    run(&body, use_keys);
    for (int i = 0; i < KEYS; i++)
        ck_assert_int_eq(destroyed[i], i % 2);
    ck_assert(seen_null);
    ck_assert_str_eq(pthread_getspecific(keys[1]), "main's");
    for (int i = 0; i < 3; i++) {
        rerun(use_keys);
        ck_assert(seen_null);
    }
    rerun(look_at_keys);
    ck_assert(seen_null);
    tcb_key_deleted(keys[1]);
    pthread_key_delete(keys[1]);
    rerun(use_keys);
    ck_assert_int_eq(destroyed[1], 4);
    ck_assert_int_eq(destroyed[39], 5);
}
END_TEST

static void use_one_key(void)
{
    pthread_setspecific(keys[0], &keys[0]);
}

START_TEST(destructor_rounds_are_limited)
{
    create_key(&keys[0], set_again);
    run(&body, use_one_key);
    ck_assert_int_eq(rounds, PTHREAD_DESTRUCTOR_ITERATIONS);
}
END_TEST

int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;
static int order, dtor_at, key_at;

static void local_destroyed(void *value)
{
    ck_assert_ptr_eq(value, &zero);
    dtor_at = ++order;
}

static void key_destroyed(void *value)
{
    (void)value;
    key_at = ++order;
}

static void use_thread_local(void)
{
    use_one_key();
    __cxa_thread_atexit_impl(local_destroyed, &zero, &__dso_handle);
}

START_TEST(thread_local_destructors_before_keys)
{
    create_key(&keys[0], key_destroyed);
    run(&body, use_thread_local);
    ck_assert(dtor_at == 1 && key_at == 2);
    rerun(use_thread_local);
    ck_assert(dtor_at == 3 && key_at == 4);
}
END_TEST

static int seen_cpu;

static void note_cpu(void)
{
    seen_cpu = sched_getcpu();
}

START_TEST(cpu_number)
{
    cpu_set_t allowed, one;
    sched_getaffinity(0, sizeof(allowed), &allowed);
    run(&body, note_cpu);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof(one), &one);
        rerun(note_cpu);
        ck_assert_int_eq(seen_cpu, cpu);
    }
}
END_TEST

static void use_mutexes(void)
{
    static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
                                PTHREAD_MUTEX_ERRORCHECK};
    for (int i = 0; i < 6; i++) {
        pthread_mutexattr_t attr;
        pthread_mutex_t m;
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_settype(&attr, types[i % 3]);
        pthread_mutexattr_setrobust(&attr, i < 3 ? PTHREAD_MUTEX_STALLED : PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&m, &attr);
        ck_assert_int_eq(pthread_mutex_lock(&m), 0);
        if (i % 3 == 1)
            ck_assert(pthread_mutex_lock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
        if (i % 3 == 2)
            ck_assert_int_eq(pthread_mutex_lock(&m), EDEADLK);
        ck_assert_int_eq(pthread_mutex_unlock(&m), 0);
    }
}

static pthread_mutex_t left_locked;

static void leave_robust_locked(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&left_locked, &attr);
    pthread_mutex_lock(&left_locked);
}

START_TEST(mutexes)
{
    run(&body, use_mutexes);
    rerun(leave_robust_locked);
    memset(&left_locked, 0xff, sizeof(left_locked)); /* gone, and nothing may look at it any more */
    rerun(use_mutexes);
}
END_TEST

static int seen_state, seen_type;

static void change_cancel(void)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &seen_state);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &seen_type);
}

START_TEST(cancel_state_is_reset)
{
    run(&body, change_cancel);
    seen_state = seen_type = -1;
    rerun(change_cancel);
    ck_assert_int_eq(seen_state, PTHREAD_CANCEL_ENABLE);
    ck_assert_int_eq(seen_type, PTHREAD_CANCEL_DEFERRED);
}
END_TEST

static struct __res_state *seen_res;
static unsigned long seen_options;

static void use_resolver(void)
{
    seen_res = &_res;
    seen_options = _res.options;
    ck_assert_int_eq(res_init(), 0);
    _res.options |= RES_DEBUG;
}

START_TEST(resolver_state)
{
    run(&body, use_resolver);
    ck_assert_ptr_ne(seen_res, &_res);
    ck_assert_uint_eq(_res.options & RES_DEBUG, 0);
    rerun(use_resolver);
    ck_assert_uint_eq(seen_options, 0);
}
END_TEST

static bool seen_no_error;

static void fail_dlopen(void)
{
    seen_no_error = dlerror() == NULL;
    ck_assert_ptr_null(dlopen("/nonexistent/lib.so", RTLD_NOW));
}

START_TEST(dlerror_is_not_inherited)
{
    run(&body, fail_dlopen);
    rerun(fail_dlopen);
    ck_assert(seen_no_error);
    ck_assert_ptr_null(dlerror());
}
END_TEST

static bool seen_cutoff;

static void ask_cutoff(void)
{
    int (*cutoff)(size_t);
    *(void **)&cutoff = dlsym(RTLD_DEFAULT, "__libc_alloca_cutoff");
    seen_cutoff = !cutoff || (cutoff(4096) && !cutoff(4097));
}

START_TEST(stack_size_is_known)
{
    tcb_set_stack(body.tp, 16384);
    run(&body, ask_cutoff);
    ck_assert(seen_cutoff);
}
END_TEST

static TCase *all_tests(void)
{
    TCase *tc = tcase_create("tcb");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, locals_are_separate_and_fresh);
    tcase_add_test(tc, libc_works);
    tcase_add_test(tc, locale_is_global_again);
    tcase_add_test(tc, keys_and_destructors);
    tcase_add_test(tc, destructor_rounds_are_limited);
    tcase_add_test(tc, thread_local_destructors_before_keys);
    tcase_add_test(tc, cpu_number);
    tcase_add_test(tc, mutexes);
    tcase_add_test(tc, cancel_state_is_reset);
    tcase_add_test(tc, resolver_state);
    tcase_add_test(tc, dlerror_is_not_inherited);
    tcase_add_test(tc, stack_size_is_known);
    return tc;
}

int main(void)
{
    Suite *s = suite_create("tcb");
    suite_add_tcase(s, all_tests());
    return run_suite(s);
}
