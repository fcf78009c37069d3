/* What a module asks of others: imported symbols, their slots in a running process, system calls of its own. */
#include "cmd.h"
#include "modules.h"
#include "symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

void modules_imports(const struct image *image, void (*fn)(const char *name, void *arg), void *arg)
{
    GElf_Shdr header;
    Elf_Scn *section = image_section(image, SHT_DYNSYM, NULL, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    size_t count = data && header.sh_entsize ? header.sh_size / header.sh_entsize : 0;
    for (size_t i = 1; i < count; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx != SHN_UNDEF)
            continue;
        const char *name = elf_strptr(image->elf, header.sh_link, symbol.st_name);
        if (name && *name)
            fn(name, arg);
    }
}

/* The constant that `mov imm32, %eax` near before puts there; 0: none. */
static unsigned number_before(const unsigned char *code, size_t at)
{
    for (size_t back = 5; back <= 24 && back <= at; back++)
        if (code[at - back] == 0xb8 && code[at - back + 2] < 4 && !code[at - back + 3] &&
            !code[at - back + 4])
            return code[at - back + 1] + 256u * code[at - back + 2];
    return 0;
}

/* x86-64: `syscall`, and near before it a constant put into eax, or behind it the usual look at the result.
   Two bytes alone would also be found inside other instructions. */
static bool looks_raw_x86(const unsigned char *code, size_t at, size_t size, unsigned *number)
{
    if (code[at] != 0x0f || code[at + 1] != 0x05)
        return false;
    static const unsigned char compare[] = {0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff};
    *number = number_before(code, at);
    return *number ||
           (size - at >= 2 + sizeof compare && memcmp(code + at + 2, compare, sizeof compare) == 0);
}

/* `mov x8, number` right before. */
static bool looks_raw_arm(const unsigned char *code, size_t at, size_t size, unsigned *number)
{
    static const unsigned char svc[] = {0x01, 0x00, 0x00, 0xd4};
    uint32_t before;
    if (at % 4 || size - at < 4 || memcmp(code + at, svc, 4) != 0)
        return false;
    if (at >= 4 && memcpy(&before, code + at - 4, 4) && (before & 0xffe0001f) == 0xd2800008)
        *number = before >> 5 & 0xffff;
    return true;
}

static bool looks_raw(unsigned machine, const unsigned char *code, size_t at, size_t size,
                      unsigned *number)
{
    *number = 0;
    if (machine == EM_AARCH64)
        return looks_raw_arm(code, at, size, number);
    return machine == EM_X86_64 && size - at >= 2 && looks_raw_x86(code, at, size, number);
}

/* io_uring_setup, _enter and _register have the same numbers on all CPUs. */
static bool is_uring(unsigned number)
{
    return number >= 425 && number <= 427;
}

static void look_for_calls(const struct image *image, const Elf_Data *data, struct raw_calls *raw)
{
    for (size_t at = 0; data && data->d_buf && at < data->d_size; at++) {
        unsigned number;
        if (looks_raw(image->header.e_machine, data->d_buf, at, data->d_size, &number)) {
            raw->count++;
            raw->uring += is_uring(number);
        }
    }
}

struct raw_calls modules_raw_calls(const struct image *image)
{
    struct raw_calls raw = {0, 0};
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image->elf, section))) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
            !(header.sh_flags & SHF_EXECINSTR))
            continue;
        look_for_calls(image, elf_getdata(section, NULL), &raw);
    }
    return raw;
}

static bool is_slot(unsigned machine, unsigned type)
{
    if (machine == EM_X86_64)
        return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
    return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}

/* Where the lowest segment wants to be: the module's addresses are relative to it. */
static uintptr_t lowest_address(const struct image *image)
{
    for (int i = 0; i < image->header.e_phnum; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(image->elf, i, &segment) && segment.p_type == PT_LOAD)
            return segment.p_vaddr & -segment.p_align;
    }
    return 0;
}

static bool inside(const struct module *module, uintptr_t address)
{
    return address >= module->low && address < module->high;
}

/* What a slot of the process holds; 0 when it cannot be read. */
static uintptr_t slot_value(pid_t pid, uintptr_t address)
{
    uintptr_t value = 0;
    struct iovec to = {&value, sizeof value}, from = {(void *)address, sizeof value};
    if (process_vm_readv(pid, &to, 1, &from, 1, 0) != sizeof value)
        die("process %d: %s", pid, strerror(errno));
    return value;
}

/* The slots of one relocation section. A slot that still leads into its own module is not bound yet: the
   loader will find libevy first. */
static unsigned astray_in(const struct modules *modules, const struct module *module,
                          const struct image *image, Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Shdr symbols_header;
    Elf_Scn *symbols = elf_getscn(image->elf, header->sh_link);
    Elf_Data *symbol_data = symbols ? elf_getdata(symbols, NULL) : NULL;
    Elf_Data *data = elf_getdata(section, NULL);
    if (!data || !symbol_data || !gelf_getshdr(symbols, &symbols_header) || !header->sh_entsize)
        return 0;
    uintptr_t bias = module->low - lowest_address(image);
    unsigned found = 0;
    for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
        GElf_Rela rela;
        GElf_Sym symbol;
        if (!gelf_getrela(data, (int)i, &rela) ||
            !is_slot(image->header.e_machine, GELF_R_TYPE(rela.r_info)) ||
            !gelf_getsym(symbol_data, (int)GELF_R_SYM(rela.r_info), &symbol))
            continue;
        const char *name = elf_strptr(image->elf, symbols_header.sh_link, symbol.st_name);
        const struct symbol *known = name ? symbol_find(name) : NULL;
        if (!known || !known->subset)
            continue;
        uintptr_t value = slot_value(modules->pid, bias + rela.r_offset);
        if (!value || inside(modules->libevy, value) || inside(module, value))
            continue;
        printf("  %s: %s does not lead to libevy\n", module->path, name);
        found++;
    }
    return found;
}

unsigned modules_astray(const struct modules *modules, const struct module *module)
{
    struct image image;
    if (!image_open(&image, module->path))
        return 0;
    unsigned found = 0;
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(image.elf, section))) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA)
            found += astray_in(modules, module, &image, section, &header);
    }
    image_close(&image);
    return found;
}
