#include "api/description.h"

#include "body/observe.h"
#include "body/tcb.h"
#include "core/bucket.h"
#include "core/carrier.h"
#include "core/hub.h"
#include "frame.h"
#include "io/fdtab.h"

#include <stddef.h>

static const char field_names[] =
#define X(structure, member) #structure "." #member " "
    EVY_DESCRIBED_FIELDS(X)
#undef X
    ;

#define X(structure, member)                                                                       \
    .structure##_##member = {offsetof(struct structure, member),                                   \
                             sizeof(((struct structure *)0)->member)},

EVY_API const struct evy_description evy_description;

const struct evy_description evy_description = {
    .magic = EVY_DESCRIPTION_MAGIC,
    .version = EVY_DESCRIPTION_VERSION,
    .size = sizeof(struct evy_description),
    .hubs = (uintptr_t)hubs,
    .hub_count = (uintptr_t)&hub_count,
    .main = (uintptr_t)&main_green,
    .bodies = (uintptr_t)&green_bodies,
    .buckets = (uintptr_t)buckets,
    .fd_chunks = (uintptr_t)fd_chunks,
    .tid_offset = (uintptr_t)&tcb_facts.tid,
    .observed = (uintptr_t)&observed,
    .hub_size = sizeof(struct hub),
    .bucket_size = sizeof(struct bucket),
    .bucket_count = array_len(buckets),
    .fd_size = sizeof(struct fd),
    .fd_chunk_slots = FD_CHUNK_SLOTS,
    .fd_chunk_count = FD_CHUNKS,
    .frame_size = CONTEXT_FRAME,
    .stack_pointer = CONTEXT_STACK_POINTER,
    .register_count = CONTEXT_REGISTER_COUNT,
    .registers = {CONTEXT_REGISTERS},
    EVY_DESCRIBED_FIELDS(X).field_names = (uintptr_t)field_names,
};
