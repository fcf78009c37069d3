// Proves: users, groups, services, protocols and networks looked up by threads, one by one and in turn, random bytes,
// terminal settings and log messages are as natively.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pty.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <syslog.h>
#include <termios.h>

#include "check.h"

#define FOUND(type, call, field)                                                                   \
    do {                                                                                           \
        type entry, *found = NULL;                                                                 \
        char buf[8192];                                                                            \
        int error = 0;                                                                             \
        int r = call;                                                                              \
        (void)error;                                                                               \
        printf("%s: %d %s\n", #call, r, found ? found->field : "nothing");                         \
    } while (0)

#define TELL(call, field)                                                                          \
    do {                                                                                           \
        typeof(call) found = call;                                                                 \
        printf("%s: %s\n", #call, found ? found->field : "nothing");                               \
    } while (0)

#define ROOM &entry, buf, sizeof buf, &found

static void by_key(void)
{
    gid_t groups[64];
    int n = 64;
    FOUND(struct passwd, getpwnam_r("root", ROOM), pw_dir);
    FOUND(struct passwd, getpwnam_r("nobody at all", ROOM), pw_dir);
    FOUND(struct passwd, getpwuid_r(0, ROOM), pw_name);
    FOUND(struct group, getgrnam_r("daemon", ROOM), gr_name);
    FOUND(struct group, getgrgid_r(0, ROOM), gr_name);
    FOUND(struct spwd, getspnam_r("daemon", ROOM), sp_namp);
    FOUND(struct servent, getservbyname_r("http", "tcp", ROOM), s_proto);
    FOUND(struct servent, getservbyport_r(htons(22), "tcp", ROOM), s_name);
    FOUND(struct protoent, getprotobyname_r("tcp", ROOM), p_name);
    FOUND(struct protoent, getprotobynumber_r(17, ROOM), p_name);
    FOUND(struct netent, getnetbyname_r("loopback", ROOM, &error), n_name);
    FOUND(struct netent, getnetbyaddr_r(127, AF_INET, ROOM, &error), n_name);
    TELL(getpwnam("root"), pw_dir);
    TELL(getpwuid(0), pw_name);
    TELL(getgrnam("daemon"), gr_name);
    TELL(getgrgid(0), gr_name);
    TELL(getspnam("daemon"), sp_namp);
    TELL(getservbyname("http", "tcp"), s_proto);
    TELL(getservbyport(htons(22), "tcp"), s_name);
    TELL(getprotobyname("tcp"), p_name);
    TELL(getprotobynumber(17), p_name);
    TELL(getnetbyname("loopback"), n_name);
    TELL(getnetbyaddr(127, AF_INET), n_name);
    CHECK(getgrouplist("root", 0, groups, &n) == n && n >= 1 && groups[0] == 0);
    printf("netgroup: %d\n", innetgr("none", NULL, NULL, NULL));
}

#define WALK(type, next, next_r, rewind)                                                           \
    do {                                                                                           \
        type entry, *found;                                                                        \
        char buf[8192];                                                                            \
        int n = 0, error;                                                                          \
        (void)error;                                                                               \
        rewind;                                                                                    \
        CHECK(next_r == 0 || !found);                                                              \
        while (next)                                                                               \
            n++;                                                                                   \
        printf("%s: %d\n", #next, n);                                                              \
    } while (0)

static void in_turn(void)
{
    WALK(struct passwd, getpwent(), getpwent_r(ROOM), setpwent());
    WALK(struct group, getgrent(), getgrent_r(ROOM), setgrent());
    WALK(struct servent, getservent(), getservent_r(ROOM), setservent(1));
    WALK(struct protoent, getprotoent(), getprotoent_r(ROOM), setprotoent(1));
    WALK(struct netent, getnetent(), getnetent_r(ROOM, &error), setnetent(1));
    WALK(struct hostent, gethostent(), gethostent_r(ROOM, &error), sethostent(1));
    endpwent();
    endgrent();
    endhostent();
}

static void devices(void)
{
    unsigned char random[64] = {0};
    struct termios mode;
    int master, slave, sum = 0;
    CHECK(getrandom(random, sizeof random, 0) == 64 && getrandom(random, 8, GRND_NONBLOCK) == 8);
    for (int i = 0; i < 64; i++)
        sum += random[i];
    CHECK(sum > 0 && getrandom(random, 8, 0xff) == -1 && errno == EINVAL);
    CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0 && tcgetattr(slave, &mode) == 0);
    cfmakeraw(&mode);
    CHECK(tcsetattr(slave, TCSANOW, &mode) == 0 && tcsetattr(slave, TCSADRAIN, &mode) == 0);
    CHECK(tcsendbreak(slave, 0) == 0 && tcsetattr(-1, TCSANOW, &mode) == -1 && errno == EBADF);
    close(master);
    close(slave);
}

// A queue is a descriptor: its number may be something else afterwards.
static void queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    char name[32], b[8];
    int p[2];
    snprintf(name, sizeof name, "/evy-%d", getpid());
    mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
    CHECK(q >= 0 && mq_unlink(name) == 0);
    struct pollfd set = {q, POLLIN, 0};
    CHECK(poll(&set, 1, 5) == 0 && mq_send(q, "x", 1, 0) == 0 && poll(&set, 1, 1000) == 1 &&
          mq_close(q) == 0);
    CHECK(pipe(p) == 0 && write(p[1], "y", 1) == 1 && read(p[0], b, 8) == 1 && close(p[0]) == 0 &&
          close(p[1]) == 0);
}

// What programs compiled with _FORTIFY_SOURCE call.
void checked_syslog(int priority, int flag, const char *format, ...) __asm__("__syslog_chk");
void checked_vsyslog(int priority, int flag, const char *format,
                     va_list ap) __asm__("__vsyslog_chk");

static void log_by_list(int checked, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (checked)
        checked_vsyslog(LOG_DEBUG, 1, format, ap);
    else
        vsyslog(LOG_DEBUG, format, ap);
    va_end(ap);
}

static void logging(void)
{
    openlog("databases", LOG_PERROR, LOG_USER);
    errno = ENOENT;
    syslog(LOG_DEBUG, "%s: %m", "first");
    checked_syslog(LOG_DEBUG, 1, "%d", 2);
    log_by_list(0, "%s", "third");
    log_by_list(1, "%s", "fourth");
    closelog();
}

static void *all(void *arg)
{
    by_key();
    in_turn();
    devices();
    queue();
    logging();
    return arg;
}

int main(void)
{
    CHECK(pthread_join(spawn(all, NULL), NULL) == 0);
    return 0;
}
