/*
 * What the trials of a run come to, from its trials.csv alone: cells with their statistics, their
 * comparison with the baseline of their group, and what a task costs in memory.
 *
 * Rules: only rounds from 1 on count (0 is the warm-up). Of two rows of one trial the later one
 * counts. Rows of one group whose digests differ did not do the same work: the deviating cells have
 * failed. A cell that failed gives no numbers, nor does a pass with a failed trial: what survives
 * is not what happened.
 */
#ifndef OVERLAP_SUMMARY_H
#define OVERLAP_SUMMARY_H

#include "record.h"
#include "stats.h"

/* METRIC(name, the pass that it is taken from, its value in the record r) */
#define SUMMARY_METRICS(METRIC)                                                                    \
    METRIC(wall_ns, "timing", record_number(r->wall_ns))                                           \
    METRIC(cpu_ns, "timing", record_number(r->user_ns) + record_number(r->system_ns))              \
    METRIC(user_ns, "timing", record_number(r->user_ns))                                           \
    METRIC(system_ns, "timing", record_number(r->system_ns))                                       \
    METRIC(latency_p50_ns, "timing", record_number(r->latency_p50_ns))                             \
    METRIC(latency_p99_ns, "timing", record_number(r->latency_p99_ns))                             \
    METRIC(latency_max_ns, "timing", record_number(r->latency_max_ns))                             \
    METRIC(stretch_max, "timing", r->stretch_max)                                                  \
    METRIC(tasks_peak, "timing", record_number(r->tasks_peak))                                     \
    METRIC(task_switches, "timing", record_number(r->task_switches))                               \
    METRIC(voluntary_switches, "timing", record_number(r->voluntary_switches))                     \
    METRIC(involuntary_switches, "timing", record_number(r->involuntary_switches))                 \
    METRIC(system_calls, "syscalls", record_number(r->system_calls))                               \
    METRIC(bound_ns, "timing", record_number(r->bound_ns))                                         \
    METRIC(ideal_ns, "timing", record_number(r->ideal_ns))                                         \
    METRIC(over_ideal, "timing",                                                                   \
           r->ideal_ns ? record_number(r->wall_ns) / record_number(r->ideal_ns) : NO_RATIO)        \
    METRIC(pss_bytes, "memory", record_number(r->pss_bytes))                                       \
    METRIC(pss_code_bytes, "memory", record_number(r->pss_code_bytes))                             \
    METRIC(pss_heap_bytes, "memory", record_number(r->pss_heap_bytes))                             \
    METRIC(pss_stack_bytes, "memory", record_number(r->pss_stack_bytes))                           \
    METRIC(pss_other_bytes, "memory", record_number(r->pss_other_bytes))                           \
    METRIC(page_table_bytes, "memory", record_number(r->page_table_bytes))                         \
    METRIC(kernel_stack_bytes, "memory", record_number(r->kernel_stack_bytes))                     \
    METRIC(memory_bytes, "memory",                                                                 \
           record_number(r->pss_bytes) + record_number(r->page_table_bytes) +                      \
               record_number(r->kernel_stack_bytes))                                               \
    METRIC(cgroup_bytes, "memory", record_number(r->cgroup_bytes))                                 \
    METRIC(wake_p50_ns, "timeline", record_number(r->wake_p50_ns))                                 \
    METRIC(wake_p99_ns, "timeline", record_number(r->wake_p99_ns))                                 \
    METRIC(wake_max_ns, "timeline", record_number(r->wake_max_ns))                                 \
    METRIC(hyperfine_ns, "hyperfine", record_number(r->wall_ns))

enum summary_metric {
#define METRIC_ENUM(name, pass, value) METRIC_##name,
    SUMMARY_METRICS(METRIC_ENUM)
#undef METRIC_ENUM
        METRICS
};

enum cell_status { CELL_OK, CELL_FAILED, CELL_BOUND, CELL_UNAVAILABLE };
extern const char *const cell_status_names[]; /* as in summary.csv */

enum verdict {
    VERDICT_NONE, /* nothing to compare */
    VERDICT_FASTER,
    VERDICT_SLOWER,
    VERDICT_SAME, /* no difference shown */
    VERDICT_BASELINE,
    VERDICT_CONTROL,    /* its ratio is that to its twin */
    VERDICT_NO_CONTROL, /* nothing tells what noise alone would show */
    VERDICT_FEW,        /* too few rounds for an interval */
};
extern const char *const verdict_names[]; /* as in summary.csv */

/* One strategy in its group. */
struct summary_cell {
    const struct record *sample; /* any of its rows: what was run */
    const struct record *const *rows;
    size_t row_count; /* sorted by pass and round */
    enum cell_status status;
    char *reason;    /* one line, why it is not ok or what else went wrong; or NULL */
    size_t rounds;   /* that its numbers rest on */
    size_t outliers; /* of wall_ns */
    struct stats metrics[METRICS];
    struct stats_drift drift; /* of wall_ns, over the rounds */

    const struct summary_cell *base; /* what `ratio` compares with; NULL: nothing */
    struct stats_ratio ratio;        /* of wall_ns, paired by round */
    enum verdict verdict;

    const struct summary_line *memory; /* NULL: not known at enough numbers of tasks */
    const struct record *traced;       /* of its traced trials the median one by wall_ns; or NULL */
    struct stats_ratio traced_ratio;   /* traced / untraced wall_ns, paired by round */
};

/* Cells that differ by strategy alone. */
struct summary_group {
    struct summary_cell *cells;
    size_t cell_count;
    const struct summary_cell *baseline; /* NULL: none that ran */
    double noise_floor; /* as a fraction: ratios within 1 +- this are noise; NaN: no control */
    bool own_control;   /* or the largest of the other groups */
};

/* Memory over the number of tasks held, of one strategy in groups that differ by that alone: at
 * SUMMARY_LINE_LEAST numbers or more, for two points always lie on a line. */
enum { SUMMARY_LINE_LEAST = 4 };

struct summary_line {
    const struct summary_cell *cell; /* the one with the fewest tasks */
    double least, most;              /* tasks */
    struct stats_line total;         /* of memory_bytes */
    struct stats_line cgroup;        /* of cgroup_bytes: the kernel's own account */
};

struct summary {
    struct summary_group *groups; /* by workload, tasks, cores, label */
    size_t group_count;
    struct summary_line *lines;
    size_t line_count;
    size_t failed_count;   /* cells */
    size_t trial_count;    /* rows that count */
    size_t replaced_count; /* rows of which there is a later one */
    size_t torn_count;
    char *stamp; /* "noisy: " and why, or ""; as in environment.json */
    /* The machine, the date, the version of this command, and what ended the rounds, as recorded
     * there; NULL where it says nothing. */
    char *fingerprint, *date, *version, *ended;

    struct record *records; /* private, as are the following */
    size_t record_count;
    const struct record **sorted;
    struct summary_cell *cells; /* of all groups */
    size_t cell_count;
};

/* Reads and sums up. `baseline` is a strategy; NULL: coroutine where the group has it, or else the
 * first by name. NULL with one line in `why` on failure; else to be ended by summary_free(). */
struct summary *summary_read(const char *dir, const char *baseline, char *why, size_t why_bytes);
void summary_free(struct summary *summary);

/* The values of a metric in the rounds that count, into room for cell->row_count; how many. None
 * when the cell, or the pass that they come from, has failed. */
size_t summary_values(const struct summary_cell *cell, enum summary_metric metric, double *values);

/* A metric of one cell over a metric of another (or the same), with its interval: paired by round
 * where both were in the same rounds of one pass (*paired tells), else the ratio of the medians.
 * Its count is 0 when either has no value. */
struct stats_ratio summary_ratio(const struct summary_cell *cell, enum summary_metric metric,
                                 const struct summary_cell *base, enum summary_metric base_metric,
                                 bool *paired);

/* The stamp of a summary whose cells are compared, of a run on a machine of so many cores (NaN:
 * unknown, nothing is said about stolen time). The caller frees it. */
char *summary_noise(const struct summary *summary, double cores);

/* Writes summary.csv, summary.md, timelines/index.csv and the stamp in environment.json (if there
 * is one), each whole or not at all. Returns 0, or -1 with one line in `why`. */
int summary_save(const struct summary *summary, const char *dir, char *why, size_t why_bytes);

/* The short form, for a terminal. */
void summary_print(const struct summary *summary, FILE *file);

/* Reads, sums up and saves. Returns 0; 1 when a cell has failed; -1 with one line in `why`. */
int summary_write(const char *dir, const char *baseline, char *why, size_t why_bytes);

/* The subcommand: overlap summary DIR [--baseline STRATEGY] */
int summary_main(int argc, char **argv);

#endif
