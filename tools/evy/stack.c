#include "stack.h"

#include "cmd.h"
#include "core.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MOST 200

/* libdwfl attaches one set of threads to each Dwfl. */
struct stacks {
    const struct snapshot *snapshot;
    const struct process *process;
    Dwfl *suspended; /* the green threads that do not run, as threads */
    Dwfl *kernel;    /* the kernel threads; NULL: not needed yet */
};

static const Dwfl_Callbacks living = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

static const Dwfl_Callbacks dead = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

static _Noreturn void give_up(const struct process *p, const char *what)
{
    die("process %d: %s: %s", p->pid, what, dwfl_errmsg(-1));
}

/* What is known of the code of a process. */
static Dwfl *symbols_of(const struct process *p)
{
    Dwfl *dwfl = dwfl_begin(p->core ? &dead : &living);
    if (!dwfl)
        give_up(p, "libdwfl");
    int r = p->core ? dwfl_core_file_report(dwfl, p->core->elf, NULL) < 0
                    : dwfl_linux_proc_report(dwfl, p->pid);
    if (r || dwfl_report_end(dwfl, NULL, NULL) != 0)
        give_up(p, "its modules cannot be read");
    return dwfl;
}

static bool is_suspended(const struct green_info *g)
{
    return g->state == GREEN_READY || g->state == GREEN_WAITING;
}

/* The threads are the elements of the snapshot. */
static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
    const struct stacks *stacks = arg;
    const struct snapshot *s = stacks->snapshot;
    struct green_info *g = *thread ? (struct green_info *)*thread + 1 : s->greens;
    (void)dwfl;
    while (g < s->greens + s->count && !is_suspended(g))
        g++;
    *thread = g;
    return g < s->greens + s->count ? g->id : 0;
}

static int by_id(const void *a, const void *b)
{
    const struct green_info *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static bool get_thread(Dwfl *dwfl, pid_t id, void *arg, void **thread)
{
    const struct stacks *stacks = arg;
    const struct snapshot *s = stacks->snapshot;
    struct green_info key = {.id = id};
    (void)dwfl;
    /* main comes first, whatever its id */
    *thread = s->count && s->greens->id == id
                  ? s->greens
                  : bsearch(&key, s->greens + 1, s->count - 1, sizeof key, by_id);
    return *thread != NULL;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *arg)
{
    const struct stacks *stacks = arg;
    (void)dwfl;
    return process_read(stacks->process, address, word, sizeof *word);
}

/* libdwfl passes only the thread on. */
static const struct process *observed_process;

/* The saved registers of a suspended context lie at its stack pointer; the last is where it goes on. */
static bool initial_registers(Dwfl_Thread *thread, void *arg)
{
    const struct green_info *g = arg;
    const struct process *p = observed_process;
    const struct evy_description *d = &p->d;
    Dwarf_Word value = g->sp + d->frame_size;
    if (!dwfl_thread_state_registers(thread, d->stack_pointer, 1, &value))
        return false;
    for (uint32_t i = 0; i < d->register_count; i++) {
        value = process_word(p, g->sp + d->registers[i].offset, sizeof value);
        if (i + 1 < d->register_count &&
            !dwfl_thread_state_registers(thread, d->registers[i].dwarf, 1, &value))
            return false;
    }
    dwfl_thread_state_register_pc(thread, value);
    return true;
}

static const Dwfl_Thread_Callbacks suspended_callbacks = {
    .next_thread = next_thread,
    .get_thread = get_thread,
    .memory_read = memory_read,
    .set_initial_registers = initial_registers,
};

static void print_source(Dwfl_Module *module, Dwarf_Addr address)
{
    int line;
    Dwfl_Line *at = dwfl_module_getsrc(module, address);
    const char *file = at ? dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL) : NULL;
    if (file)
        printf(" at %s:%d", file, line);
}

static int print_frame(Dwfl_Frame *frame, void *arg)
{
    int *number = arg;
    Dwarf_Addr pc;
    bool exact;
    if (!dwfl_frame_pc(frame, &pc, &exact) || *number == FRAMES_MOST)
        return DWARF_CB_ABORT;
    /* A return address lies behind the call, perhaps in the next line or function. */
    Dwarf_Addr at = pc - !exact;
    Dwfl_Module *module = dwfl_addrmodule(dwfl_thread_dwfl(dwfl_frame_thread(frame)), at);
    const char *name = module ? dwfl_module_addrname(module, at) : NULL;
    const char *file =
        module ? dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL) : NULL;
    const char *slash = file ? strrchr(file, '/') : NULL;
    printf("  #%-3d %#018lx %s", (*number)++, pc, name ? name : "?");
    if (module)
        print_source(module, at);
    printf(" (%s)\n", slash ? slash + 1 : file ? file : "no module");
    return DWARF_CB_OK;
}

struct stacks *stacks_open(const struct snapshot *s, const struct process *p)
{
    struct stacks *stacks = xalloc(sizeof *stacks);
    *stacks = (struct stacks){.snapshot = s, .process = p, .suspended = symbols_of(p)};
    observed_process = p;
    if (!dwfl_attach_state(stacks->suspended, NULL, p->pid, &suspended_callbacks, stacks))
        give_up(p, "its threads");
    return stacks;
}

void stacks_close(struct stacks *stacks)
{
    dwfl_end(stacks->suspended);
    if (stacks->kernel)
        dwfl_end(stacks->kernel);
    free(stacks);
}

static void attach(struct stacks *stacks)
{
    const struct process *p = stacks->process;
    stacks->kernel = symbols_of(p);
    if (p->core ? dwfl_core_file_attach(stacks->kernel, p->core->elf) < 0
                : dwfl_linux_proc_attach(stacks->kernel, p->pid, false))
        warn("process %d: its kernel threads cannot be looked at: %s", p->pid, dwfl_errmsg(-1));
}

void stacks_print(struct stacks *stacks, const struct green_info *g)
{
    int number = 0;
    int tid = g->state == GREEN_ALONE ? g->alone_on : stacks->snapshot->hubs[g->hub].tid;
    if (!is_suspended(g) && !stacks->kernel)
        attach(stacks);
    if (is_suspended(g))
        dwfl_getthread_frames(stacks->suspended, g->id, print_frame, &number);
    else
        dwfl_getthread_frames(stacks->kernel, tid, print_frame, &number);
    if (!number)
        printf("  its frames cannot be read: %s\n", dwfl_errmsg(-1));
}
