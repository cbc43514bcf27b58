/*
 * A suite is a list of cells: a text file that anyone can write. One directive per line, words
 * apart by blanks, `#` begins a comment:
 *
 *     rounds 30                 timing rounds (after one more to warm up, which is not counted)
 *     memory-rounds 3           rounds that also read the memory or count system calls
 *     timeline-rounds 5         rounds that also record a timeline
 *     cell-budget 5s            a cell that must take longer is not run but shown by its bound
 *     control coroutine         this strategy enters every group that it is in a second time
 *     baseline coroutine        the one that the others are compared with
 *     cell WORKLOAD TASKS CPUS STRATEGIES [PASSES] [label=TEXT] [rounds=N]
 *          [--OPTION [VALUE] ...]
 *
 * TASKS and STRATEGIES are lists (100,1000 and fork,pthreads): the cells are all combinations;
 * `all` is every strategy that is built in. CPUS is one, all or a list of cores. PASSES are
 * `timing` (the default), `memory`, `timeline` and `syscalls`, joined by '+'. Cells of the same
 * workload, number, cores and label form a group and are compared; lines that differ in options
 * alone need labels of their own. Cells with rounds=N take part in the first N rounds alone, and no
 * precision is asked of them.
 */
#ifndef OVERLAP_SUITE_H
#define OVERLAP_SUITE_H

#include "arguments.h"
#include "setup.h"

#define EVERY_ROUND UINT64_MAX

struct cell {
    char *name;                 /* "mixed-4-one-fork": unique in the suite */
    char *group;                /* "mixed-4-one" */
    char *strategy, *workload;  /* as written */
    struct arguments arguments; /* of `overlap run` */
    bool control;
    bool passes[PASSES];
    uint64_t rounds; /* at most so many of any pass, or EVERY_ROUND of the suite */
    unsigned line;   /* of the file */
};

struct suite {
    char *path;
    uint64_t rounds, memory_rounds, timeline_rounds, cell_budget_ns;
    const char *control, *baseline; /* NULL: none named */
    struct cell *cells;
    size_t cell_count;
};

/* Reads the suite `name`: a file, or the name of one of those that come with the project. Returns
 * 0, or -1 with one line in `why` that names file and line. */
int suite_read(const char *name, struct suite *suite, char *why, size_t why_bytes);
void suite_drop(struct suite *suite);

#endif
