/* What can be told of an executable without running it. */
#ifndef EVY_PROGRAM_H
#define EVY_PROGRAM_H

#include <gelf.h>
#include <stdbool.h>

/* The executable that NAME means, as a shell finds it; dies when there is none. From malloc. */
char *program_find(const char *name);

/* The ELF file that the kernel runs for `path`: of a script, its interpreter (through env too). Dies with one
   line when it is neither. From malloc. */
char *program_image(const char *path);

/* Why libevy cannot work in the ELF file `path`, one sentence from malloc, or NULL when it can. `library` is
   the libevy that would be preloaded. */
char *program_refusal(const char *path, const char *library);

/* The executable that NAME means, when libevy can work in it; else dies, or with force only warns. From malloc. */
char *program_accept(const char *name, bool force);

/* An open ELF file. */
struct image {
    const char *path; /* borrowed */
    int fd;           /* of the file */
    Elf *elf;         /* libelf's view of it */
    GElf_Ehdr header; /* its ELF header */
};

/* Returns false when the file cannot be read or is no complete ELF file. */
bool image_open(struct image *image, const char *path);
void image_close(struct image *image);

/* The section of that type or name; NULL when there is none. *header is set when there is one. */
Elf_Scn *image_section(const struct image *image, unsigned type, const char *name,
                       GElf_Shdr *header);

/* The program interpreter, borrowed from the image; NULL of a static one. */
const char *image_interpreter(const struct image *image);

/* Whether a file of type ET_DYN says that it is a program. */
bool image_is_pie(const struct image *image);

/* The libevy.so that belongs to this evy: beside it in a build tree, or where it was installed. Dies when
   there is none. */
const char *library_find(void);

/* Puts the library first into LD_PRELOAD, so that it stands before the program's own libraries in every
   look-up; the user's own stay behind it. */
void library_preload(const char *library);

#endif
