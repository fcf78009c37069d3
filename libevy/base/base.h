/* Words every file needs: visibility, branch hints, container_of. */
#ifndef EVY_BASE_H
#define EVY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVY_API __attribute__((visibility("default")))
#define EVY_COLD __attribute__((cold, noinline))
#define EVY_NOINLINE __attribute__((noinline))
#define EVY_INLINE inline __attribute__((always_inline))
/* What ThreadSanitizer is not shown: functions that, as it sees them, begin on one context and return on another, or run
   without a TCB; or look at what changes under them, and believe nothing of it. */
#define EVY_UNSEEN __attribute__((no_sanitize("thread")))
#define EVY_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define align_up(x, a) (((uintptr_t)(x) + (a)-1) & ~((uintptr_t)(a)-1))
#define align_down(x, a) ((uintptr_t)(x) & ~((uintptr_t)(a)-1))

#define CACHE_LINE 64

#endif
