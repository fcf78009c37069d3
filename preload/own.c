/* Hooks that the table cannot give: variadic ones, names that differ, and those that note something. */
#include "hook.h"

#include "api/import.h"
#include "api/object.h"
#include "body/execstack.h"
#include "body/observe.h"
#include "body/tcb.h"
#include "core/hub.h"
#include "io/calls.h"
#include "proc/atfork.h"
#include "proc/clone.h"
#include "proc/exec.h"
#include "proc/own_thread.h"
#include "proc/signals.h"
#include "segment.h"
#include "sync/c11.h"
#include "sync/cpuclock.h"
#include "sync/thread.h"
#include "vfork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

/* The kernel takes one word whatever the command; so does glibc's wrapper. */
#define WORD_AFTER(last)                                                                           \
    ({                                                                                             \
        va_list ap_;                                                                               \
        va_start(ap_, last);                                                                       \
        void *word_ = va_arg(ap_, void *);                                                         \
        va_end(ap_);                                                                               \
        word_;                                                                                     \
    })

int hook_fcntl(int fd, int cmd, ...)
{
    void *arg = WORD_AFTER(cmd);
    return WHEN_KEEP(OS) ? evy_fcntl(fd, cmd, (long)arg) : REAL(fcntl)(fd, cmd, arg);
}

int hook_open(const char *path, int flags, ...)
{
    mode_t mode = (mode_t)(uintptr_t)WORD_AFTER(flags);
    return WHEN_GREEN(OS) ? evy_open(path, flags, mode) : REAL(open)(path, flags, mode);
}

int hook_openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = (mode_t)(uintptr_t)WORD_AFTER(flags);
    return WHEN_GREEN(OS) ? evy_openat(dir, path, flags, mode)
                          : REAL(openat)(dir, path, flags, mode);
}

int hook_ioctl(int fd, unsigned long request, ...)
{
    void *arg = WORD_AFTER(request);
    return WHEN_KEEP(OS) ? evy_ioctl(fd, request, arg) : REAL(ioctl)(fd, request, arg);
}

#define WORDS(last, n)                                                                             \
    long a[n];                                                                                     \
    va_list ap;                                                                                    \
    va_start(ap, last);                                                                            \
    for (int i = 0; i < n; i++)                                                                    \
        a[i] = va_arg(ap, long);                                                                   \
    va_end(ap)

int hook_prctl(int option, ...)
{
    WORDS(option, 4);
    return WHEN_GREEN(PROCESS) ? evy_prctl(option, a) : REAL(prctl)(option, a[0], a[1], a[2], a[3]);
}

int hook_arch_prctl(int code, unsigned long address)
{
    if (WHEN_ALWAYS(PROCESS))
        observe_from_now(OBSERVE_SEGMENT);
    return REAL(arch_prctl)(code, address);
}

/* Before the library is ready it is the library that asks (tp_init). */
unsigned long hook_getauxval(unsigned long type)
{
    if (segment_asks(type) && preload_ready)
        observe_from_now(OBSERVE_SEGMENT);
    return REAL(getauxval)(type);
}

long hook_ptrace(enum __ptrace_request request, ...)
{
    WORDS(request, 3);
    return WHEN_GREEN(PROCESS) ? evy_ptrace(request, a) : REAL(ptrace)(request, a[0], a[1], a[2]);
}

VFORK(HOOK_SYMBOL(vfork), evy_vfork_begin, evy_vfork_end);

int hook_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
    WORDS(arg, 3);
    return WHEN_ALWAYS(PROCESS) ? evy_clone(fn, stack, flags, arg, a)
                                : REAL(clone)(fn, stack, flags, arg, a[0], a[1], a[2]);
}

void hook_syslog(int priority, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    hook_vsyslog(priority, format, ap);
    va_end(ap);
}

void hook___syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    hook___vsyslog_chk(priority, flag, format, ap);
    va_end(ap);
}

unsigned hook_sleep(unsigned seconds)
{
    return WHEN_GREEN(TIME) ? evy_sleep_seconds(seconds) : REAL(sleep)(seconds);
}

int hook_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                        void *arg)
{
    return WHEN_ALWAYS(THREAD) ? evy_pthread_create(thread, attr, start, arg)
                               : REAL(pthread_create)(thread, attr, start, arg);
}

void hook_pthread_exit(void *result)
{
    if (WHEN_ALWAYS(THREAD))
        evy_pthread_exit(result);
    REAL(pthread_exit)(result);
}

/* Read often, and seldom for a thread's CPU time. */
int hook_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (unlikely(is_cpuclock(clock)) && WHEN_ALWAYS(THREAD))
        return evy_clock_gettime(clock, ts);
    return REAL(clock_gettime)(clock, ts);
}

int hook_thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
    return WHEN_ALWAYS(THREAD) ? evy_thrd_create(thread, start, arg)
                               : REAL(thrd_create)(thread, start, arg);
}

void hook_thrd_exit(int result)
{
    if (WHEN_ALWAYS(THREAD))
        evy_thrd_exit(result);
    REAL(thrd_exit)(result);
}

void hook_pthread_testcancel(void)
{
    if (WHEN_GREEN(THREAD))
        evy_pthread_testcancel();
    else
        REAL(pthread_testcancel)();
}

int hook_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int err = REAL(pthread_key_create)(key, destructor);
    if (!err)
        tcb_key_created(*key, destructor);
    return err;
}

int hook_pthread_key_delete(pthread_key_t key)
{
    tcb_key_deleted(key);
    return REAL(pthread_key_delete)(key);
}

int hook_tss_create(tss_t *key, tss_dtor_t destructor)
{
    int err = REAL(tss_create)(key, destructor);
    if (err == thrd_success)
        tcb_key_created(*key, destructor);
    return err;
}

void hook_tss_delete(tss_t key)
{
    tcb_key_deleted(key);
    REAL(tss_delete)(key);
}

/* The kernel takes any thread's id for its process. (evy_kill is Eventlet's.) */
int hook_kill(pid_t process, int sig)
{
    if (!WHEN_GREEN(SIGNAL))
        return REAL(kill)(process, sig);
    if (thread_with_tid(process))
        process = getpid();
    return process == getpid() && signals_send_self(sig, SI_USER, (union sigval){0})
               ? 0
               : REAL(kill)(process, sig);
}

/* Every library calls it as it is closed. */
void hook___cxa_finalize(void *dso)
{
    if (dso && WHEN_ALWAYS(PROCESS))
        atfork_drop(dso);
    REAL(__cxa_finalize)(dso);
}

/* The loader calls it for the steps of dlopen, dlmopen and dlclose, constructors being one without an exception: they may
   use static TLS and call libc at once. What an earlier dlclose took away is noticed as the next one begins. In
   other steps it holds the lock that threads need to be made, with which nobody may be led back to a hub. */
int hook__dl_catch_exception(struct dl_exception *exception, void (*operate)(void *), void *args)
{
    static unsigned depth; /* the loader's lock */
    if (WHEN_ALWAYS(THREAD) && (!exception || depth == 0)) {
        tcb_modules_changed();
        if (hub_count)
            execstack_look();
    }
    object_exclude(true);
    if (!exception)
        import_arrived();
    depth++;
    int r = REAL(_dl_catch_exception)(exception, operate, args);
    depth--;
    return r;
}

/* As libc's, on the stack: a child of vfork calls them too. The words after arg, up to a NULL, become argv; the caller
   does va_end. */
#define WORDS_AFTER(arg, ap, argv)                                                                 \
    size_t words_ = 1;                                                                             \
    va_start(ap, arg);                                                                             \
    for (const char *word_ = arg; word_; word_ = va_arg(ap, const char *))                         \
        words_++;                                                                                  \
    va_end(ap);                                                                                    \
    char *argv[words_];                                                                            \
    argv[0] = (char *)(uintptr_t)arg;                                                              \
    va_start(ap, arg);                                                                             \
    for (size_t i_ = 1; i_ < words_; i_++)                                                         \
    argv[i_] = va_arg(ap, char *)

int hook_execl(const char *path, const char *arg, ...)
{
    va_list ap;
    WORDS_AFTER(arg, ap, argv);
    va_end(ap);
    return WHEN_STARTS(PROCESS) ? evy_execv(path, argv) : REAL(execv)(path, argv);
}

int hook_execlp(const char *file, const char *arg, ...)
{
    va_list ap;
    WORDS_AFTER(arg, ap, argv);
    va_end(ap);
    return WHEN_STARTS(PROCESS) ? evy_execvp(file, argv) : REAL(execvp)(file, argv);
}

int hook_execle(const char *path, const char *arg, ...)
{
    va_list ap;
    WORDS_AFTER(arg, ap, argv);
    char *const *envp = va_arg(ap, char *const *);
    va_end(ap);
    return WHEN_STARTS(PROCESS) ? evy_execve(path, argv, envp) : REAL(execve)(path, argv, envp);
}

/* A jump may leave a signal handler, and its mask with it. */
#define JUMP(name)                                                                                 \
    void hook_##name(struct __jmp_buf_tag env[1], int value)                                       \
    {                                                                                              \
        if (WHEN_GREEN(SIGNAL))                                                                    \
            signals_jump(env);                                                                     \
        REAL(name)(env, value);                                                                    \
        __builtin_unreachable();                                                                   \
    }

JUMP(longjmp)
JUMP(siglongjmp)
JUMP(_longjmp)
JUMP(__longjmp_chk)
