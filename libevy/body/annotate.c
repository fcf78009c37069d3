#include "body/annotate.h"

#include "body/stack.h"
#include "tp.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low))
#define VALGRIND_MAKE_MEM_UNDEFINED(low, size) ((void)(low))
#endif

/* The runtimes' public interface (sanitizer/{asan,lsan,tsan}_interface.h), where the process has one. */
#define WEAK __attribute__((weak))
extern WEAK void __asan_unpoison_memory_region(const volatile void *, size_t);
extern WEAK void __lsan_register_root_region(const void *, size_t);
extern WEAK void __lsan_unregister_root_region(const void *, size_t);
extern WEAK void *__tsan_get_current_fiber(void);
extern WEAK void *__tsan_create_fiber(unsigned);
extern WEAK void __tsan_destroy_fiber(void *);
extern WEAK void __tsan_switch_to_fiber(void *, unsigned);
extern WEAK void __tsan_acquire(void *);
extern WEAK void __tsan_release(void *);

/* ThreadSanitizer keeps a pointer to the state of the running thread or fiber in thread-local storage: here, from the
   thread pointer. Each TCB has its own such word, which follows the switches. */
static ptrdiff_t tsan_word;

static EVY_INLINE void **word_of(uintptr_t tp)
{
    return (void **)(tp + (uintptr_t)tsan_word);
}

/* Whether the word decides what ThreadSanitizer takes for the running fiber. */
static EVY_UNSEEN bool decides(void **word, void *here)
{
    void *other = __tsan_create_fiber(0);
    *word = other;
    bool it_does = __tsan_get_current_fiber() == other;
    *word = here;
    __tsan_destroy_fiber(other);
    return it_does;
}

/* Looks through the thread-local storage of one module. */
static EVY_UNSEEN int find_word(struct dl_phdr_info *info, size_t size, void *unused)
{
    void *here = __tsan_get_current_fiber();
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum && info->dlpi_tls_data; i++) {
        if (info->dlpi_phdr[i].p_type != PT_TLS)
            continue;
        void **word = info->dlpi_tls_data, **end = word + info->dlpi_phdr[i].p_memsz / sizeof *word;
        for (; word < end; word++)
            if (*word == here && decides(word, here)) {
                tsan_word = (ptrdiff_t)((uintptr_t)word - tp_get());
                return 1;
            }
    }
    return 0;
}

void annotate_start(void)
{
    bool tsan = __tsan_switch_to_fiber && dl_iterate_phdr(find_word, NULL);
    if (RUNNING_ON_VALGRIND || __asan_unpoison_memory_region || __lsan_register_root_region || tsan)
        observed |= OBSERVE_TOOLS;
    if (tsan)
        observed |= OBSERVE_FIBERS;
}

void annotate_stack(const struct stack *s)
{
    VALGRIND_STACK_REGISTER(stack_low(s), stack_top(s));
}

void annotate_begin(const struct stack *s, void *top)
{
    char *low = stack_low(s);
    size_t size = (size_t)((char *)top - low);
    VALGRIND_MAKE_MEM_UNDEFINED(low, size);
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(low, size);
    if (__lsan_register_root_region)
        __lsan_register_root_region(low, (size_t)(stack_top(s) - low));
}

void annotate_end(const struct stack *s)
{
    char *low = stack_low(s);
    if (__lsan_unregister_root_region)
        __lsan_unregister_root_region(low, (size_t)(stack_top(s) - low));
}

void *annotate_here(void)
{
    return tsan_word ? __tsan_get_current_fiber() : NULL;
}

void annotate_forget(void **fiber)
{
    if (*fiber)
        __tsan_destroy_fiber(*fiber);
    *fiber = NULL;
}

EVY_UNSEEN void annotate_switch(void **fiber, uintptr_t tp)
{
    if (!tsan_word)
        return;
    if (!*fiber)
        *fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(*fiber, 0);
    *word_of(tp) = *fiber;
}

void annotate_ask(struct green *g)
{
    if (tsan_word && *word_of(tp_get()))
        __tsan_release(g);
}

void annotate_answer(struct green *g)
{
    if (tsan_word && *word_of(tp_get()))
        __tsan_acquire(g);
}

thread_maker *annotate_thread_maker(void)
{
    thread_maker *maker = NULL;
    if (tsan_word)
        *(void **)&maker = dlsym(RTLD_DEFAULT, "pthread_create");
    return maker;
}
