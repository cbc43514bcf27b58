/*
 * cpu: each task computes a fixed amount of work over a working set of its own and never waits.
 * Coroutines can bring nothing here, cores can. With a working set as large as a cache, whoever
 * switches between the tasks also pays for the cache lines that the others have thrown out.
 */
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t work_ns, set_bytes;

static const struct setting settings[] = {
    {"work", 0, SETTING_DURATION, "25ms", "TIME", "computing per task, as calibrated", &work_ns, 0,
     3600e9},
    {"working-set", 0, SETTING_BYTES, "4KiB", "BYTES", "memory it computes on; a power of two",
     &set_bytes, 4, 1073741824},
    {0},
};

struct cpu_task {
    struct task task;
    uint32_t *set;
};

static int cpu_prepare(char *why, size_t why_bytes)
{
    if ((set_bytes & (set_bytes - 1)) == 0)
        return 0;
    snprintf(why, why_bytes, "--working-set must be a power of two, such as 4KiB or 1MiB");
    return -1;
}

static const struct op *cpu_body(struct task *task, int64_t result)
{
    struct cpu_task *cpu = (struct cpu_task *)task;
    TASK_BEGIN(task);
    cpu->set = calloc(1, set_bytes);
    if (!cpu->set)
        task->result->error = ENOMEM;
    else
        task->result->digest =
            work(task, task->id, work_iterations(work_ns), cpu->set, set_bytes / sizeof *cpu->set);
    TASK_END(task);
}

static void cpu_release(struct task *task)
{
    free(((struct cpu_task *)task)->set);
}

static unsigned cpu_plan(uint32_t id, struct step *steps)
{
    (void)id;
    steps[0] = (struct step){.iterations = work_iterations(work_ns)};
    return 1;
}

WORKLOAD(cpu) = {
    .name = "cpu",
    .summary = "computes a fixed amount of work and never waits",
    .task_bytes = sizeof(struct cpu_task),
    .settings = settings,
    .prepare = cpu_prepare,
    .body = cpu_body,
    .release = cpu_release,
    .plan = cpu_plan,
};
