/* What becomes of a summary: files for programs and for people, tables for a terminal. */
#include "array.h"
#include "claims.h"
#include "csv.h"
#include "environment.h"
#include "format.h"
#include "summary.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Files that are there whole or not at all ---- */

struct output {
    FILE *file;
    char *path;
    char *temporary; /* beside it, renamed at the end */
};

static int output_fail(struct output *output, char *why, size_t why_bytes)
{
    snprintf(why, why_bytes, "cannot write %s: %s", output->path, strerror(errno));
    unlink(output->temporary);
    free(output->path);
    free(output->temporary);
    return -1;
}

static int output_open(struct output *output, const char *dir, const char *name, char *why,
                       size_t why_bytes)
{
    if (asprintf(&output->path, "%s/%s", dir, name) < 0 ||
        asprintf(&output->temporary, "%s.%ld.tmp", output->path, (long)getpid()) < 0)
        err(EXIT_UNABLE, "cannot name a file");
    output->file = fopen(output->temporary, "we");
    return output->file ? 0 : output_fail(output, why, why_bytes);
}

static int output_close(struct output *output, char *why, size_t why_bytes)
{
    bool wrong = ferror(output->file);
    wrong = fclose(output->file) != 0 || wrong;
    if (wrong || rename(output->temporary, output->path) != 0)
        return output_fail(output, why, why_bytes);
    free(output->path);
    free(output->temporary);
    return 0;
}

/* ---- summary.csv ---- */

static void put_text(FILE *file, const char *text)
{
    csv_text(file, text);
    putc(',', file);
}

static void put_number(FILE *file, double number)
{
    csv_number(file, number);
    putc(',', file);
}

static void put_cell(const struct summary_group *group, const struct summary_cell *cell, FILE *file)
{
    const struct record *sample = cell->sample;
    put_text(file, sample->group);
    put_text(file, sample->cell);
    put_text(file, sample->strategy);
    put_text(file, sample->control ? "true" : "false");
    put_text(file, sample->workload);
    put_number(file, record_number(sample->tasks));
    put_number(file, record_number(sample->workers));
    put_text(file, sample->cpus);
    put_number(file, record_number(sample->unit_ns));
    put_text(file, sample->options);
    put_text(file, cell_status_names[cell->status]);
    put_text(file, cell->reason);
    put_number(file, (double)cell->rounds);
    put_number(file, (double)cell->outliers);
    for (size_t m = 0; m < METRICS; m++) {
        const struct stats *stats = &cell->metrics[m];
        put_number(file, stats->median);
        put_number(file, stats->mad);
        put_number(file, stats->min);
        put_number(file, stats->max);
        put_number(file, stats->low);
        put_number(file, stats->high);
    }
    put_text(file, cell->base ? cell->base->sample->strategy : NULL);
    put_number(file, cell->ratio.median);
    put_number(file, cell->ratio.low);
    put_number(file, cell->ratio.high);
    put_number(file, group->noise_floor);
    put_text(file, verdict_names[cell->verdict]);
    const struct stats_line *line = cell->memory ? &cell->memory->total : NULL;
    put_number(file, line ? line->slope : (double)NAN);
    put_number(file, line ? line->low : (double)NAN);
    put_number(file, line ? line->high : (double)NAN);
    csv_number(file, line ? line->base : (double)NAN);
    putc('\n', file);
}

static void write_csv(const struct summary *summary, FILE *file)
{
    fprintf(file, "group,cell,strategy,control,workload,tasks,workers,cpus,unit_ns,options,status,"
                  "reason,rounds,outliers,");
#define METRIC_COLUMNS(name, pass, value)                                                          \
#name "_median," #name "_mad," #name "_min," #name "_max," #name "_low," #name "_high,"
    fprintf(file, SUMMARY_METRICS(METRIC_COLUMNS));
#undef METRIC_COLUMNS
    fprintf(file,
            "baseline,ratio_median,ratio_low,ratio_high,noise_floor,verdict,"
            "memory_per_task_bytes,memory_per_task_low,memory_per_task_high,memory_base_bytes\n");
    for (size_t g = 0; g < summary->group_count; g++)
        for (size_t i = 0; i < summary->groups[g].cell_count; i++)
            put_cell(&summary->groups[g], &summary->groups[g].cells[i], file);
}

/* ---- timelines/index.csv ---- */

static void put_traced(const struct summary_cell *cell, FILE *file)
{
    const struct record *traced = cell->traced;
    char *name;
    if (asprintf(&name, "%s.r%" PRIu64 ".csv", traced->cell, traced->round) < 0)
        err(EXIT_UNABLE, "cannot name a timeline");
    put_text(file, traced->group);
    put_text(file, traced->cell);
    put_text(file, traced->strategy);
    put_text(file, traced->workload);
    put_number(file, record_number(traced->tasks));
    put_text(file, traced->cpus);
    put_number(file, record_number(traced->round));
    put_text(file, name);
    put_number(file, record_number(traced->wall_ns));
    put_number(file, record_number(traced->ideal_ns));
    put_number(file, record_number(traced->bound_ns));
    put_number(file, record_number(traced->task_switches));
    put_number(file, record_number(traced->voluntary_switches));
    put_number(file, record_number(traced->involuntary_switches));
    put_number(file, traced->stretch_max);
    put_text(file, traced->switch_source);
    put_number(file, record_number(traced->trace_events));
    put_number(file, record_number(traced->trace_dropped));
    put_number(file, record_number(traced->trace_event_ns));
    put_number(file, cell->traced_ratio.median);
    put_number(file, cell->traced_ratio.low);
    csv_number(file, cell->traced_ratio.high);
    putc('\n', file);
    free(name);
}

static void write_index(const struct summary *summary, FILE *file)
{
    fprintf(file, "group,cell,strategy,workload,tasks,cpus,round,file,wall_ns,ideal_ns,bound_ns,"
                  "task_switches,voluntary_switches,involuntary_switches,stretch_max,"
                  "switch_source,trace_events,trace_dropped,trace_event_ns,"
                  "traced_ratio,traced_ratio_low,traced_ratio_high\n");
    for (size_t g = 0; g < summary->group_count; g++)
        for (size_t i = 0; i < summary->groups[g].cell_count; i++)
            if (summary->groups[g].cells[i].traced)
                put_traced(&summary->groups[g].cells[i], file);
}

/* ---- The table of a group ---- */

static void strategy_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s%s", cell->sample->strategy,
             cell->sample->control ? " (control)" : "");
}

/* A cell without a result shows why in the place of its result. */
static void wall_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    char number[FORMAT_BYTES];
    double bound_ns = cell->metrics[METRIC_bound_ns].median;
    if (cell->status == CELL_BOUND && !isnan(bound_ns))
        snprintf(text, bytes, "≥ %s", format_ns(number, sizeof number, bound_ns));
    else if (cell->status != CELL_OK)
        snprintf(text, bytes, "%s", cell_status_names[cell->status]);
    else
        format_ns(text, bytes, cell->metrics[METRIC_wall_ns].median);
}

static void wall_interval_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    const struct stats *wall = &cell->metrics[METRIC_wall_ns];
    format_interval(text, bytes, wall->low, wall->high, format_ns);
}

static void ratio_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    format_ratio(text, bytes, cell->ratio.median);
}

static void ratio_interval_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    if (cell->base != cell)
        format_interval(text, bytes, cell->ratio.low, cell->ratio.high, format_ratio);
}

static void verdict_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s", verdict_names[cell->verdict]);
}

static void memory_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    if (cell->memory)
        format_bytes(text, bytes, cell->memory->total.slope);
}

static void outliers_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    if (cell->outliers > 0)
        snprintf(text, bytes, "%zu of %zu", cell->outliers, cell->rounds);
}

static void rounds_text(const struct summary_cell *cell, char *text, size_t bytes)
{
    if (cell->rounds > 0)
        snprintf(text, bytes, "%zu", cell->rounds);
}

/* A column shows either the median of a metric, and what that is per task, or a text of its own. */
static const struct column {
    const char *header;
    char align;
    bool in_terminal;
    void (*text)(const struct summary_cell *cell, char *text, size_t bytes);
    enum summary_metric metric;
    format_function *format;
    bool per_task;
} columns[] = {
    {"strategy", 'l', true, strategy_text, 0, NULL, false},
    {"wall", 'r', true, wall_text, 0, NULL, false},
    {"95 % interval", 'r', true, wall_interval_text, 0, NULL, false},
    {"ratio", 'r', true, ratio_text, 0, NULL, false},
    {"95 % interval", 'r', false, ratio_interval_text, 0, NULL, false},
    {"verdict", 'l', true, verdict_text, 0, NULL, false},
    {"CPU", 'r', true, NULL, METRIC_cpu_ns, format_ns, false},
    {"p99 latency", 'r', false, NULL, METRIC_latency_p99_ns, format_ns, false},
    {"task switches (per task)", 'r', false, NULL, METRIC_task_switches, format_count, true},
    {"voluntary (per task)", 'r', false, NULL, METRIC_voluntary_switches, format_count, true},
    {"involuntary (per task)", 'r', false, NULL, METRIC_involuntary_switches, format_count, true},
    {"system calls (per task)", 'r', false, NULL, METRIC_system_calls, format_count, true},
    {"peak alive", 'r', true, NULL, METRIC_tasks_peak, format_count, false},
    {"wall / ideal", 'r', false, NULL, METRIC_over_ideal, format_ratio, false},
    {"memory", 'r', true, NULL, METRIC_memory_bytes, format_bytes, false},
    {"memory per task", 'r', true, memory_text, 0, NULL, false},
    {"hyperfine", 'r', false, NULL, METRIC_hyperfine_ns, format_ns, false},
    {"rounds", 'r', false, rounds_text, 0, NULL, false},
    {"outliers", 'r', false, outliers_text, 0, NULL, false},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void metric_text(const struct column *column, const struct summary_cell *cell, char *text,
                        size_t bytes)
{
    double median = cell->metrics[column->metric].median, tasks = (double)cell->sample->tasks;
    column->format(text, bytes, median);
    size_t length = strlen(text);
    if (column->per_task && tasks > 1 && median > 0)
        snprintf(text + length, bytes - length, " (%.2g)", median / tasks);
}

/* The caller ends it with table_clear(), before it makes the next one. */
static struct table make_table(const struct summary_group *group, bool terminal)
{
    static char align[COLUMNS + 1];
    size_t count = 0;
    struct table table = {.align = align};
    for (const struct column *column = columns; column < columns + COLUMNS; column++) {
        if (terminal && !column->in_terminal)
            continue;
        table_add(&table, column->header);
        align[count++] = column->align;
    }
    align[count] = '\0';
    for (size_t i = 0; i < group->cell_count; i++) {
        const struct summary_cell *cell = &group->cells[i];
        for (const struct column *column = columns; column < columns + COLUMNS; column++) {
            char text[128] = "";
            if (terminal && !column->in_terminal)
                continue;
            if (column->text)
                column->text(cell, text, sizeof text);
            else
                metric_text(column, cell, text, sizeof text);
            table_add(&table, text);
        }
    }
    return table;
}

/* ---- What is to be said about a group ---- */

static void print_note(FILE *file, const char *mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line, whatever line ends a reason may hold. */
static void print_note(FILE *file, const char *mark, const char *format, ...)
{
    char *text;
    va_list values;
    va_start(values, format);
    if (vasprintf(&text, format, values) < 0)
        err(EXIT_UNABLE, "cannot print a summary");
    va_end(values);
    for (char *c = text; (c = strpbrk(c, "\r\n")); c++)
        *c = ' ';
    fprintf(file, "%s%s\n", mark, text);
    free(text);
}

/* What drifts by chance in one of a thousand cells is not worth a line. */
static const double drift_p = 0.001;

/* One task after another, and only one: whatever takes its core away is others' work. */
static void note_quiet(const struct summary_cell *cell, FILE *file, const char *mark)
{
    const struct stats *taken = &cell->metrics[METRIC_involuntary_switches];
    if (cell->sample->tasks == 1 && strcmp(cell->sample->strategy, "sequential") == 0 &&
        taken->count > 0)
        print_note(file, mark,
                   "a task alone: the kernel took its core away %.3g times a trial (median; at "
                   "most %.3g times), which is the work of others",
                   taken->median, taken->max);
}

static bool is_of_memory(const struct record *row)
{
    return strcmp(row->pass, "memory") == 0;
}

/* What its trials say about the conditions they met, each note once. */
static void note_conditions(const struct summary_cell *cell, const char *name, FILE *file,
                            const char *mark)
{
    for (size_t i = 0; i < cell->row_count; i++) {
        const char *note = cell->rows[i]->note;
        bool is_new = note && !is_of_memory(cell->rows[i]); /* see note_cgroup() */
        for (size_t k = 0; is_new && k < i; k++)
            is_new = !cell->rows[k]->note || strcmp(cell->rows[k]->note, note) != 0;
        if (is_new)
            print_note(file, mark, "%s: %s", name, note);
    }
}

static void note_cell(const struct summary_cell *cell, FILE *file, const char *mark)
{
    char name[128];
    strategy_text(cell, name, sizeof name);
    note_conditions(cell, name, file, mark);
    if (cell->reason && (cell->status == CELL_FAILED || cell->status == CELL_UNAVAILABLE))
        print_note(file, mark, "%s: %s: %s", name, cell_status_names[cell->status], cell->reason);
    else if (cell->reason)
        print_note(file, mark, "%s: %s", name, cell->reason);
    if (cell->drift.p < drift_p)
        print_note(
            file, mark,
            "%s: its wall time %s over the rounds (Spearman's rho %.2f, p %.1g): the machine "
            "has changed meanwhile",
            name, cell->drift.rho > 0 ? "rises" : "falls", cell->drift.rho, cell->drift.p);
    if (cell->verdict == VERDICT_CONTROL && (cell->ratio.low > 1 || cell->ratio.high < 1)) {
        char ratio[FORMAT_BYTES];
        print_note(file, mark, "%s: %s times its twin, the same strategy: this group is noisy",
                   name, format_ratio(ratio, sizeof ratio, cell->ratio.median));
    }
}

/* Why there is no noise floor, in any group: one would do for all. */
static const char *why_no_floor(const struct summary *summary)
{
    const char *why = "no control was run";
    for (size_t i = 0; i < summary->cell_count; i++) {
        const struct summary_cell *cell = &summary->cells[i];
        if (cell->sample->control && cell->ratio.count > 0)
            return "the controls had too few rounds for an interval";
        if (cell->sample->control)
            why = "no control and its twin gave a result";
    }
    return why;
}

static void note_group(const struct summary *summary, const struct summary_group *group, FILE *file,
                       const char *mark)
{
    char floor[FORMAT_BYTES], low[FORMAT_BYTES], high[FORMAT_BYTES];
    for (size_t i = 0; i < group->cell_count; i++)
        note_cell(&group->cells[i], file, mark);
    for (size_t i = 0; i < group->cell_count; i++)
        note_quiet(&group->cells[i], file, mark);
    if (!group->baseline)
        return;
    print_note(file, mark, "ratio: wall time to that of %s in the same round, median",
               group->baseline->sample->strategy);
    if (isnan(group->noise_floor))
        print_note(file, mark, "noise floor unknown: %s, so no verdict is given",
                   why_no_floor(summary));
    else
        print_note(file, mark, "noise floor ±%s, from %s: ratios from %s to %s show no difference",
                   format_percent(floor, sizeof floor, group->noise_floor),
                   group->own_control ? "the control" : "the worst control of the other groups",
                   format_ratio(low, sizeof low, 1 / (1 + group->noise_floor)),
                   format_ratio(high, sizeof high, 1 + group->noise_floor));
}

static void print_heading(const struct summary_group *group, FILE *file, const char *mark)
{
    const struct record *sample = group->cells->sample;
    char tasks[FORMAT_BYTES];
    bool same = true;
    for (size_t i = 0; i < group->cell_count; i++)
        same =
            same && strcmp(group->cells[i].sample->options ? group->cells[i].sample->options : "",
                           sample->options ? sample->options : "") == 0;
    format_count(tasks, sizeof tasks, record_number(sample->tasks));
    print_note(file, mark, "%s: %s × %s, cores %s%s%s", sample->group,
               sample->workload ? sample->workload : "?", tasks, sample->cpus ? sample->cpus : "?",
               same && sample->options ? ", " : "", same && sample->options ? sample->options : "");
}

/* ---- Memory per task ---- */

/* The caller ends it with table_clear(). */
static struct table make_memory_table(const struct summary *summary)
{
    static const char *const headers[] = {
        "strategy", "workload", "tasks",         "memory per task", "95 % interval",
        "base",     "points",   "cgroup's view", "95 % interval",
    };
    struct table table = {.align = "lllrrrrrr"};
    char text[128], from[FORMAT_BYTES], to[FORMAT_BYTES];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        table_add(&table, headers[i]);
    for (size_t i = 0; i < summary->line_count; i++) {
        const struct summary_line *line = &summary->lines[i];
        table_add(&table, line->cell->sample->strategy);
        table_add(&table, line->cell->sample->workload);
        snprintf(text, sizeof text, "%s – %s", format_count(from, sizeof from, line->least),
                 format_count(to, sizeof to, line->most));
        table_add(&table, text);
        table_add(&table, format_bytes(text, sizeof text, line->total.slope));
        format_interval(text, sizeof text, line->total.low, line->total.high, format_bytes);
        table_add(&table, text);
        table_add(&table, format_bytes(text, sizeof text, line->total.base));
        table_add(&table, format_count(text, sizeof text, (double)line->total.count));
        table_add(&table, format_bytes(text, sizeof text, line->cgroup.slope));
        format_interval(text, sizeof text, line->cgroup.low, line->cgroup.high, format_bytes);
        table_add(&table, text);
    }
    return table;
}

/* Why the memory passes lack their cross-check: one reason, that of the first. */
static void note_cgroup(const struct summary *summary, FILE *file)
{
    for (size_t i = 0; i < summary->trial_count; i++) {
        const struct record *row = summary->sorted[i];
        if (is_of_memory(row) && row->cgroup_bytes == NO_NUMBER && row->note) {
            print_note(file, "\n", "%s", row->note);
            return;
        }
    }
}

/* ---- Wake-ups ---- */

/* Do its tasks only wait? Where they compute, a late resumption may be another task's turn. */
static bool has_wake_ups(const struct summary_cell *cell)
{
    return cell->metrics[METRIC_wake_p50_ns].count > 0 && cell->sample->work_ns == 0;
}

/* The caller ends it with table_clear(). */
static struct table make_wake_table(const struct summary *summary)
{
    static const char *const headers[] = {
        "group", "strategy", "median", "95 % interval", "p99", "maximum", "trials",
    };
    struct table table = {.align = "llrrrrr"};
    char text[128];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        table_add(&table, headers[i]);
    for (size_t i = 0; i < summary->cell_count; i++) {
        const struct summary_cell *cell = &summary->cells[i];
        const struct stats *median = &cell->metrics[METRIC_wake_p50_ns];
        if (!has_wake_ups(cell))
            continue;
        table_add(&table, cell->sample->group);
        table_add(&table, cell->sample->strategy);
        table_add(&table, format_ns(text, sizeof text, median->median));
        format_interval(text, sizeof text, median->low, median->high, format_ns);
        table_add(&table, text);
        table_add(&table, format_ns(text, sizeof text, cell->metrics[METRIC_wake_p99_ns].median));
        table_add(&table, format_ns(text, sizeof text, cell->metrics[METRIC_wake_max_ns].max));
        table_add(&table, format_count(text, sizeof text, (double)median->count));
    }
    return table;
}

/* ---- summary.md ---- */

static void print_counts(const struct summary *summary, FILE *file)
{
    fprintf(file, "%zu cells in %zu groups, %zu trials", summary->cell_count, summary->group_count,
            summary->trial_count);
    if (summary->failed_count > 0)
        fprintf(file, "; %zu %s failed", summary->failed_count,
                summary->failed_count == 1 ? "cell" : "cells");
    if (summary->replaced_count > 0)
        fprintf(file, "; %zu rows replaced by later ones of the same trials",
                summary->replaced_count);
    if (summary->torn_count > 0)
        fprintf(file, "; a torn last line left out");
    putc('\n', file);
}

/* What the numbers are of, and why there are not more of them. */
static void print_machine(const struct summary *summary, FILE *file)
{
    if (summary->fingerprint)
        fprintf(file, "%s; %.10s; overlap %s.\n\n", summary->fingerprint,
                summary->date ? summary->date : "?", summary->version ? summary->version : "?");
    if (summary->ended)
        fprintf(file, "Rounds: %s. Cells may have fewer; the column *rounds* tells.\n\n",
                summary->ended);
}

static void write_memory(const struct summary *summary, FILE *file)
{
    struct table table = make_memory_table(summary);
    fprintf(file,
            "\n## Memory per task\n\n"
            "PSS of all processes, page tables and kernel stacks, as a line over the number of "
            "tasks held, %d numbers at least (median of the slopes of all pairs, weighted by their "
            "distance; %d resamples). The base is the line at no task. A memory cgroup's account, "
            "kernel memory "
            "included, is the cross-check.\n\n",
            SUMMARY_LINE_LEAST, STATS_LINE_RESAMPLES);
    table_print_markdown(&table, file);
    table_clear(&table);
}

static void write_wake_ups(const struct summary *summary, FILE *file)
{
    size_t i = 0;
    while (i < summary->cell_count && !has_wake_ups(&summary->cells[i]))
        i++;
    if (i == summary->cell_count)
        return;
    struct table table = make_wake_table(summary);
    fprintf(file,
            "\n## Wake-ups\n\n"
            "How late after its deadline a sleeping task resumes, from the traced trials of "
            "tasks that do not compute: the median over the trials of each trial's median and "
            "99th percentile, and the latest of all.\n\n");
    table_print_markdown(&table, file);
    table_clear(&table);
}

static void write_markdown(const struct summary *summary, const struct claims *claims, FILE *file)
{
    fprintf(file, "# Summary\n\n");
    if (summary->stamp[0])
        fprintf(file, "**This run is %s.** Do not cite its numbers.\n\n", summary->stamp);
    print_machine(summary, file);
    print_counts(summary, file);
    fprintf(file,
            "\nMedians over the rounds with their 95 %% bootstrap intervals (expanded percentile, "
            "%d resamples). Ratios are paired by round; \"faster\" and \"slower\" are said only "
            "where the whole interval lies outside the noise floor, which is how far a control, "
            "the same strategy entered twice, was from its twin. Outliers (Tukey's fences) are "
            "counted, not removed. The warm-up does not count.\n",
            STATS_RESAMPLES);
    for (size_t g = 0; g < summary->group_count; g++) {
        struct table table = make_table(&summary->groups[g], false);
        putc('\n', file);
        print_heading(&summary->groups[g], file, "## ");
        putc('\n', file);
        table_print_markdown(&table, file);
        putc('\n', file);
        note_group(summary, &summary->groups[g], file, "- ");
        table_clear(&table);
    }
    if (summary->line_count > 0)
        write_memory(summary, file);
    note_cgroup(summary, file);
    write_wake_ups(summary, file);
    if (claims)
        claims_print_markdown(claims, file);
}

/* ---- All of it ---- */

static int save(const char *dir, const char *name,
                void (*write)(const struct summary *summary, FILE *file),
                const struct summary *summary, char *why, size_t why_bytes)
{
    struct output output;
    if (output_open(&output, dir, name, why, why_bytes) != 0)
        return -1;
    write(summary, output.file);
    return output_close(&output, why, why_bytes);
}

static int save_markdown(const struct summary *summary, const struct claims *claims,
                         const char *dir, char *why, size_t why_bytes)
{
    struct output output;
    if (output_open(&output, dir, "summary.md", why, why_bytes) != 0)
        return -1;
    write_markdown(summary, claims, output.file);
    return output_close(&output, why, why_bytes);
}

/* The claims of the project, if this run has anything to say about one of them. Returns 0, or -1
 * with one line in `why`; the caller frees them. */
static int judge_claims(const struct summary *summary, struct claims **claims, char *why,
                        size_t why_bytes)
{
    *claims = claims_read(NULL, why, why_bytes);
    if (!*claims)
        return *why ? -1 : 0;
    claims_judge(*claims, summary);
    if (!claims_measured(*claims)) {
        claims_free(*claims);
        *claims = NULL;
    }
    return 0;
}

static bool has_traced(const struct summary *summary)
{
    for (size_t i = 0; i < summary->cell_count; i++)
        if (summary->cells[i].traced)
            return true;
    return false;
}

int summary_save(const struct summary *summary, const char *dir, char *why, size_t why_bytes)
{
    struct claims *claims;
    if (judge_claims(summary, &claims, why, why_bytes) != 0)
        return -1;
    int saved = save_markdown(summary, claims, dir, why, why_bytes);
    if (claims)
        claims_free(claims);
    if (saved != 0 || save(dir, "summary.csv", write_csv, summary, why, why_bytes) != 0 ||
        environment_note(dir, "stamp", json_string(summary->stamp), why, why_bytes) != 0)
        return -1;

    char *timelines;
    if (asprintf(&timelines, "%s/timelines", dir) < 0)
        err(EXIT_UNABLE, "cannot name a folder");
    int status = 0;
    if (has_traced(summary))
        mkdir(timelines, 0777); /* whether it worked, the file in it tells */
    if (access(timelines, F_OK) == 0 || has_traced(summary))
        status = save(timelines, "index.csv", write_index, summary, why, why_bytes);
    free(timelines);
    return status;
}

void summary_print(const struct summary *summary, FILE *file)
{
    for (size_t g = 0; g < summary->group_count; g++) {
        struct table table = make_table(&summary->groups[g], true);
        print_heading(&summary->groups[g], file, g > 0 ? "\n" : "");
        table_print(&table, file);
        note_group(summary, &summary->groups[g], file, "  ");
        table_clear(&table);
    }
    if (summary->line_count > 0) {
        struct table table = make_memory_table(summary);
        fprintf(file, "\nmemory per task\n");
        table_print(&table, file);
        table_clear(&table);
    }
    note_cgroup(summary, file);
    putc('\n', file);
    print_counts(summary, file);
    if (summary->stamp[0])
        fprintf(file, "%s\n", summary->stamp);
}

int summary_write(const char *dir, const char *baseline, char *why, size_t why_bytes)
{
    struct summary *summary = summary_read(dir, baseline, why, why_bytes);
    if (!summary)
        return -1;
    int status = summary_save(summary, dir, why, why_bytes);
    if (status == 0)
        status = summary->failed_count > 0;
    summary_free(summary);
    return status;
}

int summary_main(int argc, char **argv)
{
    static const char *baseline;
    static const struct setting settings[] = {
        {"baseline", 0, SETTING_TEXT, NULL, "STRATEGY",
         "what the others are compared with (default: coroutine, or else the first)", &baseline, 0,
         0},
        {0},
    };
    const struct setting *const tables[] = {settings, NULL};
    int operand = options_parse(
        argc, argv,
        &(struct command_line){
            .usage = "overlap summary [OPTIONS] DIR",
            .summary = "Sums up the trials of a bench again: DIR/trials.csv to DIR/summary.csv, "
                       "summary.md\nand timelines/index.csv.",
            .tables = tables,
            .least = 1,
            .most = 1,
        });
    const char *dir = argv[operand];
    char why[1024];
    struct summary *summary = summary_read(dir, baseline, why, sizeof why);
    if (!summary)
        errx(EXIT_USAGE, "%s", why);
    if (summary_save(summary, dir, why, sizeof why) != 0)
        errx(EXIT_FAILED, "%s", why);
    summary_print(summary, stdout);
    bool failed = summary->failed_count > 0;
    summary_free(summary);
    return failed ? EXIT_FAILED : 0;
}
