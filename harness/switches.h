/*
 * When the kernel took a thread off its core and put it back.
 *
 * Known from its own records: each thread opens a software event for itself that counts nothing
 * and logs context switches (PERF_RECORD_SWITCH, perf_event_open(2)) into a small ring. No root is
 * needed up to kernel.perf_event_paranoid 2; the records of inherited events can't be mapped, so
 * there is no opening it once for all.
 *
 * Inferred where that is refused: when a computing task comes to a checkpoint much later than
 * usual, its thread's CPU clock says how long it was off its core, and its counts of context
 * switches whether it went by itself. How long is exact; when is known to a checkpoint's distance,
 * and the absence is put in its middle. Absences shorter than that are added to the next longer
 * one. On which core a thread computes it is asked at every checkpoint, for being moved to another
 * takes less than can be noticed. A resumption that does not compute is not looked at.
 *
 * The catch: reading a CPU clock brings the scheduler's accounts up to date, and so ends an expired
 * time slice before the next tick would (slices of 1.5 ms instead of 4 were seen when every
 * checkpoint did). So the clock is read only just after an absence, when the slice is new.
 */
#ifndef OVERLAP_SWITCHES_H
#define OVERLAP_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "timeline.h"

/* A thread's CPU clock and switch counts at one instant. */
struct switches_sample {
    uint64_t wall_ns; /* CLOCK_MONOTONIC */
    uint64_t cpu_ns;
    uint64_t voluntary, involuntary; /* switches so far */
};

/* One per thread, used by that thread alone. Zeroed: not open, not computing. */
struct switches {
    void *ring; /* NULL unless open */
    /* For inference: */
    bool computing;                /* since this resumption began */
    uint16_t cpu;                  /* where the thread was at the last look, or was resumed */
    uint64_t looked_ns, usual_ns;  /* the last look, and about the median distance of two */
    struct switches_sample sample; /* taken at some look before */
};

/* The calling thread's, now. */
struct switches_sample switches_sample(void);

/* Starts the kernel's log for the calling thread. Returns NULL, or why not: one line of static
 * text with the command that helps. *absent tells whether the thread was off its core, or moved to
 * another, between `since`, a sample of its own, and the beginning of the log; then out and in (ns,
 * kind, cpu) say when. Close it before the thread ends; not to be used by a child after fork(),
 * where the ring is not mapped: zero the struct there. */
const char *switches_open(struct switches *switches, const struct switches_sample *since,
                          bool *absent, struct trace_event *out, struct trace_event *in);
void switches_close(struct switches *switches);

/* More than half of the ring is in use. */
bool switches_half_full(const struct switches *switches);

/* Takes one TRACE_OUT, TRACE_OUT_PREEMPTED or TRACE_IN (ns, kind and cpu are set) out of the ring.
 * False when the ring is empty. Adds to *lost what the kernel had no room for. */
bool switches_take(struct switches *switches, struct trace_event *event, uint64_t *lost);

/* Looks for an absence since the last look, for threads whose ring is not open: sets out and in
 * (ns, kind, cpu) and returns true when the thread was off its core for a noticeable time, or is on
 * another one than before (then with out and in at the same time, if it was away for less). At the
 * first look of a resumption (switches.computing is false) it only starts to look for absences.
 * Checkpoints teach it what distance is usual. */
bool switches_look(struct switches *switches, uint64_t now_ns, bool at_checkpoint,
                   struct trace_event *out, struct trace_event *in);

/* The inference itself: the thread's samples were `before` at some time and `after` just now, and
 * its absence lies between looked_ns and now. Sets ns and kind of out and in. */
bool switches_infer(const struct switches_sample *before, const struct switches_sample *after,
                    uint64_t looked_ns, struct trace_event *out, struct trace_event *in);

#endif
