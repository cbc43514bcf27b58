/*
 * What talks about concurrency claim, tested against the cells of a run. The claims are rules in a
 * text file, harness/claims.txt (its format: docs/claims.md), not code.
 *
 * Each comparison of a rule is one measured value with its 95 % interval and the range that it is
 * expected in. It holds only when the whole interval lies within the range, and does not hold only
 * when the whole interval lies outside; what rests on wall time has its interval widened by the
 * noise floor of its groups first, so that a noisy machine proves less, never more. Of a cell that
 * was not run for its bound, the bound still tells that it takes at least so long.
 */
#ifndef OVERLAP_CLAIMS_H
#define OVERLAP_CLAIMS_H

#include "format.h"
#include "summary.h"

enum claim_verdict { CLAIM_HOLDS, CLAIM_FAILS, CLAIM_NOT_SHOWN, CLAIM_NOT_MEASURED };
extern const char *const claim_verdict_names[];

/* What a comparison is about: a metric of a cell. */
struct claim_quantity {
    int metric; /* enum summary_metric, or one of those in claims.c */
    char *cell; /* "GROUP:STRATEGY"; NULL: there is none */
};

struct claim_comparison {
    char *text;                        /* as in the rules */
    char *expected;                    /* the same; NULL: none was given yet */
    struct claim_quantity value, base; /* base without a cell: no ratio */
    bool spread;                       /* median absolute deviation of the value over the rounds */
    double least, most;                /* expected */
    format_function *format;           /* that suits its values */
    enum cell_status status;           /* the same, when the metric is that */

    /* What the run says: */
    enum claim_verdict verdict;
    char *reason;                /* why there is no more; or NULL */
    struct stats_ratio measured; /* NaN: not; of a bound low or high is infinite */
    bool paired;                 /* by round */
    double noise_floor;          /* that its interval is widened by; NaN: there is no control */
    const char *found;           /* the status of the cell, when that is the metric; or NULL */
};

/* It holds when all of its comparisons do, and does not when any does not. */
struct claim {
    unsigned number;
    char *says; /* one line */
    char *note; /* one line; or NULL */
    struct claim_comparison *comparisons;
    size_t count;
    enum claim_verdict verdict;
};

struct claims {
    struct claim *claims;
    size_t count;
};

/* Reads the rules: a file, or (NULL) that of the project. Returns NULL with one line in `why` that
 * names file and line; *why is empty when the project's cannot be found. */
struct claims *claims_read(const char *path, char *why, size_t why_bytes);
void claims_free(struct claims *claims);

/* Tests all of them. */
void claims_judge(struct claims *claims, const struct summary *summary);

/* Is any comparison of them measured? */
bool claims_measured(const struct claims *claims);

/* The section of summary.md, and the form for a terminal. */
void claims_print_markdown(const struct claims *claims, FILE *file);
void claims_print(const struct claims *claims, FILE *file);

/* The subcommand: overlap claims DIR [--rules FILE] [--json] */
int claims_main(int argc, char **argv);

#endif
