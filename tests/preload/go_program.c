// Proves: the threads of a program made by Go's linker stay the kernel's, on which its runtime counts.
#include "check.h"

#include <dirent.h>

/* As in what Go makes: the name, an empty id. */
asm(".pushsection .note.go.buildid, \"a\", @note\n"
    ".balign 4\n.long 4, 4, 4\n.ascii \"Go\\0\\0\"\n.long 0\n"
    ".popsection");

static pthread_barrier_t all, end;

static void *wait_at_end(void *arg)
{
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&end);
    return arg;
}

static int kernel_threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

int main(void)
{
    pthread_t t[4];
    pthread_barrier_init(&all, NULL, 5);
    pthread_barrier_init(&end, NULL, 5);
    for (int i = 0; i < 4; i++)
        t[i] = spawn(wait_at_end, NULL);
    pthread_barrier_wait(&all);
    printf("%d kernel threads\n", kernel_threads());
    pthread_barrier_wait(&end);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    return 0;
}
