/*
 * uring: stackless coroutines whose ops go through io_uring, on one thread.
 *
 * Where it runs: one process, one thread, one stack; the kernel may lend it threads of its own for
 * ops that cannot be done otherwise, which sockets and sleeps are not. Who decides the order: the
 * ring, first complete first served, and only where a task awaits. What blocks: nothing but the
 * ring itself when no task is ready; and a task that computes, which keeps all others waiting. What
 * one more task costs: an object on the heap, and one in the kernel while it waits.
 */
#include "strategy.h"

#ifdef HAVE_LIBURING
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

struct coroutine {
    struct ring_waiter waiter; /* first, so that the ring's waiter is the coroutine */
    struct task *task;
};

/* With the ring first, so that the ring is this. */
struct coroutines {
    struct ring ring;
    struct coroutine *all;
    unsigned count;
};

static void cancel(struct ring *ring)
{
    struct coroutines *self = (struct coroutines *)ring;
    for (unsigned i = 0; i < self->count; i++)
        if (self->all[i].task && task_may_be_cancelled(self->all[i].task))
            ring_cancel(ring, &self->all[i].waiter);
}

static int uring_run(struct trial *trial)
{
    struct coroutine *coroutines = calloc(trial->tasks, sizeof *coroutines);
    struct coroutines self = {.all = coroutines, .count = trial->tasks};
    struct ring *ring = &self.ring;
    int error = coroutines ? ring_open(ring, trial->tasks, cancel) : -ENOMEM;
    if (error) {
        free(coroutines);
        return strategy_limit(trial, "ring", 0, -error);
    }

    int status = 0;
    for (unsigned id = 0; id < trial->tasks && !status; id++) {
        coroutines[id].task = task_create(trial, id);
        if (coroutines[id].task)
            ring_ready(ring, &coroutines[id].waiter, 0);
        else
            status = strategy_limit(trial, "task", id, errno);
    }

    struct ring_waiter *waiter;
    while (!status && (waiter = ring_next(ring))) {
        struct coroutine *coroutine = (struct coroutine *)waiter;
        trial->task_switches++;
        const struct op *op = task_resume(coroutine->task, waiter->result);
        if (op) {
            ring_await(ring, waiter, op);
        } else {
            task_free(coroutine->task);
            coroutine->task = NULL;
        }
    }
    if (ring->error)
        status = strategy_limit(trial, "submission", 0, -ring->error);

    ring_close(ring); /* before the memory goes that ops under way may use */
    for (unsigned id = 0; status && id < trial->tasks; id++)
        task_free(coroutines[id].task);
    free(coroutines);
    return status;
}

#else

static const char *ring_unavailable(void)
{
    return "built without liburing 2.3 or later; install it (scripts/deps build) and build again";
}

#define uring_run NULL
#endif

STRATEGY(uring) = {
    .name = "uring",
    .summary = "stackless coroutines whose ops go through io_uring, one thread",
    .alive = ALIVE_ALL,
    .cancels = true,
    .unavailable = ring_unavailable,
    .run = uring_run,
};
