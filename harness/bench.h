/*
 * The subcommand `overlap bench`: every cell of a suite in shuffled rounds. Each trial's row is in
 * trials.csv, flushed, before the next one starts; so a bench that is stopped, in whatever way, has
 * lost nothing and goes on with --resume.
 */
#ifndef OVERLAP_BENCH_H
#define OVERLAP_BENCH_H

int bench_main(int argc, char **argv);

#endif
