/*
 * The event loop of the strategies that switch in user space: a queue of those that are ready,
 * first ready first served; deadlines; and libev for sockets. It performs ops; its user resumes.
 */
#ifndef OVERLAP_LOOP_H
#define OVERLAP_LOOP_H

#include "deadlines.h"
#include "queue.h"
#include "task.h"

#include <ev.h>
#include <stdbool.h>

/* One who awaits an op: the loop's part of a coroutine. All zero before its first op. */
struct waiter {
    struct queue_node ready;   /* first, so that the node in the queue is the waiter */
    const struct op *op;       /* what it awaits; NULL: nothing, or a yield */
    int64_t result;            /* what that brought, once it is ready */
    struct heap_node deadline; /* of a sleep, or of an op that may time out */
    ev_io io;                  /* on op->fd, while the op would block */
    int socket;                /* the descriptor that its OP_CONNECT brought */
    bool cancelled;            /* every op but a yield ends with -ECANCELED */
};

struct loop {
    struct ev_loop *ev;
    struct queue ready;  /* those whose turn comes */
    unsigned turn;       /* how many of them are still to be served before looking for completed
                          * ops again */
    unsigned waiting;    /* how many wait for their op */
    unsigned on_sockets; /* and how many of them for one on a socket */
    struct deadlines deadlines;
    ev_io timer; /* on that of the deadlines */
    ev_io cancellation;
    void (*cancel)(struct loop *loop);
};

/* Makes a loop for up to `waiters` of them. When the time for it comes, it calls `cancel`, once,
 * which calls loop_cancel() for the chosen ones; NULL: there is no such time. 0 or -errno. */
int loop_open(struct loop *loop, unsigned waiters, void (*cancel)(struct loop *loop));

/* Releases what loop_open() made. Whoever still waits is forgotten. */
void loop_close(struct loop *loop);

/* The parts of loop_await() and loop_next() that are too long to be inlined. */
void loop_perform(struct loop *loop, struct waiter *waiter, const struct op *op);
bool loop_begin_turn(struct loop *loop);

/* Puts it at the end of the queue, to be returned by loop_next() with that result. */
static inline void loop_ready(struct loop *loop, struct waiter *waiter, int64_t result)
{
    waiter->result = result;
    queue_push(&loop->ready, &waiter->ready);
}

/* Has the op performed; the waiter becomes ready when it is complete. The op stays the task's. */
static inline void loop_await(struct loop *loop, struct waiter *waiter, const struct op *op)
{
    if (op->kind == OP_YIELD)
        loop_ready(loop, waiter, 0);
    else
        loop_perform(loop, waiter, op);
}

/* The op that it awaits, or else its next one, ends with -ECANCELED, and so do all later ones. */
void loop_cancel(struct loop *loop, struct waiter *waiter);

/* The next one that is ready, with its result; waits when there is none. NULL: nobody is left. */
static inline struct waiter *loop_next(struct loop *loop)
{
    if (loop->turn == 0 && !loop_begin_turn(loop))
        return NULL;
    loop->turn--;
    return (struct waiter *)queue_pop(&loop->ready);
}

#endif
