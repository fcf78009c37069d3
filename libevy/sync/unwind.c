/* Frames with cleanups need two functions of libgcc_s, which libevy does not link: whoever unwinds has loaded it,
   so it is looked up then, as glibc does for itself (nptl/unwind.c, misc/unwind-link.c). */
#include "sync/unwind.h"

#include "base/base.h"
#include "base/log.h"
#include "jmpbuf.h"

#include <dlfcn.h>
#include <pthread.h>

struct _Unwind_Exception;
struct _Unwind_Context;

typedef int personality_fn(int, int, uint64_t, struct _Unwind_Exception *,
                           struct _Unwind_Context *);
typedef void resume_fn(struct _Unwind_Exception *);

int __gcc_personality_v0(int, int, uint64_t, struct _Unwind_Exception *, struct _Unwind_Context *);
__attribute__((noreturn)) void _Unwind_Resume(struct _Unwind_Exception *);

static void *from_libgcc(const char *name)
{
    void *handle = dlopen("libgcc_s.so.1", RTLD_NOW);
    void *p = handle ? dlsym(handle, name) : NULL;
    check(p != NULL);
    /* cppcheck-suppress resourceLeak -- it stays loaded: an unwinding is under way in it */
    return p;
}

int __gcc_personality_v0(int version, int actions, uint64_t class,
                         struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
    personality_fn *next = (personality_fn *)from_libgcc("__gcc_personality_v0");
    return next(version, actions, class, exception, context);
}

void _Unwind_Resume(struct _Unwind_Exception *exception)
{
    resume_fn *next = (resume_fn *)from_libgcc("_Unwind_Resume");
    next(exception);
    __builtin_unreachable();
}

/* <pthread.h> hides them from code compiled with exceptions. */
void __pthread_register_cancel(__pthread_unwind_buf_t *buf);
void __pthread_unregister_cancel(__pthread_unwind_buf_t *buf);

/* A registered buffer begins its private words with the one registered before it (nptl/descr.h); main's outermost
   lies in the frame that called main (__libc_start_call_main). */
bool unwind_end_at(void (*fn)(void))
{
    __pthread_unwind_buf_t probe;
    __pthread_register_cancel(&probe);
    __pthread_unwind_buf_t *outer = probe.__pad[0];
    __pthread_unregister_cancel(&probe);
    if (!outer)
        return false;
    while (outer->__pad[0])
        outer = outer->__pad[0];
    jmpbuf_redirect((struct __jmp_buf_tag *)outer->__cancel_jmp_buf, fn);
    return true;
}
