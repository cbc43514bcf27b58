/* A thread per task: what pthreads does, and gil does under its lock. */
#ifndef OVERLAP_PTHREADS_H
#define OVERLAP_PTHREADS_H

#include "strategy.h"

/* Makes a task and a thread for each number, which runs thread_main with the task, its owner from
 * then on; and waits for all of them. Returns what run() of a strategy does; when it is not 0,
 * threads may still be there. */
int pthreads_run_each(struct trial *trial, void *(*thread_main)(void *task));

#endif
