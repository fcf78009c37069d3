#include "symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOOK(subset, when, ret, name, params, args, version) {#name, #subset, NULL},
#define OWN HOOK
#define BLOCK HOOK
#define ALIAS(alias, name) {#alias, "", #name},
#define CHK(subset, name, ret, params) {#name, #subset, NULL},

/* Calls that can keep a kernel thread waiting and that libevy leaves alone. */
#define LATE "its hub goes on without the thread after about 10 ms"

static const struct symbol symbols[] = {
#include "preload/hooks.def"
    {"getpwnam_r", NULL, "may ask a directory server; " LATE},
    {"getpwuid_r", NULL, "may ask a directory server; " LATE},
    {"getgrnam_r", NULL, "may ask a directory server; " LATE},
    {"getgrgid_r", NULL, "may ask a directory server; " LATE},
    {"getgrouplist", NULL, "may ask a directory server; " LATE},
    {"initgroups", NULL, "may ask a directory server; " LATE},
    {"dlopen", NULL, "runs constructors under the loader's lock; " LATE},
    {"ptrace", NULL, "acts for the kernel thread that calls it, not for the green thread"},
    {"clone", NULL, "makes a kernel thread or process that libevy does not know"},
    {"io_uring_setup", NULL, "completions are waited for by the program's own system calls; " LATE},
    {"io_uring_enter", NULL, LATE},
    {"io_uring_queue_init", NULL, "waits of io_uring are seen late; " LATE},
    {"io_uring_queue_init_params", NULL, "waits of io_uring are seen late; " LATE},
    {"__io_uring_get_cqe", NULL, LATE},
    {"io_uring_submit_and_wait", NULL, LATE},
    {"io_uring_wait_cqes", NULL, LATE},
    {"io_uring_wait_cqe_timeout", NULL, LATE},
};

static int by_name(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    return strcmp(x->name, y->name);
}

const struct symbol *symbol_find(const char *name)
{
    static struct symbol sorted[sizeof symbols / sizeof *symbols];
    if (!sorted->name) {
        memcpy(sorted, symbols, sizeof symbols);
        qsort(sorted, sizeof symbols / sizeof *symbols, sizeof *symbols, by_name);
    }
    const struct symbol key = {.name = name};
    return bsearch(&key, sorted, sizeof symbols / sizeof *symbols, sizeof *symbols, by_name);
}

/* __recv_chk is recv with a bound. */
static const struct symbol *unfortified(const char *name)
{
    char plain[64];
    int n = snprintf(plain, sizeof plain, "%.*s", (int)strlen(name) - 6, name + 2);
    return n > 0 ? symbol_find(plain) : NULL;
}

const char *symbol_subset(const struct symbol *symbol)
{
    if (!symbol->subset || *symbol->subset)
        return symbol->subset;
    const struct symbol *of = symbol->note ? symbol_find(symbol->note) : unfortified(symbol->name);
    return of && of->subset && *of->subset ? of->subset : "STDIO";
}
