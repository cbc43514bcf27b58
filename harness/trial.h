/*
 * The trial itself: one workload under one strategy, once, in this process, which was exec'ed for
 * it. What it says goes to stdout as lines of JSON: first who it is and the least time it needs;
 * in a memory pass, that all its tasks are held; last, what was measured.
 */
#ifndef OVERLAP_TRIAL_H
#define OVERLAP_TRIAL_H

/* The subcommand `overlap trial`: the command line of `run`, for its supervisor. Returns the exit
 * status. */
int trial_main(int argc, char **argv);

#endif
