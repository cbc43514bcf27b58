/*
 * What every task did at every instant, derived from recorded events: no clock, no recording, no
 * state, so that made-up events have known answers. Two catches: when an op on a socket was
 * complete is not known, so a task waits for it until it is resumed. And where the kernel does not
 * tell that the creating thread went to wait, the last task seems to be in the making until it
 * runs.
 */
#ifndef OVERLAP_TIMELINE_H
#define OVERLAP_TIMELINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- What is recorded ---- */

enum trace_kind {
    TRACE_NONE, /* a place that was never written */
    /* of tasks */
    TRACE_CREATING, /* the strategy is about to make the task */
    TRACE_RESUME,
    TRACE_AWAIT,
    TRACE_LOCK_AWAITED, /* within a resumption or before one; TRACE_RESUME says that it is over */
    TRACE_DONE,
    /* of the thread's own life, whatever task it ran */
    TRACE_OUT,           /* gave up its core to wait (for a page, a timer, a lock) */
    TRACE_OUT_PREEMPTED, /* was taken off its core */
    TRACE_IN,            /* came back to a core */
};

struct trace_event {
    uint64_t ns;       /* CLOCK_MONOTONIC */
    uint64_t until_ns; /* TRACE_AWAIT: when the op will be complete; TRACE_UNKNOWN: nobody knows */
    uint32_t task;     /* events of tasks only */
    uint32_t thread;   /* a number of its own for each thread of each process that records */
    uint32_t order;    /* for timeline_derive() */
    uint16_t kind;
    uint16_t cpu; /* TRACE_RESUME and TRACE_IN */
};
#define TRACE_UNKNOWN UINT64_MAX

/* ---- What is derived ---- */

enum timeline_state {
    STATE_CREATING,        /* the strategy is making the task */
    STATE_RUNNING,         /* on a core */
    STATE_READY,           /* could run but does not: its turn in the loop, no free core */
    STATE_READY_PREEMPTED, /* the kernel took the core away */
    STATE_READY_LOCK,      /* it waits for the strategy's lock */
    STATE_WAITING,         /* its op is not complete */
    STATE_IDEAL_RUNNING,   /* of the computed ideal schedule; never derived from events */
    STATE_IDEAL_WAITING,
    STATES
};
extern const char *const timeline_state_names[STATES]; /* as in the CSV */

enum { NO_CPU = -1 };

struct interval {
    uint64_t start_ns, end_ns; /* since the clock of the trial started; end > start */
    uint32_t task;
    int cpu; /* NO_CPU unless it runs */
    enum timeline_state state;
};

struct timeline {
    struct interval *intervals; /* by task, then by time */
    size_t count;
    double *late_ns; /* resumed - deadline of each sleep, ascending */
    size_t sleeps;
};

/* Derives the timeline of a trial whose clock ran from start_ns to end_ns. The intervals of a task
 * follow each other without overlap or gap from its creation to its end; neighbours differ in
 * state or core. A task that never ended stops at its last event. Sorts `events`. Returns 0, or -1
 * with errno set when memory is short; ended by timeline_drop() either way. */
int timeline_derive(struct trace_event *events, size_t count, uint64_t start_ns, uint64_t end_ns,
                    struct timeline *timeline);
void timeline_drop(struct timeline *timeline);

/* The timeline's CSV: task,cpu,state,start_ns,end_ns. Errors show in ferror(file). */
void timeline_csv_header(FILE *file);
void timeline_csv_row(const struct interval *interval, FILE *file);

/* Reads one again: *count intervals, which the caller frees. Returns 0, or -1 with one line in
 * `why` (which file, which line). */
int timeline_csv_read(const char *path, struct interval **intervals, size_t *count, char *why,
                      size_t why_bytes);

#endif
