/*
 * pingpong: tasks that wait for each other. Task 2k and task 2k + 1 have a socket pair between
 * them, on which they take turns, --rounds times each: one sends four bytes, the other waits for
 * them and answers. What is sent is the digest so far, so the last digest proves the whole
 * exchange.
 *
 * The catch: both must be alive. A strategy that finishes one task before it starts the next would
 * wait forever for an answer that nobody is there to give; it is refused before it starts. And a
 * forked process inherits the sockets of all tasks that come after it.
 */
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t rounds;

static const struct setting settings[] = {
    {"rounds", 0, SETTING_COUNT, "100", "N", "messages that each task sends and receives", &rounds,
     0, 1e9},
    {0},
};

static int *sockets; /* of task `id`; -1: it has none (any more) */

struct player {
    struct task task;
    uint32_t turn;
    uint32_t message;
};

static int pingpong_prepare(char *why, size_t why_bytes)
{
    if (params.tasks % 2 != 0) {
        snprintf(why, why_bytes, "pingpong is played in pairs: --tasks must be even, not %u",
                 params.tasks);
        return -1;
    }
    free(sockets);
    sockets = malloc(params.tasks * sizeof *sockets);
    if (!sockets) {
        snprintf(why, why_bytes, "no memory for the sockets of %u tasks", params.tasks);
        return -1;
    }
    memset(sockets, -1, params.tasks * sizeof *sockets);
    return 0;
}

/* The sockets keep the boundaries of messages, so that each comes whole. */
static int pingpong_provide(uint32_t id)
{
    if (id % 2 == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &sockets[id]) < 0)
        return -errno;
    return params.timeout_ns ? socket_limit(sockets[id], params.timeout_ns) : 0;
}

/* Who has the first word of a round is who has the even number. */
static struct op next_op(struct player *player)
{
    int fd = sockets[player->task.id];
    if ((player->turn + player->task.id) % 2 != 0)
        return op_recv(fd, &player->message, sizeof player->message, params.timeout_ns);
    player->message = player->task.result->digest;
    return op_send(fd, &player->message, sizeof player->message, params.timeout_ns);
}

/* Whose partner is gone has been cancelled with it, even if it has not been told yet. */
static int32_t error_of(const struct task *task, int64_t result)
{
    bool gone = result >= 0 || result == -EPIPE || result == -ECONNRESET;
    if (gone)
        return task_may_be_cancelled(task) ? ECANCELED : EPIPE;
    return (int32_t)-result;
}

static const struct op *pingpong_body(struct task *task, int64_t result)
{
    struct player *player = (struct player *)task;
    TASK_BEGIN(task);
    task->result->digest = task->id;
    for (; player->turn < 2 * rounds; player->turn++) {
        AWAIT(task, next_op(player));
        if (result != sizeof player->message) {
            task->result->error = error_of(task, result);
            shutdown(sockets[task->id], SHUT_RDWR); /* or the other would wait forever */
            break;
        }
        task->result->bytes_moved += sizeof player->message;
        if (task->op.kind == OP_RECV)
            task->result->digest = task->result->digest * 1664525u + player->message;
    }
    TASK_END(task);
}

static void pingpong_release(struct task *task)
{
    if (sockets[task->id] >= 0)
        close(sockets[task->id]);
    sockets[task->id] = -1;
}

/* How long an answer takes is up to the strategy. */
static unsigned pingpong_plan(uint32_t id, struct step *steps)
{
    (void)id, (void)steps;
    return 0;
}

WORKLOAD(pingpong) = {
    .name = "pingpong",
    .summary = "pairs of tasks that wait for each other's messages, 100 each",
    .task_bytes = sizeof(struct player),
    .settings = settings,
    .needs_all_alive = true,
    .together = 2,
    .prepare = pingpong_prepare,
    .provide = pingpong_provide,
    .body = pingpong_body,
    .release = pingpong_release,
    .plan = pingpong_plan,
};
