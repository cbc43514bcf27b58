/*
 * hyperfine as a referee: it times the commands that a bench has run from outside, start and end of
 * the process included, and its times stand beside the bench's own.
 */
#ifndef OVERLAP_HYPERFINE_H
#define OVERLAP_HYPERFINE_H

#include <stddef.h>

/* Appends the times of a file that `hyperfine --export-json` wrote to dir/trials.csv: one row of
 * pass hyperfine for each, in every cell (controls apart) that was timed by the same command, with
 * what identifies the cell copied from there. Importing again replaces the rows. Returns 0; or -1
 * with one line in `why`, and then nothing was appended. */
int hyperfine_import(const char *dir, const char *json_path, char *why, size_t why_bytes);

/* The subcommand: overlap import DIR FILE; overlap import DIR --commands tells what to time. */
int import_main(int argc, char **argv);

#endif
