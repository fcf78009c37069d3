/*
 * What a preload adds to the life of /bin/true: starts it COUNT times with and without, in turn.
 *
 *   startup COUNT LIBRARY      prints one JSON object, microseconds (medians and lower quartiles)
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

static double life(char **environment)
{
    char *argv[] = {"/bin/true", NULL};
    struct timespec a, b;
    pid_t pid;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &a);
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environment) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "/bin/true failed\n");
        exit(1);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[1]) : 0;
    char preload[4096], *with[] = {preload, NULL}, *without[] = {NULL};
    double *native = calloc((size_t)count + 1, sizeof *native),
           *green = calloc((size_t)count + 1, sizeof *green);
    if (count < 1 || !native || !green) {
        fprintf(stderr, "usage: startup COUNT LIBRARY\n");
        return 2;
    }
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", argv[2]);
    life(without);
    life(with);
    for (int i = 0; i < count; i++) {
        native[i] = life(without);
        green[i] = life(with);
    }
    qsort(native, (size_t)count, sizeof *native, by_value);
    qsort(green, (size_t)count, sizeof *green, by_value);
    printf("{\"native_us\": %.0f, \"libevy_us\": %.0f, \"native_q1_us\": %.0f, \"libevy_q1_us\": "
           "%.0f}\n",
           native[count / 2], green[count / 2], native[count / 4], green[count / 4]);
    return 0;
}
