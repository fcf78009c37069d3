/* The machine part alone, without Check and libevy's upper floors: it also runs cross-compiled under
 * qemu-user. Exit code 0, or 1 with a message. */
#include "arch/context.h"
#include "tp.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unwind.h>

#define STACK_BYTES (64 << 10)
#define ROUNDS 100000
#define DEPTH 200

#define expect(cond)                                                                               \
    do                                                                                             \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #cond);       \
            exit(1);                                                                               \
        }                                                                                          \
    while (0)

static struct context main_context, other, chain[DEPTH + 1];
static long counter;
static void *got_arg;
static uintptr_t tp; /* 0, or this thread's own: both ways through the switch */

static void *new_stack(void)
{
    char *low = aligned_alloc(16, STACK_BYTES);
    expect(low);
    return low + STACK_BYTES;
}

static void back_to_main(struct context *from)
{
    context_switch(from, &main_context, tp);
}

static struct context_next count_body(void *arg)
{
    got_arg = arg;
    while (counter < ROUNDS) {
        counter++;
        back_to_main(&other);
    }
    return (struct context_next){NULL, 0};
}

static void test_ping_pong(void)
{
    int here;
    counter = 0;
    context_init(&other, new_stack(), count_body, &here);
    for (long i = 1; i <= ROUNDS; i++) {
        context_switch(&main_context, &other, tp);
        expect(counter == i);
    }
    expect(got_arg == &here);
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

static struct context_next last_body(void *arg)
{
    expect(arg == &chain[1]);
    counter++;
    return (struct context_next){&main_context, tp};
}

static struct context_next first_body(void *arg)
{
    back_to_main(&chain[0]);
    counter++;
    return (struct context_next){arg, tp};
}

/* Whoever returns is followed by one that is suspended, or by one that has not begun. */
static void test_ends(void)
{
    counter = 0;
    context_init(&chain[0], new_stack(), first_body, &chain[1]);
    context_init(&chain[1], new_stack(), last_body, &chain[1]);
    context_switch(&main_context, &chain[0], tp);
    expect(counter == 0);
    context_switch(&main_context, &chain[0], tp);
    expect(counter == 2);
}

/* Keeps more values across the switch than there are callee-saved registers, so all of these are in
 * use; read from volatile memory, so that none can be computed anew. */
static uint64_t mix(uint64_t seed, struct context *from, struct context *to)
{
    volatile uint64_t v[12];
    volatile double d[12];
    for (int i = 0; i < 12; i++) {
        v[i] = seed * (uint64_t)(2 * i + 3);
        d[i] = (double)seed * (i + 0.5);
    }
    uint64_t sum = 0;
#define HOLD(i)                                                                                    \
    uint64_t v##i = v[i];                                                                          \
    double d##i = d[i];
    EACH(HOLD)
    context_switch(from, to, tp);
#define SUM(i) sum += v##i + (uint64_t)d##i;
    EACH(SUM)
    return sum;
}

static uint64_t mix_expected(uint64_t seed)
{
    uint64_t sum = 0;
    for (int i = 0; i < 12; i++)
        sum += seed * (uint64_t)(2 * i + 3) + (uint64_t)((double)seed * (i + 0.5));
    return sum;
}

static struct context_next mix_body(void *arg)
{
    (void)arg;
    for (uint64_t seed = 1000;; seed++)
        expect(mix(seed, &other, &main_context) == mix_expected(seed));
}

static void test_registers(void)
{
    context_init(&other, new_stack(), mix_body, NULL);
    for (uint64_t seed = 1; seed < 1000; seed++)
        expect(mix(seed, &main_context, &other) == mix_expected(seed));
}

static struct context_next rounding_body(void *arg)
{
    expect(fegetround() == *(int *)arg); /* inherited at creation */
    fesetround(FE_DOWNWARD);
    for (;;) {
        back_to_main(&other);
        expect(fegetround() == FE_DOWNWARD);
        volatile double one = 1, three = 3;
        volatile long double long_one = 1, long_three = 3;
        expect(one / three * 3 < 1);
        expect(long_one / long_three * 3 < 1);
    }
}

static void test_float_control(void)
{
    int inherited = FE_UPWARD;
    fesetround(inherited);
    context_init(&other, new_stack(), rounding_body, &inherited);
    fesetround(FE_TONEAREST);
    for (int i = 0; i < 10; i++) {
        context_switch(&main_context, &other, tp);
        expect(fegetround() == FE_TONEAREST);
    }
}

static struct context_next chain_body(void *arg)
{
    struct context *self = arg;
    counter++;
    if (self != &chain[DEPTH - 1]) {
        context_init(self + 1, new_stack(), chain_body, self + 1);
        context_switch(self, self + 1, tp);
    }
    counter++;
    return (struct context_next){self == &chain[0] ? &main_context : self - 1, tp};
}

static void test_nesting(void)
{
    counter = 0;
    context_init(&chain[0], new_stack(), chain_body, &chain[0]);
    context_switch(&main_context, &chain[0], tp);
    expect(counter == 2 * DEPTH);
}

void context_entry(void); /* entry.S */

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *uc, void *last_pc)
{
    if (_Unwind_GetIP(uc) != 0) /* libgcc reports the end as one more frame at 0 */
        *(uintptr_t *)last_pc = _Unwind_GetIP(uc);
    return _URC_NO_REASON;
}

static void expect_clean_end(void)
{
    uintptr_t pc = 0;
    expect(_Unwind_Backtrace(note_frame, &pc) == _URC_END_OF_STACK);
    expect(pc - (uintptr_t)context_entry < 32);
}

static struct context_next unwind_body(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        expect_clean_end();
        back_to_main(&other);
    }
    return (struct context_next){NULL, 0};
}

static void test_unwind(void)
{
    context_init(&other, new_stack(), unwind_body, NULL);
    for (int i = 0; i < 3; i++)
        context_switch(&main_context, &other, tp);
}

static _Unwind_Reason_Code find_function(struct _Unwind_Context *frame, void *arg)
{
    void **wanted = arg;
    if (*wanted == _Unwind_FindEnclosingFunction((void *)(_Unwind_GetIP(frame) - 1)))
        *wanted = NULL;
    return _URC_NO_REASON;
}

static void test_call_on(void);
static jmp_buf out;

static void called_body(void *arg)
{
    char *top = arg, here;
    void *caller = (void *)test_call_on;
    counter++;
    expect((uintptr_t)top - (uintptr_t)&here < STACK_BYTES);
    _Unwind_Backtrace(find_function, &caller);
    expect(caller == NULL);
    if (counter == 2)
        longjmp(out, 1);
}

static __attribute__((noinline)) void test_call_on(void)
{
    char *top = new_stack();
    counter = 0;
    call_on(top, called_body, top);
    if (setjmp(out) == 0)
        call_on(top - 8, called_body, top);
    expect(counter == 2);
}

static void run_all(void)
{
    test_ping_pong();
    test_ends();
    test_registers();
    test_float_control();
    test_nesting();
    test_unwind();
    test_call_on();
}

int main(void)
{
    tp_init();
    run_all();
    uintptr_t self = tp_get();
    tp_set(self);
    expect(tp_get() == self);
    if (tp_fast) {
        tp = self;
        run_all();
    }
    puts("arch_switch: ok");
    return 0;
}
