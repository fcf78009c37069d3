/*
 * Load for the echo servers: a closed loop, one request of BYTES outstanding on each of BUSY connections
 * while the others are idle, every byte of every answer checked. One thread, one epoll.
 *
 *   echo_load PORT CONNECTIONS BUSY BYTES WARMUP_SECONDS SECONDS SERVER_PID
 *
 * The CPU time of the server is read from its process clock (nanoseconds, all threads, the dead
 * ones too) at both ends of the measured time, its memory at the end. Prints one JSON object.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 64 * 1024, SHIFTS = 4096, BATCH = 1024, PER_ADDRESS = 5000, BUCKETS = 64 * 64 };

struct connection {
    int fd;
    uint32_t have;  /* bytes of the answer that have come */
    uint64_t asked; /* ns */
    uint32_t shift; /* where in the noise its message begins: another one each time */
};

static struct connection *connections;
static char noise[MOST_BYTES + SHIFTS];
static size_t message;
static uint64_t histogram[BUCKETS], requests, asked;
static int measuring;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) < 0)
        die("clock_gettime");
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Buckets of constant relative width: 32 per power of two, exact below 64. */
static unsigned bucket_of(uint64_t ns)
{
    unsigned shift = ns < 64 ? 0 : 58 - (unsigned)__builtin_clzll(ns);
    return shift * 32 + (unsigned)(ns >> shift);
}

static double quantile_us(double q)
{
    uint64_t before = 0, rank = (uint64_t)(q * (double)requests);
    for (unsigned i = 0; i < BUCKETS; i++) {
        before += histogram[i];
        if (before > rank) {
            unsigned shift = i < 64 ? 0 : i / 32 - 1;
            return (double)((uint64_t)(i - shift * 32) << shift) / 1000;
        }
    }
    return 0;
}

static void ask(struct connection *c, uint64_t now)
{
    c->shift = (c->shift + 61) % SHIFTS;
    c->have = 0;
    c->asked = now;
    asked++;
    if (send(c->fd, noise + c->shift, message, MSG_NOSIGNAL) != (ssize_t)message)
        die("send");
}

static void hear(struct connection *c, uint64_t now)
{
    static char answer[MOST_BYTES + 1];
    ssize_t n = recv(c->fd, answer, message + 1 - c->have, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die(n ? "recv" : "the server closed a connection");
    if (c->have + (size_t)n > message ||
        memcmp(answer, noise + c->shift + c->have, (size_t)n) != 0) {
        fprintf(stderr, "wrong answer\n");
        exit(1);
    }
    c->have += (uint32_t)n;
    if (c->have < message)
        return;
    if (measuring) {
        requests++;
        histogram[bucket_of(now - c->asked)]++;
    }
    ask(c, now);
}

/* A full round trip on the youngest connection: the server has accepted all before it. */
static void catch_up(int fd)
{
    char b[] = "catch up", back[sizeof b];
    if (send(fd, b, sizeof b, 0) != sizeof b || recv(fd, back, sizeof b, MSG_WAITALL) != sizeof b ||
        memcmp(b, back, sizeof b) != 0)
        die("first round trip");
}

static void open_connection(struct connection *c, int i, uint16_t port, int epoll, int count)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    struct linger hard = {1, 0}; /* no TIME_WAIT left behind for the next run */
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / PER_ADDRESS));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0 ||
        bind(c->fd, (void *)&from, sizeof from) < 0 || connect(c->fd, (void *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    c->shift = (uint32_t)(i * 31 % SHIFTS);
    if (i % 200 == 199 || i == count - 1)
        catch_up(c->fd);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
        die("epoll_ctl");
}

static void drive(int epoll, double seconds)
{
    static struct epoll_event events[BATCH];
    uint64_t now = read_clock(CLOCK_MONOTONIC), end = now + (uint64_t)(seconds * 1e9);
    while (now < end) {
        int n = epoll_wait(epoll, events, BATCH, 5000);
        if (n == 0) {
            fprintf(stderr, "no answer for 5 s\n");
            exit(1);
        }
        now = read_clock(CLOCK_MONOTONIC);
        for (int i = 0; i < n; i++)
            hear(events[i].data.ptr, now);
    }
}

/* Resident memory and page tables. */
static long memory_kb(const char *pid)
{
    char path[64], line[256];
    long total = 0, kb;
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1 || sscanf(line, "VmPTE: %ld", &kb) == 1)
            total += kb;
    if (f)
        fclose(f);
    return total;
}

int main(int argc, char **argv)
{
    clockid_t server;
    if (argc != 8 || clock_getcpuclockid(atoi(argv[7]), &server) != 0 ||
        (message = (size_t)atol(argv[4])) > MOST_BYTES) {
        fprintf(stderr,
                "usage: echo_load PORT CONNECTIONS BUSY BYTES WARMUP_SECONDS SECONDS SERVER_PID\n");
        return 2;
    }
    int count = atoi(argv[2]), step = count / atoi(argv[3]), epoll = epoll_create1(0);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(random() >> 8);
    connections = calloc((size_t)count, sizeof *connections);
    if (epoll < 0 || !connections)
        die("start");
    for (int i = 0; i < count; i++)
        open_connection(&connections[i], i, (uint16_t)atoi(argv[1]), epoll, count);
    for (int i = 0; i < count; i += step)
        ask(&connections[i], read_clock(CLOCK_MONOTONIC));
    drive(epoll, atof(argv[5]));
    measuring = 1;
    uint64_t start = read_clock(CLOCK_MONOTONIC), cpu = read_clock(server);
    drive(epoll, atof(argv[6]));
    cpu = read_clock(server) - cpu;
    double seconds = (double)(read_clock(CLOCK_MONOTONIC) - start) / 1e9;
    printf("{\"connections\": %d, \"asked\": %llu, \"requests\": %llu, \"seconds\": %.3f, "
           "\"per_second\": %.0f, \"cpu_us\": %.3f, \"server_busy\": %.3f, \"memory_kb\": %ld, "
           "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n",
           count, (unsigned long long)asked, (unsigned long long)requests, seconds,
           (double)requests / seconds, (double)cpu / 1000 / (double)requests,
           (double)cpu / 1e9 / seconds, memory_kb(argv[7]), quantile_us(0.5), quantile_us(0.99),
           quantile_us(0.999));
    return 0;
}
