/* evy doctor: which waits of a program libevy sees. */
#include "cmd.h"
#include "modules.h"
#include "program.h"
#include "symbols.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: evy doctor PROGRAM | PID\n"
    "\n"
    "Lists the calls of a program and its libraries that can wait: which are green under libevy, "
    "which\n"
    "stay native and what that means, and system calls made without libc. Of a running process "
    "(PID)\n"
    "also whether its calls really reach libevy. The last line is the verdict.\n"
    "\n"
    "The exit status is 0 when libevy works for it, 1 when not, 2 for a wrong command line.\n";

/* What was found in all modules together. */
struct findings {
    const struct symbol **used; /* each once, in order of discovery */
    size_t count;               /* of used */
    bool threads;               /* something creates threads */
    unsigned native;            /* of used, those that stay native */
    unsigned raw;               /* places that make system calls without libc */
    unsigned astray;            /* calls bound to something else than libevy */
};

static bool makes_threads(const char *name)
{
    return strcmp(name, "pthread_create") == 0 || strcmp(name, "thrd_create") == 0;
}

static void note_import(const char *name, void *arg)
{
    struct findings *f = arg;
    const struct symbol *symbol = symbol_find(name);
    if (!symbol)
        return;
    f->threads |= makes_threads(name);
    for (size_t i = 0; i < f->count; i++)
        if (f->used[i] == symbol)
            return;
    f->used = realloc(f->used, (f->count + 1) * sizeof *f->used);
    if (!f->used)
        die("out of memory");
    f->used[f->count++] = symbol;
    f->native += !symbol->subset;
}

static int by_subset(const void *a, const void *b)
{
    const struct symbol *x = *(const struct symbol *const *)a;
    const struct symbol *y = *(const struct symbol *const *)b;
    const char *s = symbol_subset(x), *t = symbol_subset(y);
    int order = s && t ? strcmp(s, t) : !s - !t;
    return order ? order : strcmp(x->name, y->name);
}

static void print_lower(const char *text)
{
    int n = 0;
    for (; *text; text++, n++)
        putchar(tolower((unsigned char)*text));
    printf("%*s", n < 8 ? 8 - n : 0, "");
}

/* The hooked symbols, a paragraph a group. */
static void print_green(const struct findings *f)
{
    const char *subset = NULL;
    int column = 0;
    puts("green:");
    for (size_t i = 0; i < f->count && f->used[i]->subset; i++) {
        const char *its = symbol_subset(f->used[i]);
        if (!subset || strcmp(its, subset) != 0) {
            printf(subset ? "\n  " : "  ");
            print_lower(subset = its);
            column = 10;
        } else if (column + 1 + (int)strlen(f->used[i]->name) > 100) {
            printf("\n%10s", "");
            column = 10;
        }
        column += printf(" %s", f->used[i]->name);
    }
    puts(subset ? "" : "  none");
}

static void print_native(const struct findings *f)
{
    if (!f->native)
        return;
    puts("native:");
    for (size_t i = f->count - f->native; i < f->count; i++)
        printf("  %-24s %s\n", f->used[i]->name, f->used[i]->note);
}

static void examine(const struct module *module, struct findings *f)
{
    struct image image;
    if (!image_open(&image, module->path)) {
        printf("  %s: cannot be read\n", module->path);
        return;
    }
    modules_imports(&image, note_import, f);
    struct raw_calls raw = modules_raw_calls(&image);
    if (raw.count)
        printf("  %s: %u places look like system calls without libc%s\n", module->path, raw.count,
               raw.uring ? ", some of them io_uring's" : "");
    f->raw += raw.count;
    image_close(&image);
}

/* The last line; returns the exit status. */
static int verdict(const struct findings *f)
{
    if (f->astray)
        puts("verdict: some of its calls do not reach libevy: their waits are seen late, and what "
             "they do to "
             "threads and locks is not");
    else if (!f->threads)
        puts(
            "verdict: nothing here creates threads by pthread_create: it runs as it does natively");
    else if (f->raw || f->native)
        puts("verdict: its threads become green threads; waits in what is listed as native or made "
             "without "
             "libc cost about 10 ms before the others go on");
    else
        puts("verdict: its threads become green threads, and libevy sees every wait");
    return f->astray != 0;
}

static int report(struct modules *modules)
{
    struct findings f = {0};
    for (size_t i = 0; i < modules->count; i++)
        if (!modules->all[i].system)
            examine(&modules->all[i], &f);
    qsort(f.used, f.count, sizeof *f.used, by_subset);
    print_green(&f);
    print_native(&f);
    for (size_t i = 0; modules->pid && i < modules->count; i++)
        if (!modules->all[i].system)
            f.astray += modules_astray(modules, &modules->all[i]);
    return verdict(&f);
}

static int doctor_program(const char *name)
{
    char *path = program_find(name);
    char *image = program_image(path);
    char *why = program_refusal(image, library_find());
    if (why) {
        printf("%s %s\nverdict: libevy cannot work here\n", image, why);
        return 1;
    }
    struct modules modules;
    modules_of_program(&modules, image);
    printf("%s and the %zu libraries it starts with\n", image, modules.count - 1);
    return report(&modules);
}

static int doctor_process(int pid)
{
    struct modules modules;
    modules_of_process(&modules, pid);
    if (!modules.libevy)
        die("process %d does not run under libevy", pid);
    printf("process %d: %s and %zu more modules\n", pid, modules.all[0].path, modules.count - 1);
    return report(&modules);
}

int cmd_doctor(int argc, char **argv)
{
    int first = arguments_begin(argc, argv, help);
    if (first + 1 != argc)
        die_usage("doctor: one program or process id, please; evy doctor --help tells more");
    const char *what = argv[first];
    if (*what && what[strspn(what, "0123456789")] == '\0')
        return doctor_process(process_id(what));
    return doctor_program(what);
}
