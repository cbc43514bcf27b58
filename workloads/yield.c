/*
 * yield: nothing but switches. Each task lets the others run, --yields times, and does nothing
 * else, so the wall time divided by tasks × yields is the price of one switch: a system call for
 * who leaves switching to the kernel (which may well resume the same thread), a function call and a
 * place in a queue for who does it in user space.
 */
#include "workload.h"

static uint64_t yields;

static const struct setting settings[] = {
    {"yields", 0, SETTING_COUNT, "10k", "N", "how often each task yields", &yields, 0, 4e9},
    {0},
};

struct yield_task {
    struct task task;
    uint32_t done;
};

static const struct op *yield_body(struct task *task, int64_t result)
{
    struct yield_task *self = (struct yield_task *)task;
    TASK_BEGIN(task);
    for (; self->done < yields; self->done++)
        AWAIT(task, op_yield());
    task->result->digest = workload_random(params.seed, task->id, self->done);
    TASK_END(task);
}

/* It neither computes nor waits: all of its time is the strategy's. */
static unsigned yield_plan(uint32_t id, struct step *steps)
{
    (void)id, (void)steps;
    return 0;
}

WORKLOAD(yield) = {
    .name = "yield",
    .summary = "yields 10,000 times: nothing but switches",
    .task_bytes = sizeof(struct yield_task),
    .settings = settings,
    .body = yield_body,
    .plan = yield_plan,
};
