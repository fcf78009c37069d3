/* evy top: the green threads of a process, again and again. */
#include "cmd.h"
#include "modules.h"
#include "table.h"

#include <ctype.h>
#include <curses.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: evy top [-d SECONDS] [-n COUNT] [-s ORDER] [PID]\n"
    "\n"
    "Shows the green threads of a process again and again, as evy ps does once. When the output is "
    "no\n"
    "terminal, each table is printed below the other. Without PID: the processes that run under "
    "libevy.\n"
    "\n"
    "  -d, --delay SECONDS  between two looks, 0.01 to 3600 (1)\n"
    "  -n, --count COUNT    how many looks (no end)\n"
    "  -s, --sort ORDER     by id (the default), name, state, hub, time or cpu\n"
    "\n"
    "Keys: i n s h t c order by id, name, state, hub, time, CPU; arrows and page keys move; q "
    "ends.\n";

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
        table_print(&t);
        puts("");
        if (fflush(stdout) != 0)
            die("standard output: %s", strerror(errno));
        snapshot_free(&s);
        if (v->count != 1)
            usleep((useconds_t)(v->delay * 1e6));
    }
}

static void print_title(const struct view *v)
{
    char title[100];
    snprintf(title, sizeof title, "evy top: process %d, by %s   (i n s h t c: order, q: end)",
             v->process.pid, table_order_name(v->order));
    mvaddnstr(0, 0, title, COLS);
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
    print_title(v);
    for (int row = 1; row < LINES; row++) {
        size_t i = (size_t)row - 1;
        i += i < t.heads ? 0 : v->top;
        if (i >= t.count)
            break;
        if (i == t.heads - 1)
            attron(A_REVERSE);
        char *line = table_line(&t, i);
        mvaddnstr(row, 0, line, COLS);
        free(line);
        attroff(A_REVERSE);
    }
    refresh();
    snapshot_free(&s);
}

/* Returns false when the user wants to end. */
static bool obey(struct view *v, int key)
{
    size_t page = LINES > 10 ? (size_t)LINES - 10 : 1;
    if (key == 'q')
        return false;
    if (key > 0 && key < 128 && strchr("inshtc", key))
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
    const char *terminal = getenv("TERM");
    if (!newterm(NULL, stdout, stdin))
        die("top: the terminal '%s' is not known; evy top PID | cat prints lines",
            terminal ? terminal : "");
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

static void print_process(const char *pid, char *path)
{
    make_printable(path);
    printf("%8s  %s\n", pid, path);
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
            print_process(entry->d_name, modules.all[0].path);
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
        die_usage("top: -d takes seconds from 0.01 to 3600, not '%s'", text);
    return value;
}

static long looks(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < 1)
        die_usage("top: -n takes a number from 1 on, not '%s'", text);
    return n;
}

int cmd_top(int argc, char **argv)
{
    struct view v = {.delay = 1, .count = -1, .order = 'i'};
    static const struct option options[] = {{"delay", required_argument, NULL, 'd'},
                                            {"count", required_argument, NULL, 'n'},
                                            {"sort", required_argument, NULL, 's'},
                                            OPTION_HELP,
                                            {0}};
    int option;
    while ((option = next_option(argc, argv, "hd:n:s:", options, help)) != -1) {
        if (option == 'd')
            v.delay = seconds(optarg);
        else if (option == 'n')
            v.count = looks(optarg);
        else
            v.order = table_order("top", optarg);
    }
    if (optind == argc)
        return list_processes();
    if (optind + 1 < argc)
        die_usage("top: one process id, please; evy top --help tells more");
    process_id(argv[optind]); /* no core file: it would not change */
    process_open(&v.process, argv[optind]);
    if (isatty(STDOUT_FILENO))
        show_screen(&v);
    else
        print_plain(&v);
    return 0;
}
