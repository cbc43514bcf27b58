/* What tasks share: the work function, and the turning points that others may listen to. */
#include "task.h"

#include <errno.h>
#include <stdlib.h>

struct task_hooks task_hooks;
void (*task_preempt)(struct task *task);
struct cancellation cancellation = {.fd = -1};

void task_free(struct task *task)
{
    if (!task)
        return;
    if (task_hooks.release)
        task_hooks.release(task);
    free(task);
}

int socket_limit(int fd, uint64_t ns)
{
    uint64_t us = (ns + 999) / 1000; /* zero would mean never */
    const struct timeval time = {.tv_sec = (time_t)(us / 1000000),
                                 .tv_usec = (suseconds_t)(us % 1000000)};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0 ||
                   setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) < 0
               ? -errno
               : 0;
}

/* Between two checkpoints. An iteration takes one to two nanoseconds from the first-level cache, so
 * this is a few thousand times a second; from a large working set it is less often. */
enum { ITERATIONS_PER_CHECKPOINT = 1 << 17 };

/* One iteration: a step of a linear congruential generator (a and c from Numerical Recipes, ch.
 * 7.1), whose high bits pick a word of the working set; the word is mixed in, then changed. Each
 * iteration needs the one before it, so no compiler and no wide unit can skip ahead. */
static uint32_t iterate(uint32_t digest, uint64_t iterations, uint32_t *set, uint32_t mask)
{
    for (uint64_t i = 0; i < iterations; i++) {
        digest = digest * 1664525u + 1013904223u;
        uint32_t *word = &set[(digest >> 8) & mask];
        digest ^= *word;
        *word = digest + (uint32_t)i;
    }
    return digest;
}

uint32_t work(struct task *task, uint32_t digest, uint64_t iterations, uint32_t *set, size_t words)
{
    if (task_hooks.work_begins)
        task_hooks.work_begins(task);
    while (iterations > 0) {
        uint64_t now = iterations;
        if (now > ITERATIONS_PER_CHECKPOINT)
            now = ITERATIONS_PER_CHECKPOINT;
        digest = iterate(digest, now, set, (uint32_t)(words - 1));
        iterations -= now;
        if (task_hooks.checkpoint)
            task_hooks.checkpoint(task);
        if (task_preempt)
            task_preempt(task);
    }
    if (task_hooks.work_ends)
        task_hooks.work_ends(task);
    return digest;
}
