/* A thread control block as glibc's allocate_stack and start_thread build it (nptl/allocatestack.c,
 * nptl/pthread_create.c), in our memory. What they do and what is done here:
 *
 *   glibc                                        here
 *   _dl_allocate_tls: DTV, static TLS            tcb_create
 *   header.self, .tcb, multiple_threads, guards  tls_fill_header (arch)
 *   specific[0], robust list head                fill_thread
 *   tid (by the kernel)                          invented, from the caller
 *   __resp = &pd->res                            to a state of our own: the offset of res is not known
 *   rseq registration                            "failed": the kernel knows only the carrier's area
 *   __ctype_init                                 tcb_begin
 *   __call_tls_dtors, __nptl_deallocate_tsd      tcb_end, tcb_recycle
 *   __libc_thread_freeres                        tcb_end (resolver, dlerror); the malloc cache stays
 */
#include "body/tcb.h"

#include "base/spin.h"
#include "body/tcb_internal.h"
#include "tls.h"
#include "tp.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#define RSEQ_CPU_ID_AT 4 /* linux/rseq.h */
#define RSEQ_FAILED (-2) /* RSEQ_CPU_ID_REGISTRATION_FAILED: sched_getcpu asks the kernel then */

/* libc's TLS of a destroyed TCB: holds a malloc cache that only a thread can use or free. */
struct spare {
    struct spare *next;
    char block[];
};

static struct spin spare_lock; /* protects spares; nests inside nothing */
static struct spare *spares;

static char *libc_block(uintptr_t tp)
{
    return (char *)tp + tcb_layout.libc_block;
}

static void take_spare(uintptr_t tp)
{
    spin_lock(&spare_lock);
    struct spare *s = spares;
    if (s)
        spares = s->next;
    spin_unlock(&spare_lock);
    if (!s)
        return;
    memcpy(libc_block(tp), s->block, tcb_layout.libc_block_size);
    free(s);
}

static void keep_spare(uintptr_t tp)
{
    struct spare *s = malloc(sizeof(*s) + tcb_layout.libc_block_size);
    if (!s)
        return;
    memcpy(s->block, libc_block(tp), tcb_layout.libc_block_size);
    spin_lock(&spare_lock);
    s->next = spares;
    spares = s;
    spin_unlock(&spare_lock);
}

/* The fields of struct pthread that a thread leaves changed, and libc's variables that belong to the
   thread and not to its memory. */
static void fill_thread(uintptr_t tp, int tid)
{
    const struct tcb_layout *l = &tcb_layout;
    uintptr_t thread = tcb_thread_of(tp);
    field(int, thread, l->tid) = tid;
    if (l->robust) {
        uintptr_t *head = &field(uintptr_t, thread, l->robust);
        head[-1] = head[0] = (uintptr_t)head; /* robust_prev, robust_head.list: an empty ring */
        head[1] = (uintptr_t)l->robust_futex_offset;
        head[2] = 0;
    }
    if (l->cleanup) {
        uintptr_t *cleanup = &field(uintptr_t, thread, l->cleanup);
        cleanup[0] = cleanup[1] = 0;
    }
    field(int, thread, l->cancelhandling) = 0;
    field(struct __res_state *, tp, l->resp) = &tcb_extra_of(tp)->res;
    field(int, tp, l->err_no) = 0;
    field(int, tp, l->h_err_no) = 0;
}

static void fill_new(uintptr_t tp)
{
    const struct tcb_layout *l = &tcb_layout;
    uintptr_t thread = tcb_thread_of(tp);
    tls_fill_header(tp, thread, tp_get());
    field(uintptr_t, thread, l->specific) = thread + (uintptr_t)l->key_block;
    if (l->rseq)
        field(int, tp, l->rseq + RSEQ_CPU_ID_AT) = RSEQ_FAILED;
}

uintptr_t tcb_create(char *top, int tid)
{
    const struct tcb_layout *l = &tcb_layout;
    uintptr_t tp =
        align_down(top - tls_bytes_above(l->static_size, tcb_facts.pthread_size), l->align);
    char *low = (char *)tp + l->extra;
    memset(low, 0, (size_t)(top - low));
    tcb_modules_add(tp); /* first: what is loaded from here on reaches it one way or the other */
    if (!tcb_libc.allocate_tls((void *)tp)) {
        tcb_modules_remove(tp);
        return 0;
    }
    take_spare(tp);
    fill_new(tp);
    tcb_modules_fresh(tp);
    tcb_modules_reset(tp);
    fill_thread(tp, tid);
    return tp;
}

/* Whether the thread has memory for modules with dynamic TLS, or a DTV that is newer than the TCB. */
static bool dtv_dirty(uintptr_t tp)
{
    const struct tcb_extra *x = tcb_extra_of(tp);
    const union dtv *dtv = tcb_dtv(tp);
    if (dtv[0].counter != x->generation)
        return true;
    uintptr_t any = 0;
    for (size_t i = 1; i <= x->modules; i++)
        any |= (uintptr_t)dtv[i].pointer.to_free;
    return any != 0;
}

/* As get_cached_stack does (nptl/allocatestack.c), with libc's block carried over. */
static EVY_COLD void reset_dtv(uintptr_t tp)
{
    char saved[tcb_layout.libc_block_size];
    union dtv *dtv = tcb_dtv(tp);
    for (size_t i = 1; i <= dtv[-1].counter; i++)
        free(dtv[i].pointer.to_free);
    memset(dtv, 0, (dtv[-1].counter + 1) * sizeof(*dtv));
    memcpy(saved, libc_block(tp), sizeof(saved));
    tcb_libc.allocate_tls_init((void *)tp, true);
    memcpy(libc_block(tp), saved, sizeof(saved));
    tcb_modules_fresh(tp);
}

void tcb_recycle(uintptr_t tp, int tid)
{
    if (unlikely(dtv_dirty(tp)))
        reset_dtv(tp);
    tcb_modules_reset(tp);
    tcb_keys_reset(tcb_thread_of(tp));
    fill_thread(tp, tid);
}

void tcb_destroy(uintptr_t tp)
{
    tcb_keys_reset(tcb_thread_of(tp));
    tcb_modules_remove(tp);
    keep_spare(tp);
    tcb_libc.deallocate_tls((void *)tp, false);
}

void tcb_set_stack(uintptr_t tp, size_t size)
{
    if (tcb_layout.stackblock_size)
        field(size_t, tcb_thread_of(tp), tcb_layout.stackblock_size) = size;
}

int *tcb_errno(uintptr_t tp)
{
    return &field(int, tp, tcb_layout.err_no);
}

void tcb_begin(void)
{
    tcb_libc.ctype_init();
}

/* __libc_thread_freeres is not exported before glibc 2.41; these are its parts that hold a thread's
   state (resolv/resolv_context.c, dlfcn/dlerror.c: the first call delivers, the second frees). */
static EVY_COLD void free_resolver(struct __res_state *res)
{
    res_nclose(res);
    memset(res, 0, sizeof(*res));
}

static EVY_COLD void free_dlerror(void)
{
    dlerror();
    dlerror();
}

void tcb_end(void)
{
    uintptr_t tp = tp_get(), thread = tcb_thread_of(tp);
    struct __res_state *res = &tcb_extra_of(tp)->res; /* main's TCB is not of our making */
    tcb_libc.call_tls_dtors();
    tcb_keys_end(thread);
    if (tcb_is_green(thread) && unlikely(res->nscount != 0))
        free_resolver(res);
    if (tcb_layout.dlerror && unlikely(field(void *, tp, tcb_layout.dlerror) != NULL))
        free_dlerror();
}

void tcb_fork_locks(bool take)
{
    tcb_modules_fork_locks(take);
    spin_fork(&spare_lock, take);
}
