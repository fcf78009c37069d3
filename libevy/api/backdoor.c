/* evy_backdoor_server: who may ask, and the commands. */
#include "api/api.h"
#include "api/report.h"
#include "base/config.h"
#include "io/calls.h"
#include "io/io.h"

#include <evy/backdoor.h>
#include <evy/net.h>
#include <stdlib.h>
#include <string.h>

#define HELP "threads hubs timers fds patch help quit\n"
#define PEERS 10 /* at a time */

static bool is_friend(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static int report_patch(struct report *r)
{
    char text[32];
    r->n = (size_t)snprintf(text, sizeof text, "patch %u\n", config.patch);
    r->text = strdup(text);
    return r->text ? 0 : -ENOMEM;
}

static int report_help(struct report *r)
{
    *r = (struct report){strdup(HELP), sizeof HELP - 1, sizeof HELP};
    return r->text ? 0 : -ENOMEM;
}

static const struct {
    const char *name;
    int (*report)(struct report *r);
} commands[] = {{"threads", report_threads}, {"hubs", report_hubs},   {"timers", report_timers},
                {"fds", report_fds},         {"patch", report_patch}, {"help", report_help}};

/* Answers one request. Returns 0, or -1 when the peer is gone. */
static int answer(int fd, const char *request)
{
    struct report r = {0};
    int err = -ENOENT;
    for (size_t i = 0; i < array_len(commands); i++)
        if (strcmp(request, commands[i].name) == 0)
            err = commands[i].report(&r);
    int sent = err ? 0 : evy_sendall(fd, r.text, r.n);
    free(r.text);
    const char *end = err == -ENOENT ? "error no such request, try help\n"
                      : err          ? "error no memory\n"
                                     : "ok\n";
    return sent ? -1 : evy_sendall(fd, end, strlen(end));
}

/* Whatever a peer does, the server goes on. */
static int converse(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    (void)addr, (void)len, (void)arg;
    FILE *in = is_friend(fd) ? evy_fdopen(evy_dup(fd), "r") : NULL;
    char *line = NULL;
    size_t room = 0;
    while (in && evy_readuntil(in, "\n", &line, &room) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strcmp(line, "quit") == 0 || answer(fd, line))
            break;
    }
    free(line);
    if (in)
        fclose(in);
    return 0;
}

EVY_API int evy_backdoor_server(int listener)
{
    return evy_serve(listener, converse, NULL, PEERS);
}
