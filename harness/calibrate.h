/*
 * How fast this machine computes. Work is fixed as a number of iterations, so that nobody finishes
 * on time by doing less; this is the rate at which a wish in milliseconds becomes that number.
 */
#ifndef OVERLAP_CALIBRATE_H
#define OVERLAP_CALIBRATE_H

/* Iterations of work() per nanosecond of CPU time, now: the best of several short runs, since
 * whatever disturbs can only slow a run down. Takes about 50 ms. */
double calibrate(void);

/* The same, but remembered in $XDG_CACHE_HOME/overlap (or ~/.cache/overlap) for this kind of
 * processor, so that the same command line gives the same work, and so the same digest, each time.
 */
double calibrate_cached(void);

#endif
