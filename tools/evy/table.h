/* A snapshot as lines of text. */
#ifndef EVY_TABLE_H
#define EVY_TABLE_H

#include "snapshot.h"

struct table {
    char **lines; /* from malloc */
    size_t count; /* of lines */
    size_t heads; /* how many of them come before the first green thread */
};

/* order: one of 'i' (id), 'n' (name), 's' (state), 'h' (hub). */
void table_make(struct table *t, struct snapshot *s, const struct process *p, char order);
void table_free(struct table *t);

#endif
