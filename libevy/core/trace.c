#include "core/trace.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/hub.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* 16 MB a hub, of which only what is used takes disk. */
#define CAPACITY (1u << 20)
#define HEADER_SIZE 4096

static char *file;       /* the mapping; valid while OBSERVE_TRACE */
static size_t file_size; /* bytes of it */

static struct trace_hub *area_of(const struct hub *h)
{
    size_t size = sizeof(struct trace_hub) + CAPACITY * sizeof(struct trace_event);
    return (struct trace_hub *)(file + HEADER_SIZE + h->index * size);
}

static long map_file(const char *path)
{
    int fd = (int)sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                            0600);
    if (fd < 0)
        return fd;
    long r = sys3(SYS_ftruncate, fd, file_size, 0);
    if (r == 0)
        r = sys_call6(SYS_mmap, 0, (long)file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sys_close(fd);
    return r;
}

void trace_start(unsigned hub_count)
{
    char path[512];
    if (!config.trace)
        return;
    struct trace_header header = {.magic = TRACE_MAGIC,
                                  .pid = (uint32_t)sys3(SYS_getpid, 0, 0, 0),
                                  .hubs = hub_count,
                                  .capacity = CAPACITY,
                                  .header_size = HEADER_SIZE};
    snprintf(path, sizeof path, "%s.%u", config.trace, header.pid);
    sys3(SYS_prctl, PR_GET_NAME, header.name, 0);
    file_size = HEADER_SIZE +
                hub_count * (sizeof(struct trace_hub) + CAPACITY * sizeof(struct trace_event));
    long r = map_file(path);
    if (r > 0) {
        file = (char *)r;
        memcpy(file, &header, sizeof header);
        observed |= OBSERVE_TRACE;
    } else {
        log_warn("EVY_TRACE: %s: %s; nothing is recorded", path, strerrordesc_np((int)-r));
    }
}

void trace_forget(void)
{
    if (!observes(OBSERVE_TRACE))
        return;
    observed = (uint8_t)(observed & ~OBSERVE_TRACE);
    sys3(SYS_munmap, file, file_size, 0);
}

void trace_add(const struct hub *h, enum trace_kind kind, const struct green *g)
{
    if (h->index >= ((const struct trace_header *)file)->hubs)
        return; /* made since */
    struct trace_hub *area = area_of(h);
    uint64_t n = area->count++;
    if (n >= CAPACITY)
        return;
    uint32_t id = g->flags & GREEN_LOOP ? 0 : (uint32_t)green_id(g);
    area->events[n] = (struct trace_event){.at = clock_now(), .id = id, .kind = kind};
}
