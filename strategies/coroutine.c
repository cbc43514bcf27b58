/*
 * coroutine: stackless coroutines on one event loop, on one thread.
 *
 * Where it runs: one process, one thread, one stack. Who decides the order: the loop, first ready
 * first served, and only where a task awaits; nobody is interrupted. What blocks: nothing but the
 * loop itself when no task is ready; and a task that computes, which keeps all others waiting. What
 * one more task costs: an object on the heap.
 */
#include "coroutine.h"
#include "loop.h"

#include <errno.h>
#include <stdlib.h>

struct coroutine {
    struct waiter waiter; /* first, so that the loop's waiter is the coroutine */
    struct task *task;
};

/* One loop's. */
struct coroutines {
    struct loop loop; /* first, so that the loop is this */
    struct coroutine *all;
    unsigned count;
};

static void cancel(struct loop *loop)
{
    struct coroutines *self = (struct coroutines *)loop;
    for (unsigned i = 0; i < self->count; i++)
        if (self->all[i].task && task_may_be_cancelled(self->all[i].task))
            loop_cancel(loop, &self->all[i].waiter);
}

int coroutines_run(struct trial *trial, unsigned first, unsigned step)
{
    unsigned count = (trial->tasks - first + step - 1) / step;
    struct coroutine *coroutines = calloc(count, sizeof *coroutines);
    struct coroutines self = {.all = coroutines, .count = count};
    struct loop *loop = &self.loop;
    int error = coroutines ? loop_open(loop, count, cancel) : -ENOMEM;
    if (error) {
        free(coroutines);
        return strategy_limit(trial, "event loop", first, -error);
    }

    int status = 0;
    for (unsigned i = 0; i < count && !status; i++) {
        coroutines[i].task = task_create(trial, first + i * step);
        if (coroutines[i].task)
            loop_ready(loop, &coroutines[i].waiter, 0);
        else
            status = strategy_limit(trial, "task", first + i * step, errno);
    }

    struct waiter *waiter;
    while (!status && (waiter = loop_next(loop))) {
        struct coroutine *coroutine = (struct coroutine *)waiter;
        trial->task_switches++;
        const struct op *op = task_resume(coroutine->task, waiter->result);
        if (op) {
            loop_await(loop, waiter, op);
        } else {
            task_free(coroutine->task);
            coroutine->task = NULL;
        }
    }

    for (unsigned i = 0; status && i < count; i++)
        task_free(coroutines[i].task);
    loop_close(loop);
    free(coroutines);
    return status;
}

static int coroutine_run(struct trial *trial)
{
    return coroutines_run(trial, 0, 1);
}

STRATEGY(coroutine) = {
    .name = "coroutine",
    .summary = "stackless coroutines on one libev loop, one thread",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = coroutine_run,
};
