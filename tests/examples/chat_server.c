// Every line a participant sends goes to all others. Who hangs up is dropped when a line cannot be sent.
#include "example.h"

#define PEOPLE 10

static int members[PEOPLE], member_count, listener;

static int chat(int fd, const struct sockaddr *addr, socklen_t len, void *arg)
{
    (void)addr, (void)len, (void)arg;
    FILE *in = evy_fdopen(evy_dup(fd), "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    members[member_count++] = fd;
    while ((n = getline(&line, &room, in)) > 0)
        for (int i = 0; i < member_count; i++)
            if (members[i] != fd && evy_sendall(members[i], line, (size_t)n))
                printf("one is gone\n");
    for (int i = 0; i < member_count; i++)
        if (members[i] == fd)
            members[i] = members[--member_count];
    free(line);
    fclose(in);
    return 0;
}

static void *serve(void *arg)
{
    evy_serve(listener, chat, NULL, 0);
    return arg;
}

/* Says one line when all are there, and hears one of each other. */
static void *participate(void *number)
{
    char line[50], *heard = NULL;
    int from, who[PEOPLE] = {0}, fd = evy_connect_host("127.0.0.1", port_of(listener));
    size_t room = 0;
    NEED(fd >= 0);
    while (member_count < PEOPLE)
        evy_sleep(0.001);
    int n = snprintf(line, sizeof line, "%d: hello\n", (int)(intptr_t)number);
    NEED(evy_sendall(fd, line, (size_t)n) == 0);
    FILE *in = evy_fdopen(fd, "r");
    for (int i = 1; i < PEOPLE; i++)
        NEED(getline(&heard, &room, in) > 0 && sscanf(heard, "%d: hello", &from) == 1 &&
             !who[from]++);
    NEED(!who[(intptr_t)number]);
    free(heard);
    fclose(in);
    return NULL;
}

int main(void)
{
    evy_gt *people[PEOPLE];
    listener = evy_listen("127.0.0.1", 0, 0, 0);
    NEED(listener >= 0 && evy_spawn_n(serve, NULL));
    for (intptr_t i = 0; i < PEOPLE; i++)
        people[i] = evy_spawn(participate, (void *)i);
    for (int i = 0; i < PEOPLE; i++) {
        NEED(evy_gt_wait(people[i], NULL) == 0);
        evy_gt_unref(people[i]);
    }
    while (member_count > 0)
        evy_sleep(0.001);
    printf("%d people heard each other\n", PEOPLE);
    return 0;
}
