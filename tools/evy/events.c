#include "events.h"

#include "cmd.h"
#include "core/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tracks of hubs are numbered downwards from here: no thread's id is so large. */
#define HUB_TRACK 2000000000

struct file {
    const struct trace_header *header; /* the mapped file */
    size_t size;                       /* bytes of it */
};

/* What a hub is running while its events are read. */
struct slice {
    uint32_t id;   /* green thread, 0: none */
    int64_t begin; /* since when */
};

void events_begin(FILE *json)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", json);
}

void events_end(FILE *json)
{
    fputs("{\"ph\":\"M\",\"name\":\"trace_end\",\"pid\":0,\"tid\":0,\"args\":{}}\n]}\n", json);
}

static size_t area_size(const struct file *f)
{
    return sizeof(struct trace_hub) + (size_t)f->header->capacity * sizeof(struct trace_event);
}

static const struct trace_hub *area(const struct file *f, uint32_t hub)
{
    return (const struct trace_hub *)((const char *)f->header + f->header->header_size +
                                      hub * area_size(f));
}

static size_t kept(const struct file *f, const struct trace_hub *hub)
{
    return hub->count < f->header->capacity ? hub->count : f->header->capacity;
}

static void map_file(struct file *f, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        die("%s: %s", path, strerror(errno));
    f->size = (size_t)st.st_size;
    f->header = f->size < sizeof *f->header ? MAP_FAILED
                                            : mmap(NULL, f->size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (f->header == MAP_FAILED ||
        memcmp(f->header->magic, TRACE_MAGIC, sizeof f->header->magic) != 0 ||
        f->size < f->header->header_size + f->header->hubs * area_size(f))
        die("%s: not a trace of this version of libevy", path);
}

static double microseconds(int64_t ns)
{
    return (double)ns / 1e3;
}

static void name_track(FILE *json, const struct file *f, unsigned track, const char *kind,
                       unsigned n)
{
    fprintf(json,
            "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s "
            "%u\"}},\n",
            f->header->pid, track, kind, n);
}

static void name_process(FILE *json, const struct file *f)
{
    fprintf(json, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,\"args\":{\"name\":\"",
            f->header->pid);
    for (const char *c = f->header->name; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            fprintf(json, "\\u%04x", (unsigned char)*c);
        else
            fputc(*c, json);
    fputs("\"}},\n", json);
}

static void write_slice(FILE *json, const struct file *f, unsigned track, const char *name,
                        unsigned n, int64_t begin, int64_t end)
{
    fprintf(json,
            "{\"ph\":\"X\",\"name\":\"%s %u\",\"pid\":%u,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f},\n",
            name, n, f->header->pid, track, microseconds(begin), microseconds(end - begin));
}

static void write_instant(FILE *json, const struct file *f, unsigned track, const char *name,
                          int64_t at)
{
    fprintf(json, "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%.3f},\n",
            name, f->header->pid, track, microseconds(at));
}

/* The hub leaves what it ran: a slice on its track and one on the green thread's. */
static void end_slice(FILE *json, const struct file *f, uint32_t hub, struct slice *s, int64_t at)
{
    if (s->id) {
        write_slice(json, f, HUB_TRACK + hub, "thread", s->id, s->begin, at);
        write_slice(json, f, s->id, "hub", hub, s->begin, at);
    }
    s->id = 0;
}

static void write_event(FILE *json, const struct file *f, uint32_t hub, struct slice *s,
                        const struct trace_event *e)
{
    if (e->kind == TRACE_RUN) {
        end_slice(json, f, hub, s, e->at);
        *s = (struct slice){e->id, e->at};
    } else if (e->kind == TRACE_WAKE) {
        write_instant(json, f, e->id, "wake-up", e->at);
    } else if (e->kind == TRACE_HANDOFF) {
        end_slice(json, f, hub, s, e->at);
        write_instant(json, f, HUB_TRACK + hub, "hand-off", e->at);
        write_instant(json, f, e->id, "goes on alone", e->at);
    }
}

void events_write(FILE *json, const char *path, struct event_totals *totals)
{
    struct file f;
    map_file(&f, path);
    name_process(json, &f);
    for (uint32_t hub = 0; hub < f.header->hubs; hub++) {
        const struct trace_hub *h = area(&f, hub);
        struct slice slice = {0, 0};
        size_t n = kept(&f, h);
        name_track(json, &f, HUB_TRACK + hub, "hub", hub);
        for (size_t i = 0; i < n; i++)
            write_event(json, &f, hub, &slice, &h->events[i]);
        if (n)
            end_slice(json, &f, hub, &slice, h->events[n - 1].at);
        totals->seen += h->count;
        totals->dropped += h->count - n;
    }
    munmap((void *)f.header, f.size);
}
