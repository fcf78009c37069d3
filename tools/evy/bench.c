/* evy bench: a command natively and under libevy, in turns. */
#include "cmd.h"
#include "plot.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: evy bench [OPTIONS] [--] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs a program that ends by itself natively and under libevy, in turns, and compares medians. "
    "What\n"
    "it prints is thrown away; EVY_* variables hold for the runs under libevy.\n"
    "\n"
    "  --runs N      how often each, 1 to 1000 (5)\n"
    "  --svg FILE    draws a plot of the ratios\n"
    "\n"
    "The exit status is 0, or 1 when a run ended with another.\n";

struct run {
    double measured[MEASURES]; /* by enum measure */
    int status;                /* as wait4 gives it */
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static _Noreturn void become(const char *path, char **argv, bool under)
{
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (under)
        library_preload(library_find());
    execv(path, argv);
    die("%s: %s", path, strerror(errno));
}

static struct run run_once(const char *path, char **argv, bool under)
{
    struct run run;
    struct rusage usage;
    double begin = now();
    pid_t child = fork();
    if (child < 0)
        die("fork: %s", strerror(errno));
    if (child == 0)
        become(path, argv, under);
    while (wait4(child, &run.status, 0, &usage) < 0)
        if (errno != EINTR)
            die("wait4: %s", strerror(errno));
    run.measured[WALL] = now() - begin;
    run.measured[CPU] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    run.measured[PEAK] = (double)usage.ru_maxrss / 1024;
    return run;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort_measures(struct series *s)
{
    for (int m = 0; m < MEASURES; m++)
        qsort(s->values[m], s->count, sizeof(double), ascending);
}

double series_median(const struct series *s, enum measure m)
{
    const double *v = s->values[m];
    return s->count % 2 ? v[s->count / 2] : (v[s->count / 2 - 1] + v[s->count / 2]) / 2;
}

static void progress(size_t done, size_t all)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (done < all)
        fprintf(stderr, "\r%zu of %zu runs", done, all);
    else
        fputs("\r                  \r", stderr);
}

static void print_table(const struct series *native, const struct series *green)
{
    printf("%-10s %21s %21s %7s\n", "", "native", "libevy", "ratio");
    for (int m = 0; m < MEASURES; m++) {
        const struct series *both[] = {native, green};
        printf("%-10s", measure_names[m]);
        for (int i = 0; i < 2; i++)
            printf(" %9.3f (%.3f-%.3f)", series_median(both[i], m), both[i]->values[m][0],
                   both[i]->values[m][both[i]->count - 1]);
        printf(" %7.2f\n", series_median(green, m) / series_median(native, m));
    }
}

static void describe(const char *what, int status)
{
    if (WIFSIGNALED(status))
        warn("%s it was killed by signal %d", what, WTERMSIG(status));
    else
        warn("%s it ended with status %d", what, WEXITSTATUS(status));
}

static struct series series_new(size_t count)
{
    struct series s = {.count = count};
    for (int m = 0; m < MEASURES; m++)
        s.values[m] = xalloc(count * sizeof(double));
    return s;
}

/* Returns the exit status. */
static int compare(char **argv, size_t runs, const char *svg)
{
    char *path = program_accept(argv[0], false);
    struct series both[2] = {series_new(runs), series_new(runs)};
    int status[2] = {0, 0};
    for (size_t i = 0; i < 2 * runs; i++) {
        progress(i, 2 * runs);
        struct run run = run_once(path, argv, i % 2);
        for (int m = 0; m < MEASURES; m++)
            both[i % 2].values[m][i / 2] = run.measured[m];
        status[i % 2] = run.status ? run.status : status[i % 2];
    }
    progress(2 * runs, 2 * runs);
    sort_measures(&both[0]);
    sort_measures(&both[1]);
    print_table(&both[0], &both[1]);
    if (svg)
        plot_write(svg, argv[0], &both[0], &both[1]);
    if (status[0])
        describe("natively", status[0]);
    if (status[1])
        describe("under libevy", status[1]);
    return status[0] || status[1];
}

static size_t run_count(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < 1 || n > 1000)
        die_usage("bench: --runs takes a number from 1 to 1000, not '%s'", text);
    return (size_t)n;
}

int cmd_bench(int argc, char **argv)
{
    static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
                                            {"svg", required_argument, NULL, 's'},
                                            OPTION_HELP,
                                            {0}};
    size_t runs = 5;
    const char *svg = NULL;
    int option;
    while ((option = next_option(argc, argv, "+h", options, help)) != -1) {
        if (option == 'r')
            runs = run_count(optarg);
        else
            svg = optarg;
    }
    if (optind == argc)
        die_usage("bench: no program named; evy bench --help tells more");
    return compare(argv + optind, runs, svg);
}
