/*
 * Summaries of made-up trials whose answers are known: what counts, what is compared, what is said.
 * Then hyperfine's times beside them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "hyperfine.h"
#include "summary.h"
#include "trials.h"

/* Removes what a test has left. */
static int clear_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"trials.csv",     "summary.csv",
                                        "summary.md",     "timelines/index.csv",
                                        "hyperfine.json", "environment.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(path_of("timelines"));
    return 0;
}

/* ---- Writing trials ---- */

static void make_control(struct record *record)
{
    char cell[128];
    snprintf(cell, sizeof cell, "%s-control", record->cell);
    record_set(&record->cell, cell);
    record->control = true;
}

/* A cell of `rounds` timing rounds and a wild warm-up, `factor` times as long as 100 ms. */
static void put_cell(const char *group, const char *strategy, bool control, uint64_t rounds,
                     double factor)
{
    for (uint64_t round = 0; round <= rounds; round++) {
        struct record record = trial(group, strategy, "timing", round);
        if (control)
            make_control(&record);
        record.wall_ns = (uint64_t)(1e8 * factor * moods[round] + 0.5);
        put(record);
    }
}

static struct summary *sum_up(const char *baseline)
{
    char why[512];
    assert_int_equal(fclose(trials), 0);
    struct summary *summary = summary_read(dir, baseline, why, sizeof why);
    if (!summary)
        fail_msg("%s", why);
    return summary;
}

static const struct summary_cell *cell_of(const struct summary *summary, const char *name)
{
    for (size_t i = 0; i < summary->cell_count; i++)
        if (strcmp(summary->cells[i].sample->cell, name) == 0)
            return &summary->cells[i];
    fail_msg("no cell %s", name);
    return NULL;
}

static void assert_verdict(const struct summary *summary, const char *name, const char *verdict)
{
    assert_string_equal(verdict_names[cell_of(summary, name)->verdict], verdict);
}

/* ---- Comparison ---- */

static void test_verdicts(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "coroutine", true, ROUNDS, 1.02);
    put_cell("g", "fork", false, ROUNDS, 2);
    put_cell("g", "gil", false, ROUNDS, 1.03);
    put_cell("g", "pthreads", false, ROUNDS, 1.01);
    put_cell("g", "fiber", false, ROUNDS, 0.985);
    put_cell("g", "uring", false, ROUNDS, 0.97);
    struct summary *summary = sum_up(NULL);

    assert_int_equal(summary->group_count, 1);
    assert_int_equal(summary->cell_count, 7);
    assert_int_equal(summary->trial_count, 7 * (ROUNDS + 1));
    const struct summary_group *group = &summary->groups[0];
    assert_true(group->own_control);
    assert_near(group->noise_floor, 0.02);
    assert_verdict(summary, "g-coroutine", "baseline");
    assert_verdict(summary, "g-coroutine-control", "control");
    assert_verdict(summary, "g-fork", "slower");
    assert_verdict(summary, "g-gil", "slower");
    assert_verdict(summary, "g-pthreads", "no difference shown");
    assert_verdict(summary, "g-fiber", "no difference shown"); /* 1 / 1.02 = 0.98 */
    assert_verdict(summary, "g-uring", "faster");

    /* The warm-up of five seconds is not among them. */
    const struct stats *wall = &cell_of(summary, "g-fork")->metrics[METRIC_wall_ns];
    assert_int_equal(wall->count, ROUNDS);
    assert_near(wall->median, 202e6);
    assert_near(wall->mad, 15e6);
    assert_near(wall->min, 180e6);
    assert_near(wall->max, 260e6);
    /* Paired by round, the moods cancel. */
    assert_near(cell_of(summary, "g-fork")->ratio.median, 2);
    assert_near(cell_of(summary, "g-fork")->ratio.low, 2);
    assert_near(cell_of(summary, "g-coroutine-control")->ratio.high, 1.02);
    assert_ptr_equal(cell_of(summary, "g-coroutine-control")->base, group->baseline);
    assert_int_equal(cell_of(summary, "g-fork")->outliers, 1); /* 260 ms */
    summary_free(summary);
}

static void test_other_baseline(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "coroutine", true, ROUNDS, 1);
    put_cell("g", "fork", false, ROUNDS, 2);
    put_cell("h", "pthreads", false, ROUNDS, 1);
    put_cell("h", "gil", false, ROUNDS, 1);
    struct summary *summary = sum_up("fork");
    assert_near(cell_of(summary, "g-coroutine")->ratio.median, 0.5);
    assert_verdict(summary, "g-coroutine", "faster");
    assert_verdict(summary, "g-fork", "baseline");
    assert_verdict(summary, "h-gil", ""); /* there is no fork to compare with */
    summary_free(summary);

    char why[256];
    summary = summary_read(dir, NULL, why, sizeof why);
    assert_non_null(summary);
    assert_verdict(summary, "h-gil", "baseline"); /* no coroutine: the first by name */
    summary_free(summary);

    char expected[512];
    assert_null(summary_read(dir, "goroutine", why, sizeof why));
    snprintf(expected, sizeof expected, "%s holds no strategy 'goroutine' to be the baseline",
             path_of("trials.csv"));
    assert_string_equal(why, expected);
}

static void test_without_control(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "fork", false, ROUNDS, 2);
    struct summary *summary = sum_up(NULL);
    assert_verdict(summary, "g-fork", "no control");
    assert_near(cell_of(summary, "g-fork")->ratio.median, 2);
    assert_true(isnan(summary->groups[0].noise_floor));
    summary_free(summary);
}

static void test_control_of_another_group(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "coroutine", true, ROUNDS, 0.8); /* 1 / 0.8: a floor of 25 % */
    put_cell("g", "fork", false, ROUNDS, 1.2);
    put_cell("h", "coroutine", false, ROUNDS, 1);
    put_cell("h", "coroutine", true, ROUNDS, 1.1);
    put_cell("h", "fork", false, ROUNDS, 1.2);
    put_cell("i", "coroutine", false, ROUNDS, 1);
    put_cell("i", "fork", false, ROUNDS, 1.2);
    put_cell("i", "gil", false, ROUNDS, 1.3);
    struct summary *summary = sum_up(NULL);
    assert_verdict(summary, "g-fork", "no difference shown");
    assert_verdict(summary, "h-fork", "slower");
    assert_verdict(summary, "i-fork", "no difference shown");
    assert_verdict(summary, "i-gil", "slower");
    assert_near(summary->groups[0].noise_floor, 0.25);
    assert_near(summary->groups[1].noise_floor, 0.1);
    assert_near(summary->groups[2].noise_floor, 0.25);
    assert_false(summary->groups[2].own_control);
    summary_free(summary);
}

static void test_few_rounds(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, 3, 1);
    put_cell("g", "coroutine", true, 3, 1);
    put_cell("g", "fork", false, 3, 2);
    struct summary *summary = sum_up(NULL);
    assert_verdict(summary, "g-fork", "too few rounds");
    assert_near(cell_of(summary, "g-fork")->ratio.median, 2);
    assert_true(isnan(cell_of(summary, "g-fork")->ratio.low));
    assert_int_equal(cell_of(summary, "g-fork")->rounds, 3);
    summary_free(summary);
}

/* Tasks that neither work nor wait are done in no time, and nothing is a multiple of that. */
static void test_no_ideal(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        struct record record = trial(i ? "some" : "none", "coroutine", "timing", 1);
        record.wall_ns = 3000;
        record.ideal_ns = i * 1000;
        put(record);
    }
    struct summary *summary = sum_up(NULL);
    assert_int_equal(cell_of(summary, "none-coroutine")->metrics[METRIC_over_ideal].count, 0);
    assert_near(cell_of(summary, "some-coroutine")->metrics[METRIC_over_ideal].median, 3);
    summary_free(summary);
}

/* ---- Cells without a result ---- */

static void put_wrong(const char *strategy, const char *pass, uint64_t round, uint64_t exit_status,
                      const char *reason)
{
    struct record record = trial("g", strategy, pass, round);
    record.ok = false;
    record.exit_status = exit_status;
    record_set(&record.reason, reason);
    put(record);
}

static void test_failed_and_unavailable(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS - 1, 1);
    put_wrong("coroutine", "timing", ROUNDS, 1, "a child died");
    put_cell("g", "fork", false, ROUNDS, 2);
    put_wrong("fork", "memory", 1, 1, "nobody was held");
    put_wrong("pthreads", "timing", 0, 3, "cannot make thread 32000");
    put_wrong("uring", "timing", 0, 1, NULL);
    struct summary *summary = sum_up(NULL);

    const struct summary_cell *cell = cell_of(summary, "g-coroutine");
    assert_int_equal(cell->status, CELL_FAILED);
    assert_string_equal(cell->reason, "1 of 7 trials: a child died");
    assert_int_equal(cell->metrics[METRIC_wall_ns].count, 0);
    assert_true(isnan(cell->ratio.median));
    cell = cell_of(summary, "g-fork"); /* takes the place of the failed baseline */
    assert_int_equal(cell->status, CELL_OK);
    assert_string_equal(cell->reason, "memory pass: nobody was held");
    assert_int_equal(cell->verdict, VERDICT_BASELINE);
    cell = cell_of(summary, "g-pthreads");
    assert_int_equal(cell->status, CELL_UNAVAILABLE);
    assert_string_equal(cell->reason, "cannot make thread 32000");
    assert_string_equal(cell_of(summary, "g-uring")->reason, "no reason given");
    assert_int_equal(summary->failed_count, 2);
    summary_free(summary);

    char why[256];
    assert_int_equal(summary_write(dir, NULL, why, sizeof why), 1);
}

static void test_bound(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    struct record record = trial("g", "sequential", "bound", 0);
    record.bound_ns = 9000000000;
    record_set(&record.reason, "not run: it takes at least 9 s");
    put(record);
    struct summary *summary = sum_up(NULL);
    const struct summary_cell *cell = cell_of(summary, "g-sequential");
    assert_int_equal(cell->status, CELL_BOUND);
    assert_string_equal(cell->reason, "not run: it takes at least 9 s");
    assert_near(cell->metrics[METRIC_bound_ns].median, 9e9);
    assert_int_equal(cell->metrics[METRIC_wall_ns].count, 0);
    assert_int_equal(cell->verdict, VERDICT_NONE);
    assert_int_equal(summary->failed_count, 0);
    summary_free(summary);
}

/* ---- Digests ---- */

static void put_digest(const char *group, const char *strategy, uint64_t round, uint64_t seed,
                       const char *digest)
{
    struct record record = trial(group, strategy, "timing", round);
    record.seed = seed;
    record.wall_ns = 1000;
    record_set(&record.digest, digest);
    put(record);
}

static void assert_fault(const struct summary *summary, const char *name, const char *reason)
{
    const struct summary_cell *cell = cell_of(summary, name);
    assert_int_equal(cell->status, reason ? CELL_FAILED : CELL_OK);
    if (reason) {
        assert_string_equal(cell->reason, reason);
        assert_int_equal(cell->metrics[METRIC_wall_ns].count, 0);
    }
}

static void test_digests(void **state)
{
    (void)state;
    /* sequential is right, even against a majority. */
    put_digest("a", "sequential", 1, 1, "11");
    put_digest("a", "coroutine", 1, 1, "11");
    put_digest("a", "fork", 1, 1, "22");
    put_digest("a", "gil", 1, 1, "22");
    put_digest("a", "uring", 1, 1, "22");
    put_digest("a", "fiber", 1, 1, NULL);
    /* Without it the majority is: of cells, not of rows. */
    put_digest("b", "coroutine", 1, 1, "11");
    put_digest("b", "fork", 1, 1, "11");
    put_digest("b", "gil", 1, 1, "11");
    put_digest("b", "gil", 2, 1, "22");
    put_digest("b", "gil", 3, 1, "22");
    put_digest("b", "gil", 4, 1, "22");
    /* Two against each other. */
    put_digest("c", "fork", 1, 1, "11");
    put_digest("c", "gil", 1, 1, "22");
    /* Another seed makes other tasks. */
    put_digest("d", "fork", 1, 1, "11");
    put_digest("d", "fork", 2, 2, "22");
    put_digest("d", "gil", 1, 1, "11");
    put_digest("d", "gil", 2, 2, "22");
    /* A foreign server's answers have none. */
    put_digest("e", "fork", 1, 1, NULL);
    put_digest("e", "gil", 1, 1, NULL);
    struct summary *summary = sum_up(NULL);
    assert_fault(summary, "a-sequential", NULL);
    assert_fault(summary, "a-coroutine", NULL);
    assert_fault(summary, "a-fork", "digest differs from sequential's (round 1)");
    assert_fault(summary, "a-uring", "digest differs from sequential's (round 1)");
    assert_fault(summary, "a-fiber",
                 "digest missing, so that nothing shows that it did the work of the others "
                 "(round 1)");
    assert_fault(summary, "b-coroutine", NULL);
    assert_fault(summary, "b-gil", "digest differs from the majority's (round 2)");
    assert_fault(summary, "c-fork",
                 "digest differs from others of the group, and no majority tells which is right "
                 "(round 1)");
    assert_int_equal(cell_of(summary, "c-gil")->status, CELL_FAILED);
    assert_fault(summary, "d-fork", NULL);
    assert_fault(summary, "d-gil", NULL);
    assert_fault(summary, "e-fork", NULL);
    assert_int_equal(summary->failed_count, 7);
    summary_free(summary);
}

/* ---- Memory and timelines ---- */

static void put_memory(uint64_t tasks, const char *strategy, uint64_t round, uint64_t pss_bytes,
                       uint64_t kernel_bytes)
{
    char group[64];
    snprintf(group, sizeof group, "mixed-%llu-one-memory", (unsigned long long)tasks);
    struct record record = trial(group, strategy, "memory", round);
    record.tasks = record.tasks_held = tasks;
    record.pss_bytes = pss_bytes;
    record.page_table_bytes = 0;
    record.kernel_stack_bytes = kernel_bytes;
    put(record);
}

static void test_memory(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 3; round++) {
        for (uint64_t tasks = 1; tasks <= 1000; tasks *= 10) {
            put_memory(tasks, "pthreads", round, 500000 + 9000 * tasks, 16384 * tasks);
            put_memory(tasks, "coroutine", round, 600000 + 48 * tasks, 0);
            if (tasks > 1) /* three numbers are too few for a line */
                put_memory(tasks, "fork", round, 700000 + 50000 * tasks, 0);
        }
    }
    struct summary *summary = sum_up(NULL);
    assert_int_equal(summary->line_count, 2);
    const struct summary_cell *cell = cell_of(summary, "mixed-100-one-memory-pthreads");
    assert_non_null(cell->memory);
    assert_near(cell->memory->total.slope, 9000 + 16384);
    assert_near(cell->memory->total.low, 9000 + 16384);
    assert_near(cell->memory->total.base, 500000);
    assert_int_equal(cell->memory->total.count, 12);
    assert_near(cell->memory->least, 1);
    assert_near(cell->memory->most, 1000);
    assert_true(isnan(cell->memory->cgroup.slope));
    assert_near(cell->metrics[METRIC_memory_bytes].median, 500000 + 100 * (9000 + 16384));
    assert_near(cell_of(summary, "mixed-10-one-memory-coroutine")->memory->total.slope, 48);
    assert_null(cell_of(summary, "mixed-10-one-memory-fork")->memory);
    assert_int_equal(cell->rounds, 3);
    assert_int_equal(cell->verdict, VERDICT_NONE);
    summary_free(summary);
}

static void test_traced(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1); /* 100 ms and moods: median 101 */
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct record record = trial("g", "coroutine", "timeline", round);
        record.wall_ns = (uint64_t)(moods[round] * 102e6 + 0.5);
        record_set(&record.switch_source, "perf");
        record.wake_p99_ns = 1000 + round;
        put(record);
    }
    struct summary *summary = sum_up(NULL);
    const struct summary_cell *cell = cell_of(summary, "g-coroutine");
    assert_non_null(cell->traced);
    assert_int_equal(cell->traced->wall_ns, 102000000); /* a trial that was, not a mean of two */
    assert_near(cell->traced_ratio.median, 1.02); /* both of a round, so its mood is in neither */
    assert_near(cell->traced_ratio.low, 1.02);
    assert_near(cell->traced_ratio.high, 1.02);
    assert_near(cell->metrics[METRIC_wake_p99_ns].median, 1003.5);
    assert_near(cell->metrics[METRIC_wall_ns].median, 101e6);
    char why[256];
    assert_int_equal(summary_save(summary, dir, why, sizeof why), 0);
    summary_free(summary);

    char line[1024];
    FILE *index = fopen(path_of("timelines/index.csv"), "r");
    assert_non_null(index);
    assert_non_null(fgets(line, sizeof line, index));
    assert_non_null(fgets(line, sizeof line, index));
    static const char start[] =
        "g,g-coroutine,coroutine,mixed,4,0,1,g-coroutine.r1.csv,102000000,,,";
    assert_memory_equal(line, start, sizeof start - 1);
    assert_null(fgets(line, sizeof line, index));
    fclose(index);
}

static void test_few_traced(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    for (uint64_t round = 1; round <= 5; round++) {
        struct record record = trial("g", "coroutine", "timeline", round);
        record.wall_ns = (uint64_t)(moods[round] * (1 + 0.01 * (double)round) * 1e8 + 0.5);
        record.ok = round != 2;
        put(record);
    }
    struct summary *summary = sum_up(NULL);
    const struct summary_cell *cell = cell_of(summary, "g-coroutine");
    assert_int_equal(cell->traced_ratio.count, 4); /* of rounds 1, 3, 4 and 5 */
    assert_near(cell->traced_ratio.median, 1.035);
    assert_true(isnan(cell->traced_ratio.low));
    summary_free(summary);
}

/* ---- Rows as they come ---- */

static void test_torn_and_replaced(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    struct record record = trial("g", "coroutine", "timing", 2);
    record.wall_ns = 7;
    put(record);
    fputs("g-coroutine,g,tim", trials);
    struct summary *summary = sum_up(NULL);
    assert_int_equal(summary->torn_count, 1);
    assert_int_equal(summary->replaced_count, 1);
    const struct stats *wall = &summary->cells[0].metrics[METRIC_wall_ns];
    assert_int_equal(wall->count, ROUNDS);
    assert_near(wall->min, 7);
    assert_near(wall->max, 130e6);
    summary_free(summary);
}

static void assert_refused(const char *expected)
{
    char why[512], all[512];
    assert_int_equal(summary_write(dir, NULL, why, sizeof why), -1);
    snprintf(all, sizeof all, "%s%s", path_of("trials.csv"), expected);
    assert_string_equal(why, all);
    assert_int_not_equal(access(path_of("summary.csv"), F_OK), 0);
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(fflush(trials), 0);
    assert_refused(" holds no trial");
    put(trial("g", "coroutine", "timng", 1));
    fclose(trials);
    assert_refused(": cell g-coroutine has a row of pass 'timng'; there are timing, memory, "
                   "timeline, syscalls, hyperfine and bound");
}

/* A file of few columns, by hand, in no order. */
static void test_few_columns(void **state)
{
    (void)state;
    fclose(trials);
    FILE *file = fopen(path_of("trials.csv"), "w");
    fputs("round,ok,wall_ns,colour,strategy,pass,group,cell\r\n", file);
    for (unsigned round = 9; round >= 1; round--)
        fprintf(file, "%u,1,%u,red,fork,timing,g,g-fork\r\n", round, round * 100);
    fclose(file);
    char why[256];
    struct summary *summary = summary_read(dir, NULL, why, sizeof why);
    assert_non_null(summary);
    const struct summary_cell *cell = cell_of(summary, "g-fork");
    assert_near(cell->metrics[METRIC_wall_ns].median, 500);
    assert_near(cell->metrics[METRIC_wall_ns].low, 200);
    assert_near(cell->metrics[METRIC_wall_ns].high, 800);
    assert_int_equal(cell->metrics[METRIC_cpu_ns].count, 0);
    assert_near(cell->drift.rho, 1);
    assert_int_equal(summary_save(summary, dir, why, sizeof why), 0);
    summary_print(summary, trials = tmpfile());
    fclose(trials);
    summary_free(summary);
}

/* ---- What is written ---- */

static size_t column_of(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->count; i++)
        if (strcmp(csv->fields[i], name) == 0)
            return i;
    fail_msg("no column %s", name);
    return 0;
}

static void test_csv(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "coroutine", true, ROUNDS, 1.02);
    put_cell("g", "fork", false, ROUNDS, 2);
    put_wrong("uring", "timing", 0, 3, "it said \"no\",\nand why: a|b");
    fclose(trials);
    char why[256];
    assert_int_equal(summary_write(dir, NULL, why, sizeof why), 0);

    struct csv csv;
    assert_int_equal(csv_open(&csv, path_of("summary.csv"), why, sizeof why), 0);
    assert_int_equal(csv_read(&csv, why, sizeof why), CSV_ROW);
    assert_int_equal(csv.count, 14 + 6 * METRICS + 10);
    size_t cell = column_of(&csv, "cell"), status = column_of(&csv, "status"),
           reason = column_of(&csv, "reason"), control = column_of(&csv, "control"),
           median = column_of(&csv, "wall_ns_median"), low = column_of(&csv, "cpu_ns_low"),
           ratio = column_of(&csv, "ratio_median"), base = column_of(&csv, "baseline"),
           noise = column_of(&csv, "noise_floor"), verdict = column_of(&csv, "verdict");
    static const struct {
        const char *cell, *status, *control, *median, *base, *ratio, *noise, *verdict;
    } rows[] = {
        {"g-coroutine", "ok", "false", "101000000", "coroutine", "1", "0.02", "baseline"},
        {"g-coroutine-control", "ok", "true", "103020000", "coroutine", "1.02", "0.02", "control"},
        {"g-fork", "ok", "false", "202000000", "coroutine", "2", "0.02", "slower"},
        {"g-uring", "unavailable", "false", "", "", "", "0.02", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(csv_read(&csv, why, sizeof why), CSV_ROW);
        assert_string_equal(csv.fields[cell], rows[i].cell);
        assert_string_equal(csv.fields[status], rows[i].status);
        assert_string_equal(csv.fields[control], rows[i].control);
        assert_string_equal(csv.fields[median], rows[i].median);
        assert_string_equal(csv.fields[base], rows[i].base);
        assert_string_equal(csv.fields[ratio], rows[i].ratio);
        assert_string_equal(csv.fields[noise], rows[i].noise);
        assert_string_equal(csv.fields[verdict], rows[i].verdict);
        assert_string_equal(csv.fields[low], ""); /* no row has a CPU time */
    }
    assert_string_equal(csv.fields[reason], "it said \"no\",\nand why: a|b");
    assert_int_equal(csv_read(&csv, why, sizeof why), CSV_END);
    csv_close(&csv);
    assert_int_not_equal(access(path_of("timelines"), F_OK), 0); /* nothing was traced */
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in:\n%s", part, text);
}

/* summary.md */
static char markdown[16384];

static void read_markdown(void)
{
    FILE *file = fopen(path_of("summary.md"), "r");
    assert_non_null(file);
    size_t got = fread(markdown, 1, sizeof markdown - 1, file);
    markdown[got] = '\0';
    fclose(file);
}

/* What summary.md says of the group's noise floor. */
static void assert_floor(const char *reason)
{
    char why[256], line[256];
    assert_int_equal(fclose(trials), 0);
    assert_true(summary_write(dir, NULL, why, sizeof why) >= 0);
    snprintf(line, sizeof line, "noise floor unknown: %s, so no verdict is given", reason);
    read_markdown();
    assert_holds(markdown, line);
}

static void test_unknown_floor(void **state)
{
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "fork", false, ROUNDS, 2);
    assert_floor("no control was run");

    assert_int_equal(begin_trials(state), 0);
    put_cell("g", "coroutine", false, 3, 1);
    put_cell("g", "coroutine", true, 3, 1);
    put_cell("g", "fork", false, 3, 2);
    assert_floor("the controls had too few rounds for an interval");

    assert_int_equal(begin_trials(state), 0);
    put_cell("g", "coroutine", false, ROUNDS, 1);
    struct record record = trial("g", "coroutine", "timing", 1);
    make_control(&record);
    record.ok = false;
    record.exit_status = 1;
    put(record);
    assert_floor("no control and its twin gave a result");
}

/* Which strategy it was does not matter; what the cells are is said of each. */
static void test_missing_cgroup(void **state)
{
    (void)state;
    static const char *const strategies[] = {"coroutine", "fork"};
    for (size_t i = 0; i < 2; i++) {
        struct record record = trial("g", strategies[i], "memory", 1);
        record.pss_bytes = 1000000;
        record_set(&record.note, "no memory cgroup: nobody delegated one");
        put(record);
    }
    assert_int_equal(fclose(trials), 0);
    char why[256];
    assert_int_equal(summary_write(dir, NULL, why, sizeof why), 0);
    read_markdown();
    const char *said = strstr(markdown, "no memory cgroup: nobody delegated one");
    assert_non_null(said);
    assert_null(strstr(said + 1, "no memory cgroup"));
}

static void test_markdown(void **state)
{
    (void)state;
    put_cell("g", "coroutine", false, ROUNDS, 1);
    put_cell("g", "coroutine", true, ROUNDS, 1.02);
    put_cell("g", "fork", false, ROUNDS, 2);
    put_wrong("uring", "timing", 0, 3, "it said\nno");
    struct record record = trial("g", "sequential", "bound", 0);
    record.bound_ns = 9000000000;
    put(record);
    for (uint64_t round = 0; round < 4; round++) {
        record = trial("g", "a|b", "timing", round);
        record.wall_ns = 1;
        record_set(&record.note, round == 2 ? "warm" : "cold");
        put(record);
    }
    fclose(trials);
    char why[256];
    assert_int_equal(summary_write(dir, NULL, why, sizeof why), 0);

    read_markdown();
    assert_holds(markdown, "\n## g: mixed × 4, cores 0\n");
    assert_holds(markdown, "\n| coroutine | 101 ms | 90 ms – 130 ms | 1.000 |  | baseline | 6 |");
    assert_holds(markdown, "\n| coroutine (control) | 103 ms | 91.8 ms – 133 ms | 1.020 | "
                           "1.020 – 1.020 | control |");
    assert_holds(markdown,
                 "\n| fork | 202 ms | 180 ms – 260 ms | 2.000 | 2.000 – 2.000 | slower |");
    assert_holds(markdown, "\n| sequential | ≥ 9 s |");
    assert_holds(markdown, "\n| uring | unavailable |");
    assert_holds(markdown, "\n| a\\|b | 1 ns |");
    assert_holds(markdown, "\n- uring: unavailable: it said no\n");
    assert_holds(markdown, "\n- a|b: cold\n- a|b: warm\n");
    assert_holds(markdown,
                 "\n- noise floor ±2 %, from the control: ratios from 0.980 to 1.020 show no "
                 "difference\n");
    assert_holds(markdown, "\n- coroutine (control): 1.020 times its twin, the same strategy: this "
                           "group is noisy\n");
}

/* ---- hyperfine ---- */

static void put_commands(const char *strategy, bool control)
{
    for (uint64_t round = 0; round <= ROUNDS; round++) {
        struct record record = trial("g", strategy, "timing", round);
        char command[64];
        snprintf(command, sizeof command, "overlap run -s %s", strategy);
        record_set(&record.command, command);
        record.wall_ns = 1000000;
        if (control)
            make_control(&record);
        put(record);
    }
}

static void write_json(const char *text)
{
    FILE *file = fopen(path_of("hyperfine.json"), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int import(char *why, size_t why_bytes)
{
    char json[256];
    snprintf(json, sizeof json, "%s", path_of("hyperfine.json"));
    return hyperfine_import(dir, json, why, why_bytes);
}

static void test_hyperfine(void **state)
{
    (void)state;
    char why[512];
    put_commands("coroutine", false);
    put_commands("coroutine", true);
    put_commands("fork", false);
    fclose(trials);
    write_json("{\"results\":[{\"command\":\"overlap run -s coroutine\",\"mean\":0.002,"
               "\"times\":[0.002,0.004,0.003],\"exit_codes\":[0,0,0]},"
               "{\"command\":\"overlap run -s fork\",\"times\":[0.5,0.25],"
               "\"exit_codes\":[0,1]}]}");
    for (int times = 0; times < 2; times++) { /* again: replaces */
        assert_int_equal(import(why, sizeof why), 0);
        struct summary *summary = summary_read(dir, NULL, why, sizeof why);
        assert_non_null(summary);
        const struct summary_cell *cell = cell_of(summary, "g-coroutine");
        assert_int_equal(cell->status, CELL_OK);
        assert_int_equal(cell->metrics[METRIC_hyperfine_ns].count, 3);
        assert_near(cell->metrics[METRIC_hyperfine_ns].median, 3e6);
        assert_near(cell->metrics[METRIC_wall_ns].median, 1e6);
        assert_int_equal(
            cell_of(summary, "g-coroutine-control")->metrics[METRIC_hyperfine_ns].count, 0);
        cell = cell_of(summary, "g-fork"); /* one of two failed: none counts */
        assert_int_equal(cell->status, CELL_OK);
        assert_int_equal(cell->metrics[METRIC_hyperfine_ns].count, 0);
        assert_string_equal(cell->reason, "hyperfine pass: 1 of 2 trials: the command failed under "
                                          "hyperfine");
        summary_free(summary);
    }
}

static void test_hyperfine_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"{\"results\":[{\"command\":\"overlap run -s fork\",\"times\":[1]},"
         "{\"command\":\"sleep 1\",\"times\":[1]}]}",
         ": no cell was timed by 'sleep 1'"},
        {"{\"results\":[{\"command\":\"overlap run -s fork\",\"times\":[1,null]}]}",
         ": time 2 of 'overlap run -s fork' is not a number of seconds"},
        {"{\"results\":[{\"times\":[1]}]}", ": a result without a command or its times"},
        {"{\"results\":[]}", " holds no results of hyperfine --export-json"},
        {"[]", " holds no results of hyperfine --export-json"},
        {"{\"results\":", ":1: unexpected token near end of file"},
    };
    put_commands("fork", false);
    fclose(trials);
    struct stat before, after;
    assert_int_equal(stat(path_of("trials.csv"), &before), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[512], expected[512];
        write_json(cases[i].json);
        assert_int_equal(import(why, sizeof why), -1);
        snprintf(expected, sizeof expected, "%s%s", path_of("hyperfine.json"), cases[i].why);
        assert_string_equal(why, expected);
    }
    assert_int_equal(stat(path_of("trials.csv"), &after), 0);
    assert_int_equal(before.st_size, after.st_size);
}

/* ---- Noise ---- */

enum { NOISE_ROUNDS = 12 };

/* A cell whose trials differ by a per cent or so in no order, and by `drift` from the first round
 * to the last. */
static void put_noise(const char *group, bool control, double factor, double drift,
                      uint64_t stolen_ns)
{
    for (uint64_t round = 1; round <= NOISE_ROUNDS; round++) {
        struct record record = trial(group, "coroutine", "timing", round);
        if (control)
            make_control(&record);
        double noise = (double)((round * 7 + control) % NOISE_ROUNDS) / 1000;
        double drifted = 1 + drift * (double)(round - 1) / (NOISE_ROUNDS - 1);
        record.wall_ns = (uint64_t)(1e8 * factor * (1 + noise) * drifted);
        record.stolen_ns = stolen_ns;
        put(record);
    }
}

/* Sums up on a machine of two cores and compares the stamp; again in its files. */
static void assert_stamp(const char *stamp)
{
    char why[512];
    FILE *file = fopen(path_of("environment.json"), "w");
    fprintf(file, "{\"cores_online\": 2, \"stamp\": \"noisy: of yesterday\", \"seed\": 1}\n");
    fclose(file);
    struct summary *summary = sum_up(NULL);
    assert_string_equal(summary->stamp, stamp);
    assert_int_equal(summary_save(summary, dir, why, sizeof why), 0);
    summary_free(summary);

    json_error_t error;
    json_t *environment = json_load_file(path_of("environment.json"), 0, &error);
    assert_string_equal(json_string_value(json_object_get(environment, "stamp")), stamp);
    assert_int_equal(json_integer_value(json_object_get(environment, "seed")), 1);
    json_decref(environment);
    char heading[512];
    snprintf(heading, sizeof heading, "# Summary\n\n**This run is %s.**", stamp);
    read_markdown();
    assert_int_equal(strncmp(markdown, heading, strlen(heading)) == 0, *stamp != '\0');
}

static void test_quiet_is_not_stamped(void **state)
{
    (void)state;
    put_noise("g", false, 1, 0, 1000000);
    put_noise("g", true, 1.02, 0, 0); /* sure, and too small to matter */
    put_noise("h", false, 1, 0.015, 0);
    put_noise("h", true, 1, 0.015, 0);
    put_noise("i", false, 1, 0, 0);
    put_noise("i", true, 1.2, 0, 0); /* one of three, which chance may do */
    assert_stamp("");
}

static void test_failed_controls_are_stamped(void **state)
{
    (void)state;
    put_noise("g", false, 1, 0, 0);
    put_noise("g", true, 1, 0, 0);
    put_noise("h", false, 1, 0, 0);
    put_noise("h", true, 1.1, 0, 0);
    put_noise("i", false, 1, 0, 0);
    put_noise("i", true, 0.8, 0, 0);
    assert_stamp("noisy: in 2 of 3 groups the control differs from its twin (i: up to 24.9 %)");
}

static void test_drift_is_stamped(void **state)
{
    (void)state;
    put_noise("g", false, 1, 0, 0);
    put_noise("g", true, 1, 0, 0);
    put_noise("h", false, 1, 0.3, 0);
    put_noise("h", true, 1, 0.3, 0);
    assert_stamp("noisy: in 1 of 2 groups wall times drift over the rounds (h: +21.2 %)");
}

static void test_stolen_time_is_stamped(void **state)
{
    (void)state;
    put_noise("g", false, 1, -0.2, 20000000);
    assert_stamp("noisy: in 1 of 1 groups wall times drift over the rounds (g: -14.8 %); the "
                 "hypervisor took 11.0 % of the cores' time (more than 2 %)");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_trials, clear_dir)
    const struct CMUnitTest tests[] = {
        TEST(test_verdicts),
        TEST(test_other_baseline),
        TEST(test_without_control),
        TEST(test_control_of_another_group),
        TEST(test_few_rounds),
        TEST(test_no_ideal),
        TEST(test_failed_and_unavailable),
        TEST(test_bound),
        TEST(test_digests),
        TEST(test_memory),
        TEST(test_traced),
        TEST(test_few_traced),
        TEST(test_torn_and_replaced),
        TEST(test_refused),
        TEST(test_few_columns),
        TEST(test_csv),
        TEST(test_markdown),
        TEST(test_unknown_floor),
        TEST(test_missing_cgroup),
        TEST(test_quiet_is_not_stamped),
        TEST(test_failed_controls_are_stamped),
        TEST(test_drift_is_stamped),
        TEST(test_stolen_time_is_stamped),
        TEST(test_hyperfine),
        TEST(test_hyperfine_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
