/*
 * toy-loop: asks each pending task in turn whether it can go on, again and again, and never sleeps:
 * the naive loop that explains coroutines in talks and tutorials. It is as quick as an event loop,
 * and burns a core all the while.
 *
 * Where it runs: one process, one thread. Who decides the order: this loop, in the order of the
 * tasks' numbers, and only where a task awaits. What blocks: nothing; a task that computes keeps
 * all others waiting. What one more task costs: an object on the heap, and a question (a look at
 * the clock, a system call for a socket) in each turn of the loop.
 */
#include "clock.h"
#include "op.h"
#include "strategy.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct pending {
    struct task *task;
    const struct op *op;  /* what it awaits; NULL before its first resumption */
    uint64_t deadline_ns; /* when a sleep is over, or another op has failed; 0: never */
    int fd;               /* that an OP_CONNECT has begun, or -errno */
    bool connecting;      /* it is under way */
};

static void begin(struct pending *pending, const struct op *op)
{
    pending->op = op;
    pending->deadline_ns = op->time_ns ? clock_now_ns() + op->time_ns : 0;
    if (op->kind == OP_CONNECT)
        pending->fd = op_connect_begin(op, &pending->connecting);
}

static int64_t ask_connection(struct pending *pending)
{
    struct pollfd socket = {.fd = pending->fd, .events = POLLOUT};
    if (!pending->connecting)
        return pending->fd;
    return poll(&socket, 1, 0) == 0 ? -EAGAIN : op_connect_end(pending->fd);
}

/* Gives its op up. */
static int64_t give_up(struct pending *pending, int64_t result)
{
    if (pending->op->kind == OP_CONNECT && pending->fd >= 0)
        close(pending->fd);
    return result;
}

/* Is its op complete? The result, or -EAGAIN: not yet. */
static int64_t ask(struct pending *pending, bool cancelling)
{
    const struct op *op = pending->op;
    if (!op || op->kind == OP_YIELD)
        return 0;
    if (cancelling && task_may_be_cancelled(pending->task))
        return give_up(pending, -ECANCELED);
    if (op->kind == OP_SLEEP)
        return clock_now_ns() < pending->deadline_ns ? -EAGAIN : 0;
    int64_t result = op->kind == OP_CONNECT ? ask_connection(pending) : op_try(op);
    if (result != -EAGAIN || !pending->deadline_ns || clock_now_ns() < pending->deadline_ns)
        return result;
    return give_up(pending, -ETIMEDOUT);
}

/* Asked once a turn, and only where tasks may be cancelled. */
static bool is_cancelling(void)
{
    struct pollfd asked = {.fd = cancellation.fd, .events = POLLIN};
    return cancellation.fd >= 0 && poll(&asked, 1, 0) > 0;
}

/* Resumes the task if it can go on. False once it is done. */
static bool turn(struct trial *trial, struct pending *pending, bool cancelling)
{
    int64_t result = ask(pending, cancelling);
    if (result == -EAGAIN)
        return true;
    trial->task_switches++;
    const struct op *op = task_resume(pending->task, result);
    if (op)
        begin(pending, op);
    else
        task_free(pending->task);
    return op;
}

static int toy_loop_run(struct trial *trial)
{
    struct pending *pending = calloc(trial->tasks, sizeof *pending);
    if (!pending)
        return strategy_limit(trial, "task", 0, errno);
    unsigned count = 0;
    while (count < trial->tasks && (pending[count].task = task_create(trial, count)))
        count++;
    int status = count < trial->tasks ? strategy_limit(trial, "task", count, errno) : 0;

    while (!status && count > 0) {
        unsigned kept = 0;
        bool cancelling = is_cancelling();
        for (unsigned i = 0; i < count; i++)
            if (turn(trial, &pending[i], cancelling))
                pending[kept++] = pending[i];
        count = kept;
    }

    while (status && count > 0)
        task_free(pending[--count].task);
    free(pending);
    return status;
}

STRATEGY(toy_loop) = {
    .name = "toy-loop",
    .summary = "asks each task in turn and never sleeps, one thread",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = toy_loop_run,
};
