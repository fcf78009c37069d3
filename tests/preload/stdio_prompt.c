// Proves: what a thread has printed without ending the line stands on the terminal before it waits for input there, by
// whichever call it reads; not so where the input is no terminal.
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

#include "check.h"

enum { FGETS, GETCHAR, GETLINE, SCANF, FREAD, FGETWS, FROM_PIPE, KINDS };

static int master, answers[2];

static void *asks(void *arg)
{
    char b[64], *line = NULL;
    wchar_t wide[64];
    size_t size = 0;
    int n;
    FILE *f = NULL;
    printf("question: ");
    switch ((int)(intptr_t)arg) {
    case FGETS:
        CHECK(fgets(b, sizeof b, stdin));
        break;
    case GETCHAR:
        CHECK(getchar() == '5' && getchar() == '\n');
        break;
    case GETLINE:
        CHECK(getline(&line, &size, stdin) == 2);
        break;
    case SCANF:
        CHECK(scanf("%d", &n) == 1 && n == 5 && getchar() == '\n');
        break;
    case FREAD:
        CHECK(fread(b, 1, 2, stdin) == 2);
        break;
    case FGETWS:
        CHECK((f = fdopen(dup(0), "r")) && fgetws(wide, 64, f));
        break;
    case FROM_PIPE:
        CHECK((f = fdopen(dup(answers[0]), "r")) && fgets(b, sizeof b, f));
        break;
    }
    printf("thanks\n");
    if (f)
        fclose(f);
    free(line);
    return NULL;
}

/* What is on the terminal within some time. */
static int is_asked(int ms)
{
    struct pollfd p = {master, POLLIN, 0};
    char b[64] = "";
    return poll(&p, 1, ms) == 1 && read(master, b, sizeof b - 1) > 0 &&
           strcmp(b, "question: ") == 0;
}

static void swallow(void)
{
    char b[256];
    struct pollfd p = {master, POLLIN, 0};
    while (poll(&p, 1, 0) == 1)
        CHECK(read(master, b, sizeof b) > 0);
}

int main(void)
{
    int slave, told[KINDS];
    int out = dup(1);
    CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0 && pipe(answers) == 0);
    CHECK(dup2(slave, 0) == 0 && dup2(slave, 1) == 1);
    for (int i = 0; i < KINDS; i++) {
        pthread_t t = spawn(asks, (void *)(intptr_t)i);
        told[i] = is_asked(i == FROM_PIPE ? 50 : 1000);
        CHECK(write(i == FROM_PIPE ? answers[1] : master, "5\n", 2) == 2);
        CHECK(pthread_join(t, NULL) == 0);
        swallow();
    }
    for (int i = 0; i < KINDS; i++)
        dprintf(out, "%d: %d\n", i, told[i]);
    return 0;
}
