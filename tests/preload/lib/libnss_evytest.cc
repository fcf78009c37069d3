// An NSS module that asks a server: a datagram to the port in EVYTEST_PORT with the name, answered by a number.
#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <grp.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(const char *name)
{
    char answer[16] = "";
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)atoi(getenv("EVYTEST_PORT")));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct closer {
        int fd;
        ~closer()
        {
            close(fd);
        }
    } at_end{fd};
    if (connect(fd, (sockaddr *)&at, sizeof at) || send(fd, name, strlen(name), 0) < 0 ||
        recv(fd, answer, sizeof answer - 1, 0) <= 0)
        return 0;
    return atoi(answer);
}

// Copies name into the caller's buffer.
static char *keep(const char *name, char *&buf)
{
    char *at = buf;
    buf += strlen(name) + 1;
    return strcpy(at, name);
}

static char **list(char *only, char *&buf)
{
    buf += -(uintptr_t)buf % sizeof(char *);
    char **at = (char **)buf;
    at[0] = only;
    at[only ? 1 : 0] = nullptr;
    buf += 2 * sizeof *at;
    return at;
}

#define MODULE(name, ...) extern "C" nss_status _nss_evytest_##name(__VA_ARGS__)

MODULE(gethostbyname2_r, const char *name, int family, hostent *found, char *buf, size_t,
       int *error, int *h_error)
{
    int number = family == AF_INET ? ask(name) : 0;
    if (number == 0) {
        *error = ENOENT;
        *h_error = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
    }
    in_addr addr = {htonl(0x7f000000u + (unsigned)number)};
    found->h_name = keep(name, buf);
    found->h_aliases = list(nullptr, buf);
    char *bytes = (char *)memcpy(buf, &addr, sizeof addr);
    buf += 8;
    found->h_addr_list = list(bytes, buf);
    found->h_addrtype = AF_INET;
    found->h_length = 4;
    return NSS_STATUS_SUCCESS;
}

MODULE(gethostbyname_r, const char *name, hostent *found, char *buf, size_t room, int *error,
       int *h_error)
{
    return _nss_evytest_gethostbyname2_r(name, AF_INET, found, buf, room, error, h_error);
}

MODULE(getservbyname_r, const char *name, const char *proto, servent *found, char *buf, size_t,
       int *error)
{
    int number = ask(name);
    *error = ENOENT;
    found->s_name = keep(name, buf);
    found->s_proto = keep(proto ? proto : "tcp", buf);
    found->s_aliases = list(nullptr, buf);
    found->s_port = htons((uint16_t)number);
    return number ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}

MODULE(getpwnam_r, const char *name, passwd *found, char *buf, size_t, int *error)
{
    int number = ask(name);
    *error = ENOENT;
    *found = passwd();
    found->pw_name = keep(name, buf);
    found->pw_passwd = found->pw_gecos = found->pw_dir = found->pw_shell = keep("", buf);
    found->pw_uid = (uid_t)number;
    return number ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}

MODULE(getgrnam_r, const char *name, group *found, char *buf, size_t, int *error)
{
    int number = ask(name);
    *error = ENOENT;
    found->gr_name = keep(name, buf);
    found->gr_passwd = keep("", buf);
    found->gr_mem = list(nullptr, buf);
    found->gr_gid = (gid_t)number;
    return number ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}
