/* evy top: the green threads of a process, again and again. */
#include "cmd.h"
#include "modules.h"
#include "table.h"

#include <ctype.h>
#include <curses.h>
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: evy top [-d SECONDS] [-n COUNT] [PID]\n"
    "\n"
    "Shows the green threads of a process every SECONDS (1), COUNT times (for ever). Keys: i, n, "
    "s, h\n"
    "order by id, name, state, hub; arrows and page keys move; q ends. When the output is no "
    "terminal,\n"
    "each table is printed below the other. Without PID: the processes that run under libevy.\n";

struct view {
    struct process process; /* what is watched */
    double delay;           /* seconds between two looks */
    long count;             /* looks left, negative: for ever */
    char order;             /* as table_make takes it */
    size_t top;             /* the first green thread shown */
};

static void print_plain(struct view *v)
{
    for (; v->count; v->count -= v->count > 0) {
        struct snapshot s;
        struct table t;
        snapshot_take(&s, &v->process);
        table_make(&t, &s, &v->process, v->order);
        for (size_t i = 0; i < t.count; i++)
            puts(t.lines[i]);
        puts("");
        fflush(stdout);
        table_free(&t);
        snapshot_free(&s);
        if (v->count != 1)
            usleep((useconds_t)(v->delay * 1e6));
    }
}

static void draw(struct view *v)
{
    struct snapshot s;
    struct table t;
    snapshot_take(&s, &v->process);
    table_make(&t, &s, &v->process, v->order);
    size_t greens = t.count - t.heads;
    if (v->top >= greens)
        v->top = greens ? greens - 1 : 0;
    erase();
    mvprintw(0, 0, "evy top: process %d   (i n s h: order, q: end)", v->process.pid);
    for (int row = 1; row < LINES; row++) {
        size_t i = (size_t)row - 1;
        i += i < t.heads ? 0 : v->top;
        if (i >= t.count)
            break;
        if (i == t.heads - 1)
            attron(A_REVERSE);
        mvaddnstr(row, 0, t.lines[i], COLS);
        attroff(A_REVERSE);
    }
    refresh();
    table_free(&t);
    snapshot_free(&s);
}

/* Returns false when the user wants to end. */
static bool obey(struct view *v, int key)
{
    size_t page = LINES > 10 ? (size_t)LINES - 10 : 1;
    if (key == 'q')
        return false;
    if (key != ERR && key < 128 && strchr("insh", key))
        v->order = (char)key;
    else if (key == KEY_DOWN)
        v->top++;
    else if (key == KEY_UP)
        v->top -= v->top > 0;
    else if (key == KEY_NPAGE)
        v->top += page;
    else if (key == KEY_PPAGE)
        v->top -= v->top > page ? page : v->top;
    return true;
}

static void end_screen(void)
{
    endwin();
}

static void show_screen(struct view *v)
{
    initscr();
    atexit(end_screen); /* also when the process ends and snapshot_take dies */
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    timeout((int)(v->delay * 1000));
    do
        draw(v);
    while ((v->count < 0 || --v->count > 0) && obey(v, getch()));
}

static int list_processes(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    printf("%8s  %s\n", "PID", "PROGRAM");
    while (proc && (entry = readdir(proc))) {
        struct modules modules;
        if (isdigit((unsigned char)*entry->d_name) &&
            modules_try_process(&modules, atoi(entry->d_name)) && modules.libevy)
            printf("%8s  %s\n", entry->d_name, modules.all[0].path);
    }
    if (proc)
        closedir(proc);
    return 0;
}

static double seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || !(value >= 0.01 && value <= 3600))
        die_usage("top: -d takes seconds from 0.01 to 3600, not %s", text);
    return value;
}

int cmd_top(int argc, char **argv)
{
    struct view v = {.delay = 1, .count = -1, .order = 'i'};
    static const struct option options[] = {{"help", no_argument, NULL, 'H'}, {0}};
    int option;
    argv[0] = "evy: top";
    while ((option = getopt_long(argc, argv, "d:n:", options, NULL)) != -1) {
        if (option == 'd') {
            v.delay = seconds(optarg);
        } else if (option == 'n') {
            v.count = process_id(optarg);
        } else if (option == 'H') {
            fputs(help, stdout);
            return 0;
        } else {
            return 2;
        }
    }
    if (optind == argc)
        return list_processes();
    if (optind + 1 < argc)
        die_usage("top: one process id, please; evy top --help tells more");
    process_open(&v.process, process_id(argv[optind]));
    if (isatty(STDOUT_FILENO))
        show_screen(&v);
    else
        print_plain(&v);
    return 0;
}
