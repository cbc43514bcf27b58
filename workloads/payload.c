/*
 * payload: each task makes a large result, of --size, and hands it back. Tasks that share the
 * parent's memory hand over a pointer; those in a process of their own copy every byte out of it
 * and into the parent. The digest is the Adler-32 of the bytes as they arrived in the parent, taken
 * after the clock, so a byte that was lost on the way fails the trial.
 *
 * The catch: the parent ends up with all results at once, tasks × size.
 */
#include "content.h"
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t size_bytes;

static const struct setting settings[] = {
    {"size", 0, SETTING_BYTES, "1MiB", "BYTES", "size of each task's result", &size_bytes, 1,
     1073741824},
    {0},
};

/* More than the machine's memory would not come to an end, or to a bad one. */
static int payload_provide(uint32_t id)
{
    uint64_t memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return (id + UINT64_C(1)) * size_bytes > memory_bytes ? -ENOMEM : 0;
}

static const struct op *payload_body(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    task->result->payload = malloc(size_bytes);
    if (!task->result->payload) {
        task->result->error = ENOMEM;
    } else {
        content_fill(task->result->payload, size_bytes, workload_random(params.seed, task->id, 0));
        task->result->payload_bytes = size_bytes;
        task->result->bytes_moved = size_bytes;
    }
    TASK_END(task);
}

static void payload_check(struct result *result)
{
    if (result->error)
        return;
    if (result->payload && result->payload_bytes == size_bytes)
        result->digest = adler32(1, result->payload, size_bytes);
    else
        result->error = EBADMSG;
}

/* It does not compute by work(), and how long handing over takes is up to the strategy. */
static unsigned payload_plan(uint32_t id, struct step *steps)
{
    (void)id, (void)steps;
    return 0;
}

WORKLOAD(payload) = {
    .name = "payload",
    .summary = "makes a result of 1 MiB and hands it back",
    .task_bytes = sizeof(struct task),
    .settings = settings,
    .provide = payload_provide,
    .body = payload_body,
    .check = payload_check,
    .plan = payload_plan,
};
