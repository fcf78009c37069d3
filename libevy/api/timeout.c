#include "api/api.h"

#include "core/raise.h"

#include <evy/timeout.h>

_Static_assert(sizeof(struct raise) <= sizeof(evy_timeout), "an evy_timeout holds a struct raise");

static struct raise *raise_of(const evy_timeout *t)
{
    return (struct raise *)t;
}

EVY_API int evy_timeout_start(evy_timeout *t, double seconds, int err)
{
    deadline_t at;
    int r = t && err >= 0 ? api_deadline(seconds, &at) : -EINVAL;
    if (r == 0 && evy_timeout_pending(t))
        r = -EBUSY;
    if (r == 0 && !api_self())
        return -1;
    return api_edge(r ? r : raise_arm(raise_of(t), at, err ? err : ETIMEDOUT));
}

EVY_API int evy_timeout_cancel(evy_timeout *t)
{
    return t && raise_cancel(raise_of(t));
}

EVY_API int evy_timeout_pending(const evy_timeout *t)
{
    return t && raise_of(t)->state == RAISE_ARMED;
}

EVY_API int evy_timeout_fired(const evy_timeout *t)
{
    return t && (raise_of(t)->state == RAISE_FIRED || raise_of(t)->state == RAISE_DELIVERED);
}

EVY_API evy_timeout *evy_timeout_last(void)
{
    const struct green *g = self();
    return g ? (evy_timeout *)g->raises.last : NULL;
}

EVY_API int evy_with_timeout(double seconds, int (*fn)(void *), void *arg, int *timed_out)
{
    evy_timeout t = EVY_TIMEOUT_INIT;
    if (timed_out)
        *timed_out = 0;
    if (!fn)
        return api_edge(-EINVAL);
    if (evy_timeout_start(&t, seconds, 0))
        return -1;
    int r = fn(arg), saved = errno;
    bool mine = evy_timeout_cancel(&t) && r < 0;
    if (timed_out)
        *timed_out = mine;
    if (evy_timeout_last() == &t)
        self()->raises.last = NULL;
    errno = mine ? ETIMEDOUT : saved;
    return r;
}

EVY_API int evy_is_timeout(int err)
{
    return err == ETIMEDOUT || err == ETIME;
}
