/*
 * fork: a process per task; each hands its result back through a pipe of its own.
 *
 * Where it runs: a child process for each task. Who decides the order: the kernel. What blocks: an
 * op blocks its own process alone. What one more task costs: a process with its page tables and
 * copied pages, a pipe, and copying the result.
 */
#include "carry.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool child_main(void *argument, int results)
{
    struct task *task = argument;
    int64_t result = 0;
    for (const struct op *op; (op = task_resume(task, result));)
        result = op_block_for(task, op);
    return child_send(results, task->result);
}

/* Makes task `id` and the process it runs in. Returns 0 or an errno. */
static int start(struct trial *trial, unsigned id, struct child *child)
{
    struct task *task = task_create(trial, id);
    int error = task ? child_start(child, -1, child_main, task) : errno;
    task_free(task); /* the child has its own copy */
    return error;
}

static int collect(struct trial *trial, unsigned id, struct child *child)
{
    char who[64];
    snprintf(who, sizeof who, "the process of task %u", id);
    return child_end(trial, child, child_receive(child, &trial->results[id]), who);
}

static int fork_run(struct trial *trial)
{
    struct child *children = calloc(trial->tasks, sizeof *children);
    if (!children)
        return strategy_limit(trial, "task", 0, errno);

    unsigned made = 0;
    int error = 0;
    while (made < trial->tasks && !(error = start(trial, made, &children[made])))
        made++;
    int status = 0;
    if (error) {
        status = strategy_limit(trial, "process", made, error);
        for (unsigned id = 0; id < made; id++)
            child_kill(&children[id]);
    }
    for (unsigned id = 0; !error && id < made; id++) {
        int collected = collect(trial, id, &children[id]);
        status = collected ? collected : status;
    }
    free(children);
    return status;
}

STRATEGY(fork) = {
    .name = "fork",
    .summary = "a process per task, results back through pipes",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = fork_run,
};
