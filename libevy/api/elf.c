#include "api/elf.h"

#include <string.h>
#include <sys/auxv.h>

static const ElfW(Dyn) * find(const struct link_map *m, long tag)
{
    const ElfW(Dyn) *d = m->l_ld;
    while (d && d->d_tag != DT_NULL && d->d_tag != tag)
        d++;
    return d && d->d_tag == tag ? d : NULL;
}

size_t elf_value(const struct link_map *m, long tag)
{
    const ElfW(Dyn) *d = find(m, tag);
    return d ? d->d_un.d_val : 0;
}

/* The loader adds the base to the pointers of every object but the kernel's (the vDSO). */
const void *elf_table(const struct link_map *m, long tag)
{
    uintptr_t at = elf_value(m, tag);
    return (const void *)(at && at < m->l_addr ? at + m->l_addr : at);
}

bool elf_needs(const struct link_map *m, const char *soname)
{
    const char *strings = elf_table(m, DT_STRTAB);
    for (const ElfW(Dyn) *d = m->l_ld; strings && d && d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_NEEDED && strcmp(strings + d->d_un.d_val, soname) == 0)
            return true;
    return false;
}

const char *elf_soname(const struct link_map *m)
{
    const char *strings = elf_table(m, DT_STRTAB);
    size_t at = elf_value(m, DT_SONAME);
    return strings && at ? strings + at : NULL;
}

bool elf_anyone_needs(const char *soname)
{
    for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next)
        if (elf_needs(m, soname))
            return true;
    return false;
}

/* Of notes aligned to 4, as Go's is: a header, the name and what is told, both padded. */
static bool go_note_among(const char *note, const char *end)
{
    static const char go[4] = "Go";
    while (note + sizeof(ElfW(Nhdr)) + sizeof go <= end) {
        const ElfW(Nhdr) *n = (const void *)note;
        if (n->n_namesz == sizeof go && memcmp(n + 1, go, sizeof go) == 0)
            return true;
        note += sizeof *n + ((n->n_namesz + 3UL) & ~3UL) + ((n->n_descsz + 3UL) & ~3UL);
    }
    return false;
}

bool elf_program_is_go(void)
{
    const ElfW(Phdr) *p = (const void *)getauxval(AT_PHDR), *end = p + getauxval(AT_PHNUM);
    for (; p && p < end; p++) {
        const char *at = (const char *)_r_debug.r_map->l_addr + p->p_vaddr;
        if (p->p_type == PT_NOTE && p->p_align <= 4 && go_note_among(at, at + p->p_memsz))
            return true;
    }
    return false;
}

struct search {
    const struct link_map *map;
    struct elf_spans spans;
};

static void extend(struct elf_span *s, uintptr_t from, uintptr_t to)
{
    s->from = s->to == 0 || from < s->from ? from : s->from;
    s->to = to > s->to ? to : s->to;
}

static int spans_of(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *s = arg;
    if (info->dlpi_addr != s->map->l_addr || strcmp(info->dlpi_name, s->map->l_name) != 0)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD)
            extend(&s->spans.all, at, at + p->p_memsz);
        if (p->p_type == PT_GNU_RELRO)
            extend(&s->spans.relro, at, at + p->p_memsz);
    }
    return 1;
}

struct elf_spans elf_spans_of(const struct link_map *m)
{
    struct search s = {.map = m};
    dl_iterate_phdr(spans_of, &s);
    return s.spans;
}
