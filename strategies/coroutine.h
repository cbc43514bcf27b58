/* Coroutines on an event loop of their own: what `coroutine` does once and `multi-loop` per core.
 */
#ifndef OVERLAP_COROUTINE_H
#define OVERLAP_COROUTINE_H

#include "strategy.h"

/* Makes the tasks `first`, `first` + `step`, ... of the trial and runs them as coroutines on the
 * calling thread, on one event loop, until the last of them is done. Adds to trial->task_switches.
 * Returns what strategy->run() returns. */
int coroutines_run(struct trial *trial, unsigned first, unsigned step);

#endif
