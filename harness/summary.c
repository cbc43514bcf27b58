/* See summary.h. What is written and shown of it is in summary_write.c. */
#include "summary.h"
#include "array.h"
#include "environment.h"

#include <stdarg.h>
#include <string.h>

const char *const cell_status_names[] = {
    [CELL_OK] = "ok",
    [CELL_FAILED] = "failed",
    [CELL_BOUND] = "bound",
    [CELL_UNAVAILABLE] = "unavailable",
};

const char *const verdict_names[] = {
    [VERDICT_NONE] = "",
    [VERDICT_FASTER] = "faster",
    [VERDICT_SLOWER] = "slower",
    [VERDICT_SAME] = "no difference shown",
    [VERDICT_BASELINE] = "baseline",
    [VERDICT_CONTROL] = "control",
    [VERDICT_NO_CONTROL] = "no control",
    [VERDICT_FEW] = "too few rounds",
};

/* The first of these that a cell has rows of says what became of it. */
static const char *const passes[] = {"timing",   "bound",    "memory",
                                     "timeline", "syscalls", "hyperfine"};
enum { PASS_COUNT = sizeof passes / sizeof *passes };

#define METRIC_VALUE(name, pass, value)                                                            \
    static double value_of_##name(const struct record *r)                                          \
    {                                                                                              \
        return value;                                                                              \
    }
SUMMARY_METRICS(METRIC_VALUE)
#undef METRIC_VALUE

static const struct metric {
    const char *pass;
    double (*value)(const struct record *r);
} metrics[METRICS] = {
#define METRIC_ROW(name, pass, value) [METRIC_##name] = {pass, value_of_##name},
    SUMMARY_METRICS(METRIC_ROW)
#undef METRIC_ROW
};

/* ---- Rows to cells, cells to groups ---- */

static int compare_texts(const char *left, const char *right)
{
    return strcmp(left ? left : "", right ? right : "");
}

static int compare_numbers(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

/* 0: two rows of one trial. */
static int compare_trials(const struct record *a, const struct record *b)
{
    int order = strcmp(a->group, b->group);
    order = order ? order : strcmp(a->cell, b->cell);
    order = order ? order : strcmp(a->pass, b->pass);
    return order ? order : compare_numbers(a->round, b->round);
}

static int by_trial(const void *left, const void *right)
{
    const struct record *a = *(const struct record *const *)left;
    const struct record *b = *(const struct record *const *)right;
    int order = compare_trials(a, b);
    return order ? order : (a > b) - (a < b); /* as in the file */
}

static int by_strategy(const void *left, const void *right)
{
    const struct record *a = ((const struct summary_cell *)left)->sample;
    const struct record *b = ((const struct summary_cell *)right)->sample;
    int order = strcmp(a->group, b->group);
    order = order ? order : strcmp(a->strategy, b->strategy);
    order = order ? order : a->control - b->control;
    return order ? order : strcmp(a->cell, b->cell);
}

static int by_workload(const void *left, const void *right)
{
    const struct record *a = ((const struct summary_group *)left)->cells->sample;
    const struct record *b = ((const struct summary_group *)right)->cells->sample;
    int order = compare_texts(a->workload, b->workload);
    order = order ? order : compare_numbers(a->tasks, b->tasks);
    order = order ? order : compare_texts(a->cpus, b->cpus);
    return order ? order : strcmp(a->group, b->group);
}

/* Sorts the rows and leaves the last one of each trial. */
static void sort_rows(struct summary *summary)
{
    size_t count = summary->record_count;
    summary->sorted = array_resize(NULL, count, sizeof *summary->sorted);
    for (size_t i = 0; i < count; i++)
        summary->sorted[i] = &summary->records[i];
    qsort(summary->sorted, count, sizeof *summary->sorted, by_trial);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && compare_trials(summary->sorted[i], summary->sorted[i + 1]) == 0)
            summary->replaced_count++;
        else
            summary->sorted[summary->trial_count++] = summary->sorted[i];
    }
}

static void make_cells(struct summary *summary)
{
    const struct record *previous = NULL;
    for (size_t i = 0; i < summary->trial_count; i++) {
        const struct record *row = summary->sorted[i];
        if (!previous || strcmp(previous->cell, row->cell) != 0 ||
            strcmp(previous->group, row->group) != 0) {
            summary->cells =
                array_resize(summary->cells, summary->cell_count + 1, sizeof *summary->cells);
            summary->cells[summary->cell_count++] = (struct summary_cell){
                .sample = row,
                .rows = &summary->sorted[i],
                .ratio = {0, NAN, NAN, NAN},
                .traced_ratio = {0, NAN, NAN, NAN},
            };
        }
        summary->cells[summary->cell_count - 1].row_count++;
        previous = row;
    }
    qsort(summary->cells, summary->cell_count, sizeof *summary->cells, by_strategy);
}

static void make_groups(struct summary *summary)
{
    for (size_t i = 0; i < summary->cell_count; i++) {
        struct summary_cell *cell = &summary->cells[i];
        if (i == 0 || strcmp(cell[-1].sample->group, cell->sample->group) != 0) {
            summary->groups =
                array_resize(summary->groups, summary->group_count + 1, sizeof *summary->groups);
            summary->groups[summary->group_count++] =
                (struct summary_group){.cells = cell, .noise_floor = NAN};
        }
        summary->groups[summary->group_count - 1].cell_count++;
    }
    qsort(summary->groups, summary->group_count, sizeof *summary->groups, by_workload);
}

/* ---- What became of a cell ---- */

/* Adds to the reason of a cell. */
static void add_reason(struct summary_cell *cell, const char *format, ...)
{
    char *text, *all;
    va_list values;
    va_start(values, format);
    int written = vasprintf(&text, format, values);
    va_end(values);
    if (written < 0 || asprintf(&all, "%s%s%s", cell->reason ? cell->reason : "",
                                cell->reason ? "; " : "", text) < 0)
        err(EXIT_UNABLE, "cannot note why a cell has no result");
    free(text);
    free(cell->reason);
    cell->reason = all;
}

/* The rows of one pass of a cell: how many there are and how many of them are not ok. */
struct tally {
    size_t count, wrong, rounds;
    const struct record *first_wrong;
    bool unable; /* none of those that are not ok failed: it cannot run here */
};

static struct tally tally_pass(const struct summary_cell *cell, const char *pass)
{
    struct tally tally = {.unable = true};
    for (size_t i = 0; i < cell->row_count; i++) {
        const struct record *row = cell->rows[i];
        if (strcmp(row->pass, pass) != 0)
            continue;
        tally.count++;
        if (row->ok) {
            tally.rounds += row->round > 0;
            continue;
        }
        if (tally.wrong++ == 0)
            tally.first_wrong = row;
        tally.unable = tally.unable && row->exit_status == EXIT_UNABLE;
    }
    return tally;
}

static void add_wrong(struct summary_cell *cell, const struct tally *tally, const char *prefix)
{
    const char *reason = tally->first_wrong->reason;
    if (!reason)
        reason = "no reason given";
    if (tally->wrong < tally->count)
        add_reason(cell, "%s%zu of %zu trials: %s", prefix, tally->wrong, tally->count, reason);
    else
        add_reason(cell, "%s%s", prefix, reason);
}

static void judge_cell(struct summary_cell *cell)
{
    bool judged = false;
    for (size_t i = 0; i < PASS_COUNT; i++) {
        struct tally tally = tally_pass(cell, passes[i]);
        if (tally.count == 0)
            continue;
        bool main_pass = !judged;
        judged = true;
        if (main_pass)
            cell->rounds = tally.rounds;
        if (main_pass && strcmp(passes[i], "bound") == 0) {
            cell->status = CELL_BOUND;
            add_reason(cell, "%s",
                       cell->rows[0]->reason ? cell->rows[0]->reason : "not run for its bound");
        } else if (tally.wrong > 0) {
            char prefix[32];
            snprintf(prefix, sizeof prefix, "%s pass: ", passes[i]);
            if (main_pass)
                cell->status = tally.unable ? CELL_UNAVAILABLE : CELL_FAILED;
            add_wrong(cell, &tally, main_pass ? "" : prefix);
        }
    }
}

/* ---- Did all do the same work? ---- */

/* A digest within a group, of tasks made from the same numbers. */
struct digest {
    const struct record *row; /* the first that has it */
    const struct summary_cell *last;
    size_t cells; /* that have it */
    bool sequential;
};

/* Do both rows promise the same digest? */
static bool is_same_work(const struct record *a, const struct record *b)
{
    return a->seed == b->seed && a->unit_ns == b->unit_ns &&
           (a->work_rate == b->work_rate || (isnan(a->work_rate) && isnan(b->work_rate)));
}

/* Which is more likely right: a digest rather than none, that of sequential, that of most. */
static int compare_digests(const struct digest *a, const struct digest *b)
{
    int order = (a->row->digest != NULL) - (b->row->digest != NULL);
    order = order ? order : a->sequential - b->sequential;
    return order ? order : compare_numbers(a->cells, b->cells);
}

static bool has_digest(const struct record *row)
{
    return row->ok && strcmp(row->pass, "timing") == 0;
}

static bool is_digest_of(const struct digest *digest, const struct record *row)
{
    return is_same_work(digest->row, row) && compare_texts(digest->row->digest, row->digest) == 0;
}

static void add_digest(const struct summary_cell *cell, const struct record *row,
                       struct digest **digests, size_t *count)
{
    size_t k = 0;
    while (k < *count && !is_digest_of(&(*digests)[k], row))
        k++;
    if (k == *count) {
        *digests = array_resize(*digests, ++*count, sizeof **digests);
        (*digests)[k] = (struct digest){.row = row};
    }
    struct digest *digest = &(*digests)[k];
    digest->cells += digest->last != cell;
    digest->last = cell;
    digest->sequential |= strcmp(row->strategy, "sequential") == 0;
}

/* Why this digest is not the right one; NULL when it is. */
static const char *digest_fault(const struct digest *digest, const struct digest *digests,
                                size_t count)
{
    const struct digest *best = digest;
    bool tie = false;
    for (const struct digest *other = digests; other < digests + count; other++) {
        if (other == digest || !is_same_work(other->row, digest->row))
            continue;
        int order = compare_digests(other, best);
        if (order > 0)
            best = other;
        if (order >= 0)
            tie = order == 0;
    }
    if (tie)
        return "digest differs from others of the group, and no majority tells which is right";
    if (best == digest)
        return NULL;
    if (!digest->row->digest)
        return "digest missing, so that nothing shows that it did the work of the others";
    return best->sequential ? "digest differs from sequential's"
                            : "digest differs from the majority's";
}

/* Fails the cell when one of its rows has this digest. */
static void fail_digest(struct summary_cell *cell, const struct digest *digest, const char *fault)
{
    for (size_t i = 0; i < cell->row_count && cell->status == CELL_OK; i++) {
        if (has_digest(cell->rows[i]) && is_digest_of(digest, cell->rows[i])) {
            cell->status = CELL_FAILED;
            add_reason(cell, "%s (round %llu)", fault, (unsigned long long)cell->rows[i]->round);
        }
    }
}

static void check_digests(const struct summary_group *group)
{
    struct digest *digests = NULL;
    size_t count = 0;
    for (size_t i = 0; i < group->cell_count; i++)
        for (size_t r = 0; r < group->cells[i].row_count; r++)
            if (has_digest(group->cells[i].rows[r]))
                add_digest(&group->cells[i], group->cells[i].rows[r], &digests, &count);
    for (size_t k = 0; k < count; k++) {
        const char *fault = digest_fault(&digests[k], digests, count);
        for (size_t i = 0; i < group->cell_count && fault; i++)
            fail_digest(&group->cells[i], &digests[k], fault);
    }
    free(digests);
}

/* ---- Numbers ---- */

/* A metric in the measured rounds of a pass of a cell. */
struct series {
    const struct summary_cell *cell;
    const struct metric *metric;
    const char *pass;
};

static struct series series_of(const struct summary_cell *cell, enum summary_metric metric)
{
    return (struct series){cell, &metrics[metric], metrics[metric].pass};
}

static bool is_in(const struct series *series, const struct record *row)
{
    return row->ok && row->round > 0 && strcmp(row->pass, series->pass) == 0;
}

/* Its values; room for cell->row_count. */
static size_t collect_values(struct series series, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < series.cell->row_count; i++)
        if (is_in(&series, series.cell->rows[i]))
            values[count++] = series.metric->value(series.cell->rows[i]);
    return count;
}

static void measure_cell(struct summary_cell *cell)
{
    double *values = array_resize(NULL, cell->row_count, sizeof *values);
    bool usable[PASS_COUNT];
    for (size_t i = 0; i < PASS_COUNT; i++)
        usable[i] = cell->status != CELL_FAILED && tally_pass(cell, passes[i]).wrong == 0;

    for (enum summary_metric m = 0; m < METRICS; m++) {
        size_t pass = 0, count = 0;
        while (strcmp(passes[pass], metrics[m].pass) != 0)
            pass++;
        if (usable[pass])
            count = collect_values(series_of(cell, m), values);
        cell->metrics[m] = stats_of(values, count);
        if (m == METRIC_wall_ns) {
            cell->outliers = stats_outliers(values, count);
            cell->drift = stats_drift(values, count);
        }
    }
    if (cell->status == CELL_BOUND) { /* its first row, by the name of its pass, and of round 0 */
        double bound_ns = value_of_bound_ns(cell->rows[0]);
        cell->metrics[METRIC_bound_ns] = stats_of(&bound_ns, 1);
    }
    free(values);
}

/* ---- Comparison ---- */

static bool has_wall(const struct summary_cell *cell)
{
    return cell->metrics[METRIC_wall_ns].count > 0;
}

/* In the rounds that both have. */
static struct stats_ratio paired_ratio(struct series above, struct series below)
{
    const struct summary_cell *cell = above.cell, *base = below.cell;
    double *values = array_resize(NULL, 2 * cell->row_count, sizeof *values);
    double *bases = values + cell->row_count;
    size_t count = 0;
    for (size_t i = 0, k = 0; i < cell->row_count; i++) {
        const struct record *row = cell->rows[i];
        if (!is_in(&above, row))
            continue;
        while (k < base->row_count &&
               (!is_in(&below, base->rows[k]) || base->rows[k]->round < row->round))
            k++;
        if (k == base->row_count)
            break;
        if (base->rows[k]->round == row->round) {
            values[count] = above.metric->value(row);
            bases[count++] = below.metric->value(base->rows[k]);
        }
    }
    struct stats_ratio ratio = stats_paired_ratio(values, bases, count);
    free(values);
    return ratio;
}

static struct stats_ratio wall_ratio(const struct summary_cell *cell,
                                     const struct summary_cell *base)
{
    return paired_ratio(series_of(cell, METRIC_wall_ns), series_of(base, METRIC_wall_ns));
}

size_t summary_values(const struct summary_cell *cell, enum summary_metric metric, double *values)
{
    if (cell->metrics[metric].count == 0) /* also when the pass has failed */
        return 0;
    return collect_values(series_of(cell, metric), values);
}

struct stats_ratio summary_ratio(const struct summary_cell *cell, enum summary_metric metric,
                                 const struct summary_cell *base, enum summary_metric base_metric,
                                 bool *paired)
{
    struct stats_ratio ratio = {0, NAN, NAN, NAN};
    double *values = array_resize(NULL, cell->row_count + base->row_count, sizeof *values);
    size_t count = summary_values(cell, metric, values);
    size_t base_count = summary_values(base, base_metric, values + count);
    *paired = false;
    if (count > 0 && base_count > 0) {
        if (strcmp(metrics[metric].pass, metrics[base_metric].pass) == 0)
            ratio = paired_ratio(series_of(cell, metric), series_of(base, base_metric));
        *paired = ratio.count > 0;
        if (!*paired)
            ratio = stats_median_ratio(values, count, values + count, base_count);
    }
    free(values);
    return ratio;
}

/* The first entry of the same strategy. */
static const struct summary_cell *find_twin(const struct summary_group *group,
                                            const struct summary_cell *control)
{
    for (size_t i = 0; i < group->cell_count; i++) {
        const struct summary_cell *cell = &group->cells[i];
        if (!cell->sample->control && has_wall(cell) &&
            strcmp(cell->sample->strategy, control->sample->strategy) == 0 &&
            compare_texts(cell->sample->options, control->sample->options) == 0)
            return cell;
    }
    return NULL;
}

static const struct summary_cell *find_baseline(const struct summary_group *group,
                                                const char *wanted)
{
    const struct summary_cell *first = NULL;
    for (size_t i = 0; i < group->cell_count; i++) {
        const struct summary_cell *cell = &group->cells[i];
        if (cell->sample->control || !has_wall(cell))
            continue;
        if (strcmp(cell->sample->strategy, wanted ? wanted : "coroutine") == 0)
            return cell;
        if (!first && !wanted)
            first = cell;
    }
    return first;
}

/* What the controls of a group differ from their twins: no smaller difference means anything. As
 * far from 1 as the interval reaches, in either direction. */
static void measure_noise(struct summary_group *group)
{
    for (size_t i = 0; i < group->cell_count; i++) {
        struct summary_cell *cell = &group->cells[i];
        if (!cell->sample->control || !has_wall(cell) || !(cell->base = find_twin(group, cell)))
            continue;
        cell->ratio = wall_ratio(cell, cell->base);
        if (!isnan(cell->ratio.low)) {
            double reach = fmax(cell->ratio.high, 1 / cell->ratio.low) - 1;
            group->noise_floor = fmax(group->noise_floor, reach); /* NaN gives way */
            group->own_control = true;
        }
    }
}

static enum verdict judge_ratio(const struct stats_ratio *ratio, double noise_floor)
{
    if (ratio->count == 0)
        return VERDICT_NONE;
    if (isnan(ratio->low))
        return VERDICT_FEW;
    if (isnan(noise_floor))
        return VERDICT_NO_CONTROL;
    if (ratio->low > 1 + noise_floor)
        return VERDICT_SLOWER;
    if (ratio->high < 1 / (1 + noise_floor))
        return VERDICT_FASTER;
    return VERDICT_SAME;
}

static void compare_cell(const struct summary_group *group, struct summary_cell *cell)
{
    if (!has_wall(cell))
        return;
    if (cell->sample->control) {
        cell->verdict = VERDICT_CONTROL;
    } else if (cell == group->baseline) {
        cell->base = cell;
        cell->ratio = (struct stats_ratio){cell->metrics[METRIC_wall_ns].count, 1, 1, 1};
        cell->verdict = VERDICT_BASELINE;
    } else if (group->baseline) {
        cell->base = group->baseline;
        cell->ratio = wall_ratio(cell, cell->base);
        cell->verdict = judge_ratio(&cell->ratio, group->noise_floor);
    }
}

static void compare_cells(struct summary *summary, const char *baseline)
{
    double largest = NAN;
    for (size_t g = 0; g < summary->group_count; g++) {
        measure_noise(&summary->groups[g]);
        largest = fmax(largest, summary->groups[g].noise_floor);
    }
    for (size_t g = 0; g < summary->group_count; g++) {
        struct summary_group *group = &summary->groups[g];
        group->baseline = find_baseline(group, baseline);
        if (!group->own_control)
            group->noise_floor = largest;
        for (size_t i = 0; i < group->cell_count; i++)
            compare_cell(group, &group->cells[i]);
    }
}

/* ---- Memory over the number of tasks ---- */

/* The name of a group from its number of tasks on: "one-memory" of "sleep-300-one-memory". */
static const char *after_tasks(const struct record *row)
{
    char start[256];
    int length = snprintf(start, sizeof start, "%s-%llu-", row->workload ? row->workload : "",
                          (unsigned long long)row->tasks);
    bool begins = length < (int)sizeof start && strncmp(row->group, start, (size_t)length) == 0;
    return begins ? row->group + length : row->group;
}

static bool is_same_line(const struct summary_cell *a, const struct summary_cell *b)
{
    const struct record *x = a->sample, *y = b->sample;
    return strcmp(x->strategy, y->strategy) == 0 && x->control == y->control &&
           compare_texts(x->workload, y->workload) == 0 &&
           compare_texts(x->options, y->options) == 0 &&
           strcmp(after_tasks(x), after_tasks(y)) == 0;
}

/* The points of a line, over all its cells. */
struct points {
    double *tasks, *memory, *cgroup;
    size_t count;
};

static bool has_memory(const struct summary_cell *cell)
{
    return cell->metrics[METRIC_memory_bytes].count > 0;
}

static void add_points(struct points *points, const struct summary_cell *cell)
{
    for (size_t i = 0; i < cell->row_count; i++) {
        const struct record *row = cell->rows[i];
        if (strcmp(row->pass, "memory") != 0 || row->round == 0)
            continue;
        points->tasks[points->count] = record_number(row->tasks_held);
        points->memory[points->count] = value_of_memory_bytes(row);
        points->cgroup[points->count++] = value_of_cgroup_bytes(row);
    }
}

/* How many different ones there are among sorted values. */
static size_t count_distinct(const double *values, size_t count)
{
    size_t distinct = count > 0;
    for (size_t i = 1; i < count; i++)
        distinct += values[i] > values[i - 1];
    return distinct;
}

/* Fits the line that this cell lies on, and gives it to all its cells. */
static void fit_line(struct summary *summary, const struct summary_cell *cell,
                     struct points *points)
{
    points->count = 0;
    for (size_t i = 0; i < summary->cell_count; i++)
        if (is_same_line(cell, &summary->cells[i]) && has_memory(&summary->cells[i]))
            add_points(points, &summary->cells[i]);
    struct summary_line line = {
        .cell = cell,
        .total = stats_line(points->tasks, points->memory, points->count),
        .cgroup = stats_line(points->tasks, points->cgroup, points->count),
    };
    stats_sort(points->tasks, points->count);
    if (isnan(line.total.slope) ||
        count_distinct(points->tasks, points->count) < SUMMARY_LINE_LEAST)
        return;
    line.least = points->tasks[0];
    line.most = points->tasks[points->count - 1];
    summary->lines[summary->line_count] = line;
    for (size_t i = 0; i < summary->cell_count; i++)
        if (is_same_line(cell, &summary->cells[i]) && has_memory(&summary->cells[i]))
            summary->cells[i].memory = &summary->lines[summary->line_count];
    summary->line_count++;
}

static void fit_lines(struct summary *summary)
{
    double *room = array_resize(NULL, 3 * summary->trial_count, sizeof *room);
    struct points points = {room, room + summary->trial_count, room + 2 * summary->trial_count, 0};
    summary->lines = array_resize(NULL, summary->cell_count, sizeof *summary->lines);
    for (size_t g = 0; g < summary->group_count; g++) {
        for (size_t i = 0; i < summary->groups[g].cell_count; i++) {
            const struct summary_cell *cell = &summary->groups[g].cells[i];
            if (!cell->sample->control && !cell->memory && has_memory(cell))
                fit_line(summary, cell, &points);
        }
    }
    free(room);
}

/* ---- Traced trials ---- */

static int by_wall(const void *left, const void *right)
{
    const struct record *a = *(const struct record *const *)left;
    const struct record *b = *(const struct record *const *)right;
    int order = compare_numbers(a->wall_ns, b->wall_ns);
    return order ? order : compare_numbers(a->round, b->round);
}

/* The lower one of the two in the middle when their number is even: a trial, not a mean. */
static void choose_traced(struct summary_cell *cell)
{
    const struct series series = {cell, &metrics[METRIC_wall_ns], "timeline"};
    const struct record **traced = array_resize(NULL, cell->row_count, sizeof *traced);
    size_t count = 0;
    for (size_t i = 0; i < cell->row_count && cell->status != CELL_FAILED; i++)
        if (is_in(&series, cell->rows[i]))
            traced[count++] = cell->rows[i];
    if (count > 0) {
        qsort(traced, count, sizeof *traced, by_wall);
        cell->traced = traced[(count - 1) / 2];
        if (has_wall(cell))
            cell->traced_ratio = paired_ratio(series, series_of(cell, METRIC_wall_ns));
    }
    free(traced);
}

/* ---- All of it ---- */

static int check_rows(const struct summary *summary, const char *path, const char *baseline,
                      char *why, size_t why_bytes)
{
    bool found = !baseline;
    for (size_t i = 0; i < summary->trial_count; i++) {
        const struct record *row = summary->sorted[i];
        size_t pass = 0;
        while (pass < PASS_COUNT && strcmp(passes[pass], row->pass) != 0)
            pass++;
        if (pass == PASS_COUNT) {
            snprintf(why, why_bytes,
                     "%s: cell %s has a row of pass '%s'; there are timing, memory, timeline, "
                     "syscalls, hyperfine and bound",
                     path, row->cell, row->pass);
            return -1;
        }
        found = found || strcmp(row->strategy, baseline) == 0;
    }
    if (summary->trial_count == 0)
        snprintf(why, why_bytes, "%s holds no trial", path);
    else if (!found)
        snprintf(why, why_bytes, "%s holds no strategy '%s' to be the baseline", path, baseline);
    return summary->trial_count > 0 && found ? 0 : -1;
}

struct summary *summary_read(const char *dir, const char *baseline, char *why, size_t why_bytes)
{
    struct summary *summary = array_resize(NULL, 1, sizeof *summary);
    char *path;
    *summary = (struct summary){0};
    if (asprintf(&path, "%s/trials.csv", dir) < 0)
        err(EXIT_UNABLE, "cannot name a file");
    summary->records =
        records_read(path, &summary->record_count, &summary->torn_count, why, why_bytes);
    if (summary->records)
        sort_rows(summary);
    if (!summary->records || check_rows(summary, path, baseline, why, why_bytes) != 0) {
        free(path);
        summary_free(summary);
        return NULL;
    }
    free(path);

    make_cells(summary);
    make_groups(summary);
    for (size_t i = 0; i < summary->cell_count; i++)
        judge_cell(&summary->cells[i]);
    for (size_t g = 0; g < summary->group_count; g++)
        check_digests(&summary->groups[g]);
    for (size_t i = 0; i < summary->cell_count; i++) {
        measure_cell(&summary->cells[i]);
        choose_traced(&summary->cells[i]);
        summary->failed_count += summary->cells[i].status == CELL_FAILED;
    }
    compare_cells(summary, baseline);
    fit_lines(summary);
    summary->stamp = summary_noise(summary, environment_recorded(dir, "cores_online"));
    summary->fingerprint = environment_recorded_text(dir, "fingerprint");
    summary->date = environment_recorded_text(dir, "date");
    summary->version = environment_recorded_text(dir, "version");
    summary->ended = environment_recorded_text(dir, "ended");
    return summary;
}

void summary_free(struct summary *summary)
{
    for (size_t i = 0; i < summary->cell_count; i++)
        free(summary->cells[i].reason);
    for (size_t i = 0; i < summary->record_count; i++)
        record_drop(&summary->records[i]);
    free(summary->records);
    free(summary->sorted);
    free(summary->cells);
    free(summary->groups);
    free(summary->lines);
    free(summary->stamp);
    free(summary->fingerprint);
    free(summary->date);
    free(summary->version);
    free(summary->ended);
    free(summary);
}
