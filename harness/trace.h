/*
 * The timeline pass: records what tasks and their threads do, inside the trial that it watches.
 *
 * Events go to memory that is made before the clock starts and shared with every process that a
 * strategy forks. A thread takes a page of it at a time and writes there alone; when all pages are
 * taken, events are dropped and counted, never awaited. Who called what in which order:
 *
 *     trace_begin(&setup, ...)
 *     task_hooks.work_begins, .checkpoint = trace_work_begins, trace_checkpoint (or call these),
 *               .lock_awaited, .lock_taken = trace_lock_awaited, trace_lock_taken
 *     clock starts; each task: trace_creating(id), body = trace_body; clock stops
 *     trace_end(start_ns, end_ns, &report), trace_write(csv), trace_drop()
 *
 * The catch: a thread whose tasks do nothing but switch pays for it. Compare the traced trials'
 * duration with the untraced ones' before reading times from them.
 */
#ifndef OVERLAP_TRACE_H
#define OVERLAP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "task.h"
#include "timeline.h"

struct trace_setup {
    unsigned tasks;                                              /* how many the trial will have */
    const struct op *(*body)(struct task *task, int64_t result); /* of the workload */
    bool no_perf;  /* do as if the kernel refused its switch records; the environment variable
                    * OVERLAP_NO_PERF, when not empty, says the same */
    size_t events; /* room for so many; 0: enough for millions */
};

/* What is said about the trace as a whole. NO_NUMBER (record.h) where there is nothing to say. */
struct trace_report {
    uint64_t events;           /* recorded */
    uint64_t dropped;          /* lost for want of room, here or in the kernel's rings */
    uint64_t event_ns;         /* cost of recording one, measured after the clock */
    const char *switch_source; /* "perf" when the kernel recorded the switches of all threads that
                                * computed, "gaps" when some or all were inferred (switches.h) */
    const char *switch_reason; /* why not "perf", with the command that helps; or NULL */
    uint64_t wake_p50_ns, wake_p99_ns, wake_max_ns; /* resumed - deadline of sleeps */
};

/* Makes the memory for events. Before the clock, with one thread alive. Returns 0, or -1 with one
 * line in `why`. */
int trace_begin(const struct trace_setup *setup, char *why, size_t why_bytes);

/* The strategy is about to make task `id`: called first thing in its task_create(). */
void trace_creating(uint32_t id);

/* Stands in for the workload's body. */
const struct op *trace_body(struct task *task, int64_t result);

/* For task_hooks: a thread's switches are followed from its first work() on. Until then, only
 * those of the thread that called trace_begin() are. */
void trace_work_begins(struct task *task);
void trace_checkpoint(struct task *task);
void trace_lock_awaited(struct task *task);
void trace_lock_taken(struct task *task);

/* Derives the timeline of the trial whose clock ran from start_ns to end_ns (CLOCK_MONOTONIC).
 * After the clock, when all other threads and processes of the trial are gone. Fills the report.
 * Returns 0, or -1 with errno set when memory is short. */
int trace_end(uint64_t start_ns, uint64_t end_ns, struct trace_report *report);

/* Writes the timeline with its header line; rows of an ideal schedule may follow by
 * timeline_csv_row(). Returns 0, or -1 when writing failed. After trace_end(). */
int trace_write(FILE *csv);

/* Gives all memory back; after trace_begin(), whether or not trace_end() was called. */
void trace_drop(void);

#endif
