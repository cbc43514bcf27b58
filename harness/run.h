/*
 * The subcommand `overlap run`: one workload under one strategy. With --json it runs one trial and
 * prints its record as one line; without, it shows a person what the trial cost, and its timeline.
 */
#ifndef OVERLAP_RUN_H
#define OVERLAP_RUN_H

int run_main(int argc, char **argv);

#endif
