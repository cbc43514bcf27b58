/* See ideal.h. */
#include "ideal.h"
#include "heap.h"
#include "record.h"

#include <stdlib.h>

/* A task in the making: the queue is ordered by when it became ready, then by its number. */
struct runner {
    struct heap_node node; /* first */
    unsigned step;
};

/* Heap keys hold the time in their upper 44 bits (five hours) and the task below. */
enum { ID_BITS = 20 };

static uint64_t key_of(uint64_t ready_ns, uint32_t id)
{
    return ready_ns << ID_BITS | (id & ((1u << ID_BITS) - 1));
}

static uint64_t work_ns(const struct step *step, double iteration_ns)
{
    return (uint64_t)((double)step->iterations * iteration_ns);
}

uint64_t ideal_alone_ns(const struct workload *workload, uint32_t id, double iteration_ns)
{
    struct step steps[PLAN_STEPS_MAX];
    unsigned count = workload->plan(id, steps);
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += work_ns(&steps[i], iteration_ns) + steps[i].wait_ns;
    return sum;
}

static unsigned first_free(const uint64_t *free_ns, unsigned cpus)
{
    unsigned first = 0;
    for (unsigned cpu = 1; cpu < cpus; cpu++)
        if (free_ns[cpu] < free_ns[first])
            first = cpu;
    return first;
}

int ideal_schedule(const struct workload *workload, unsigned tasks, unsigned cpus,
                   double iteration_ns, ideal_piece *piece, void *context, struct ideal *ideal)
{
    struct step steps[PLAN_STEPS_MAX];
    if (workload->plan(0, steps) == 0)
        return -1;
    struct heap queue = {0};
    struct runner *runners = calloc(tasks, sizeof *runners);
    uint64_t *free_ns = calloc(cpus, sizeof *free_ns);
    if (!runners || !free_ns || heap_reserve(&queue, tasks) != 0) {
        free(runners);
        free(free_ns);
        return -1;
    }

    uint64_t total_work_ns = 0, longest_ns = 0;
    bool too_long = false;
    *ideal = (struct ideal){0};
    for (uint32_t id = 0; id < tasks; id++) {
        uint64_t alone_ns = ideal_alone_ns(workload, id, iteration_ns);
        ideal->alone_ns += alone_ns;
        longest_ns = alone_ns > longest_ns ? alone_ns : longest_ns;
        runners[id].node.key = key_of(0, id);
        heap_push(&queue, &runners[id].node);
    }

    for (struct runner *runner; (runner = (struct runner *)heap_top(&queue));) {
        heap_remove(&queue, &runner->node);
        uint32_t id = (uint32_t)(runner - runners);
        unsigned count = workload->plan(id, steps);
        struct step step = steps[runner->step++];

        uint64_t ready_ns = runner->node.key >> ID_BITS, end_ns = ready_ns;
        uint64_t busy_ns = work_ns(&step, iteration_ns);
        if (busy_ns) {
            unsigned cpu = first_free(free_ns, cpus);
            uint64_t start_ns = free_ns[cpu] > ready_ns ? free_ns[cpu] : ready_ns;
            end_ns = free_ns[cpu] = start_ns + busy_ns;
            total_work_ns += busy_ns;
            if (piece)
                piece(context, id, (int)cpu, start_ns, end_ns);
        }
        if (step.wait_ns && piece)
            piece(context, id, -1, end_ns, end_ns + step.wait_ns);
        end_ns += step.wait_ns;
        if (end_ns > ideal->ideal_ns)
            ideal->ideal_ns = end_ns;
        if (end_ns >> (64 - ID_BITS)) { /* beyond what a key can hold: five hours */
            runner->step = count;
            too_long = true;
        }
        if (runner->step < count) {
            runner->node.key = key_of(end_ns, id);
            heap_push(&queue, &runner->node);
        }
    }
    ideal->bound_ns = total_work_ns / cpus > longest_ns ? total_work_ns / cpus : longest_ns;
    free(runners);
    free(free_ns);
    heap_drop(&queue);
    if (too_long)
        ideal->ideal_ns = NO_NUMBER;
    return 0;
}

uint64_t ideal_least_ns(const struct ideal *ideal, const struct strategy *strategy,
                        unsigned workers)
{
    uint64_t turns_ns = 0;
    if (strategy->alive == ALIVE_ONE)
        turns_ns = ideal->alone_ns;
    else if (strategy->alive == ALIVE_WORKERS)
        turns_ns = ideal->alone_ns / workers;
    return turns_ns > ideal->bound_ns ? turns_ns : ideal->bound_ns;
}
