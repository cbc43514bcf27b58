/*
 * A workload is a way to make N tasks from a seed: what is done. It knows no strategy and no
 * clock. One file per workload, found by the build; it ends with its descriptor:
 *
 *     WORKLOAD(nap) = { .name = "nap", .summary = "...", .task_bytes = sizeof(struct nap), ... };
 */
#ifndef OVERLAP_WORKLOAD_H
#define OVERLAP_WORKLOAD_H

#include "registry.h"
#include "settings.h"
#include "task.h"

/* What all workloads are given. */
struct params {
    uint64_t seed;
    uint64_t unit_ns;   /* the talk's unit of time, one second there */
    double work_rate;   /* iterations of work() per nanosecond, as calibrated */
    const char *origin; /* http://host:port of the built-in origin; NULL unless wants_origin() */
    unsigned tasks;
    uint64_t timeout_ns; /* no op but a yield and a read from a file may take so long; 0: it may */
};
extern struct params params;

/* One step of a task's plan: compute so much, then wait so long. */
struct step {
    uint64_t iterations; /* of work() */
    uint64_t wait_ns;
};
enum { PLAN_STEPS_MAX = 16 };

struct workload {
    const char *name;
    const char *summary;            /* one line for `overlap list` */
    size_t task_bytes;              /* of the struct that starts with `struct task` */
    const struct setting *settings; /* its own options, ended by a row without a name; or NULL */
    /* Does it need the built-in HTTP server (params.origin), its settings being what they are?
     * Optional. */
    bool (*wants_origin)(void);

    /* Do its tasks wait for each other? Then a strategy that has not all of them under way at once
     * would wait forever, and is refused. */
    bool needs_all_alive;

    /* So many in a row are of no use without each other, and cancelled together; 0: each is on its
     * own. */
    unsigned together;

    /* Once per trial, and in a dry run, before the clock starts: checks settings, resolves names,
     * allocates what all tasks share. Returns 0, or -1 with one line in `why` (wrong use).
     * Optional. */
    int (*prepare)(char *why, size_t why_bytes);

    /* For each task in the order of their numbers, before the clock starts, but not in a dry run:
     * makes what task `id` will find there whichever process it runs in (a socket to another task,
     * its part of a file). The limits of the trial are in force. Returns 0 or -errno; the trial
     * cannot run here then. Optional. */
    int (*provide)(uint32_t id);

    /* After the last provide(): one line for the record about the conditions that the trial met,
     * which stays valid; or NULL. Optional. */
    const char *(*note)(void);

    /* Fills the zeroed struct of task `task->id`: a function of params, settings and the id alone.
     * Returns 0 or -errno. Optional. */
    int (*init)(struct task *task);

    /* The task itself. Required. */
    const struct op *(*body)(struct task *task, int64_t result);

    /* Releases what the task holds (descriptors, buffers), wherever it stands. Optional. */
    void (*release)(struct task *task);

    /* After the clock, for each result as it is in the parent's hands: sums up the payload into the
     * digest, or sets `error`. The payload is freed afterwards by the caller. Optional. */
    void (*check)(struct result *result);

    /* Writes what task `id` will do, at most PLAN_STEPS_MAX steps, and returns how many; 0 for all
     * tasks when that can't be known (a foreign server) or all is up to the strategy (nothing but
     * switches). The bound and the ideal rest on it. Required. */
    unsigned (*plan)(uint32_t id, struct step *steps);
};

#define WORKLOAD(ident) REGISTER(workload, ident)
REGISTRY(workload)

/* A well-mixed 32-bit number that depends on (seed, id, salt) alone: what workloads draw their
 * random sizes from, so that task `id` is the same under every strategy. */
uint32_t workload_random(uint64_t seed, uint32_t id, uint32_t salt);

/* Iterations of work() that take about `ns` on this machine. */
static inline uint64_t work_iterations(uint64_t ns)
{
    return (uint64_t)((double)ns * params.work_rate);
}

#endif
