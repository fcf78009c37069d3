#include "stack.h"

#include "cmd.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_MOST 200

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

/* What is known of the code of a process. */
static Dwfl *symbols_of(const struct process *p)
{
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!dwfl || dwfl_linux_proc_report(dwfl, p->pid) != 0 ||
        dwfl_report_end(dwfl, NULL, NULL) != 0)
        die("process %d: its modules cannot be read: %s", p->pid, dwfl_errmsg(-1));
    return dwfl;
}

/* One suspended green thread, as libdwfl asks for it. */
struct suspended {
    const struct process *process;
    const struct green_info *green;
};

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
    struct suspended *s = arg;
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = s;
    return s->green->id;
}

static bool get_thread(Dwfl *dwfl, pid_t id, void *arg, void **thread)
{
    struct suspended *s = arg;
    (void)dwfl;
    *thread = s;
    return id == s->green->id;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *arg)
{
    struct suspended *s = arg;
    (void)dwfl;
    return process_read(s->process, address, word, sizeof *word);
}

/* The saved registers of a suspended context lie at its stack pointer; the last is where it goes on. */
static bool initial_registers(Dwfl_Thread *thread, void *arg)
{
    struct suspended *s = arg;
    const struct evy_description *d = &s->process->d;
    Dwarf_Word value = s->green->sp + d->frame_size;
    if (!dwfl_thread_state_registers(thread, d->stack_pointer, 1, &value))
        return false;
    for (uint32_t i = 0; i < d->register_count; i++) {
        value = process_word(s->process, s->green->sp + d->registers[i].offset, sizeof value);
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

static void print_suspended(const struct process *p, const struct green_info *g)
{
    int number = 0;
    struct suspended s = {p, g};
    Dwfl *dwfl = symbols_of(p); /* libdwfl attaches one set of threads to each */
    if (!dwfl_attach_state(dwfl, NULL, p->pid, &suspended_callbacks, &s))
        die("process %d: %s", p->pid, dwfl_errmsg(-1));
    dwfl_getthread_frames(dwfl, g->id, print_frame, &number);
    dwfl_end(dwfl);
}

static void print_running(const struct process *p, int tid)
{
    int number = 0;
    Dwfl *dwfl = symbols_of(p);
    if (dwfl_linux_proc_attach(dwfl, p->pid, false) != 0)
        printf("  kernel thread %d cannot be stopped to look at: %s\n", tid, dwfl_errmsg(-1));
    else
        dwfl_getthread_frames(dwfl, tid, print_frame, &number);
    dwfl_end(dwfl);
}

void stack_print(const struct snapshot *s, const struct process *p, const struct green_info *g)
{
    if (g->state == GREEN_ALONE)
        print_running(p, g->alone_on);
    else if (g->state == GREEN_RUNNING)
        print_running(p, s->hubs[g->hub].tid);
    else
        print_suspended(p, g);
}
