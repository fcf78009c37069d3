/* From the library's trace files (core/trace.h) to the Trace Event Format: one JSON object. */
#ifndef EVY_EVENTS_H
#define EVY_EVENTS_H

#include <stdio.h>

struct event_totals {
    unsigned long seen;    /* events of all files */
    unsigned long dropped; /* of them, those that did not fit */
};

void events_begin(FILE *json);

/* Adds what a process has recorded. Dies when the file is none of the library's. */
void events_write(FILE *json, const char *path, struct event_totals *totals);
void events_end(FILE *json);

#endif
