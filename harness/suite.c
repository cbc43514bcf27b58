/* See suite.h. What a cell's options mean is checked by the trial that gets them, not here. */
#include "suite.h"
#include "array.h"
#include "shared.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WORDS_MAX = 64 };

static const char blanks[] = " \t\r\n";
static const char label_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/* What the bench itself says to its trials. */
static const char *const reserved_options[] = {"--dry-run",  "--help",   "--json",     "--pass",
                                               "--timeline", "--origin", "--work-rate"};

/* The place of one word, for the numbers of a suite: the same rules as on the command line. */
static uint64_t number;
static const struct setting count_setting = {
    .name = "rounds", .kind = SETTING_COUNT, .where = &number, .min = 1, .max = 100000};
static const struct setting zero_setting = {
    .name = "rounds", .kind = SETTING_COUNT, .where = &number, .min = 0, .max = 100000};
static const struct setting duration_setting = {
    .name = "cell-budget", .kind = SETTING_DURATION, .where = &number, .min = 1, .max = 86400e9};

static int read_value(const struct setting *setting, const char *text, uint64_t *where, char *why,
                      size_t why_bytes)
{
    char reason[256];
    if (setting_parse(setting, text, reason, sizeof reason) != 0) {
        snprintf(why, why_bytes, "%s", reason + 2); /* without the dashes of an option */
        return -1;
    }
    *where = number;
    return 0;
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    if (!copied)
        err(EXIT_UNABLE, "cannot read the suite");
    return copied;
}

static char *format(const char *format_, ...)
{
    va_list values;
    char *text;
    va_start(values, format_);
    if (vasprintf(&text, format_, values) < 0)
        err(EXIT_UNABLE, "cannot read the suite");
    va_end(values);
    return text;
}

/* What a line `cell` says, before its lists are taken apart. */
struct cell_line {
    const char *workload, *tasks, *cpus, *strategies, *label;
    char *const *options;
    bool passes[PASSES];
    uint64_t rounds;
    unsigned number;
};

static int add_cell(struct suite *suite, const struct cell_line *line, const char *tasks,
                    const char *strategy, bool control, char *why, size_t why_bytes)
{
    suite->cells = array_resize(suite->cells, suite->cell_count + 1, sizeof *suite->cells);
    struct cell *cell = &suite->cells[suite->cell_count++];
    const char *base = strrchr(strategy, '/');
    *cell = (struct cell){
        .group = format("%s-%s-%s%s%s", line->workload, tasks, line->cpus, line->label ? "-" : "",
                        line->label ? line->label : ""),
        .strategy = copy(strategy),
        .workload = copy(line->workload),
        .control = control,
        .rounds = line->rounds,
        .line = line->number,
    };
    for (char *comma = cell->group; (comma = strchr(comma, ','));)
        *comma = '+';
    cell->name =
        format("%s-%s%s", cell->group, base ? base + 1 : strategy, control ? "-control" : "");
    memcpy(cell->passes, line->passes, sizeof cell->passes);
    if (control) /* it is there for the noise of durations alone */
        for (enum pass pass = PASS_TIMING + 1; pass < PASSES; pass++)
            cell->passes[pass] = false;
    arguments_add(&cell->arguments, (const char *[]){"-s", strategy, "-w", line->workload, "-n",
                                                     tasks, "--cpus", line->cpus, NULL});
    arguments_add(&cell->arguments, (const char *const *)line->options);

    for (size_t i = 0; i + 1 < suite->cell_count; i++) {
        if (strcmp(suite->cells[i].name, cell->name) == 0) {
            snprintf(why, why_bytes,
                     "the cell %s is there already (line %u); a label=TEXT would tell them apart",
                     cell->name, suite->cells[i].line);
            return -1;
        }
    }
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The list of all that are built in, by name; freed by the caller. */
static char *all_strategies(void)
{
    const char **names = array_resize(NULL, 1, sizeof *names);
    size_t count = 0;
    REGISTRY_FOR_EACH (strategy, entry) {
        names = array_resize(names, count + 1, sizeof *names);
        names[count++] = (*entry)->name;
    }
    qsort(names, count, sizeof *names, by_name);
    char *list = copy("");
    for (size_t i = 0; i < count; i++) {
        char *longer = format("%s%s%s", list, i > 0 ? "," : "", names[i]);
        free(list);
        list = longer;
    }
    free(names);
    return list;
}

static int read_passes(char *text, bool passes[PASSES], char *why, size_t why_bytes)
{
    char *rest;
    for (char *word = strtok_r(text, "+", &rest); word; word = strtok_r(NULL, "+", &rest)) {
        size_t pass = 0;
        while (pass < PASSES && strcmp(word, pass_names[pass]) != 0)
            pass++;
        if (pass == PASSES) {
            snprintf(why, why_bytes,
                     "'%s' is neither a pass (timing, memory, timeline, syscalls) nor label=TEXT "
                     "nor rounds=N nor --OPTION",
                     word);
            return -1;
        }
        passes[pass] = true;
    }
    return 0;
}

static int read_cell(struct suite *suite, char **words, size_t count, unsigned line_number,
                     char *why, size_t why_bytes)
{
    if (count < 5) {
        snprintf(why, why_bytes,
                 "a cell is: cell WORKLOAD TASKS CPUS STRATEGIES [PASSES] "
                 "[label=TEXT] [rounds=N] [--OPTION VALUE ...]");
        return -1;
    }
    struct cell_line line = {
        words[1], words[2], words[3], words[4], .rounds = EVERY_ROUND, .number = line_number};
    size_t next = 5;
    bool any = false;
    for (; next < count && strncmp(words[next], "--", 2) != 0; next++) {
        if (strncmp(words[next], "label=", 6) == 0) {
            line.label = words[next] + 6;
            if (!*line.label || line.label[strspn(line.label, label_letters)]) {
                snprintf(why, why_bytes, "a label is letters, digits, '.', '_' and '-', not '%s'",
                         line.label);
                return -1;
            }
        } else if (strncmp(words[next], "rounds=", 7) == 0) {
            if (read_value(&count_setting, words[next] + 7, &line.rounds, why, why_bytes) != 0)
                return -1;
        } else if (read_passes(words[next], line.passes, why, why_bytes) == 0)
            any = true;
        else
            return -1;
    }
    if (!any)
        line.passes[PASS_TIMING] = true;
    line.options = &words[next];
    for (; next < count; next++) {
        for (size_t i = 0; i < sizeof reserved_options / sizeof *reserved_options; i++) {
            size_t length = strlen(reserved_options[i]);
            if (strncmp(words[next], reserved_options[i], length) == 0 &&
                (words[next][length] == '\0' || words[next][length] == '=')) {
                snprintf(why, why_bytes, "%s is for the bench to say, not for a cell",
                         reserved_options[i]);
                return -1;
            }
        }
    }

    char *tasks_rest, *strategies_rest, *tasks_list = copy(line.tasks);
    int status = 0;
    for (char *tasks = strtok_r(tasks_list, ",", &tasks_rest); tasks && status == 0;
         tasks = strtok_r(NULL, ",", &tasks_rest)) {
        char *strategies =
            strcmp(line.strategies, "all") == 0 ? all_strategies() : copy(line.strategies);
        for (char *strategy = strtok_r(strategies, ",", &strategies_rest); strategy && status == 0;
             strategy = strtok_r(NULL, ",", &strategies_rest)) {
            status = add_cell(suite, &line, tasks, strategy, false, why, why_bytes);
            if (status == 0 && suite->control && strcmp(strategy, suite->control) == 0 &&
                line.passes[PASS_TIMING])
                status = add_cell(suite, &line, tasks, strategy, true, why, why_bytes);
        }
        free(strategies);
    }
    free(tasks_list);
    return status;
}

static int read_number(char **words, size_t count, const struct setting *setting, uint64_t *where,
                       char *why, size_t why_bytes)
{
    if (count == 2)
        return read_value(setting, words[1], where, why, why_bytes);
    snprintf(why, why_bytes, "%s takes one value", words[0]);
    return -1;
}

static int read_line(struct suite *suite, char *text, unsigned line, char *why, size_t why_bytes)
{
    char *words[WORDS_MAX + 1], *rest;
    size_t count = 0;
    text[strcspn(text, "#")] = '\0';
    for (char *word = strtok_r(text, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest)) {
        if (count == WORDS_MAX) {
            snprintf(why, why_bytes, "more than %d words", WORDS_MAX);
            return -1;
        }
        words[count++] = word;
    }
    words[count] = NULL;
    if (count == 0)
        return 0;
    const char *directive = words[0];
    if (strcmp(directive, "cell") == 0)
        return read_cell(suite, words, count, line, why, why_bytes);
    if (strcmp(directive, "rounds") == 0)
        return read_number(words, count, &count_setting, &suite->rounds, why, why_bytes);
    if (strcmp(directive, "memory-rounds") == 0)
        return read_number(words, count, &zero_setting, &suite->memory_rounds, why, why_bytes);
    if (strcmp(directive, "timeline-rounds") == 0)
        return read_number(words, count, &zero_setting, &suite->timeline_rounds, why, why_bytes);
    if (strcmp(directive, "cell-budget") == 0)
        return read_number(words, count, &duration_setting, &suite->cell_budget_ns, why, why_bytes);
    const char **name = strcmp(directive, "control") == 0    ? &suite->control
                        : strcmp(directive, "baseline") == 0 ? &suite->baseline
                                                             : NULL;
    if (name && count == 2) {
        *name = copy(words[1]);
        return 0;
    }
    snprintf(why, why_bytes,
             name
                 ? "%s takes the name of one strategy"
                 : "'%s' is none of: rounds, memory-rounds, timeline-rounds, cell-budget, control, "
                   "baseline, cell",
             directive);
    return -1;
}

/* The file behind a name: itself, or one that comes with the project. */
static FILE *open_suite(const char *name, char **path)
{
    *path = copy(name);
    FILE *file = fopen(*path, "re");
    if (file || strchr(name, '/'))
        return file;
    char *shared = format("suites/%s.suite", name), *shared_path;
    file = shared_open(shared, &shared_path);
    free(shared);
    if (file) {
        free(*path);
        *path = shared_path;
    }
    return file;
}

/* It is read twice, the second time for the copy that stays with the results; and it has an end. */
static bool is_regular(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
}

/* A strategy that is named for a role must have a cell. */
static int check_role(const struct suite *suite, const char *role, const char *name, char *why,
                      size_t why_bytes)
{
    for (size_t i = 0; name && i < suite->cell_count; i++)
        if (strcmp(suite->cells[i].strategy, name) == 0)
            return 0;
    if (!name)
        return 0;
    snprintf(why, why_bytes, "%s: the %s is %s, which no cell has", suite->path, role, name);
    return -1;
}

int suite_read(const char *name, struct suite *suite, char *why, size_t why_bytes)
{
    *suite = (struct suite){.rounds = 10,
                            .memory_rounds = 3,
                            .timeline_rounds = 3,
                            .cell_budget_ns = UINT64_C(5) * 1000000000};
    FILE *file = open_suite(name, &suite->path);
    if (!file) {
        snprintf(why, why_bytes,
                 "cannot read the suite %s: %s; it is a file, or one of: default, quick, map", name,
                 strerror(errno));
        return -1;
    }
    char *text = NULL, reason[512];
    size_t bytes = 0;
    int status = is_regular(file) ? 0 : -1;
    if (status != 0)
        snprintf(why, why_bytes, "cannot read the suite %s: it is no regular file", name);
    for (unsigned line = 1; status == 0 && getline(&text, &bytes, file) >= 0; line++) {
        status = read_line(suite, text, line, reason, sizeof reason);
        if (status != 0)
            snprintf(why, why_bytes, "%s:%u: %s", suite->path, line, reason);
    }
    if (status == 0 && ferror(file)) {
        snprintf(why, why_bytes, "cannot read the suite %s: %s", name, strerror(errno));
        status = -1;
    }
    if (status == 0 && suite->cell_count == 0) {
        snprintf(why, why_bytes,
                 "%s: no cell in it; a line would be: cell mixed 4 one fork,pthreads", suite->path);
        status = -1;
    }
    if (status == 0)
        status = check_role(suite, "control", suite->control, why, why_bytes);
    if (status == 0)
        status = check_role(suite, "baseline", suite->baseline, why, why_bytes);
    free(text);
    fclose(file);
    return status;
}

void suite_drop(struct suite *suite)
{
    for (size_t i = 0; i < suite->cell_count; i++) {
        struct cell *cell = &suite->cells[i];
        arguments_drop(&cell->arguments);
        free(cell->name);
        free(cell->group);
        free(cell->strategy);
        free(cell->workload);
    }
    free(suite->cells);
    free(suite->path);
    free((char *)suite->control);
    free((char *)suite->baseline);
}
