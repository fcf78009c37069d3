#include "process.h"

#include "cmd.h"
#include "core.h"
#include "modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define PAGE 4096
#define PAGES 1024 /* in the cache, by their number modulo this */

struct page_cache {
    uint64_t at[PAGES]; /* addresses, 0: none */
    char bytes[PAGES][PAGE];
};

static bool read_living(pid_t pid, uint64_t address, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)address, n};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

/* What lies within one page: fields of a structure are mostly read one after the other. */
static bool read_cached(const struct process *p, uint64_t address, void *to, size_t n)
{
    uint64_t start = address & ~(uint64_t)(PAGE - 1);
    size_t slot = start / PAGE % PAGES;
    struct page_cache *c = p->pages;
    if (c->at[slot] != start) {
        c->at[slot] = 0;
        if (!start || !read_living(p->pid, start, c->bytes[slot], PAGE))
            return false;
        c->at[slot] = start;
    }
    memcpy(to, c->bytes[slot] + (address - start), n);
    return true;
}

bool process_read(const struct process *p, uint64_t address, void *to, size_t n)
{
    if (p->core)
        return core_read(p->core, address, to, n);
    if (address % PAGE + n > PAGE)
        return read_living(p->pid, address, to, n);
    return read_cached(p, address, to, n);
}

uint64_t process_word(const struct process *p, uint64_t address, size_t size)
{
    uint64_t word = 0; /* both CPUs are little-endian: a shorter one lies at its start */
    if (size > sizeof word || !process_read(p, address, &word, size))
        return 0;
    return word;
}

void process_look(struct process *p)
{
    if (p->pages)
        memset(p->pages->at, 0, sizeof p->pages->at);
}

/* Where the library's description lies, relative to its start in memory. */
static uint64_t description_offset(const struct image *library)
{
    GElf_Shdr header;
    Elf_Scn *section = image_section(library, SHT_DYNSYM, NULL, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    for (size_t i = 1; data && i < header.sh_size / header.sh_entsize; i++) {
        GElf_Sym symbol;
        const char *name = gelf_getsym(data, (int)i, &symbol)
                               ? elf_strptr(library->elf, header.sh_link, symbol.st_name)
                               : NULL;
        if (name && strcmp(name, "evy_description") == 0)
            return symbol.st_value;
    }
    return 0;
}

static void read_name(struct process *p)
{
    char *path = xformat("/proc/%d/comm", p->pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(p->name, sizeof p->name, file))
        p->name[strcspn(p->name, "\n")] = '\0';
    if (file)
        fclose(file);
    free(path);
}

/* Opens the memory and finds the library in it. Returns what to call it in complaints. */
static const char *find_library(struct process *p, const char *what, struct modules *modules)
{
    *p = (struct process){0};
    if (*what && what[strspn(what, "0123456789")] == '\0') {
        p->pid = process_id(what);
        p->pages = xalloc(sizeof *p->pages);
        modules_of_process(modules, p->pid);
        read_name(p);
        if (!modules->libevy)
            die("process %d does not run under libevy", p->pid);
        return xformat("process %d", p->pid);
    }
    p->core = core_open(what);
    p->pid = p->core->pid;
    memcpy(p->name, p->core->name, sizeof p->name);
    core_modules(p->core, modules);
    if (!modules->libevy)
        die("%s is not of a process under libevy", what);
    return what;
}

void process_open(struct process *p, const char *what)
{
    struct modules modules;
    struct image library;
    const char *title = find_library(p, what, &modules);
    const char *path = modules.libevy->path;
    if (!image_open(&library, path))
        die("%s runs under %s, which cannot be read", title, path);
    uint64_t offset = description_offset(&library);
    image_close(&library);
    errno = 0;
    if (!offset || !process_read(p, modules.libevy->low + offset, &p->d, sizeof p->d))
        die("%s: its libevy (%s) cannot be observed: %s", title, path,
            errno == EPERM ? "not permitted" : "it has no description");
    if (memcmp(p->d.magic, EVY_DESCRIPTION_MAGIC, sizeof p->d.magic) != 0 ||
        p->d.version != EVY_DESCRIPTION_VERSION || p->d.size != sizeof p->d)
        die("%s runs under another version of libevy than this evy knows", title);
}
