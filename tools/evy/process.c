#include "process.h"

#include "cmd.h"
#include "modules.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

bool process_read(const struct process *p, uint64_t address, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)address, n};
    return process_vm_readv(p->pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

uint64_t process_word(const struct process *p, uint64_t address, size_t size)
{
    uint64_t word = 0; /* both CPUs are little-endian: a shorter one lies at its start */
    if (size > sizeof word || !process_read(p, address, &word, size))
        return 0;
    return word;
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

void process_open(struct process *p, pid_t pid)
{
    struct modules modules;
    struct image library;
    modules_of_process(&modules, pid);
    if (!modules.libevy)
        die("process %d does not run under libevy", pid);
    const char *path = modules.libevy->path;
    if (!image_open(&library, path))
        die("process %d runs under %s, which cannot be read", pid, path);
    uint64_t offset = description_offset(&library);
    image_close(&library);
    p->pid = pid;
    if (!offset || !process_read(p, modules.libevy->low + offset, &p->d, sizeof p->d))
        die("process %d: its libevy (%s) cannot be observed: %s", pid, path,
            errno == EPERM ? "not permitted" : "it has no description");
    if (memcmp(p->d.magic, EVY_DESCRIPTION_MAGIC, sizeof p->d.magic) != 0 ||
        p->d.version != EVY_DESCRIPTION_VERSION || p->d.size != sizeof p->d)
        die("process %d runs under another version of libevy than this evy knows", pid);
}
