/* A snapshot as lines of text. */
#ifndef EVY_TABLE_H
#define EVY_TABLE_H

#include "snapshot.h"

struct table {
    struct snapshot *s; /* borrowed, as is the process */
    const struct process *p;
    size_t heads; /* lines before the first green thread; the last of them names the columns */
    size_t count; /* of all lines */
};

/* The order that a word or its first letter means: id, name, state, hub, time, cpu. Dies, as the command, when none. */
char table_order(const char *command, const char *word);

/* The word for an order. */
const char *table_order_name(char order);

void table_make(struct table *t, struct snapshot *s, const struct process *p, char order);

/* One line, from malloc: only what is shown needs to be found out. */
char *table_line(const struct table *t, size_t i);

/* All lines on stdout. */
void table_print(const struct table *t);

#endif
