/*
 * What no strategy can beat, and what the best cooperative one would do: computed from the plans of
 * the tasks and from how fast this very trial computed.
 */
#ifndef OVERLAP_IDEAL_H
#define OVERLAP_IDEAL_H

#include "strategy.h"
#include "workload.h"

/* A piece of the ideal schedule: task `id` computes on core `cpu`, or waits (cpu -1). */
typedef void ideal_piece(void *context, uint32_t id, int cpu, uint64_t start_ns, uint64_t end_ns);

struct ideal {
    uint64_t alone_ns; /* all tasks, one by one */
    uint64_t bound_ns; /* max(longest task, total work / cores) */
    uint64_t ideal_ns; /* makespan of the schedule: first ready, first served, no cost; NO_NUMBER
                        * (record.h) when that is beyond five hours */
};

/* Time that a task takes alone when an iteration of work() takes `iteration_ns`. */
uint64_t ideal_alone_ns(const struct workload *workload, uint32_t id, double iteration_ns);

/* Makes the schedule of `tasks` tasks on `cpus` cores: all are ready at 0 in the order of their
 * numbers; a free core takes the one that has been ready longest and runs it until it waits. Calls
 * `piece` (may be NULL) for each piece. Returns 0, or -1 when the workload has no plan here or
 * memory is short. O(steps log tasks). */
int ideal_schedule(const struct workload *workload, unsigned tasks, unsigned cpus,
                   double iteration_ns, ideal_piece *piece, void *context, struct ideal *ideal);

/* The least time that `strategy` can need, by how many tasks it has under way at once. */
uint64_t ideal_least_ns(const struct ideal *ideal, const struct strategy *strategy,
                        unsigned workers);

#endif
