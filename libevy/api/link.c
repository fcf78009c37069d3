/* Links: what is called when a green thread ends. */
#include "api/gt.h"

#include <stdlib.h>

struct link {
    struct list node;             /* in gt.links of the green thread linked to */
    void (*cb)(evy_gt *, void *); /* called with it and arg */
    void *arg;
};

/* One that a link makes comes behind the others. */
void links_run(struct green *g)
{
    while (!list_empty(&g->gt.links)) {
        struct link l = *list_entry(g->gt.links.next, struct link, node);
        struct list *node = g->gt.links.next;
        list_remove(node);
        free(list_entry(node, struct link, node));
        l.cb(handle_of(g), l.arg);
    }
}

EVY_API int evy_gt_link(evy_gt *handle, void (*cb)(evy_gt *, void *), void *arg)
{
    struct green *g = green_of(handle);
    if (!gt_is_ours(g) || gt_is(g, GT_NO_RESULT) || !cb)
        return api_edge(-EINVAL);
    if (gt_is(g, GT_DEAD)) {
        cb(handle, arg);
        return 0;
    }
    struct link *l = malloc(sizeof *l);
    if (!l)
        return api_edge(-ENOMEM);
    *l = (struct link){.cb = cb, .arg = arg};
    list_append(&g->gt.links, &l->node);
    return 0;
}

EVY_API int evy_gt_unlink(evy_gt *handle, void (*cb)(evy_gt *, void *), void *arg)
{
    struct green *g = green_of(handle);
    if (!gt_is_ours(g) || !cb)
        return api_edge(-EINVAL);
    list_for_each (node, &g->gt.links) {
        struct link *l = list_entry(node, struct link, node);
        if (l->cb != cb || l->arg != arg)
            continue;
        list_remove(node);
        free(l);
        return 0;
    }
    return api_edge(-ENOENT);
}
