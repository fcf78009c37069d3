/* Where glibc keeps what around the thread pointer, aarch64 (TLS variant I: struct pthread lies below
 * the thread pointer, a header of two words and static TLS from it upwards). Facts from
 * sysdeps/aarch64/nptl/tls.h, part of the ABI that compilers and libraries rely on. */
#ifndef EVY_TLS_H
#define EVY_TLS_H

#include "base/base.h"

#define TLS_DTV_AT 0 /* the DTV pointer, from the thread pointer */
#define TLS_HEADER 16

/* Address of struct pthread. */
static inline uintptr_t tls_thread_of(uintptr_t tp, size_t pthread_size)
{
    return tp - pthread_size;
}

static inline uintptr_t tls_tp_of(uintptr_t thread, size_t pthread_size)
{
    return thread + pthread_size;
}

/* Start of a module's block in static TLS, from the thread pointer. */
static inline ptrdiff_t tls_block_at(size_t l_tls_offset)
{
    return (ptrdiff_t)l_tls_offset;
}

/* What lies below the thread pointer and from it upwards; static_size as _dl_get_tls_static_info says,
   the header included. */
static inline size_t tls_bytes_below(size_t static_size, size_t pthread_size)
{
    (void)static_size;
    return pthread_size;
}

static inline size_t tls_bytes_above(size_t static_size, size_t pthread_size)
{
    (void)pthread_size;
    return static_size;
}

/* Start of static TLS without the header, from the thread pointer, and its length. */
static inline ptrdiff_t tls_static_at(size_t static_size, size_t pthread_size)
{
    (void)static_size, (void)pthread_size;
    return TLS_HEADER;
}

static inline size_t tls_static_bytes(size_t static_size, size_t pthread_size)
{
    (void)pthread_size;
    return static_size - TLS_HEADER;
}

/* multiple_threads is the first word of struct pthread; the guards are global variables here. */
static inline void tls_fill_header(uintptr_t tp, uintptr_t thread, uintptr_t model_tp)
{
    (void)tp, (void)model_tp;
    *(int *)thread = 1;
}

#endif
