#include "core/observed_switch.h"

#include "body/annotate.h"
#include "core/cputime.h"
#include "core/hub.h"
#include "core/sched.h"
#include "core/trace.h"
#include "segment.h"

EVY_UNSEEN void observed_switch(struct hub *h, struct green *from, struct green *to)
{
    if (observes(OBSERVE_CROWD))
        sched_expect_crowd(h);
    trace(h, TRACE_RUN, to);
    if (observes(OBSERVE_STATS))
        h->parks += from->wake == WAKE_PARKED;
    if (observes(OBSERVE_CPU))
        cputime_switch(from, to);
    if (observes(OBSERVE_FIBERS))
        annotate_switch(&to->fiber, to->tp);
    if (observes(OBSERVE_SEGMENT)) {
        from->segment = segment_get();
        segment_set(to->segment);
    }
}
