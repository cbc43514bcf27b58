/*
 * A record is what one trial leaves: one line of JSON, one row of trials.csv. The table below is
 * the only place that names its fields; reading, writing and the CSV header follow it.
 */
#ifndef OVERLAP_RECORD_H
#define OVERLAP_RECORD_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a field holds when the trial could not say: null in JSON, empty in CSV. */
#define NO_NUMBER UINT64_MAX
#define NO_RATIO  ((double)NAN)
/* Texts: NULL. */

/* FIELD(kind, name); kinds: TEXT (char *, owned by the record), NUMBER (uint64_t), RATIO (double),
 * FLAG (bool). New fields go to the end of their group; none is ever renamed. */
#define RECORD_FIELDS(FIELD)                                                                       \
    /* what was run */                                                                             \
    FIELD(NUMBER, schema)                                                                          \
    FIELD(TEXT, cell)       /* its name within the suite: equal in all rounds and passes */        \
    FIELD(TEXT, group)      /* cells of one group differ by strategy alone and are compared */     \
    FIELD(TEXT, pass)       /* timing | memory | timeline | syscalls | hyperfine | bound */        \
    FIELD(NUMBER, round)    /* from 1; 0 is the warm-up */                                         \
    FIELD(NUMBER, position) /* place within the shuffled round, from 1 */                          \
    FIELD(TEXT, strategy)                                                                          \
    FIELD(FLAG, control) /* second entry of the same strategy: the A/A control */                  \
    FIELD(TEXT, workload)                                                                          \
    FIELD(NUMBER, tasks)                                                                           \
    FIELD(NUMBER, workers)                                                                         \
    FIELD(TEXT, cpus) /* list in the kernel's form; '+' for its commas: 0-1+4 */                   \
    FIELD(NUMBER, seed)                                                                            \
    FIELD(NUMBER, unit_ns)                                                                         \
    FIELD(RATIO, work_rate) /* calibrated iterations of work() per ns */                           \
    FIELD(TEXT, options)    /* of workload and strategy, as on the command line */                 \
    /* how it went */                                                                              \
    FIELD(FLAG, ok)                                                                                \
    FIELD(NUMBER, exit_status) /* 0, 1 failed, 2 wrong use, 3 cannot run here */                   \
    FIELD(TEXT, reason)        /* one line, when not ok */                                         \
    FIELD(TEXT, digest)                                                                            \
    FIELD(NUMBER, tasks_started)                                                                   \
    FIELD(NUMBER, tasks_peak) /* most under way at once */                                         \
    FIELD(NUMBER, tasks_done)                                                                      \
    FIELD(NUMBER, bytes_moved)                                                                     \
    FIELD(TEXT, note)              /* one line about the conditions it met, from the workload */   \
    FIELD(NUMBER, tasks_cancelled) /* with --cancel; they are not among those done */              \
    /* duration */                                                                                 \
    FIELD(NUMBER, wall_ns)                                                                         \
    FIELD(NUMBER, user_ns)                                                                         \
    FIELD(NUMBER, system_ns)                                                                       \
    FIELD(NUMBER, work_ns)        /* CPU time inside work(), all tasks */                          \
    FIELD(NUMBER, bound_ns)       /* max(longest task, total work / P): nothing can be faster */   \
    FIELD(NUMBER, ideal_ns)       /* makespan of a cost-free cooperative scheduler */              \
    FIELD(NUMBER, latency_p50_ns) /* task done - clock start */                                    \
    FIELD(NUMBER, latency_p99_ns)                                                                  \
    FIELD(NUMBER, latency_max_ns)                                                                  \
    FIELD(RATIO, stretch_p50) /* (done - first resumed) / its time alone */                        \
    FIELD(RATIO, stretch_max)                                                                      \
    FIELD(NUMBER, cancel_ns) /* from asking for it to the end of the last cancelled task */        \
    /* switches */                                                                                 \
    FIELD(NUMBER, task_switches)                                                                   \
    FIELD(NUMBER, voluntary_switches)                                                              \
    FIELD(NUMBER, involuntary_switches)                                                            \
    FIELD(NUMBER, system_calls) /* syscalls pass */                                                \
    /* memory pass */                                                                              \
    FIELD(NUMBER, tasks_held) /* alive when the memory was read */                                 \
    FIELD(NUMBER, processes)                                                                       \
    FIELD(NUMBER, threads)                                                                         \
    FIELD(NUMBER, pss_bytes)                                                                       \
    FIELD(NUMBER, pss_code_bytes)                                                                  \
    FIELD(NUMBER, pss_heap_bytes)                                                                  \
    FIELD(NUMBER, pss_stack_bytes)                                                                 \
    FIELD(NUMBER, pss_other_bytes)                                                                 \
    FIELD(NUMBER, page_table_bytes)                                                                \
    FIELD(NUMBER, kernel_stack_bytes)                                                              \
    FIELD(NUMBER, cgroup_bytes) /* what a memory cgroup charged, kernel memory included */         \
    /* timeline pass */                                                                            \
    FIELD(TEXT, switch_source) /* perf | gaps (inferred) */                                        \
    FIELD(NUMBER, trace_events)                                                                    \
    FIELD(NUMBER, trace_dropped)                                                                   \
    FIELD(NUMBER, trace_event_ns) /* cost of recording one event */                                \
    FIELD(NUMBER, wake_p50_ns)    /* resumed - deadline, of sleeps */                              \
    FIELD(NUMBER, wake_p99_ns)                                                                     \
    FIELD(NUMBER, wake_max_ns)                                                                     \
    /* circumstances */                                                                            \
    FIELD(TEXT, started_at) /* UTC, ISO 8601 */                                                    \
    FIELD(RATIO, load_1min)                                                                        \
    FIELD(NUMBER, stolen_ns) /* by the hypervisor, all cores, during the trial */                  \
    FIELD(TEXT, command)     /* runs this trial again by hand */

struct record {
#define FIELD_TEXT(name)          char *name;
#define FIELD_NUMBER(name)        uint64_t name;
#define FIELD_RATIO(name)         double name;
#define FIELD_FLAG(name)          bool name;
#define RECORD_MEMBER(kind, name) FIELD_##kind(name)
    RECORD_FIELDS(RECORD_MEMBER)
#undef RECORD_MEMBER
};
enum { RECORD_SCHEMA = 1 };

/* A number to calculate with or to show: NaN when it is unknown. */
static inline double record_number(uint64_t number)
{
    return number == NO_NUMBER ? NO_RATIO : (double)number;
}

/* All fields unknown, flags false, schema set. */
void record_init(struct record *record);
/* Frees the texts; the record is as after record_init(). */
void record_drop(struct record *record);
/* Sets a text field to a copy (NULL: none); dies when memory is short. */
void record_set(char **field, const char *text);

/* One line of JSON without its line end, unknown fields left out; the caller frees it. */
char *record_to_json(const struct record *record);
/* Reads such a line over the record's present fields; keys it does not know are passed over.
 * Returns 0, or -1 with one line in `why`. */
int record_from_json(struct record *record, const char *line, char *why, size_t why_bytes);

/* trials.csv: RFC 4180, a header line, '.' as the decimal point. */
void record_csv_header(FILE *file);
void record_csv_row(const struct record *record, FILE *file);

/* Reads a trials.csv. Columns are found by the names in its header; those it does not know are
 * passed over. A last line that lacks its line end (a bench killed while it wrote) is left out and
 * counted in *torn. Returns an array of *count records, which the caller ends with record_drop() on
 * each and free(); or NULL with one line in `why` (with the line number). An empty file with a
 * header gives a non-NULL pointer and *count 0. */
struct record *records_read(const char *path, size_t *count, size_t *torn, char *why,
                            size_t why_bytes);

/* Opens a trials.csv for record_csv_row(), at its end, and locks it against other writers: a new
 * one gets its header, a torn last line is cut off. NULL with one line in `why`, also when its
 * columns are not those of this version. The caller flushes after each row and closes it. */
FILE *records_append(const char *path, char *why, size_t why_bytes);

#endif
