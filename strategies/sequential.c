/*
 * sequential: one task after another, in the order of their numbers, on the calling thread.
 *
 * Where it runs: one process, one thread. Who decides the order: this loop. What blocks: every op,
 * and with it everybody. What one more task costs: its object, and all of its time.
 */
#include "op.h"
#include "strategy.h"

#include <errno.h>

static int sequential_run(struct trial *trial)
{
    for (unsigned id = 0; id < trial->tasks; id++) {
        struct task *task = task_create(trial, id);
        if (!task)
            return strategy_limit(trial, "task", id, errno);
        int64_t result = 0;
        for (const struct op *op; (op = task_resume(task, result));)
            result = op_block_for(task, op);
        task_free(task);
    }
    return 0;
}

STRATEGY(sequential) = {
    .name = "sequential",
    .summary = "one task after another",
    .alive = ALIVE_ONE,
    .cancels = true,
    .run = sequential_run,
};
