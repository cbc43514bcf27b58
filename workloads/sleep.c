/*
 * sleep: each task waits once, for a random time between --shortest and --longest units, and does
 * nothing else. The talk's "1000 sleeps of one to three seconds"; with the default unit of 100 ms
 * it is a tenth of that. All the time is waiting, so what it shows is what a waiting task costs.
 *
 * A task that has a stack has it because calls go deep. --depth lets each task use so much of the
 * stack before it waits: a stack of its own keeps that memory, one that is shared does not.
 */
#include "workload.h"

#include <alloca.h>
#include <stdio.h>

static double shortest, longest;
static uint64_t depth_bytes;

static const struct setting settings[] = {
    {"shortest", 0, SETTING_NUMBER, "1", "UNITS", "least time to sleep, in units", &shortest, 0,
     1e9},
    {"longest", 0, SETTING_NUMBER, "3", "UNITS", "most time to sleep, in units", &longest, 0, 1e9},
    {"depth", 0, SETTING_BYTES, "0", "BYTES", "stack that a task uses before it waits",
     &depth_bytes, 0, 4 << 20},
    {0},
};

static uint64_t sleep_ns(uint32_t id)
{
    double share = workload_random(params.seed, id, 0) / 4294967296.0;
    return (uint64_t)((shortest + share * (longest - shortest)) * (double)params.unit_ns);
}

static int sleep_prepare(char *why, size_t why_bytes)
{
    static const double week_ns = 7 * 86400e9;
    if (longest * (double)params.unit_ns > week_ns) {
        snprintf(why, why_bytes, "--longest %g units of %g s is more than a week", longest,
                 (double)params.unit_ns / 1e9);
        return -1;
    }
    if (shortest <= longest)
        return 0;
    snprintf(why, why_bytes, "--shortest %g is more than --longest %g", shortest, longest);
    return -1;
}

/* Touches every page of it, from the top, as calls would. */
static __attribute__((noinline)) void use_stack(size_t bytes)
{
    const size_t step = 512;
    volatile char *stack = alloca(bytes);
    for (size_t left = bytes; left > 0; left -= left < step ? left : step)
        stack[left - 1] = 0;
}

static const struct op *sleep_body(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    use_stack(depth_bytes);
    AWAIT(task, op_sleep(sleep_ns(task->id)));
    if (result < 0)
        task->result->error = (int32_t)-result;
    task->result->digest = (uint32_t)sleep_ns(task->id);
    TASK_END(task);
}

static unsigned sleep_plan(uint32_t id, struct step *steps)
{
    steps[0] = (struct step){.wait_ns = sleep_ns(id)};
    return 1;
}

WORKLOAD(sleep) = {
    .name = "sleep",
    .summary = "waits once, for a random 1 to 3 units of time",
    .task_bytes = sizeof(struct task),
    .settings = settings,
    .prepare = sleep_prepare,
    .body = sleep_body,
    .plan = sleep_plan,
};
