/* Variables of which each green thread has its own. */
#include "api/gt.h"

#include <stdlib.h>
#include <string.h>

#define KEYS 1024
#define ROUNDS 4 /* a destructor may set others, as with pthread keys */

static void (*destructors[KEYS])(void *); /* written once, before the key is given out */
static atomic_uint key_count;

EVY_API int evy_local_key_create(void (*dtor)(void *))
{
    unsigned key = atomic_load(&key_count);
    do
        if (key == KEYS)
            return api_edge(-EAGAIN);
    while (!atomic_compare_exchange_weak(&key_count, &key, key + 1));
    destructors[key] = dtor;
    return (int)key;
}

EVY_API void *evy_local_get(int key)
{
    const struct green *g = self();
    return g && (unsigned)key < g->gt.local_count && g->gt.locals ? g->gt.locals[key] : NULL;
}

static bool end_round(struct green *g)
{
    bool any = false;
    for (unsigned i = 0; i < g->gt.local_count; i++) {
        void *value = g->gt.locals[i];
        g->gt.locals[i] = NULL;
        if (value && destructors[i]) {
            destructors[i](value);
            any = true;
        }
    }
    return any;
}

void locals_end(struct green *g)
{
    for (int round = 0; round < ROUNDS && end_round(g); round++)
        ;
    free(g->gt.locals);
    g->gt.locals = NULL;
}

static int make_room(struct green *g, unsigned count)
{
    unsigned old = g->gt.locals ? g->gt.local_count : 0;
    void **locals = realloc(g->gt.locals, count * sizeof *locals);
    if (!locals)
        return -ENOMEM;
    memset(locals + old, 0, (count - old) * sizeof *locals);
    g->gt.locals = locals;
    g->gt.local_count = count;
    g->leaving = locals_end;
    return 0;
}

EVY_API int evy_local_set(int key, void *value)
{
    struct green *g = api_self();
    unsigned count = atomic_load(&key_count);
    if (!g)
        return -1;
    if ((unsigned)key >= count)
        return api_edge(-EINVAL);
    int r = g->gt.locals && (unsigned)key < g->gt.local_count ? 0 : make_room(g, count);
    if (r == 0)
        g->gt.locals[key] = value;
    return api_edge(r);
}
