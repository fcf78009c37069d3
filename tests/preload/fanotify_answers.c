// Proves: a thread that decides who may open a file (fanotify) gets its questions, and its answers arrive, while the others of
// the process wait for them in open. poll never says that such a descriptor can be written.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

enum { ROUNDS = 20 };

static int questions;

static void *decides(void *arg)
{
    char buf[4096] __attribute__((aligned(8)));
    for (int i = 0; i < ROUNDS; i++) {
        struct fanotify_event_metadata *e = (void *)buf;
        CHECK(read(questions, buf, sizeof buf) >= (ssize_t)sizeof *e);
        CHECK(e->mask == FAN_OPEN_PERM);
        struct fanotify_response answer = {e->fd, i % 2 ? FAN_DENY : FAN_ALLOW};
        CHECK(write(questions, &answer, sizeof answer) == (ssize_t)sizeof answer);
        close(e->fd);
    }
    return arg;
}

int main(void)
{
    char name[64];
    int allowed = 0, denied = 0;
    questions = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
    if (questions < 0) {
        puts("nothing to decide without rights");
        return 0;
    }
    snprintf(name, sizeof name, "/tmp/fanotify_answers.%d", getpid());
    close(open(name, O_CREAT | O_RDWR, 0600));
    CHECK(fanotify_mark(questions, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, name) == 0);
    pthread_t t = spawn(decides, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open(name, O_RDONLY);
        CHECK(fd >= 0 || errno == EPERM);
        allowed += fd >= 0;
        denied += fd < 0;
        if (fd >= 0)
            close(fd);
    }
    CHECK(pthread_join(t, NULL) == 0 && unlink(name) == 0);
    printf("allowed %d, denied %d\n", allowed, denied);
    return 0;
}
