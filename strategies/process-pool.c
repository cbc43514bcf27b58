/*
 * process-pool: W processes (-j), each of which takes one task at a time; the parent deals.
 *
 * Where it runs: a child process for each worker, made once, as multiprocessing.Pool does. Who
 * decides the order: the parent, which writes the number of the next task to whoever has handed in
 * a result; the kernel decides between the workers. What blocks: an op blocks its worker, which
 * sits idle though other tasks could run. What one more task costs: a message to a worker, a result
 * copied back through its pipe, and a wait for the parent between the two.
 */
#include "carry.h"
#include "op.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct worker {
    struct child child; /* first, so that child_next() returns the worker */
    struct trial *trial;
    int deals[2];  /* the pipe that its tasks' numbers come through */
    unsigned task; /* what it was dealt last */
};

static bool worker_main(void *argument, int results)
{
    const struct worker *worker = argument;
    struct trial *trial = worker->trial;
    unsigned id;
    while (pipe_read(worker->deals[0], &id, sizeof id) && id < trial->tasks) {
        struct task *task = task_create(trial, id);
        if (!task)
            trial->results[id].error = errno;
        int64_t result = 0;
        for (const struct op *op; task && (op = task_resume(task, result));)
            result = op_block_for(task, op);
        task_free(task);
        if (!child_send(results, &trial->results[id]))
            return false;
    }
    return true;
}

/* A worker that is gone will be noticed by the end of its results. */
static void deal(struct worker *worker, unsigned id)
{
    worker->task = id;
    pipe_write(worker->deals[1], &id, sizeof id);
}

static int worker_start(struct worker *worker, struct trial *trial, int epoll)
{
    worker->trial = trial;
    if (pipe(worker->deals) < 0)
        return errno;
    int error = child_start(&worker->child, epoll, worker_main, worker);
    close(worker->deals[0]);
    if (error)
        close(worker->deals[1]);
    return error;
}

/* Takes results as they come, and deals the next task for each. */
static int collect(struct trial *trial, const struct worker *workers, unsigned next, int epoll)
{
    for (unsigned collected = 0; collected < trial->tasks; collected++) {
        struct worker *worker = (struct worker *)child_next(epoll);
        if (!child_receive(&worker->child, &trial->results[worker->task])) {
            char who[64];
            snprintf(who, sizeof who, "worker %u, which had task %u,", (unsigned)(worker - workers),
                     worker->task);
            return child_end(trial, &worker->child, false, who);
        }
        if (next < trial->tasks)
            deal(worker, next++);
    }
    return 0;
}

static void end_workers(struct trial *trial, struct worker *workers, unsigned made, int status)
{
    for (unsigned i = 0; i < made && !status; i++)
        deal(&workers[i], trial->tasks); /* there is no more */
    for (unsigned i = 0; i < made; i++) {
        if (status)
            child_kill(&workers[i].child);
        else
            child_end(trial, &workers[i].child, true, "a worker");
        close(workers[i].deals[1]);
    }
}

static int process_pool_run(struct trial *trial)
{
    unsigned count = trial->workers < trial->tasks ? trial->workers : trial->tasks, made = 0;
    struct worker *workers = calloc(count, sizeof *workers);
    int epoll = workers ? epoll_create1(EPOLL_CLOEXEC) : -1, error = errno;
    if (epoll < 0) {
        free(workers);
        return strategy_limit(trial, "worker process", 0, error);
    }
    while (made < count && !(error = worker_start(&workers[made], trial, epoll))) {
        deal(&workers[made], made);
        made++;
    }
    int status = error ? strategy_limit(trial, "worker process", made, error)
                       : collect(trial, workers, made, epoll);
    end_workers(trial, workers, made, status);
    close(epoll);
    free(workers);
    return status;
}

STRATEGY(process_pool) = {
    .name = "process-pool",
    .summary = "W processes (-j), each takes one task at a time from the parent",
    .alive = ALIVE_WORKERS,
    .cancels = true,
    .run = process_pool_run,
};
