#include "plot.h"

#include "cmd.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const measure_names[MEASURES] = {"wall s", "CPU s", "peak MB"};

enum { WIDTH = 640, HEIGHT = 360, LEFT = 60, BOTTOM = 310, TOP = 50, GROUP = 180, BAR = 60 };

/* The largest ratio to show, with some air above. */
static double range_of(const struct series *native, const struct series *green)
{
    double most = 1;
    for (int m = 0; m < MEASURES; m++) {
        double base = series_median(native, m);
        most = fmax(most, native->values[m][native->count - 1] / base);
        most = fmax(most, green->values[m][green->count - 1] / base);
    }
    return most * 1.1;
}

static double place(double ratio, double range)
{
    return BOTTOM - ratio / range * (BOTTOM - TOP);
}

static void draw_bar(FILE *svg, double x, const char *colour, const struct series *s,
                     enum measure m, double base, double range)
{
    double top = place(series_median(s, m) / base, range);
    fprintf(svg, "<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n", x, top,
            BAR, BOTTOM - top, colour);
    for (size_t i = 0; i < s->count; i++)
        fprintf(svg,
                "<circle cx=\"%.0f\" cy=\"%.1f\" r=\"3\" fill=\"black\" fill-opacity=\"0.4\"/>\n",
                x + BAR / 2, place(s->values[m][i] / base, range));
    fprintf(svg, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%.3g</text>\n", x + BAR / 2,
            BOTTOM + 16, series_median(s, m));
}

static void text_escaped(FILE *svg, const char *text)
{
    for (; *text; text++)
        if (strchr("<&\"", *text))
            fprintf(svg, "&#%d;", *text);
        else
            fputc(*text, svg);
}

static void draw_frame(FILE *svg, const char *title, double range)
{
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"13\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"%d\" y=\"28\" "
            "font-size=\"16\">",
            WIDTH, HEIGHT, LEFT);
    text_escaped(svg, title);
    fprintf(svg,
            ": <tspan fill=\"#999\">native</tspan> and <tspan fill=\"#2a7\">libevy</tspan>, native "
            "median = 1</text>\n");
    double step = range > 5 ? 1 : range > 2 ? 0.5 : 0.25;
    for (double r = 0; r < range; r += step)
        fprintf(svg,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>\n",
                LEFT, WIDTH - 20, place(r, range), place(r, range), LEFT - 8, place(r, range) + 4,
                r);
}

void plot_write(const char *path, const char *title, const struct series *native,
                const struct series *green)
{
    FILE *svg = fopen(path, "we");
    if (!svg)
        die("%s: %s", path, strerror(errno));
    double range = range_of(native, green);
    draw_frame(svg, title, range);
    for (int m = 0; m < MEASURES; m++) {
        double x = LEFT + 25 + m * GROUP, base = series_median(native, m);
        draw_bar(svg, x, "#bbb", native, m, base, range);
        draw_bar(svg, x + BAR + 8, "#5b9", green, m, base, range);
        fprintf(svg, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x + BAR + 4,
                BOTTOM + 36, measure_names[m]);
    }
    fputs("</svg>\n", svg);
    if (fclose(svg) != 0)
        die("%s: %s", path, strerror(errno));
}
