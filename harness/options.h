/*
 * The command line of every subcommand: tables of settings in, values out. One row drives parsing
 * and help alike. Bad input ends the program with one line on stderr and exit status 2.
 */
#ifndef OVERLAP_OPTIONS_H
#define OVERLAP_OPTIONS_H

#include "settings.h"

/* What the exit status of the command says. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNABLE = 3 };

struct command_line {
    const char *usage;                   /* "overlap summary [OPTIONS] DIR" */
    const char *summary;                 /* one line: what it does */
    const char *details;                 /* more lines for --help; or NULL */
    const struct setting *const *tables; /* ended by NULL */
    int least, most;                     /* how many operands it takes */
};

/* Sets all defaults, reads the options of argv (argv[0] is the subcommand's name) and moves the
 * operands to its end. Returns the index of the first operand. `--help` prints and exits 0. */
int options_parse(int argc, char **argv, const struct command_line *line);

/* The last value given to an option (long name, letter or 0) before its table is known, as `run`
 * needs it for the workload that brings options of its own; NULL when it is not given. */
const char *options_peek(int argc, char **argv, const char *name, char letter);

/* What --help says, to stdout. */
void options_help(const struct command_line *line);

#endif
