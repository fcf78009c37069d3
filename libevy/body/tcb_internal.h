/* What the files tcb*.c share: the layout of glibc's thread descriptor as found at run time. */
#ifndef EVY_TCB_INTERNAL_H
#define EVY_TCB_INTERNAL_H

#include "base/base.h"
#include "base/list.h"
#include "body/tcb.h"

#include "tls.h"

#include <resolv.h>

/* One slot of a thread's DTV, sysdeps/generic/dl-dtv.h. The TCB points at element 0, whose counter is
   the generation; element -1 counts the slots. */
union dtv {
    size_t counter;
    struct {
        void *val;
        void *to_free; /* dynamic TLS of this thread, from malloc */
    } pointer;
};

/* Offsets are from struct pthread ("thread") or from the thread pointer ("tp"). */
struct tcb_layout {
    size_t static_size; /* as _dl_get_tls_static_info says */
    size_t align;
    ptrdiff_t tid;            /* thread: int tid */
    ptrdiff_t specific;       /* thread: pointers to the 32 blocks of key values */
    ptrdiff_t key_block;      /* thread: the first of these blocks, built in */
    ptrdiff_t key_used;       /* thread: bool that a key was set; 0 when not found */
    ptrdiff_t robust;         /* thread: struct robust_list_head; 0 when not found */
    long robust_futex_offset; /* its futex_offset */
    ptrdiff_t cancelhandling; /* thread: int */
    ptrdiff_t cleanup; /* thread: cleanup and cleanup_jmp_buf, two pointers; 0 when not found */
    ptrdiff_t stackblock_size; /* thread: size_t; 0 when not found */
    ptrdiff_t libc_block;      /* tp: libc's own static TLS */
    size_t libc_block_size;
    ptrdiff_t err_no;   /* tp: int errno */
    ptrdiff_t h_err_no; /* tp: int h_errno */
    ptrdiff_t resp;     /* tp: struct __res_state *__resp */
    ptrdiff_t dlerror;  /* tp: what dlerror() will say; 0 when not found */
    ptrdiff_t rseq;     /* tp: struct rseq; 0 when glibc has none */
    ptrdiff_t extra;    /* tp: struct tcb_extra */
};

extern struct tcb_layout tcb_layout;

/* glibc's functions of the dynamic linker's private interface. */
struct tcb_libc {
    void *(*allocate_tls)(void *tp);                     /* _dl_allocate_tls: DTV and static TLS */
    void *(*allocate_tls_init)(void *tp, bool init_tls); /* the same with the DTV that is there */
    void (*deallocate_tls)(void *tp, bool dealloc_tcb);
    void (*ctype_init)(void);
    void (*call_tls_dtors)(void);
};

extern struct tcb_libc tcb_libc;

/* What libevy adds to a TCB, below it. */
struct tcb_extra {
    struct list all;        /* in the list of all TCBs (tcb_modules.c) */
    size_t generation;      /* of the DTV when the TCB was last fresh */
    size_t modules;         /* highest TLS module that this generation knows */
    struct __res_state res; /* what this thread's _res is */
};

static inline struct tcb_extra *tcb_extra_of(uintptr_t tp)
{
    return (struct tcb_extra *)(tp + (uintptr_t)tcb_layout.extra);
}

#define field(type, base, offset) (*(type *)((base) + (uintptr_t)(offset)))

static inline union dtv *tcb_dtv(uintptr_t tp)
{
    return field(union dtv *, tp, TLS_DTV_AT);
}

/* tcb_keys.c: clears all values and frees glibc's further blocks of a thread that has ended and has set keys. */
EVY_COLD void tcb_keys_clear(uintptr_t thread);
/* Runs destructors on the calling thread, which has set keys. */
EVY_COLD void tcb_keys_destroy(uintptr_t thread);

/* False only when the thread never set a key. */
static inline bool tcb_keys_used(uintptr_t thread)
{
    return tcb_layout.key_used == 0 || field(bool, thread, tcb_layout.key_used);
}

static inline void tcb_keys_end(uintptr_t thread)
{
    if (unlikely(tcb_keys_used(thread)))
        tcb_keys_destroy(thread);
}

static inline void tcb_keys_reset(uintptr_t thread)
{
    if (unlikely(tcb_keys_used(thread)))
        tcb_keys_clear(thread);
}

/* tcb_modules.c: who has static TLS. */
int tcb_modules_init(void);
void tcb_modules_add(uintptr_t tp); /* from now on dlopen looks after this TCB */
void tcb_modules_remove(uintptr_t tp);
void tcb_modules_fresh(uintptr_t tp); /* notes the generation of a fresh DTV */
void tcb_modules_reset(uintptr_t tp); /* initial values for all but what libc keeps */

/* Around fork: takes this file's locks, or gives them back, in parent and child. */
void tcb_modules_fork_locks(bool take);

#endif
