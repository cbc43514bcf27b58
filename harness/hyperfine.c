/* See hyperfine.h. */
#include "hyperfine.h"
#include "array.h"
#include "summary.h"

#include <errno.h>
#include <string.h>

/* Rows in the making. */
struct rows {
    struct record *row;
    size_t count;
};

/* The command that timed this cell; NULL when it was not, failed, or is a control. */
static const char *command_of(const struct summary_cell *cell)
{
    if (cell->sample->control || cell->metrics[METRIC_wall_ns].count == 0)
        return NULL;
    /* Its last row is one of them, by the name of the pass. */
    return cell->rows[cell->row_count - 1]->command;
}

static void copy_identity(struct record *to, const struct record *from)
{
    record_set(&to->cell, from->cell);
    record_set(&to->group, from->group);
    record_set(&to->strategy, from->strategy);
    record_set(&to->workload, from->workload);
    record_set(&to->cpus, from->cpus);
    record_set(&to->options, from->options);
    record_set(&to->command, from->command);
    to->tasks = from->tasks;
    to->workers = from->workers;
    to->seed = from->seed;
    to->unit_ns = from->unit_ns;
    to->work_rate = from->work_rate;
}

/* Adds one time to one cell, as the next of its rounds. */
static void add_row(struct rows *rows, const struct summary_cell *cell, double seconds,
                    const json_t *exit_code)
{
    const struct record *timed = cell->rows[cell->row_count - 1];
    uint64_t round = 1;
    for (size_t i = 0; i < rows->count; i++)
        round += strcmp(rows->row[i].cell, timed->cell) == 0;
    rows->row = array_resize(rows->row, rows->count + 1, sizeof *rows->row);
    struct record *row = &rows->row[rows->count++];
    record_init(row);
    copy_identity(row, timed);
    record_set(&row->pass, "hyperfine");
    row->round = round;
    row->wall_ns = (uint64_t)(seconds * 1e9 + 0.5);
    row->ok = !exit_code || (json_is_integer(exit_code) && json_integer_value(exit_code) == 0);
    if (json_is_integer(exit_code) && json_integer_value(exit_code) >= 0)
        row->exit_status = (uint64_t)json_integer_value(exit_code);
    if (!row->ok)
        record_set(&row->reason, json_is_integer(exit_code)
                                     ? "the command failed under hyperfine"
                                     : "the command was killed under hyperfine");
}

/* Adds all times of one of hyperfine's results. */
static int add_result(struct rows *rows, const struct summary *summary, const json_t *result,
                      char *why, size_t why_bytes)
{
    const char *command = json_string_value(json_object_get(result, "command"));
    const json_t *times = json_object_get(result, "times"), *time;
    const json_t *exit_codes = json_object_get(result, "exit_codes");
    bool found = false;
    size_t k;
    if (!command || json_array_size(times) == 0) {
        snprintf(why, why_bytes, "a result without a command or its times");
        return -1;
    }
    json_array_foreach(times, k, time)
    {
        double seconds = json_number_value(time);
        if (!(seconds > 0 && seconds < 1e9)) {
            snprintf(why, why_bytes, "time %zu of '%s' is not a number of seconds", k + 1, command);
            return -1;
        }
    }
    for (size_t i = 0; i < summary->cell_count; i++) {
        const char *timed = command_of(&summary->cells[i]);
        if (!timed || strcmp(timed, command) != 0)
            continue;
        found = true;
        json_array_foreach(times, k, time) add_row(
            rows, &summary->cells[i], json_number_value(time), json_array_get(exit_codes, k));
    }
    if (!found)
        snprintf(why, why_bytes, "no cell was timed by '%s'", command);
    return found ? 0 : -1;
}

static int append_rows(const struct rows *rows, const char *dir, char *why, size_t why_bytes)
{
    char *path;
    if (asprintf(&path, "%s/trials.csv", dir) < 0)
        err(EXIT_UNABLE, "cannot name a file");
    FILE *file = records_append(path, why, why_bytes);
    int status = file ? 0 : -1;
    for (size_t i = 0; file && i < rows->count; i++)
        record_csv_row(&rows->row[i], file);
    if (file) {
        bool wrong = ferror(file);
        wrong = fclose(file) != 0 || wrong;
        if (wrong) {
            snprintf(why, why_bytes, "cannot write to %s: %s", path, strerror(errno));
            status = -1;
        }
    }
    free(path);
    return status;
}

int hyperfine_import(const char *dir, const char *json_path, char *why, size_t why_bytes)
{
    json_error_t error;
    json_t *document = json_load_file(json_path, 0, &error);
    if (!document) {
        if (error.line < 0) /* it was not read at all, and the text names it */
            snprintf(why, why_bytes, "%s", error.text);
        else
            snprintf(why, why_bytes, "%s:%d: %s", json_path, error.line, error.text);
        return -1;
    }
    struct summary *summary = summary_read(dir, NULL, why, why_bytes);
    struct rows rows = {0};
    int status = summary ? 0 : -1;
    const json_t *results = json_object_get(document, "results"), *result;
    size_t i;
    if (status == 0 && json_array_size(results) == 0) {
        snprintf(why, why_bytes, "%s holds no results of hyperfine --export-json", json_path);
        status = -1;
    }
    json_array_foreach(results, i, result)
    {
        char what[512];
        if (status == 0 && add_result(&rows, summary, result, what, sizeof what) != 0) {
            snprintf(why, why_bytes, "%s: %s", json_path, what);
            status = -1;
        }
    }
    if (status == 0)
        status = append_rows(&rows, dir, why, why_bytes);
    while (rows.count > 0)
        record_drop(&rows.row[--rows.count]);
    free(rows.row);
    if (summary)
        summary_free(summary);
    json_decref(document);
    return status;
}

/* Each command once, though several cells may have it. Cells that the suite gave less than half of
 * the rounds are left out: they take long, and would take most of the referee's time. */
static void print_commands(const struct summary *summary)
{
    size_t rounds = 0;
    for (size_t i = 0; i < summary->cell_count; i++)
        if (summary->cells[i].metrics[METRIC_wall_ns].count > rounds)
            rounds = summary->cells[i].metrics[METRIC_wall_ns].count;
    for (size_t i = 0; i < summary->cell_count; i++) {
        const char *command = command_of(&summary->cells[i]);
        bool known = !command || 2 * summary->cells[i].metrics[METRIC_wall_ns].count < rounds;
        for (size_t k = 0; k < i && !known; k++) {
            const char *other = command_of(&summary->cells[k]);
            known = other && strcmp(other, command) == 0;
        }
        if (!known)
            printf("%s\n", command);
    }
}

int import_main(int argc, char **argv)
{
    static bool commands;
    static const struct setting settings[] = {
        {"commands", 0, SETTING_FLAG, NULL, NULL,
         "print the commands for hyperfine to time, one per line", &commands, 0, 0},
        {0},
    };
    const struct setting *const tables[] = {settings, NULL};
    int operand = options_parse(
        argc, argv,
        &(struct command_line){
            .usage = "overlap import [OPTIONS] DIR [FILE]",
            .summary = "Adds what hyperfine --export-json FILE has measured to DIR/trials.csv.",
            .tables = tables,
            .least = 1,
            .most = 2,
        });
    const char *dir = argv[operand], *file = operand + 1 < argc ? argv[operand + 1] : NULL;
    char why[1024];
    if (commands == (file != NULL))
        errx(EXIT_USAGE, "give either a FILE of hyperfine's to import or --commands");
    if (file && hyperfine_import(dir, file, why, sizeof why) != 0)
        errx(EXIT_USAGE, "%s", why);
    if (commands) {
        struct summary *summary = summary_read(dir, NULL, why, sizeof why);
        if (!summary)
            errx(EXIT_USAGE, "%s", why);
        print_commands(summary);
        summary_free(summary);
    }
    return 0;
}
