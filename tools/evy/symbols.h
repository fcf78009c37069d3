/* What libevy does about a symbol of libc. */
#ifndef EVY_SYMBOLS_H
#define EVY_SYMBOLS_H

struct symbol {
    const char *name;
    const char *subset; /* the group of EVY_PATCH it belongs to, in capitals; NULL: stays native */
    const char
        *note; /* of a hook: the symbol it is another name of, or NULL; else what native means */
};

/* The entry for a hooked symbol, or for one that can wait and stays native; else NULL. */
const struct symbol *symbol_find(const char *name);

/* The group of a hooked symbol, also of an alias. */
const char *symbol_subset(const struct symbol *symbol);

#endif
