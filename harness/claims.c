/* See claims.h. How they are shown is in claims_write.c. */
#include "claims.h"
#include "array.h"
#include "shared.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

const char *const claim_verdict_names[] = {
    [CLAIM_HOLDS] = "holds",
    [CLAIM_FAILS] = "does not hold",
    [CLAIM_NOT_SHOWN] = "not shown at this noise",
    [CLAIM_NOT_MEASURED] = "not measured",
};

/* What can be compared: the metrics of the summary, and two things that no single trial has. */
enum { CLAIM_MEMORY_PER_TASK = METRICS, CLAIM_STATUS, CLAIM_METRICS };

static const char *const metric_names[CLAIM_METRICS] = {
#define METRIC_NAME(name, pass, value) [METRIC_##name] = #name,
    SUMMARY_METRICS(METRIC_NAME)
#undef METRIC_NAME
        [CLAIM_MEMORY_PER_TASK] = "memory_per_task",
    [CLAIM_STATUS] = "status",
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_time(int metric)
{
    return ends_with(metric_names[metric], "_ns");
}

/* Other work on the machine changes it. What is read from CPU clocks it hardly does. */
static bool rests_on_wall_time(int metric)
{
    bool by_cpu_clock = metric == METRIC_cpu_ns || metric == METRIC_user_ns ||
                        metric == METRIC_system_ns || metric == METRIC_bound_ns ||
                        metric == METRIC_ideal_ns;
    return (is_time(metric) && !by_cpu_clock) || metric == METRIC_over_ideal ||
           metric == METRIC_stretch_max;
}

static format_function *format_of(const struct claim_comparison *comparison)
{
    const char *name = metric_names[comparison->value.metric];
    if (comparison->base.cell)
        return format_ratio;
    if (is_time(comparison->value.metric))
        return format_ns;
    if (comparison->value.metric == CLAIM_MEMORY_PER_TASK || ends_with(name, "_bytes"))
        return format_bytes;
    return ends_with(name, "_switches") ? format_count : format_ratio;
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    if (!copied)
        err(EXIT_UNABLE, "cannot keep a claim");
    return copied;
}

__attribute__((format(printf, 1, 2))) static char *format(const char *format_, ...)
{
    va_list values;
    char *text;
    va_start(values, format_);
    if (vasprintf(&text, format_, values) < 0)
        err(EXIT_UNABLE, "cannot keep a claim");
    va_end(values);
    return text;
}

/* ---- The rules ---- */

enum { WORDS_MAX = 256 };

struct words {
    char *text[WORDS_MAX];
    size_t count;
};

/* A reader that stops at its first error. */
struct reader {
    struct claims *claims;
    const char *path;
    unsigned line;
    char *why;
    size_t why_bytes;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct reader *reader,
                                                       const char *format_, ...)
{
    va_list values;
    int length = snprintf(reader->why, reader->why_bytes, "%s:%u: ", reader->path, reader->line);
    va_start(values, format_);
    if (length >= 0 && (size_t)length < reader->why_bytes)
        vsnprintf(reader->why + length, reader->why_bytes - (size_t)length, format_, values);
    va_end(values);
    return -1;
}

static int split(const struct reader *reader, char *text, struct words *words)
{
    char *rest;
    words->count = 0;
    text[strcspn(text, "#")] = '\0';
    for (char *word = strtok_r(text, " \t\r\n", &rest); word;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (words->count == WORDS_MAX)
            return wrong(reader, "more than %d words", WORDS_MAX);
        words->text[words->count++] = word;
    }
    return 0;
}

/* The words from `first` on, with one blank between two; after `before`, if that is not NULL. The
 * caller frees it. */
static char *join(const struct words *words, size_t first, const char *before)
{
    char *all = before ? copy(before) : NULL;
    for (size_t i = first; i < words->count; i++) {
        char *longer = format("%s%s%s", all ? all : "", all ? " " : "", words->text[i]);
        free(all);
        all = longer;
    }
    return all;
}

static int read_number(const struct reader *reader, const char *word, double *number)
{
    char *end;
    *number = strtod(word, &end);
    if (end == word || *end || !isfinite(*number))
        return wrong(reader, "'%s' is not a number", word);
    return 0;
}

static int read_metric(const struct reader *reader, const char *word, int *metric)
{
    for (*metric = 0; *metric < CLAIM_METRICS; ++*metric)
        if (strcmp(word, metric_names[*metric]) == 0)
            return 0;
    return wrong(reader,
                 "'%s' is not a metric: it is one of those in summary.csv (wall_ns, cpu_ns, ...), "
                 "memory_per_task or status",
                 word);
}

static int read_cell(const struct reader *reader, const char *word, char **cell)
{
    const char *colon = strrchr(word, ':');
    if (!colon || colon == word || !colon[1])
        return wrong(reader, "'%s' is not a cell: a cell is GROUP:STRATEGY, as in mixed-4-one:fork",
                     word);
    *cell = copy(word);
    return 0;
}

/* METRIC of CELL, METRIC or CELL: what is left out is -1 or NULL. */
static int read_quantity(const struct reader *reader, char *const *words, size_t count,
                         struct claim_quantity *quantity)
{
    *quantity = (struct claim_quantity){.metric = -1};
    if (count == 3 && strcmp(words[1], "of") == 0)
        return read_metric(reader, words[0], &quantity->metric) == 0
                   ? read_cell(reader, words[2], &quantity->cell)
                   : -1;
    if (count == 1 && strchr(words[0], ':'))
        return read_cell(reader, words[0], &quantity->cell);
    if (count == 1)
        return read_metric(reader, words[0], &quantity->metric);
    return wrong(reader, "a comparison is: compare [spread of] METRIC of GROUP:STRATEGY "
                         "[over METRIC of GROUP:STRATEGY]");
}

static int read_compare(const struct reader *reader, const struct words *words,
                        struct claim_comparison *comparison)
{
    size_t first = 1, over = 1;
    if (words->count > 3 && strcmp(words->text[1], "spread") == 0 &&
        strcmp(words->text[2], "of") == 0) {
        comparison->spread = true;
        first = 3;
    }
    while (over < words->count && strcmp(words->text[over], "over") != 0)
        over++;
    comparison->text = join(words, 1, NULL);
    struct claim_quantity *value = &comparison->value, *base = &comparison->base;
    if (read_quantity(reader, words->text + first, over - first, value) != 0)
        return -1;
    if (value->metric < 0)
        return wrong(reader, "no metric is named: compare METRIC of %s", value->cell);
    if (over == words->count) {
        if (!value->cell)
            return wrong(reader, "no cell is named: compare %s of GROUP:STRATEGY",
                         metric_names[value->metric]);
    } else {
        if (read_quantity(reader, words->text + over + 1, words->count - over - 1, base) != 0)
            return -1;
        if (!base->cell || (!value->cell && base->metric < 0))
            return wrong(reader, "what stands behind 'over' names no metric or no cell");
        if (base->metric < 0)
            base->metric = value->metric;
        if (!value->cell)
            value->cell = copy(base->cell);
    }
    if (comparison->spread && (base->cell || value->metric >= METRICS))
        return wrong(reader, "a spread is that of one metric of the trials, over nothing");
    if (base->cell && (value->metric == CLAIM_STATUS || base->metric == CLAIM_STATUS))
        return wrong(reader, "a status has no ratio");
    if (base->cell &&
        (value->metric == CLAIM_MEMORY_PER_TASK) != (base->metric == CLAIM_MEMORY_PER_TASK))
        return wrong(reader, "memory_per_task is compared with its own kind alone");
    return 0;
}

static int read_status(const struct reader *reader, const char *word, enum cell_status *status)
{
    for (*status = CELL_OK; *status <= CELL_UNAVAILABLE; ++*status)
        if (strcmp(word, cell_status_names[*status]) == 0)
            return 0;
    return wrong(reader, "'%s' is not a status: it is ok, failed, bound or unavailable", word);
}

static int read_holds(const struct reader *reader, const struct words *words,
                      struct claim_comparison *comparison)
{
    char *const *word = words->text;
    size_t count = words->count;
    const char *kind = count > 1 ? word[1] : "";
    double number, share;
    comparison->least = -INFINITY;
    comparison->most = INFINITY;
    if ((comparison->value.metric == CLAIM_STATUS) != (strcmp(kind, "is") == 0))
        return wrong(reader, "'holds is STATUS' goes with 'compare status of ...', and with that "
                             "alone");
    if (count == 3 && strcmp(kind, "is") == 0) {
        if (read_status(reader, word[2], &comparison->status) != 0)
            return -1;
    } else if (count == 3 && strcmp(kind, "above") == 0) {
        if (read_number(reader, word[2], &number) != 0)
            return -1;
        comparison->least = nextafter(number, INFINITY);
    } else if (count == 3 && strcmp(kind, "below") == 0) {
        if (read_number(reader, word[2], &number) != 0)
            return -1;
        comparison->most = nextafter(number, -INFINITY);
    } else if (count == 5 && strcmp(kind, "within") == 0 && strcmp(word[3], "..") == 0) {
        if (read_number(reader, word[2], &comparison->least) != 0 ||
            read_number(reader, word[4], &comparison->most) != 0)
            return -1;
        if (comparison->least > comparison->most)
            return wrong(reader, "nothing is within %s .. %s", word[2], word[4]);
    } else if (count == 6 && strcmp(kind, "about") == 0 && strcmp(word[3], "within") == 0 &&
               strcmp(word[5], "%") == 0) {
        if (read_number(reader, word[2], &number) != 0 || read_number(reader, word[4], &share) != 0)
            return -1;
        if (!(share >= 0))
            return wrong(reader, "a tolerance is not less than 0, as %s is", word[4]);
        comparison->least = number - fabs(number) * share / 100;
        comparison->most = number + fabs(number) * share / 100;
    } else {
        return wrong(reader, "what is expected is: holds above X | below X | within X .. Y | "
                             "about X within P %% | is STATUS");
    }
    comparison->expected = join(words, 1, NULL);
    return 0;
}

/* ---- One claim after another ---- */

/* What the claim that is being read still lacks; NULL: nothing. */
static const char *missing(const struct claims *claims)
{
    const struct claim *claim = claims->count > 0 ? &claims->claims[claims->count - 1] : NULL;
    if (!claim)
        return NULL;
    if (!claim->says)
        return "says";
    if (claim->count == 0)
        return "compare";
    return claim->comparisons[claim->count - 1].expected ? NULL : "holds";
}

static int begin_claim(const struct reader *reader, const struct words *words)
{
    struct claims *claims = reader->claims;
    double number;
    if (missing(claims))
        return wrong(reader, "the claim before this one lacks the line '%s'", missing(claims));
    if (words->count != 2)
        return wrong(reader, "a claim begins with its number: claim 1");
    if (read_number(reader, words->text[1], &number) != 0)
        return -1;
    if (!(number >= 1 && number < 1000 && floor(number) == number))
        return wrong(reader, "the number of a claim is whole, from 1 to 999, not %s",
                     words->text[1]);
    for (size_t i = 0; i < claims->count; i++)
        if (claims->claims[i].number == (unsigned)number)
            return wrong(reader, "there is a claim %s already", words->text[1]);
    claims->claims = array_resize(claims->claims, claims->count + 1, sizeof *claims->claims);
    claims->claims[claims->count++] = (struct claim){.number = (unsigned)number};
    return 0;
}

static int read_comparison(const struct reader *reader, const struct words *words,
                           struct claim *claim)
{
    if (claim->count > 0 && missing(reader->claims))
        return wrong(reader, "the comparison before this one lacks the line 'holds'");
    claim->comparisons =
        array_resize(claim->comparisons, claim->count + 1, sizeof *claim->comparisons);
    claim->comparisons[claim->count] = (struct claim_comparison){
        .measured = {0, NAN, NAN, NAN},
    };
    struct claim_comparison *comparison = &claim->comparisons[claim->count++];
    if (read_compare(reader, words, comparison) != 0)
        return -1;
    comparison->format = format_of(comparison);
    return 0;
}

static int read_line(const struct reader *reader, const struct words *words)
{
    struct claims *claims = reader->claims;
    if (words->count == 0)
        return 0;
    const char *directive = words->text[0];
    if (strcmp(directive, "claim") == 0)
        return begin_claim(reader, words);
    if (claims->count == 0)
        return wrong(reader, "'%s' before the first claim, which begins with: claim 1", directive);
    struct claim *claim = &claims->claims[claims->count - 1];
    if (strcmp(directive, "compare") == 0)
        return read_comparison(reader, words, claim);
    if (strcmp(directive, "holds") == 0) {
        if (claim->count == 0 || claim->comparisons[claim->count - 1].expected)
            return wrong(reader, "'holds' follows a line 'compare', once");
        return read_holds(reader, words, &claim->comparisons[claim->count - 1]);
    }
    char **text = strcmp(directive, "says") == 0   ? &claim->says
                  : strcmp(directive, "note") == 0 ? &claim->note
                                                   : NULL;
    if (!text)
        return wrong(reader, "'%s' is none of: claim, says, compare, holds, note", directive);
    if (words->count < 2)
        return wrong(reader, "'%s' is followed by a text", directive);
    char *longer = join(words, 1, *text); /* goes on where the line before has ended */
    free(*text);
    *text = longer;
    return 0;
}

static int read_rules(struct reader *reader, FILE *file)
{
    char *text = NULL;
    size_t bytes = 0;
    int status = 0;
    while (status == 0 && getline(&text, &bytes, file) >= 0) {
        struct words words;
        reader->line++;
        status = split(reader, text, &words);
        if (status == 0)
            status = read_line(reader, &words);
    }
    free(text);
    if (status != 0)
        return status;
    if (ferror(file))
        return wrong(reader, "%s", strerror(errno));
    if (missing(reader->claims))
        return wrong(reader, "the last claim lacks the line '%s'", missing(reader->claims));
    if (reader->claims->count == 0) {
        snprintf(reader->why, reader->why_bytes, "%s: no claim in it; one begins with: claim 1",
                 reader->path);
        return -1;
    }
    return 0;
}

struct claims *claims_read(const char *path, char *why, size_t why_bytes)
{
    char *found = NULL;
    FILE *file = path ? fopen(path, "re") : shared_open("claims.txt", &found);
    if (!file) {
        if (path)
            snprintf(why, why_bytes, "cannot read the rules %s: %s", path, strerror(errno));
        else
            snprintf(why, why_bytes, "%s", "");
        return NULL;
    }
    struct claims *claims = array_resize(NULL, 1, sizeof *claims);
    *claims = (struct claims){0};
    struct reader reader = {claims, path ? path : found, 0, why, why_bytes};
    int status = read_rules(&reader, file);
    fclose(file);
    free(found);
    if (status == 0)
        return claims;
    claims_free(claims);
    return NULL;
}

void claims_free(struct claims *claims)
{
    for (size_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->claims[i];
        for (size_t k = 0; k < claim->count; k++) {
            struct claim_comparison *comparison = &claim->comparisons[k];
            free(comparison->text);
            free(comparison->expected);
            free(comparison->value.cell);
            free(comparison->base.cell);
            free(comparison->reason);
        }
        free(claim->comparisons);
        free(claim->says);
        free(claim->note);
    }
    free(claims->claims);
    free(claims);
}

/* ---- What the run says ---- */

/* The noise floor of a group; of one without a control that of the worst group of its workload, or
 * of all. */
static double noise_of(const struct summary *summary, const struct summary_group *group)
{
    double noise = NAN;
    if (group->own_control)
        return group->noise_floor;
    for (size_t g = 0; g < summary->group_count; g++) {
        const struct summary_group *other = &summary->groups[g];
        if (other->own_control && other->cells->sample->workload &&
            group->cells->sample->workload &&
            strcmp(other->cells->sample->workload, group->cells->sample->workload) == 0)
            noise = fmax(noise, other->noise_floor);
    }
    return isnan(noise) ? group->noise_floor : noise;
}

/* A quantity with the cell of the run that it is of. */
struct found {
    int metric;
    const char *name;                /* GROUP:STRATEGY */
    const struct summary_cell *cell; /* NULL: not in the run */
    double noise;                    /* floor of its group */
    bool bound;                      /* it takes at least its bound_ns */
};

static bool is_cell(const struct summary_cell *cell, const char *name)
{
    const char *colon = strrchr(name, ':'), *group = cell->sample->group;
    const char *slash = strrchr(cell->sample->strategy, '/'); /* a program's path */
    const char *strategy = slash ? slash + 1 : cell->sample->strategy;
    return !cell->sample->control && strcmp(strategy, colon + 1) == 0 &&
           strlen(group) == (size_t)(colon - name) && strncmp(group, name, strlen(group)) == 0;
}

static struct found find(const struct summary *summary, const struct claim_quantity *quantity)
{
    struct found found = {.metric = quantity->metric, .name = quantity->cell};
    for (size_t g = 0; g < summary->group_count && !found.cell; g++) {
        const struct summary_group *group = &summary->groups[g];
        for (size_t i = 0; i < group->cell_count && !found.cell; i++) {
            if (is_cell(&group->cells[i], quantity->cell)) {
                found.cell = &group->cells[i];
                found.noise = noise_of(summary, group);
            }
        }
    }
    found.bound = found.cell && found.cell->status == CELL_BOUND &&
                  found.metric == METRIC_wall_ns && found.cell->metrics[METRIC_bound_ns].count > 0;
    return found;
}

/* Why there is no value; NULL: there is one. The caller frees it. */
static char *why_unknown(const struct found *found)
{
    const struct summary_cell *cell = found->cell;
    if (!cell)
        return format("the run has no cell %s", found->name);
    if (found->bound || found->metric == CLAIM_STATUS)
        return NULL;
    bool per_task = found->metric == CLAIM_MEMORY_PER_TASK;
    if (per_task ? cell->memory != NULL : cell->metrics[found->metric].count > 0)
        return NULL;
    if (cell->reason)
        return format("%s: %s: %s", found->name, cell_status_names[cell->status], cell->reason);
    if (per_task)
        return format("%s has no %s: it takes %d numbers of tasks", found->name,
                      metric_names[found->metric], SUMMARY_LINE_LEAST);
    return format("%s has no %s", found->name, metric_names[found->metric]);
}

/* A single value as a ratio to 1. */
static struct stats_ratio plain_value(const struct found *found)
{
    if (found->metric == CLAIM_MEMORY_PER_TASK) {
        const struct stats_line *line = &found->cell->memory->total;
        return (struct stats_ratio){line->count, line->slope, line->low, line->high};
    }
    if (found->bound) {
        double bound_ns = found->cell->metrics[METRIC_bound_ns].median;
        return (struct stats_ratio){1, bound_ns, bound_ns, INFINITY};
    }
    const struct stats *stats = &found->cell->metrics[found->metric];
    return (struct stats_ratio){stats->count, stats->median, stats->low, stats->high};
}

static struct stats_ratio spread_of(const struct found *found)
{
    const struct stats *stats = &found->cell->metrics[found->metric];
    double *values = array_resize(NULL, found->cell->row_count, sizeof *values);
    size_t count = summary_values(found->cell, (enum summary_metric)found->metric, values);
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - stats->median);
    struct stats spread = stats_of(values, count);
    free(values);
    return (struct stats_ratio){spread.count, spread.median, spread.low, spread.high};
}

/* Of two independent values: as far apart as both intervals allow, which is rather too wide. */
static struct stats_ratio quotient(struct stats_ratio value, struct stats_ratio base)
{
    return (struct stats_ratio){
        .count = value.count < base.count ? value.count : base.count,
        .median = value.median / base.median,
        .low = isinf(base.high) ? -INFINITY : value.low / base.high,
        .high = value.high / base.low,
    };
}

static bool has_zero(const struct found *found)
{
    double *values = array_resize(NULL, found->cell->row_count, sizeof *values);
    size_t count = summary_values(found->cell, (enum summary_metric)found->metric, values);
    bool zero = false;
    for (size_t i = 0; i < count; i++)
        zero = zero || values[i] == 0;
    free(values);
    return zero;
}

static void measure_ratio(struct claim_comparison *comparison, const struct found *value,
                          const struct found *base)
{
    if (value->bound && base->bound)
        comparison->reason = copy("neither was run: both are known by their bounds alone");
    else if (value->bound || base->bound || value->metric == CLAIM_MEMORY_PER_TASK)
        comparison->measured = quotient(plain_value(value), plain_value(base));
    else if (has_zero(base)) /* leaving such rounds out would be choosing among them */
        comparison->reason =
            format("%s of %s is 0 in some rounds", metric_names[base->metric], base->name);
    else
        comparison->measured =
            summary_ratio(value->cell, (enum summary_metric)value->metric, base->cell,
                          (enum summary_metric)base->metric, &comparison->paired);
}

static enum claim_verdict judge_range(const struct claim_comparison *comparison, double low,
                                      double high)
{
    if (low >= comparison->least && high <= comparison->most)
        return CLAIM_HOLDS;
    if (high < comparison->least || low > comparison->most)
        return CLAIM_FAILS;
    return CLAIM_NOT_SHOWN;
}

static void judge_measured(struct claim_comparison *comparison)
{
    const struct stats_ratio *measured = &comparison->measured;
    double reach = 1 + comparison->noise_floor;
    comparison->verdict = CLAIM_NOT_SHOWN;
    if (isnan(measured->low) || isnan(measured->high))
        comparison->reason = format("too few rounds for an interval: %zu", measured->count);
    else if (isnan(reach))
        comparison->reason =
            copy("no control gave an interval, so nothing tells what noise alone shows");
    else
        comparison->verdict =
            judge_range(comparison, measured->low / reach, measured->high * reach);
}

static void judge_status(struct claim_comparison *comparison, const struct summary_cell *cell)
{
    comparison->found = cell_status_names[cell->status];
    if (cell->status == comparison->status)
        comparison->verdict = CLAIM_HOLDS;
    else if (cell->status == CELL_OK || cell->status == CELL_UNAVAILABLE)
        comparison->verdict = CLAIM_FAILS;
    if (cell->reason)
        comparison->reason = copy(cell->reason);
}

/* How far noise may have moved it. Two wall times of one trial were moved together. */
static double noise_between(const struct found *value, const struct found *base)
{
    bool first = rests_on_wall_time(value->metric);
    bool second = base->cell && rests_on_wall_time(base->metric);
    if (first && second)
        return value->cell == base->cell ? 0 : fmax(value->noise, base->noise);
    return first ? value->noise : second ? base->noise : 0;
}

static void judge_comparison(struct claim_comparison *comparison, const struct summary *summary)
{
    struct found value = find(summary, &comparison->value), base = {0};
    comparison->verdict = CLAIM_NOT_MEASURED;
    comparison->reason = why_unknown(&value);
    if (!value.cell || comparison->reason)
        return;
    if (value.metric == CLAIM_STATUS) {
        judge_status(comparison, value.cell);
        return;
    }
    if (comparison->spread) {
        comparison->measured = spread_of(&value);
    } else if (!comparison->base.cell) {
        comparison->measured = plain_value(&value);
    } else {
        base = find(summary, &comparison->base);
        comparison->reason = why_unknown(&base);
        if (!base.cell || comparison->reason)
            return;
        measure_ratio(comparison, &value, &base);
    }
    comparison->noise_floor = noise_between(&value, &base);
    if (!comparison->reason)
        judge_measured(comparison);
}

static bool has_verdict(const struct claim *claim, enum claim_verdict verdict)
{
    for (size_t i = 0; i < claim->count; i++)
        if (claim->comparisons[i].verdict == verdict)
            return true;
    return false;
}

void claims_judge(struct claims *claims, const struct summary *summary)
{
    for (size_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->claims[i];
        for (size_t k = 0; k < claim->count; k++)
            judge_comparison(&claim->comparisons[k], summary);
        claim->verdict = has_verdict(claim, CLAIM_FAILS)          ? CLAIM_FAILS
                         : has_verdict(claim, CLAIM_NOT_MEASURED) ? CLAIM_NOT_MEASURED
                         : has_verdict(claim, CLAIM_NOT_SHOWN)    ? CLAIM_NOT_SHOWN
                                                                  : CLAIM_HOLDS;
    }
}

bool claims_measured(const struct claims *claims)
{
    for (size_t i = 0; i < claims->count; i++)
        for (size_t k = 0; k < claims->claims[i].count; k++)
            if (claims->claims[i].comparisons[k].verdict != CLAIM_NOT_MEASURED)
                return true;
    return false;
}
