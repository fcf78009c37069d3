// Proves: a daemon of the old school, made while threads run: it forks twice, closes every number, opens
// /dev/null three times, gives up its rights for good and then serves with threads.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { CLIENTS = 20 };

struct report {
    sem_t done;   // posted when the daemon ends
    int line;     // where it failed, 0: nowhere
    int answers;  // echoed
    unsigned uid; // of a thread of its, afterwards
    int first_fd; // lowest number that was free
    int regained; // setuid(0) succeeded in a thread
};

static struct report *report;

#define NEED(x) ((x) ? (void)0 : failed(__LINE__))

static _Noreturn void failed(int line)
{
    report->line = line;
    sem_post(&report->done);
    _exit(1);
}

static void *echoes(void *fd)
{
    char c;
    while (read((int)(long)fd, &c, 1) == 1)
        NEED(write((int)(long)fd, &c, 1) == 1);
    close((int)(long)fd);
    return NULL;
}

static void *asks(void *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = (in_port_t)(long)port};
    char c = 'x';
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    NEED(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    NEED(write(fd, &c, 1) == 1 && read(fd, &c, 1) == 1 && c == 'x');
    close(fd);
    __atomic_fetch_add(&report->answers, 1, __ATOMIC_SEQ_CST);
    report->uid = getuid();
    report->regained = geteuid() != 0 && setuid(0) == 0;
    return NULL;
}

static void serve(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    pthread_t clients[CLIENTS], servers[CLIENTS];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    NEED(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, CLIENTS) == 0);
    NEED(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    for (int i = 0; i < CLIENTS; i++)
        NEED(pthread_create(&clients[i], NULL, asks, (void *)(long)at.sin_port) == 0);
    for (int i = 0; i < CLIENTS; i++) {
        int client = accept(fd, NULL, NULL);
        NEED(client >= 0);
        NEED(pthread_create(&servers[i], NULL, echoes, (void *)(long)client) == 0);
    }
    for (int i = 0; i < CLIENTS; i++)
        NEED(pthread_join(clients[i], NULL) == 0 && pthread_join(servers[i], NULL) == 0);
}

static _Noreturn void become_daemon(void)
{
    struct rlimit limit;
    NEED(setsid() > 0);
    signal(SIGHUP, SIG_IGN);
    if (fork() != 0)
        _exit(0);
    NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int fd = 0; fd < (int)limit.rlim_cur; fd++)
        close(fd);
    report->first_fd = open("/dev/null", O_RDWR);
    NEED(dup(0) == 1 && dup(0) == 2);
    if (geteuid() == 0)
        NEED(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
    NEED(chdir("/") == 0);
    serve();
    sem_post(&report->done);
    _exit(0);
}

static void *forks(void *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        become_daemon();
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(sem_wait(&report->done) == 0);
    return arg;
}

int main(void)
{
    struct rlimit few = {256, 256};
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(report != MAP_FAILED && sem_init(&report->done, 1, 0) == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(pthread_join(spawn(forks, NULL), NULL) == 0);
    printf("line %d, answers %d, first %d, unprivileged %d, regained %d\n", report->line,
           report->answers, report->first_fd, getuid() != 0 || report->uid == 65534,
           report->regained);
    return 0;
}
