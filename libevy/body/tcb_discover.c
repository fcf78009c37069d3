/* Finds glibc's thread descriptor. The facts come from what glibc exports for debuggers (libthread_db's
 * descriptions, nptl_db/structs.def) and for sanitizers (_dl_get_tls_static_info), checked against the
 * thread that is running; the rest is found by watching glibc use it. */
#include "base/log.h"
#include "base/sys.h"
#include "body/tcb_internal.h"
#include "tls.h"
#include "tp.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

struct tcb_facts tcb_facts;
struct tcb_layout tcb_layout;
struct tcb_libc tcb_libc;

#define KEY_BLOCKS 32       /* PTHREAD_KEY_1STLEVEL_SIZE */
#define KEY_BLOCK_BYTES 512 /* PTHREAD_KEY_2NDLEVEL_SIZE * sizeof(struct pthread_key_data) */

/* dlsym here is the loader's; what is asked for belongs to libc or ld.so and nobody else. */
static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* A field's offset as glibc describes it for debuggers: bits, number of elements, offset. */
static bool find_field(const char *name, ptrdiff_t *offset)
{
    const uint32_t *fact = find(name);
    if (!fact)
        return false;
    *offset = (ptrdiff_t)fact[2];
    return true;
}

static const char *find_functions(void)
{
    const struct {
        const char *name;
        void *at;
    } wanted[] = {{"_dl_allocate_tls", &tcb_libc.allocate_tls},
                  {"_dl_allocate_tls_init", &tcb_libc.allocate_tls_init},
                  {"_dl_deallocate_tls", &tcb_libc.deallocate_tls},
                  {"__ctype_init", &tcb_libc.ctype_init},
                  {"__call_tls_dtors", &tcb_libc.call_tls_dtors}};
    for (size_t i = 0; i < array_len(wanted); i++) {
        void *f = find(wanted[i].name);
        if (!f)
            return wanted[i].name;
        memcpy(wanted[i].at, &f, sizeof(f));
    }
    return NULL;
}

static const char *find_sizes(void)
{
    void (*static_info)(size_t *, size_t *) = NULL;
    void *f = find("_dl_get_tls_static_info");
    const uint32_t *size = find("_thread_db_sizeof_pthread");
    if (!f)
        return "_dl_get_tls_static_info";
    if (!size)
        return "the size of struct pthread";
    memcpy(&static_info, &f, sizeof(f));
    static_info(&tcb_layout.static_size, &tcb_layout.align);
    tcb_facts.pthread_size = *size;
    if (tcb_layout.align < CACHE_LINE)
        tcb_layout.align = CACHE_LINE; /* TCB_ALIGNMENT */
    return NULL;
}

static const char *find_fields(uintptr_t self)
{
    struct tcb_layout *l = &tcb_layout;
    if (!find_field("_thread_db_pthread_tid", &l->tid) || field(int, self, l->tid) != sys_gettid())
        return "the tid in struct pthread";
    if (!find_field("_thread_db_pthread_specific", &l->specific))
        return "the keys in struct pthread";
    /* The first pointer leads to the block inside struct pthread (sysdeps/nptl/dl-tls_init_tp.c). */
    l->key_block = (ptrdiff_t)(field(uintptr_t, self, l->specific) - self);
    if (l->key_block <= 0 || l->key_block > (ptrdiff_t)tcb_facts.pthread_size - KEY_BLOCK_BYTES)
        return "the first keys in struct pthread";
    if (!find_field("_thread_db_pthread_cancelhandling", &l->cancelhandling))
        return "cancelhandling in struct pthread";
    return NULL;
}

/* Offset from the thread pointer, if the address is in this thread's static TLS. */
static bool static_tls(const void *address, ptrdiff_t *offset)
{
    const struct tcb_layout *l = &tcb_layout;
    *offset = address ? (ptrdiff_t)((uintptr_t)address - tp_get()) : 0;
    ptrdiff_t start = tls_static_at(l->static_size, tcb_facts.pthread_size);
    return address && *offset >= start &&
           *offset < start + (ptrdiff_t)tls_static_bytes(l->static_size, tcb_facts.pthread_size);
}

static const char *find_libc_variables(void)
{
    struct tcb_layout *l = &tcb_layout;
    if (!static_tls(&errno, &l->err_no) || !static_tls(&h_errno, &l->h_err_no))
        return "errno in libc's TLS";
    if (!static_tls(find("__resp"), &l->resp))
        return "__resp in libc's TLS";
    if (!static_tls(find("__libc_dlerror_result"), &l->dlerror))
        l->dlerror = 0;
    const ptrdiff_t *rseq = find("__rseq_offset");
    l->rseq = rseq ? *rseq : 0;
    return NULL;
}

/* The kernel was told the address of the main thread's list by glibc; an emulator may not tell it, but
   the list is an empty ring, a word that points at itself. */
static void find_robust_list(uintptr_t self)
{
    uintptr_t head = 0;
    size_t size = 0;
    sys3(SYS_get_robust_list, 0, &head, &size);
    uintptr_t guess = self + (uintptr_t)tcb_layout.cancelhandling - 5 * sizeof(void *);
    if (head == 0 && field(uintptr_t, guess, 0) == guess)
        head = guess;
    ptrdiff_t at = (ptrdiff_t)(head - self);
    if (head == 0 || at <= 0 ||
        at > (ptrdiff_t)tcb_facts.pthread_size - 3 * (ptrdiff_t)sizeof(long))
        return;
    tcb_layout.robust = at;
    tcb_layout.robust_futex_offset = field(long, head, sizeof(long));
    /* Between it and cancelhandling lie cleanup and cleanup_jmp_buf (nptl/descr.h). */
    ptrdiff_t end = at + 3 * (ptrdiff_t)sizeof(long);
    if (tcb_layout.cancelhandling - end == 2 * (ptrdiff_t)sizeof(void *))
        tcb_layout.cleanup = end;
}

/* The flag follows the block pointers (nptl/descr.h). Believed only when setting a key is seen to set
   it and the value is seen in the first block. */
static void find_key_flag(uintptr_t self)
{
    int (*create)(pthread_key_t *, void (*)(void *));
    int (*delete)(pthread_key_t);
    *(void **)&create = dlvsym(RTLD_NEXT, "pthread_key_create", "GLIBC_2.34"); /* not our hook */
    *(void **)&delete = dlvsym(RTLD_NEXT, "pthread_key_delete", "GLIBC_2.34");
    pthread_key_t key;
    if (!create || !delete || create(&key, NULL) != 0)
        return;
    ptrdiff_t at = tcb_layout.specific + KEY_BLOCKS * (ptrdiff_t)sizeof(void *);
    bool was = field(bool, self, at);
    field(bool, self, at) = false;
    bool found = pthread_setspecific(key, &key) == 0 && field(bool, self, at) && key < 32 &&
                 field(void *, self, tcb_layout.key_block + 16 * (ptrdiff_t)key + 8) == &key;
    pthread_setspecific(key, NULL);
    delete (key);
    field(bool, self, at) = was;
    tcb_layout.key_used = found ? at : 0;
}

/* Tries the words of a scratch descriptor until one changes what __libc_alloca_cutoff answers: it
   compares with a quarter of stackblock_size (nptl/alloca_cutoff.c). */
static EVY_UNSEEN ptrdiff_t probe_stack_size(uintptr_t thread, int (*cutoff)(size_t))
{
    enum { PROBE = 4096 };
    ptrdiff_t end = (ptrdiff_t)tcb_facts.pthread_size - (ptrdiff_t)sizeof(long);
    for (ptrdiff_t at = tcb_layout.key_block + KEY_BLOCK_BYTES; at <= end; at += sizeof(long)) {
        field(size_t, thread, at) = PROBE;
        bool found = !cutoff(PROBE / 4 + 1) && cutoff(PROBE / 4);
        field(size_t, thread, at) = 0;
        if (found)
            return at;
    }
    return 0;
}

/* Without it glibc takes up to 64 KB of any green stack with alloca. */
static EVY_UNSEEN void find_stack_size(uintptr_t self_tp)
{
    int (*cutoff)(size_t);
    *(void **)&cutoff = find("__libc_alloca_cutoff");
    char scratch[tcb_facts.pthread_size + 2 * CACHE_LINE];
    memset(scratch, 0, sizeof(scratch));
    uintptr_t thread = align_up(scratch, CACHE_LINE);
    uintptr_t tp = tls_tp_of(thread, tcb_facts.pthread_size);
    if (!cutoff)
        return;
    tls_fill_header(tp, thread, self_tp);
    uint64_t all = ~UINT64_C(0), old; /* no handler may run on the scratch descriptor */
    sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, sizeof(all));
    tp_set(tp);
    ptrdiff_t at = probe_stack_size(thread, cutoff);
    tp_set(self_tp);
    sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof(old));
    tcb_layout.stackblock_size = at;
}

static void place_extra(void)
{
    struct tcb_layout *l = &tcb_layout;
    size_t below = tls_bytes_below(l->static_size, tcb_facts.pthread_size);
    l->extra = -(ptrdiff_t)align_up(below + sizeof(struct tcb_extra), 16);
    tcb_facts.align = l->align;
    tcb_facts.tid = l->tid;
    tcb_facts.reserve =
        (size_t)-l->extra + tls_bytes_above(l->static_size, tcb_facts.pthread_size) + l->align;
}

static const char *find_all(void)
{
    uintptr_t self = (uintptr_t)pthread_self();
    const char *missing = find_functions();
    if (!missing)
        missing = find_sizes();
    if (!missing && tls_tp_of(self, tcb_facts.pthread_size) != tp_get())
        missing = "the distance of struct pthread from the thread pointer";
    if (!missing)
        missing = find_fields(self);
    if (!missing)
        missing = find_libc_variables();
    if (!missing && tcb_modules_init() != 0)
        missing = "the static TLS of the loaded libraries";
    return missing;
}

int tcb_discover(void)
{
    if (tcb_facts.ready)
        return 0;
    const char *missing = find_all();
    if (missing) {
        log_warn("this C library does not show %s; threads stay native", missing);
        return -ENOTSUP;
    }
    uintptr_t self = (uintptr_t)pthread_self();
    find_robust_list(self);
    find_key_flag(self);
    find_stack_size(tp_get());
    place_extra();
    tcb_facts.ready = true;
    return 0;
}
