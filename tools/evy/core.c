#include "core.h"

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

/* Calls fn with each note of the file. */
static void each_note(const struct core *core, void (*fn)(unsigned type, Elf_Data *note, void *arg),
                      void *arg)
{
    size_t count = 0;
    elf_getphdrnum(core->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(core->elf, (int)i, &segment) || segment.p_type != PT_NOTE)
            continue;
        Elf_Data *notes = elf_getdata_rawchunk(core->elf, (int64_t)segment.p_offset,
                                               segment.p_filesz, ELF_T_NHDR);
        GElf_Nhdr header;
        size_t name, at, next = 0;
        while (notes && (next = gelf_getnote(notes, next, &header, &name, &at))) {
            Elf_Data note = {.d_buf = (char *)notes->d_buf + at, .d_size = header.n_descsz};
            fn(header.n_type, &note, arg);
        }
    }
}

static void note_process(unsigned type, Elf_Data *note, void *arg)
{
    struct core *core = arg;
    const struct elf_prpsinfo *info = note->d_buf;
    if (type != NT_PRPSINFO || note->d_size < sizeof *info)
        return;
    core->pid = info->pr_pid;
    memcpy(core->name, info->pr_fname, sizeof info->pr_fname);
}

struct core *core_open(const char *path)
{
    GElf_Ehdr header;
    struct core *core = xalloc(sizeof *core);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        die("%s: %s", path, strerror(errno));
    elf_version(EV_CURRENT);
    core->path = path;
    core->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (!core->elf || elf_kind(core->elf) != ELF_K_ELF || !gelf_getehdr(core->elf, &header) ||
        header.e_type != ET_CORE)
        die("%s: neither a process id nor a core file", path);
    core->bytes = elf_rawfile(core->elf, &core->size);
    close(fd);
    each_note(core, note_process, core);
    return core;
}

bool core_read(const struct core *core, uint64_t address, void *to, size_t n)
{
    size_t count = 0;
    elf_getphdrnum(core->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(core->elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
            address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
            continue;
        uint64_t within = address - segment.p_vaddr, there = segment.p_filesz - within;
        uint64_t at = segment.p_offset + within, first = n < there ? n : there;
        if (at > core->size || first > core->size - at)
            return false;
        memcpy(to, core->bytes + at, first);
        return first == n || core_read(core, address + first, (char *)to + first, n - first);
    }
    return false;
}

/* NT_FILE: how many, the size of a page, begin, end and offset of each, then the names. */
static void note_files(unsigned type, Elf_Data *note, void *arg)
{
    const uint64_t *words = note->d_buf;
    if (type != NT_FILE || note->d_size < 16 || words[0] > (note->d_size - 16) / 24)
        return;
    const char *name = (const char *)(words + 2 + 3 * words[0]);
    const char *end = (const char *)note->d_buf + note->d_size;
    for (uint64_t i = 0; i < words[0] && memchr(name, '\0', (size_t)(end - name)); i++) {
        modules_add_mapping(arg, name, words[2 + 3 * i], words[3 + 3 * i]);
        name += strlen(name) + 1;
    }
}

void core_modules(const struct core *core, struct modules *modules)
{
    *modules = (struct modules){0};
    each_note(core, note_files, modules);
    modules_find_libevy(modules);
}
