/*
 * Running a trial from outside: a fresh process by exec for each, in a process group of its own.
 * Whatever the trial does (crash, hang, leave children behind), there is a record of it afterwards,
 * and nothing of it is left, also not in a session of its own: orphans come to this process, which
 * becomes their subreaper (where the kernel lists children, as almost all do).
 */
#ifndef OVERLAP_SUPERVISE_H
#define OVERLAP_SUPERVISE_H

#include "record.h"
#include "setup.h"

#include <signal.h>

/* Set once SIGINT, SIGTERM or SIGHUP came: everybody ends what they do and cleans up. */
extern volatile sig_atomic_t interrupted;

/* From now on these signals only set `interrupted`. */
void interrupt_catch(void);

/* Ends the program by the signal that came, so that whoever started it sees that. */
_Noreturn void interrupt_end(void);

/* Runs one trial: `arguments` are those of `overlap run` behind the subcommand's name, ended by
 * NULL; `strategy` an external program's path (else anything). Fills the record, which the caller
 * has initialised: in any case ok, exit_status and, when not ok, reason. A trial without a --limit
 * among its arguments is given up by the least time that it says it needs. What the trial says on
 * stderr goes to *complaint (NULL: to nobody), which the caller frees. Returns record->exit_status;
 * -1 when interrupted. */
int supervise(const char *strategy, char *const arguments[], enum pass pass, struct record *record,
              char **complaint);

#endif
