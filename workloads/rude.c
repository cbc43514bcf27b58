/*
 * rude: polite tasks, and one that never yields. A polite task computes for a moment and waits for
 * a moment, again and again. The rude one begins likewise, then computes for --rudeness units in
 * one piece. Where tasks share a thread, all others are late by that much: it shows in their
 * latency and stretch. Where the kernel pre-empts, they lose at most a share of a core. The rude
 * task behaves at first so that all are under way when it begins: a task that never came to start
 * is late, but not stretched.
 */
#include "workload.h"

#include <inttypes.h>
#include <stdio.h>

/* A polite task on its own takes two units, a fifth of which it computes: a core has room for four
 * of them. */
enum { ROUNDS = 10, WORK_HUNDREDTHS = 4, WAIT_HUNDREDTHS = 16 };

static uint64_t rude_task;
static double rudeness;

static const struct setting settings[] = {
    {"rude-task", 0, SETTING_COUNT, "0", "ID", "the number of the rude task, from 0", &rude_task, 0,
     10e6},
    {"rudeness", 0, SETTING_NUMBER, "2", "UNITS", "how long it computes in one piece, in units",
     &rudeness, 0, 1e6},
    {0},
};

struct rude {
    struct task task;
    unsigned step;
    uint32_t set[16];
};

static unsigned steps_of(uint32_t id)
{
    return id == rude_task ? 2 : ROUNDS;
}

static struct step step_of(uint32_t id, unsigned step)
{
    if (id == rude_task && step == 1)
        return (struct step){.iterations =
                                 work_iterations((uint64_t)((double)params.unit_ns * rudeness))};
    return (struct step){
        .iterations = work_iterations(params.unit_ns / 100 * WORK_HUNDREDTHS),
        .wait_ns = params.unit_ns / 100 * WAIT_HUNDREDTHS,
    };
}

static int rude_prepare(char *why, size_t why_bytes)
{
    if (rude_task < params.tasks)
        return 0;
    snprintf(why, why_bytes,
             "--rude-task must be one of the %u tasks, so between 0 and %u, not %" PRIu64,
             params.tasks, params.tasks - 1, rude_task);
    return -1;
}

static const struct op *rude_body(struct task *task, int64_t result)
{
    struct rude *self = (struct rude *)task;
    TASK_BEGIN(task);
    task->result->digest = task->id;
    for (; self->step < steps_of(task->id); self->step++) {
        task->result->digest =
            work(task, task->result->digest, step_of(task->id, self->step).iterations, self->set,
                 sizeof self->set / sizeof *self->set);
        if (step_of(task->id, self->step).wait_ns > 0) {
            AWAIT(task, op_sleep(step_of(task->id, self->step).wait_ns));
            if (result < 0) {
                task->result->error = (int32_t)-result;
                break;
            }
        }
    }
    TASK_END(task);
}

static unsigned rude_plan(uint32_t id, struct step *steps)
{
    for (unsigned step = 0; step < steps_of(id); step++)
        steps[step] = step_of(id, step);
    return steps_of(id);
}

WORKLOAD(rude) = {
    .name = "rude",
    .summary = "polite tasks that work and wait in turn, and one that computes and never yields",
    .task_bytes = sizeof(struct rude),
    .settings = settings,
    .prepare = rude_prepare,
    .body = rude_body,
    .plan = rude_plan,
};
