// flags: -Wl,-z,relro,-z,now -l:libdeep.so -ldl
// A library that knows nothing of libevy and calls libc in every way there is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int call(void);

extern int deep_yield(void);
int plain_counter;
call *plain_pointer = sched_yield; /* an absolute relocation */
void *plain_first_poll;            /* what poll was to the constructor */

__attribute__((constructor)) static void begin(void)
{
    plain_first_poll = (void *)poll;
    usleep(2000);
}

void *plain_recv(void)
{
    return (void *)recv;
}

void *plain_poll(void)
{
    return (void *)poll;
}

int plain_yield(void)
{
    return sched_yield();
}

int plain_deep_yield(void)
{
    return deep_yield();
}

int plain_pointer_yield(void)
{
    return plain_pointer();
}

int plain_lookup_yield(void)
{
    call *found = (call *)dlsym(RTLD_DEFAULT, "sched_yield");
    return found ? found() : -1;
}

int plain_own_lookup(void)
{
    return dlsym(RTLD_DEFAULT, "plain_counter") == &plain_counter;
}
