/* What there is, in lines of text. */
#ifndef EVY_API_REPORT_H
#define EVY_API_REPORT_H

#include "base/base.h"

/* Text that grows up to its room, which is got beforehand: who writes may not allocate. */
struct report {
    char *text;
    size_t n, room;
};

/* Each makes a report, whose text the caller frees. Returns 0 or -errno. May switch. */
int report_threads(struct report *r);
int report_hubs(struct report *r);
int report_timers(struct report *r);
int report_fds(struct report *r);

#endif
