/*
 * coroutine: stackless coroutines on one event loop, on one thread.
 *
 * Where it runs: one process, one thread, one stack. Who decides the order: the loop, first ready
 * first served, and only where a task awaits; nobody is interrupted. What blocks: nothing but the
 * loop itself when no task is ready; and a task that computes, which keeps all others waiting. What
 * one more task costs: an object on the heap.
 */
#include "loop.h"
#include "strategy.h"

#include <errno.h>
#include <stdlib.h>

struct coroutine {
    struct waiter waiter; /* first, so that the loop's waiter is the coroutine */
    struct task *task;
};

static int coroutine_run(struct trial *trial)
{
    struct coroutine *coroutines = calloc(trial->tasks, sizeof *coroutines);
    struct loop loop;
    int error = coroutines ? loop_open(&loop, trial->tasks) : -ENOMEM;
    if (error) {
        free(coroutines);
        return strategy_limit(trial, "event loop", 0, -error);
    }

    int status = 0;
    for (unsigned id = 0; id < trial->tasks && !status; id++) {
        coroutines[id].task = task_create(trial, id);
        if (coroutines[id].task)
            loop_ready(&loop, &coroutines[id].waiter, 0);
        else
            status = strategy_limit(trial, "task", id, errno);
    }

    struct waiter *waiter;
    while (!status && (waiter = loop_next(&loop))) {
        struct coroutine *coroutine = (struct coroutine *)waiter;
        trial->task_switches++;
        const struct op *op = task_resume(coroutine->task, waiter->result);
        if (op) {
            loop_await(&loop, waiter, op);
        } else {
            task_free(coroutine->task);
            coroutine->task = NULL;
        }
    }

    for (unsigned id = 0; status && id < trial->tasks; id++)
        task_free(coroutines[id].task);
    loop_close(&loop);
    free(coroutines);
    return status;
}

STRATEGY(coroutine) = {
    .name = "coroutine",
    .summary = "stackless coroutines on one libev loop, one thread",
    .alive = ALIVE_ALL,
    .run = coroutine_run,
};
