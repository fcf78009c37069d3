/* Where glibc keeps what around the thread pointer, x86-64 (TLS variant II: static TLS lies below the
 * thread pointer, which is the address of struct pthread). Facts from sysdeps/x86_64/nptl/tls.h, part of
 * the ABI that compilers and libraries rely on. */
#ifndef EVY_TLS_H
#define EVY_TLS_H

#include "base/base.h"

#define TLS_DTV_AT 8 /* the DTV pointer, from the thread pointer */

/* Address of struct pthread. */
static inline uintptr_t tls_thread_of(uintptr_t tp, size_t pthread_size)
{
    (void)pthread_size;
    return tp;
}

static inline uintptr_t tls_tp_of(uintptr_t thread, size_t pthread_size)
{
    (void)pthread_size;
    return thread;
}

/* Start of a module's block in static TLS, from the thread pointer; link_map's l_tls_offset counts down. */
static inline ptrdiff_t tls_block_at(size_t l_tls_offset)
{
    return -(ptrdiff_t)l_tls_offset;
}

/* What lies below the thread pointer and from it upwards; static_size as _dl_get_tls_static_info says,
   struct pthread included. */
static inline size_t tls_bytes_below(size_t static_size, size_t pthread_size)
{
    return static_size - pthread_size;
}

static inline size_t tls_bytes_above(size_t static_size, size_t pthread_size)
{
    (void)static_size;
    return pthread_size;
}

/* Start of static TLS without struct pthread, from the thread pointer, and its length. */
static inline ptrdiff_t tls_static_at(size_t static_size, size_t pthread_size)
{
    return -(ptrdiff_t)(static_size - pthread_size);
}

static inline size_t tls_static_bytes(size_t static_size, size_t pthread_size)
{
    return static_size - pthread_size;
}

/* The words of tcbhead_t that code reads through the segment register: its own address twice,
   multiple_threads, the stack guard and the pointer guard of the process. */
static inline void tls_fill_header(uintptr_t tp, uintptr_t thread, uintptr_t model_tp)
{
    enum {
        SELF = 0,
        DESCRIPTOR = 0x10,
        MULTIPLE_THREADS = 0x18,
        STACK_GUARD = 0x28,
        POINTER_GUARD = 0x30
    };
    *(uintptr_t *)(tp + SELF) = tp;
    *(uintptr_t *)(tp + DESCRIPTOR) = thread;
    *(int *)(tp + MULTIPLE_THREADS) = 1;
    *(uintptr_t *)(tp + STACK_GUARD) = *(uintptr_t *)(model_tp + STACK_GUARD);
    *(uintptr_t *)(tp + POINTER_GUARD) = *(uintptr_t *)(model_tp + POINTER_GUARD);
}

#endif
