/* What evy bench has measured, and its picture. */
#ifndef EVY_PLOT_H
#define EVY_PLOT_H

#include <stddef.h>

enum measure { WALL, CPU, PEAK, MEASURES };
extern const char *const measure_names[MEASURES];

struct series {
    size_t count;             /* runs */
    double *values[MEASURES]; /* of each run, ascending */
};

double series_median(const struct series *s, enum measure m);

/* Writes an SVG file that shows each run as a dot and the medians as bars, native medians being 1. */
void plot_write(const char *path, const char *title, const struct series *native,
                const struct series *green);

#endif
