/* Thread-specific data of green threads. The values are glibc's own, in the TCB; only who has a
 * destructor is noted here, because glibc runs destructors in a function it does not export. */
#include "body/tcb_internal.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BLOCKS 32
#define KEY_BLOCK_BYTES 512
#define WORD_BITS 64

typedef void (*destructor_t)(void *);

static _Atomic destructor_t destructors[PTHREAD_KEYS_MAX];
static _Atomic uint64_t with_destructor[PTHREAD_KEYS_MAX / WORD_BITS]; /* one bit per key */

static uint64_t bit_of(unsigned key)
{
    return UINT64_C(1) << key % WORD_BITS;
}

void tcb_key_created(unsigned key, void (*destructor)(void *))
{
    if (key >= PTHREAD_KEYS_MAX || !destructor)
        return;
    atomic_store(&destructors[key], destructor);
    atomic_fetch_or(&with_destructor[key / WORD_BITS], bit_of(key));
}

void tcb_key_deleted(unsigned key)
{
    if (key < PTHREAD_KEYS_MAX)
        atomic_fetch_and(&with_destructor[key / WORD_BITS], ~bit_of(key));
}

/* The value is cleared before its destructor runs (POSIX). */
static bool end_key(unsigned key)
{
    void *value = pthread_getspecific(key);
    if (!value)
        return false;
    pthread_setspecific(key, NULL);
    atomic_load (&destructors[key])(value);
    return true;
}

static bool end_round(void)
{
    bool any = false;
    for (unsigned word = 0; word < array_len(with_destructor); word++) {
        uint64_t bits = atomic_load(&with_destructor[word]);
        for (; bits != 0; bits &= bits - 1)
            any |= end_key(word * WORD_BITS + (unsigned)__builtin_ctzll(bits));
    }
    return any;
}

void tcb_keys_destroy(uintptr_t thread)
{
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; round++)
        if (!tcb_keys_used(thread) || !end_round())
            return;
}

void tcb_keys_clear(uintptr_t thread)
{
    memset((void *)(thread + (uintptr_t)tcb_layout.key_block), 0, KEY_BLOCK_BYTES);
    void **blocks = &field(void *, thread, tcb_layout.specific);
    for (int i = 1; i < KEY_BLOCKS; i++) { /* [0] is the block inside struct pthread */
        free(blocks[i]);
        blocks[i] = NULL;
    }
    if (tcb_layout.key_used)
        field(bool, thread, tcb_layout.key_used) = false;
}
