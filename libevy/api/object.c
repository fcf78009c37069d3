#include "api/object.h"

#include "api/elf.h"
#include "api/import.h"
#include "base/config.h"
#include "reloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct hook_entry *hooks;
static size_t hooks_count;

/* Late binding: what a patched object looks up by name is green too. */
static const struct hook_entry lookup = {"dlsym", SUBSET_ALL, (void *)dlsym, (void *)import_dlsym,
                                         NULL};

void object_hooks(const struct hook_entry *entries, size_t count)
{
    hooks = entries;
    hooks_count = count;
}

const struct hook_entry *object_hook(const char *name)
{
    for (size_t i = 0; i < hooks_count; i++)
        if (strcmp(hooks[i].name, name) == 0)
            return &hooks[i];
    return strcmp(lookup.name, name) == 0 ? &lookup : NULL;
}

void *object_original(const char *name)
{
    const struct hook_entry *e = object_hook(name);
    return e && e->real ? *e->real : dlsym(RTLD_NEXT, name);
}

/* What to do with the slots of one object. */
struct redirect {
    const struct link_map *map;
    struct elf_spans spans;
    unsigned mask; /* subsets concerned */
    bool green;    /* to the green functions, else to the real ones */
    bool busy; /* the loader may not have relocated it completely: it protects the pages itself */
};

/* A slot that the loader has not bound yet leads into its own object. */
static bool replaceable(const struct redirect *r, const struct hook_entry *e, const void *now)
{
    uintptr_t at = (uintptr_t)now;
    return now == e->hook || now == e->unmasked || now == object_original(e->name) ||
           (at >= r->spans.all.from && at < r->spans.all.to);
}

static void redirect_slot(const struct redirect *r, const ElfW(Rela) * rela)
{
    const ElfW(Sym) *symbol =
        (const ElfW(Sym) *)elf_table(r->map, DT_SYMTAB) + ELF64_R_SYM(rela->r_info);
    unsigned type = ELF64_R_TYPE(rela->r_info);
    if ((type != RELOC_CALL && type != RELOC_GOT && type != RELOC_DATA) || rela->r_addend ||
        symbol->st_shndx != SHN_UNDEF)
        return;
    const struct hook_entry *e =
        object_hook((const char *)elf_table(r->map, DT_STRTAB) + symbol->st_name);
    void **slot = (void **)(r->map->l_addr + rela->r_offset);
    if (e && e->subset & r->mask && replaceable(r, e, *slot))
        __atomic_store_n(slot, r->green ? e->unmasked : object_original(e->name), __ATOMIC_RELEASE);
}

static void redirect_table(const struct redirect *r, long table, long size)
{
    const ElfW(Rela) *rela = elf_table(r->map, table);
    for (size_t n = elf_value(r->map, size) / sizeof *rela; rela && n; n--)
        redirect_slot(r, rela++);
}

/* The loader protects whole pages only: the last partial one stays writable. */
static int protect(const struct elf_span *relro, int how)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = align_down(relro->from, page), to = align_down(relro->to, page);
    return from < to && mprotect((void *)from, to - from, how) ? -errno : 0;
}

static int redirect_all(struct redirect *r)
{
    r->spans = elf_spans_of(r->map);
    int err = protect(&r->spans.relro, PROT_READ | PROT_WRITE);
    if (err)
        return err;
    redirect_table(r, DT_RELA, DT_RELASZ);
    redirect_table(r, DT_JMPREL, DT_PLTRELSZ);
    return r->busy ? 0 : protect(&r->spans.relro, PROT_READ);
}

int object_patch(const struct link_map *m, unsigned mask)
{
    return redirect_all(&(struct redirect){.map = m, .mask = mask, .green = true});
}

int object_restore(const struct link_map *m)
{
    return redirect_all(&(struct redirect){.map = m, .mask = SUBSET_ANY});
}

/* Slots that the loader has not got to lead nowhere yet, and stay; who loads the object comes by once more before its
   constructors run. */
void object_exclude(bool busy)
{
    for (const struct link_map *m = *config.exclude.text ? _r_debug.r_map : NULL; m; m = m->l_next)
        if (config_excludes(m->l_name))
            redirect_all(&(struct redirect){.map = m, .mask = SUBSET_ANY, .busy = busy});
}
