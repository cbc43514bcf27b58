/*
 * Claims tested against made-up trials whose answers are known: every expectation, every verdict,
 * what cannot be measured, and rules that are wrong.
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
#include <unistd.h>

#include "claims.h"
#include "trials.h"

static int end_trials(void **state)
{
    (void)state;
    fclose(trials);
    unlink(path_of("trials.csv"));
    unlink(path_of("rules.txt"));
    return 0;
}

/* ---- Writing trials and rules ---- */

/* A cell of timing rounds and a wild warm-up, `factor` times as long as 100 ms. */
static void put_cell(const char *group, const char *strategy, uint64_t rounds, double factor)
{
    for (uint64_t round = 0; round <= rounds; round++) {
        struct record record = trial(group, strategy, "timing", round);
        record.wall_ns = (uint64_t)(1e8 * factor * moods[round] + 0.5);
        record.user_ns = record.wall_ns / 2;
        record.system_ns = 0;
        record.latency_max_ns = record.wall_ns / 10 * 9;
        record.task_switches = 12;
        record.voluntary_switches = 0;
        record.involuntary_switches = 20 + round;
        record.stretch_max = 2.5;
        put(record);
    }
}

/* Coroutines twice, the second time `factor` times as long: a noise floor. */
static void put_controls(const char *group, double factor)
{
    put_cell(group, "coroutine", ROUNDS, 1);
    for (uint64_t round = 0; round <= ROUNDS; round++) {
        struct record record = trial(group, "coroutine", "timing", round);
        record_set(&record.cell, "control");
        record.control = true;
        record.wall_ns = (uint64_t)(1e8 * factor * moods[round] + 0.5);
        put(record);
    }
}

static void put_wrong(const char *group, const char *strategy, uint64_t exit_status,
                      const char *reason)
{
    struct record record = trial(group, strategy, "timing", 1);
    record.ok = false;
    record.exit_status = exit_status;
    record_set(&record.reason, reason);
    put(record);
}

static void put_bound(const char *group, const char *strategy, uint64_t bound_ns)
{
    struct record record = trial(group, strategy, "bound", 0);
    record.bound_ns = bound_ns;
    record_set(&record.reason, "not run");
    put(record);
}

static void put_memory(uint64_t tasks, const char *strategy, uint64_t bytes)
{
    char group[64];
    snprintf(group, sizeof group, "mixed-%llu-one", (unsigned long long)tasks);
    for (uint64_t round = 1; round <= 3; round++) {
        struct record record = trial(group, strategy, "memory", round);
        record.tasks = tasks;
        record.tasks_held = tasks;
        record.pss_bytes = 1000000 + bytes * tasks;
        record.page_table_bytes = 0;
        record.kernel_stack_bytes = 0;
        put(record);
    }
}

static struct claims *read_text(const char *rules, char *why, size_t why_bytes)
{
    FILE *file = fopen(path_of("rules.txt"), "w");
    assert_non_null(file);
    fputs(rules, file);
    assert_int_equal(fclose(file), 0);
    return claims_read(path_of("rules.txt"), why, why_bytes);
}

/* Judges one comparison; the caller frees `claims`, in which it is. */
static const struct claim_comparison *judge(const char *compare, const char *holds,
                                            struct claims **claims)
{
    char rules[512], why[512];
    fflush(trials);
    snprintf(rules, sizeof rules, "claim 1\n says Text.\n compare %s\n holds %s\n", compare, holds);
    *claims = read_text(rules, why, sizeof why);
    if (!*claims)
        fail_msg("%s", why);
    struct summary *summary = summary_read(dir, NULL, why, sizeof why);
    if (!summary)
        fail_msg("%s", why);
    claims_judge(*claims, summary);
    summary_free(summary);
    assert_int_equal((*claims)->claims[0].verdict, (*claims)->claims[0].comparisons[0].verdict);
    return &(*claims)->claims[0].comparisons[0];
}

static void assert_verdict(const char *compare, const char *holds, enum claim_verdict verdict)
{
    struct claims *claims;
    const struct claim_comparison *comparison = judge(compare, holds, &claims);
    if (comparison->verdict != verdict)
        fail_msg("%s, %s: %s (%s)", compare, holds, claim_verdict_names[comparison->verdict],
                 comparison->reason ? comparison->reason : "no reason");
    claims_free(claims);
}

static void assert_unknown(const char *compare, const char *holds, enum claim_verdict verdict,
                           const char *reason)
{
    struct claims *claims;
    const struct claim_comparison *comparison = judge(compare, holds, &claims);
    assert_int_equal(comparison->verdict, verdict);
    assert_non_null(comparison->reason);
    assert_string_equal(comparison->reason, reason);
    claims_free(claims);
}

/* ---- Verdicts ---- */

#define FORK_RATIO "wall_ns of g:fork over g:coroutine"

static void test_expectations(void **state)
{
    (void)state;
    put_controls("g", 1);
    put_cell("g", "fork", ROUNDS, 2); /* paired, it is 2 in every round */
    assert_verdict(FORK_RATIO, "above 1.9", CLAIM_HOLDS);
    assert_verdict(FORK_RATIO, "above 2", CLAIM_FAILS);
    assert_verdict(FORK_RATIO, "below 2.1", CLAIM_HOLDS);
    assert_verdict(FORK_RATIO, "below 2", CLAIM_FAILS);
    assert_verdict(FORK_RATIO, "within 2 .. 3", CLAIM_HOLDS);
    assert_verdict(FORK_RATIO, "within 2.01 .. 3", CLAIM_FAILS);
    assert_verdict(FORK_RATIO, "about 2.1 within 5 %", CLAIM_HOLDS);
    assert_verdict(FORK_RATIO, "about 2.1 within 4 %", CLAIM_FAILS);
    assert_verdict("wall_ns of g:fork over wall_ns of g:coroutine", "above 1.9", CLAIM_HOLDS);
    assert_verdict("cpu_ns over wall_ns of g:fork", "about 0.5 within 1 %", CLAIM_HOLDS);

    struct claims *claims;
    const struct claim_comparison *comparison = judge(FORK_RATIO, "above 1", &claims);
    assert_near(comparison->measured.median, 2);
    assert_int_equal(comparison->measured.count, ROUNDS);
    assert_true(comparison->paired);
    claims_free(claims);
}

static void test_noise(void **state)
{
    (void)state;
    put_controls("g", 1.1);
    put_cell("g", "fork", ROUNDS, 2);
    /* 2 / 1.1 = 1.82, 2 × 1.1 = 2.2 */
    assert_verdict(FORK_RATIO, "above 1.8", CLAIM_HOLDS);
    assert_verdict(FORK_RATIO, "above 1.9", CLAIM_NOT_SHOWN);
    assert_verdict(FORK_RATIO, "above 2.1", CLAIM_NOT_SHOWN);
    assert_verdict(FORK_RATIO, "above 2.3", CLAIM_FAILS);
    assert_verdict(FORK_RATIO, "about 2 within 5 %", CLAIM_NOT_SHOWN);
    assert_verdict(FORK_RATIO, "about 2 within 11 %", CLAIM_HOLDS);
    /* Neither a count rests on wall time nor what CPU clocks tell. */
    assert_verdict("cpu_ns of g:fork over g:coroutine", "within 2 .. 2", CLAIM_HOLDS);
    assert_verdict("cpu_ns over wall_ns of g:fork", "above 0.45", CLAIM_HOLDS);
    assert_verdict("cpu_ns over wall_ns of g:fork", "above 0.47", CLAIM_NOT_SHOWN);
    /* Noise moves two wall times of one trial together. */
    assert_verdict("latency_max_ns over wall_ns of g:fork", "within 0.9 .. 0.9", CLAIM_HOLDS);
    assert_verdict("task_switches of g:fork over g:coroutine", "within 1 .. 1", CLAIM_HOLDS);

    struct claims *claims;
    assert_near(judge(FORK_RATIO, "above 1", &claims)->noise_floor, 0.1);
    claims_free(claims);
}

/* A group without a control takes that of its workload before that of the worst group. */
static void test_noise_of_others(void **state)
{
    (void)state;
    struct record record;
    put_controls("g", 1.1);
    put_cell("h", "fork", ROUNDS, 2);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (int control = 0; control < 2; control++) {
            record = trial("s", "coroutine", "timing", round);
            record_set(&record.workload, "sleep");
            record_set(&record.cell, control ? "s-control" : "s");
            record.control = control;
            record.wall_ns = control ? 150 : 100;
            put(record);
        }
    }
    struct claims *claims;
    assert_near(judge("wall_ns of h:fork", "above 1", &claims)->noise_floor, 0.1);
    claims_free(claims);
    assert_near(judge("wall_ns of h:fork over s:coroutine", "above 1", &claims)->noise_floor, 0.5);
    claims_free(claims);
}

static void test_wide_interval(void **state)
{
    (void)state;
    put_controls("g", 1);
    put_cell("g", "fork", ROUNDS, 1);
    assert_verdict("wall_ns of g:fork", "above 1e8", CLAIM_NOT_SHOWN); /* 90 ... 130 ms */
    assert_verdict("wall_ns of g:fork", "above 0.8e8", CLAIM_HOLDS);
    assert_verdict("wall_ns of g:fork", "below 0.8e8", CLAIM_FAILS);
    assert_verdict("stretch_max of g:fork", "about 2.5 within 0 %", CLAIM_HOLDS);
}

static void test_medians(void **state)
{
    (void)state;
    put_controls("g", 1);
    for (uint64_t round = 11; round < 20; round++) { /* no round in common */
        struct record record = trial("h", "fork", "timing", round);
        record.wall_ns = 300000000;
        put(record);
    }
    struct claims *claims;
    const struct claim_comparison *comparison =
        judge("wall_ns of h:fork over g:coroutine", "above 1.5", &claims);
    assert_false(comparison->paired);
    assert_near(comparison->measured.median, 3 / 1.01);
    assert_int_equal(comparison->verdict, CLAIM_HOLDS);
    claims_free(claims);
}

static void test_spread(void **state)
{
    (void)state;
    put_controls("g", 1);
    assert_verdict("spread of task_switches of g:coroutine", "within 0 .. 0", CLAIM_HOLDS);
    assert_verdict("spread of task_switches of g:coroutine", "above 0", CLAIM_FAILS);
    assert_verdict("spread of involuntary_switches of g:coroutine", "above 0", CLAIM_HOLDS);

    struct claims *claims; /* 21 ... 26: their distances from 23.5 are 0.5, 1.5, 2.5, twice each */
    assert_near(
        judge("spread of involuntary_switches of g:coroutine", "above 0", &claims)->measured.median,
        1.5);
    claims_free(claims);
}

static void test_memory_per_task(void **state)
{
    (void)state;
    static const uint64_t tasks[] = {1, 10, 100, 1000};
    for (size_t i = 0; i < 4; i++) {
        put_memory(tasks[i], "pthreads", 20000);
        put_memory(tasks[i], "coroutine", 100);
    }
    assert_verdict("memory_per_task of mixed-100-one:coroutine", "about 100 within 1 %",
                   CLAIM_HOLDS);
    assert_verdict("memory_per_task of mixed-100-one:pthreads over mixed-1000-one:coroutine",
                   "about 200 within 1 %", CLAIM_HOLDS);
    put_memory(7, "fork", 1);
    assert_unknown("memory_per_task of mixed-7-one:fork", "above 0", CLAIM_NOT_MEASURED,
                   "mixed-7-one:fork has no memory_per_task: it takes 4 numbers of tasks");
}

/* ---- What is not measured ---- */

static void test_not_measured(void **state)
{
    (void)state;
    put_controls("g", 1);
    put_wrong("g", "fork", 1, "a child died");
    put_wrong("g", "uring", 3, "the kernel refuses");
    put_cell("h", "coroutine", 4, 1);
    assert_unknown("wall_ns of g:gil over g:coroutine", "above 1", CLAIM_NOT_MEASURED,
                   "the run has no cell g:gil");
    assert_unknown("wall_ns of g:coroutine over x:coroutine", "above 1", CLAIM_NOT_MEASURED,
                   "the run has no cell x:coroutine");
    assert_unknown(FORK_RATIO, "above 1", CLAIM_NOT_MEASURED, "g:fork: failed: a child died");
    assert_unknown("wall_ns of g:uring", "above 1", CLAIM_NOT_MEASURED,
                   "g:uring: unavailable: the kernel refuses");
    assert_unknown("system_calls of g:coroutine", "above 1", CLAIM_NOT_MEASURED,
                   "g:coroutine has no system_calls");
    assert_unknown("cpu_ns of g:coroutine over voluntary_switches of g:coroutine", "above 1",
                   CLAIM_NOT_MEASURED, "voluntary_switches of g:coroutine is 0 in some rounds");
    assert_unknown("wall_ns of h:coroutine over g:coroutine", "above 0", CLAIM_NOT_SHOWN,
                   "too few rounds for an interval: 4");
}

static void test_without_control(void **state)
{
    (void)state;
    put_cell("g", "coroutine", ROUNDS, 1);
    put_cell("g", "fork", ROUNDS, 2);
    assert_unknown(FORK_RATIO, "above 1", CLAIM_NOT_SHOWN,
                   "no control gave an interval, so nothing tells what noise alone shows");
    assert_verdict("task_switches of g:fork", "within 12 .. 12", CLAIM_HOLDS);
}

static void test_status(void **state)
{
    (void)state;
    put_cell("g", "coroutine", 1, 1);
    put_wrong("g", "fork", 1, "a child died");
    put_wrong("g", "pthreads", 3, "threads-max is 100");
    put_bound("g", "sequential", 9000000000);
    assert_verdict("status of g:coroutine", "is ok", CLAIM_HOLDS);
    assert_verdict("status of g:coroutine", "is unavailable", CLAIM_FAILS);
    assert_verdict("status of g:pthreads", "is unavailable", CLAIM_HOLDS);
    assert_verdict("status of g:pthreads", "is ok", CLAIM_FAILS);
    assert_verdict("status of g:sequential", "is bound", CLAIM_HOLDS);
    assert_unknown("status of g:sequential", "is ok", CLAIM_NOT_MEASURED, "not run");
    assert_unknown("status of g:fork", "is unavailable", CLAIM_NOT_MEASURED, "a child died");
}

/* At least nine seconds, beside 90 to 130 ms whose median is 101: a ratio of 69 or more. */
static void test_bound(void **state)
{
    (void)state;
    put_controls("g", 1);
    put_bound("g", "sequential", 9000000000);
    put_bound("g", "gil", 8000000000);
    assert_verdict("wall_ns of g:sequential over g:coroutine", "above 60", CLAIM_HOLDS);
    assert_verdict("wall_ns of g:sequential over g:coroutine", "above 100", CLAIM_NOT_SHOWN);
    assert_verdict("wall_ns of g:sequential over g:coroutine", "below 60", CLAIM_FAILS);
    assert_verdict("wall_ns of g:sequential over g:coroutine", "within 60 .. 200", CLAIM_NOT_SHOWN);
    assert_verdict("wall_ns of g:coroutine over g:sequential", "below 0.02", CLAIM_HOLDS);
    assert_verdict("wall_ns of g:coroutine over g:sequential", "below 0.001", CLAIM_NOT_SHOWN);
    assert_verdict("wall_ns of g:coroutine over g:sequential", "above 0.02", CLAIM_FAILS);
    assert_verdict("wall_ns of g:sequential", "above 8e9", CLAIM_HOLDS);
    assert_unknown("wall_ns of g:sequential over g:gil", "above 1", CLAIM_NOT_MEASURED,
                   "neither was run: both are known by their bounds alone");
    assert_unknown("cpu_ns of g:sequential", "above 1", CLAIM_NOT_MEASURED,
                   "g:sequential: bound: not run");
}

/* All must hold; one that does not is enough. */
static void test_several(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        enum claim_verdict verdict;
    } rows[] = {
        {FORK_RATIO "\n holds above 1", FORK_RATIO "\n holds below 3", CLAIM_HOLDS},
        {FORK_RATIO "\n holds above 1", FORK_RATIO "\n holds below 1", CLAIM_FAILS},
        {FORK_RATIO "\n holds below 1", "wall_ns of x:y\n holds below 1", CLAIM_FAILS},
        {FORK_RATIO "\n holds above 1", "wall_ns of x:y\n holds below 1", CLAIM_NOT_MEASURED},
        {FORK_RATIO "\n holds above 1", FORK_RATIO "\n holds above 1.9", CLAIM_NOT_SHOWN},
        {FORK_RATIO "\n holds above 1.9", "wall_ns of x:y\n holds below 1", CLAIM_NOT_MEASURED},
    };
    char why[512];
    put_controls("g", 1.1);
    put_cell("g", "fork", ROUNDS, 2);
    fflush(trials);
    struct summary *summary = summary_read(dir, NULL, why, sizeof why);
    assert_non_null(summary);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char rules[512];
        snprintf(rules, sizeof rules, "claim 7\n says Text.\n compare %s\n compare %s\n",
                 rows[i].first, rows[i].second);
        struct claims *claims = read_text(rules, why, sizeof why);
        assert_non_null(claims);
        claims_judge(claims, summary);
        assert_int_equal(claims->claims[0].count, 2);
        assert_int_equal(claims->claims[0].verdict, rows[i].verdict);
        assert_true(claims_measured(claims));
        claims_free(claims);
    }
    struct claims *claims =
        read_text("claim 1\nsays x\ncompare wall_ns of x:y\nholds below 1\n", why, sizeof why);
    assert_non_null(claims);
    claims_judge(claims, summary);
    assert_false(claims_measured(claims));
    claims_free(claims);
    summary_free(summary);
}

/* ---- Rules ---- */

static void test_texts(void **state)
{
    (void)state;
    char why[512];
    struct claims *claims =
        read_text("# a comment\r\nclaim 12 # another\r\n\r\n says Two\r\n says  lines.\r\n"
                  "\tcompare\twall_ns  of a-1:b over c-2:d\r\n holds above 2\r\n note One.\r\n",
                  why, sizeof why);
    if (!claims)
        fail_msg("%s", why);
    assert_int_equal(claims->count, 1);
    assert_int_equal(claims->claims[0].number, 12);
    assert_string_equal(claims->claims[0].says, "Two lines.");
    assert_string_equal(claims->claims[0].note, "One.");
    const struct claim_comparison *comparison = claims->claims[0].comparisons;
    assert_string_equal(comparison->text, "wall_ns of a-1:b over c-2:d");
    assert_string_equal(comparison->expected, "above 2");
    assert_string_equal(comparison->value.cell, "a-1:b");
    assert_string_equal(comparison->base.cell, "c-2:d");
    assert_int_equal(comparison->base.metric, METRIC_wall_ns);
    claims_free(claims);
}

static void test_wrong_rules(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        unsigned line;
        const char *reason;
    } rows[] = {
        {"says x\n", 1, "'says' before the first claim, which begins with: claim 1"},
        {"claim\n", 1, "a claim begins with its number: claim 1"},
        {"claim one\n", 1, "'one' is not a number"},
        {"claim 1.5\n", 1, "the number of a claim is whole, from 1 to 999, not 1.5"},
        {"claim 1\n", 1, "the last claim lacks the line 'says'"},
        {"claim 1\nsays x\n", 2, "the last claim lacks the line 'compare'"},
        {"claim 1\nsays x\ncompare wall_ns of a:b\n", 3, "the last claim lacks the line 'holds'"},
        {"claim 1\nsays x\nclaim 2\n", 3, "the claim before this one lacks the line 'compare'"},
        {"claim 1\nsays x\ncompare wall_ns of a:b\nholds above 1\nclaim 1\n", 5,
         "there is a claim 1 already"},
        {"claim 1\nsays\n", 2, "'says' is followed by a text"},
        {"claim 1\nmeans x\n", 2, "'means' is none of: claim, says, compare, holds, note"},
        {"claim 1\nsays x\nholds above 1\n", 3, "'holds' follows a line 'compare', once"},
        {"claim 1\nsays x\ncompare wall_ns of a:b\ncompare wall_ns of a:b\n", 4,
         "the comparison before this one lacks the line 'holds'"},
        {"claim 1\ncompare speed of a:b\n", 2,
         "'speed' is not a metric: it is one of those in summary.csv (wall_ns, cpu_ns, ...), "
         "memory_per_task or status"},
        {"claim 1\ncompare wall_ns of fork\n", 2,
         "'fork' is not a cell: a cell is GROUP:STRATEGY, as in mixed-4-one:fork"},
        {"claim 1\ncompare wall_ns\n", 2, "no cell is named: compare wall_ns of GROUP:STRATEGY"},
        {"claim 1\ncompare a:b over c:d\n", 2, "no metric is named: compare METRIC of a:b"},
        {"claim 1\ncompare wall_ns over c:d\n", 2,
         "what stands behind 'over' names no metric or no cell"},
        {"claim 1\ncompare wall_ns of a:b over\n", 2,
         "a comparison is: compare [spread of] METRIC of GROUP:STRATEGY "
         "[over METRIC of GROUP:STRATEGY]"},
        {"claim 1\ncompare spread of wall_ns of a:b over c:d\n", 2,
         "a spread is that of one metric of the trials, over nothing"},
        {"claim 1\ncompare status of a:b over c:d\n", 2, "a status has no ratio"},
        {"claim 1\ncompare memory_per_task of a:b over wall_ns of a:b\n", 2,
         "memory_per_task is compared with its own kind alone"},
        {"claim 1\ncompare wall_ns of a:b\nholds 4\n", 3,
         "what is expected is: holds above X | below X | within X .. Y | about X within P % | "
         "is STATUS"},
        {"claim 1\ncompare wall_ns of a:b\nholds above four\n", 3, "'four' is not a number"},
        {"claim 1\ncompare wall_ns of a:b\nholds within 3 .. 2\n", 3, "nothing is within 3 .. 2"},
        {"claim 1\ncompare wall_ns of a:b\nholds about 3 within -2 %\n", 3,
         "a tolerance is not less than 0, as -2 is"},
        {"claim 1\ncompare status of a:b\nholds above 1\n", 3,
         "'holds is STATUS' goes with 'compare status of ...', and with that alone"},
        {"claim 1\ncompare status of a:b\nholds is fine\n", 3,
         "'fine' is not a status: it is ok, failed, bound or unavailable"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[512], expected[512];
        assert_null(read_text(rows[i].rules, why, sizeof why));
        snprintf(expected, sizeof expected, "%s:%u: %s", path_of("rules.txt"), rows[i].line,
                 rows[i].reason);
        assert_string_equal(why, expected);
    }
    char why[512];
    char empty[512];
    assert_null(read_text("# nothing\n", why, sizeof why));
    snprintf(empty, sizeof empty, "%s: no claim in it; one begins with: claim 1",
             path_of("rules.txt"));
    assert_string_equal(why, empty);
    assert_null(claims_read("/nowhere/rules", why, sizeof why));
    assert_string_equal(why, "cannot read the rules /nowhere/rules: No such file or directory");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_trials, end_trials)
    const struct CMUnitTest tests[] = {
        TEST(test_expectations),    TEST(test_noise),        TEST(test_noise_of_others),
        TEST(test_wide_interval),   TEST(test_medians),      TEST(test_spread),
        TEST(test_memory_per_task), TEST(test_not_measured), TEST(test_without_control),
        TEST(test_status),          TEST(test_bound),        TEST(test_several),
        TEST(test_texts),           TEST(test_wrong_rules),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
