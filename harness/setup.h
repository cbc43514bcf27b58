/*
 * One cell as a command line gives it: what `run`, `bench` and the trial itself read alike.
 */
#ifndef OVERLAP_SETUP_H
#define OVERLAP_SETUP_H

#include "options.h"
#include "record.h"
#include "strategy.h"
#include "workload.h"

#include <sched.h>

enum pass {
    PASS_TIMING,   /* nothing is traced */
    PASS_MEMORY,   /* tasks are held at their first wait, then the trial is ended */
    PASS_TIMELINE, /* task events and switches are recorded */
    PASS_SYSCALLS, /* the kernel counts system calls */
    PASSES
};
extern const char *const pass_names[PASSES];

struct setup {
    const struct strategy *strategy; /* NULL: an external program, see strategy_name */
    const struct workload *workload;
    const char *strategy_name, *workload_name;
    uint64_t tasks, workers; /* as given; workers 0: one per core */
    const char *cpu_list;
    cpu_set_t cpus;
    unsigned cpu_count;
    enum pass pass;
    const char *timeline; /* file for the timeline CSV; NULL: none */
    bool json, dry_run;
    double cancel_share; /* of the tasks, 0 to 1 */
};

/* Reads the command line of `run` (argv[0] is the subcommand) into `setup` and `params`, with the
 * settings of the workload and the strategy. Ends the program on bad input (exit status 2) and on
 * --help. */
void setup_parse(int argc, char **argv, struct setup *setup);

/* Puts what identifies the cell into the record, the command that runs it again included. */
void setup_identify(const struct setup *setup, struct record *record);

/* By name; NULL when there is none. */
const struct strategy *strategy_find(const char *name);
const struct workload *workload_find(const char *name);

/* Is it the path of an external program? */
bool strategy_is_external(const char *name);

#endif
