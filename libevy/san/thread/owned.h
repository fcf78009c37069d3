/* Builds with SAN=thread: the same (../none/owned.h) as ThreadSanitizer understands it. It knows no membarrier: the release
   is what that makes of the owner's plain store, and who looks acquires. */
#ifndef EVY_OWNED_H
#define EVY_OWNED_H

#define owned_get(word) __atomic_load_n(word, __ATOMIC_RELAXED)
#define owned_set(word, value) __atomic_store_n(word, value, __ATOMIC_RELEASE)
#define owned_add(word, n) __atomic_add_fetch(word, n, __ATOMIC_RELEASE)

#endif
