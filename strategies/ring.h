/*
 * The io_uring counterpart of loop.h: a queue of those that are ready, first ready first served,
 * and a ring through which the kernel performs their ops. It performs ops; its user resumes.
 *
 * The kernel makes the calls: an op is written into the ring, and comes back with its result, not
 * with readiness. All that were awaited in one turn are handed over by one system call, which also
 * waits when nobody is ready.
 */
#ifndef OVERLAP_RING_H
#define OVERLAP_RING_H

#include "heap.h"
#include "queue.h"
#include "task.h"

#include <liburing.h>
#include <stdbool.h>

/* One who awaits an op. All zero before its first op. */
struct ring_waiter {
    struct queue_node ready;       /* first, so that the node in the queue is the waiter */
    const struct op *op;           /* what it awaits; NULL: nothing, or a yield */
    int64_t result;                /* what that brought, once it is ready */
    struct heap_node deadline;     /* of a sleep */
    struct __kernel_timespec time; /* after which any other op is given up */
    int socket;                    /* that an OP_CONNECT is about */
    bool cancelled;                /* every op but a yield ends with -ECANCELED */
};

struct ring {
    struct io_uring uring;
    struct queue ready; /* those whose turn comes */
    unsigned turn;      /* how many of them are still to be served before looking for completed
                         * ops again */
    unsigned waiting;   /* how many wait for their op */
    struct heap deadlines;
    struct __kernel_timespec time; /* the earliest of them, as handed over last */
    uint64_t armed_ns;             /* the same; UINT64_MAX: none is under way */
    void (*cancel)(struct ring *ring);
    int error; /* -errno once the kernel has refused the ring's service, or 0 */
};

/* Makes a ring for up to `waiters` of them; there may be more of them than it has entries. When the
 * time for it comes, it calls `cancel`, once, which calls ring_cancel() for the chosen ones. 0 or
 * -errno. */
int ring_open(struct ring *ring, unsigned waiters, void (*cancel)(struct ring *ring));

/* Releases what ring_open() made, and ends the ops that are under way. */
void ring_close(struct ring *ring);

/* The parts of ring_await() and ring_next() that are too long to be inlined. */
void ring_perform(struct ring *ring, struct ring_waiter *waiter, const struct op *op);
bool ring_begin_turn(struct ring *ring);

/* Puts it at the end of the queue, to be returned by ring_next() with that result. */
static inline void ring_ready(struct ring *ring, struct ring_waiter *waiter, int64_t result)
{
    waiter->result = result;
    queue_push(&ring->ready, &waiter->ready);
}

/* Has the op performed; the waiter becomes ready when it is complete. The op stays the task's. */
static inline void ring_await(struct ring *ring, struct ring_waiter *waiter, const struct op *op)
{
    if (op->kind == OP_YIELD)
        ring_ready(ring, waiter, 0);
    else
        ring_perform(ring, waiter, op);
}

/* The op that it awaits, or else its next one, ends with -ECANCELED, and so do all later ones; one
 * that the kernel cannot stop (a read from a disk) is completed first. */
void ring_cancel(struct ring *ring, struct ring_waiter *waiter);

/* The next one that is ready, with its result; waits when there is none. NULL: nobody is left, or
 * ring->error says why it cannot go on. */
static inline struct ring_waiter *ring_next(struct ring *ring)
{
    if (ring->turn == 0 && !ring_begin_turn(ring))
        return NULL;
    ring->turn--;
    return (struct ring_waiter *)queue_pop(&ring->ready);
}

/* Whether this kernel has all that is needed of it: NULL, or why not and what would help. */
const char *ring_unavailable(void);

#endif
