#include "program.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Whether what the kernel would map is all there. */
static bool is_complete(const struct image *image)
{
    size_t size;
    bool loads = image->header.e_type == ET_REL; /* has nothing to map */
    if (!elf_rawfile(image->elf, &size))
        return false;
    for (int i = 0; i < image->header.e_phnum; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(image->elf, i, &segment))
            return false;
        if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > size)
            return false;
        loads |= segment.p_type == PT_LOAD;
    }
    return loads;
}

bool image_open(struct image *image, const char *path)
{
    elf_version(EV_CURRENT);
    image->path = path;
    image->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (image->fd < 0)
        return false;
    image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
    if (image->elf && elf_kind(image->elf) == ELF_K_ELF &&
        gelf_getehdr(image->elf, &image->header) && is_complete(image))
        return true;
    image_close(image);
    return false;
}

void image_close(struct image *image)
{
    elf_end(image->elf);
    close(image->fd);
}

Elf_Scn *image_section(const struct image *image, unsigned type, const char *name,
                       GElf_Shdr *header)
{
    size_t names;
    if (elf_getshdrstrndx(image->elf, &names))
        return NULL;
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image->elf, section))) {
        if (!gelf_getshdr(section, header))
            continue;
        const char *its = elf_strptr(image->elf, names, header->sh_name);
        if (name ? its && strcmp(its, name) == 0 : header->sh_type == type)
            return section;
    }
    return NULL;
}

const char *image_interpreter(const struct image *image)
{
    size_t size;
    const char *raw = elf_rawfile(image->elf, &size);
    for (int i = 0; raw && i < image->header.e_phnum; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(image->elf, i, &segment) || segment.p_type != PT_INTERP)
            continue;
        if (segment.p_offset < size && segment.p_filesz <= size - segment.p_offset &&
            memchr(raw + segment.p_offset, '\0', segment.p_filesz))
            return raw + segment.p_offset;
    }
    return NULL;
}

bool image_is_pie(const struct image *image)
{
    GElf_Shdr header;
    GElf_Dyn entry;
    Elf_Scn *section = image_section(image, SHT_DYNAMIC, NULL, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    for (int i = 0; data && gelf_getdyn(data, i, &entry); i++)
        if (entry.d_tag == DT_FLAGS_1)
            return entry.d_un.d_val & DF_1_PIE;
    return false;
}
