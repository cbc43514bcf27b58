/*
 * The deadlines of an event loop: a heap of them, and a timerfd that wakes the loop at the
 * earliest. libev's epoll backend hands epoll_wait() whole milliseconds, so an ev_timer is up to
 * one millisecond late; a timerfd is as punctual as nanosleep(). It is armed only before waiting,
 * and only when it would go off too late: a wake-up costs one system call more than epoll_wait(),
 * and a deadline that is never reached costs none.
 */
#ifndef OVERLAP_DEADLINES_H
#define OVERLAP_DEADLINES_H

#include "heap.h"

struct deadlines {
    struct heap heap;  /* of times of the monotonic clock, in ns */
    int timer;         /* readable once the earliest may be over; for the loop to watch */
    uint64_t armed_ns; /* what the timer is armed with; UINT64_MAX: nothing */
};

/* Makes the timer, and room for `count` in the heap; more may fit. 0 or -errno. */
int deadlines_open(struct deadlines *deadlines, uint32_t count);

/* Releases both. The nodes belong to the caller. */
void deadlines_close(struct deadlines *deadlines);

/* Before the loop waits: has the timer go off at the earliest deadline, or before it. */
void deadlines_arm(struct deadlines *deadlines);

/* After the timer went off, once what was due has been removed: it is no longer readable. */
void deadlines_went_off(struct deadlines *deadlines);

/* The earliest, if it is over; it stays in the heap. */
static inline struct heap_node *deadlines_due(const struct deadlines *deadlines, uint64_t now_ns)
{
    struct heap_node *top = heap_top(&deadlines->heap);
    return top && top->key <= now_ns ? top : NULL;
}

#endif
