/* Handlers of the program that are running, innermost first, for each green thread: a handler may leave by
   siglongjmp or end its thread, and its place on the stack tells. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "core/altstack.h"
#include "core/hub.h"
#include "core/lot.h"
#include "io/io.h"
#include "jmpbuf.h"

/* One running handler. Not kept on its stack, where it would be overwritten once the handler has been left. */
struct handler_frame {
    atomic_bool used;            /* taken */
    struct handler_frame *outer; /* the handler it interrupted */
    uint64_t mask;               /* to go back to */
    uintptr_t at;                /* where it is on the stack */
    struct waiter *amid;         /* the wait it interrupted, which goes on afterwards; else NULL */
    stack_t alt;                 /* alternate signal stack it runs on; size 0: it does not */
};

static struct handler_frame frames[1024]; /* handlers running now, in all green threads */

struct handler_frame *frame_push(struct green *g, uintptr_t at)
{
    struct handler_frame *f = frames, *end = frames + array_len(frames);
    while (f < end && atomic_exchange(&f->used, true))
        f++;
    if (f == end)
        return NULL; /* its mask is put back if it returns */
    f->outer = g->handlers;
    f->mask = sig_mask(g);
    f->at = at;
    f->amid = g->amid;
    f->alt = altstack_holds(&g->alt, at) ? g->alt : (stack_t){.ss_size = 0};
    owned_set(&g->handlers, f);
    owned_set(&g->amid, NULL);
    return f;
}

void frame_pop(struct green *g, struct handler_frame *f)
{
    owned_set(&g->handlers, f->outer);
    owned_set(&g->amid, f->amid);
    atomic_store(&f->used, false);
}

void go_back_to_mask(struct green *g, uint64_t mask)
{
    if (unlikely(mask != sig_mask(g)))
        mask_set(g, mask);
}

static bool frame_left(const struct green *g, const struct handler_frame *f, uintptr_t sp)
{
    if (f->alt.ss_size && !altstack_holds(&f->alt, sp))
        return true;
    if (!f->alt.ss_size && altstack_holds(&g->alt, sp))
        return false; /* a fault's handler, and below it what it interrupted */
    return f->at < sp;
}

void frames_forget(struct green *g, uintptr_t sp)
{
    while (unlikely(g->handlers != NULL) && frame_left(g, g->handlers, sp)) {
        uint64_t mask = g->handlers->mask;
        g->handlers->amid = NULL; /* too late: its place is another's by now */
        frame_pop(g, g->handlers);
        go_back_to_mask(g, mask);
    }
}

static void leave_wait(struct waiter **wait)
{
    struct waiter *w = *wait;
    *wait = NULL;
    if (unlikely(w != NULL))
        lot_abandon(w);
}

void signals_leave_waits(void)
{
    for (struct handler_frame *f = self()->handlers; f; f = f->outer)
        leave_wait(&f->amid);
}

/* siglongjmp puts back the mask of its sigsetjmp, which is taken to be that of the moment when the outermost
   handler it leaves began; the kernel's mask, which is all that libc has saved, is the carrier's affair. */
void signals_jump(struct __jmp_buf_tag *env)
{
    struct green *g = self();
    uintptr_t sp = jmpbuf_sp(env);
    uint64_t mask = sig_mask(g);
    bool left = false;
    for (; g->handlers && frame_left(g, g->handlers, sp); left = true) {
        if (env->__mask_was_saved)
            mask = g->handlers->mask;
        leave_wait(&g->handlers->amid);
        frame_pop(g, g->handlers);
    }
    if (env->__mask_was_saved)
        sig_set(&env->__saved_mask, mask_here());
    go_back_to_mask(g, mask);
    if (left) {
        io_abandon();
        signals_deliver(); /* what the mask held back */
    }
}
