/* Handlers of the program that are running, innermost first, for each green thread: a handler may leave by
   siglongjmp or end its thread, and its place on the stack tells. */
#include "proc/signals.h"
#include "proc/sigstate.h"

#include "core/hub.h"
#include "io/io.h"
#include "jmpbuf.h"

/* One running handler. Not kept on its stack, where it would be overwritten once the handler has been left. */
struct handler_frame {
    atomic_bool used;            /* taken */
    struct handler_frame *outer; /* the handler it interrupted */
    uint64_t mask;               /* to go back to */
    uintptr_t at;                /* where it is on the stack */
    uintptr_t alt_low;           /* alternate signal stack it runs on; 0: it does not */
    uintptr_t alt_high;          /* its end */
};

static struct handler_frame frames[1024]; /* handlers running now, in all green threads */

struct handler_frame *frame_push(struct green *g, uintptr_t at, const ucontext_t *uc)
{
    struct handler_frame *f = frames, *end = frames + array_len(frames);
    while (f < end && atomic_exchange(&f->used, true))
        f++;
    if (f == end)
        return NULL; /* its mask is put back if it returns */
    f->outer = g->handlers;
    f->mask = sig_mask(g);
    f->at = at;
    f->alt_low = f->alt_high = 0;
    if (uc && at - (uintptr_t)uc->uc_stack.ss_sp < uc->uc_stack.ss_size) {
        f->alt_low = (uintptr_t)uc->uc_stack.ss_sp;
        f->alt_high = f->alt_low + uc->uc_stack.ss_size;
    }
    g->handlers = f;
    return f;
}

void frame_pop(struct green *g, struct handler_frame *f)
{
    g->handlers = f->outer;
    atomic_store(&f->used, false);
}

void go_back_to_mask(struct green *g, uint64_t mask)
{
    if (unlikely(mask != sig_mask(g)))
        mask_set(g, mask);
}

static bool frame_left(const struct handler_frame *f, uintptr_t sp)
{
    if (f->alt_low)
        return sp < f->alt_low || sp >= f->alt_high;
    return f->at < sp;
}

void frames_forget(struct green *g, uintptr_t sp)
{
    while (unlikely(g->handlers != NULL) && frame_left(g->handlers, sp)) {
        uint64_t mask = g->handlers->mask;
        frame_pop(g, g->handlers);
        go_back_to_mask(g, mask);
    }
}

/* siglongjmp puts back the mask of its sigsetjmp, which is taken to be that of the moment when the outermost
   handler it leaves began; the kernel's mask, which is all that libc has saved, is the carrier's affair. */
void signals_jump(struct __jmp_buf_tag *env)
{
    struct green *g = self();
    uintptr_t sp = jmpbuf_sp(env);
    uint64_t mask = sig_mask(g);
    bool left = false;
    for (; g->handlers && frame_left(g->handlers, sp); left = true) {
        if (env->__mask_was_saved)
            mask = g->handlers->mask;
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
