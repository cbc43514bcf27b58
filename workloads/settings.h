/*
 * One row per option: name, what it takes, default, help, and where its value goes. The same row
 * drives parsing, `--help`, `overlap list --json` and the record of a trial. Workloads and
 * strategies declare their own rows; the command has its own.
 */
#ifndef OVERLAP_SETTINGS_H
#define OVERLAP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind {
    SETTING_FLAG,     /* bool: no value */
    SETTING_COUNT,    /* uint64_t: 1000, 10k, 1M */
    SETTING_BYTES,    /* uint64_t: 512, 10KiB, 1MiB (k, M, G are powers of 1024) */
    SETTING_DURATION, /* uint64_t, in ns: 50ms, 2s, 100us, 10ns; a bare number is milliseconds */
    SETTING_NUMBER,   /* double */
    SETTING_TEXT,     /* const char * */
};

struct setting {
    const char *name; /* the option without its dashes; a row without a name ends a table */
    char letter;      /* its short form, or 0 */
    enum setting_kind kind;
    const char *initial; /* default, as it would be typed; NULL: none (0, false, NULL, NaN) */
    const char *value;   /* what the help calls its value: "MS" */
    const char *help;
    void *where;     /* the variable, of the kind's type */
    double min, max; /* of numbers, inclusive, in the unit of the variable; both 0: any >= 0 */
};

/* Puts the default of every row in its place. */
void settings_reset(const struct setting *settings);

/* Reads `text` into the row's variable. Returns 0, or -1 with one line in `why`: what is wrong and
 * what would be right. The text of SETTING_TEXT is kept by reference. */
int setting_parse(const struct setting *setting, const char *text, char *why, size_t why_bytes);

/* Writes the row's present value as it would be typed; returns `text`. */
char *setting_print(const struct setting *setting, char *text, size_t bytes);

#endif
