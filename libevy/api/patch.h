/* What evy_monkey_patch and evy_import_patched share. */
#ifndef EVY_API_PATCH_H
#define EVY_API_PATCH_H

/* Whether the subsets of mask can be green: 0, -EINVAL for bits that are none, -ENOTSUP for threads on a libc whose
   layout could not be found out. */
int patch_prepare(unsigned mask);

#endif
