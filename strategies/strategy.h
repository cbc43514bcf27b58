/*
 * A strategy is a way to run N tasks: where they live, how they wait, who decides the order. It
 * knows tasks, but no particular workload and nothing of the harness. One file per strategy, found
 * by the build; its whole idea fits on about one screen, and it ends with its descriptor:
 *
 *     STRATEGY(sequential) = { .name = "sequential", .summary = "...", .run = sequential_run };
 */
#ifndef OVERLAP_STRATEGY_H
#define OVERLAP_STRATEGY_H

#include "registry.h"
#include "settings.h"
#include "task.h"

/* What a strategy is asked to do, and where it leaves what it has to say. */
struct trial {
    unsigned tasks;         /* how many to run, at least 1 */
    unsigned workers;       /* how many workers a pool may have, at least 1 */
    struct result *results; /* one per task. results[id] must be filled when run() returns; a task
                             * fills its own through task->result, so only a strategy whose tasks
                             * live in other processes has something to carry */
    struct task *(*create)(struct trial *trial, unsigned id); /* see task_create() */

    uint64_t task_switches; /* out: resumptions made by a scheduler in user space; 0 when the
                             * kernel does all switching */
    char reason[512];       /* out: one line, when run() does not return 0 */
};

struct strategy {
    const char *name;
    const char *summary;            /* one line for `overlap list` */
    const struct setting *settings; /* its own options, ended by a row without a name; or NULL */
    enum {
        ALIVE_ALL,     /* all tasks are under way at the same time */
        ALIVE_ONE,     /* one is finished before the next one starts */
        ALIVE_WORKERS, /* as many as there are workers */
    } alive;           /* the bound of a cell and the memory pass rest on it */
    bool cancels;      /* it ends the ops of the tasks that `cancellation` has chosen (task.h) */

    /* Why this strategy cannot work on this machine at all; NULL when it can. Optional. */
    const char *(*unavailable)(void);

    /* Once per trial, before the clock starts: checks its settings, and settles those that were
     * left to it. Returns 0, or -1 with one line in `why` (wrong use). Optional. */
    int (*prepare)(unsigned tasks, char *why, size_t why_bytes);

    /* Runs all tasks of the trial and returns when the last result is in the parent's hands, with
     * every process, thread and descriptor that it made gone (threads may be left when it fails:
     * the process of the trial then ends). The clock runs meanwhile: it neither measures nor
     * prints. Returns 0; or STRATEGY_LIMIT or STRATEGY_FAILED with trial->reason set. A task that
     * fails is not a failure of the strategy: it goes on with the others. */
    int (*run)(struct trial *trial);
};
enum { STRATEGY_LIMIT = -1, STRATEGY_FAILED = -2 };

#define STRATEGY(ident) REGISTER(strategy, ident)
REGISTRY(strategy)

/* Makes task `id`, ready to be resumed for the first time with result 0; NULL with errno set when
 * memory is short. The caller owns it and ends it with task_free(). */
static inline struct task *task_create(struct trial *trial, unsigned id)
{
    return trial->create(trial, id);
}

/* For run() to return: says in trial->reason that making `what` number `made` (from 0) failed with
 * `error` (an errno), by which limit of the system, and which command raises it. Returns
 * STRATEGY_LIMIT where a limit is to blame, STRATEGY_FAILED otherwise. */
int strategy_limit(struct trial *trial, const char *what, unsigned made, int error);

#endif
