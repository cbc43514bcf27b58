/*
 * Statistics against published examples and closed forms, and the intervals' coverage by
 * simulation. Numbers without a source were computed apart from this code, from the definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "format.h"
#include "stats.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* NIST/SEMATECH e-Handbook of Statistical Methods, 7.1.6 "What are outliers in the data?": 1441 is
 * the one outlier. Its quartiles are of another type; by type 7 they are 436.25 and 738.5. */
static const double nist[] = {
    30,  171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336,  346,  351,  370,
    390, 404, 409, 411, 436, 437, 439, 441, 444, 448, 451, 453, 470, 480, 482,  487,  494,  495,
    499, 503, 514, 521, 522, 527, 548, 550, 559, 560, 570, 572, 574, 578, 585,  592,  592,  607,
    616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752,  758,  766,  792,
    792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441,
};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fabs(expected)))
        fail_msg("%.15g is not %.15g", value, expected);
}

static void test_summary_of_values(void **state)
{
    (void)state;
    struct stats stats = stats_of(nist, COUNT(nist));
    assert_int_equal(stats.count, 90);
    assert_near(stats.median, 559.5);
    assert_near(stats.mad, 153);
    assert_near(stats.min, 30);
    assert_near(stats.max, 1441);
    assert_near(stats_quantile(nist, COUNT(nist), 0.25), 436.25);
    assert_near(stats_quantile(nist, COUNT(nist), 0.75), 738.5);
    assert_int_equal(stats_outliers(nist, COUNT(nist)), 1);

    /* Wikipedia, "Median absolute deviation": median 2, MAD 1. */
    static const double small[] = {9, 1, 4, 1, 2, 6, 2};
    stats = stats_of(small, COUNT(small));
    assert_near(stats.median, 2);
    assert_near(stats.mad, 1);

    double values[] = {3, 1, 2};
    stats_sort(values, 3);
    assert_near(values[0], 1);
    assert_near(values[2], 3);
    assert_near(stats_quantile(values, 3, 0), 1);
    assert_near(stats_quantile(values, 3, 1), 3);
}

static void test_unknown_values(void **state)
{
    (void)state;
    static const double values[] = {NAN, 4, INFINITY, 2, NAN};
    struct stats stats = stats_of(values, COUNT(values));
    assert_int_equal(stats.count, 2);
    assert_near(stats.median, 3);
    assert_true(isnan(stats.low) && isnan(stats.high));

    stats = stats_of(NULL, 0);
    assert_int_equal(stats.count, 0);
    assert_true(isnan(stats.median) && isnan(stats.mad) && isnan(stats.min) && isnan(stats.max));
    assert_true(isnan(stats_median(NULL, 0)));
    assert_true(isnan(stats_quantile(NULL, 0, 0.5)));
    assert_int_equal(stats_outliers(NULL, 0), 0);
    assert_true(isnan(stats_drift(NULL, 0).rho));
    assert_true(isnan(stats_line(NULL, NULL, 0).slope));
    assert_int_equal(stats_paired_ratio(NULL, NULL, 0).count, 0);
    assert_true(isnan(stats_median_ratio(values, 0, values, 5).median));
}

/* The bootstrap distribution of the median of an odd sample has a closed form (Efron 1979): the
 * chance of a median of at most the k-th value is P(Bin(n, k / n) > n / 2). Where it exceeds the
 * expanded percentile (0.00095 at n = 5, 0.0072 at 9, 0.0097 at 11, 0.0163 at 21), with room to
 * spare for resampling, is where the interval must end. */
static void test_interval_has_its_closed_form(void **state)
{
    (void)state;
    static const struct {
        size_t count, low;
    } cases[] = {{5, 1}, {7, 1}, {9, 2}, {11, 3}, {15, 4}};
    double values[32];
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = 100 + (double)((i * 7) % 32); /* in no order */
    for (size_t k = 0; k < COUNT(cases); k++) {
        size_t count = cases[k].count;
        double sorted[32];
        memcpy(sorted, values, sizeof sorted);
        stats_sort(sorted, count);
        struct stats stats = stats_of(values, count);
        assert_near(stats.low, sorted[cases[k].low - 1]);
        assert_near(stats.high, sorted[count - cases[k].low]);
    }
    assert_true(isnan(stats_of(values, 4).low));
}

static void test_interval_is_reproducible(void **state)
{
    (void)state;
    struct stats first = stats_of(nist, 30), again = stats_of(nist, 30);
    assert_memory_equal(&first, &again, sizeof first);
    static const double same[] = {7, 7, 7, 7, 7, 7};
    struct stats stats = stats_of(same, COUNT(same));
    assert_near(stats.low, 7);
    assert_near(stats.high, 7);
    assert_near(stats.mad, 0);
}

/* How often the interval holds the true median, of 2000 samples from a normal and from a skewed
 * distribution; the standard error of that is 0.005. */
static void test_interval_covers(void **state)
{
    (void)state;
    enum { SAMPLES = 2000 };
    static const size_t counts[] = {5, 10, 30};
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, 42);
    for (size_t k = 0; k < 2 * COUNT(counts); k++) {
        size_t count = counts[k / 2];
        bool skewed = k % 2;
        unsigned hits = 0;
        for (size_t sample = 0; sample < SAMPLES; sample++) {
            double values[30];
            for (size_t i = 0; i < count; i++)
                values[i] = skewed ? gsl_ran_lognormal(rng, 0, 1) : 1 + gsl_ran_ugaussian(rng);
            struct stats stats = stats_of(values, count);
            hits += stats.low <= 1 && 1 <= stats.high;
        }
        print_message("n = %zu, %s: %.1f %% of the intervals hold the median\n", count,
                      skewed ? "lognormal" : "normal", 100.0 * hits / SAMPLES);
        assert_in_range(hits, 0.925 * SAMPLES, 0.98 * SAMPLES);
    }
    gsl_rng_free(rng);
}

static void test_paired_ratio(void **state)
{
    (void)state;
    /* A slow drift of both that a ratio of medians would keep: paired, it cancels. */
    static const double bases[] = {100, 110, 120, 130, 140, NAN};
    static const double values[] = {200, 220, 240, 260, 280, 1};
    struct stats_ratio ratio = stats_paired_ratio(values, bases, COUNT(bases));
    assert_int_equal(ratio.count, 5);
    assert_near(ratio.median, 2);
    assert_near(ratio.low, 2);
    assert_near(ratio.high, 2);
    static const double zeros[] = {0, 0, 0, 0, 0, 0};
    assert_int_equal(stats_paired_ratio(values, zeros, COUNT(values)).count, 0);
}

static void test_median_ratio(void **state)
{
    (void)state;
    static const double values[] = {12, 10, 11, 13, 9}, bases[] = {5, 5, 5, 5, 5, 5};
    struct stats_ratio ratio = stats_median_ratio(values, 5, bases, 6);
    assert_int_equal(ratio.count, 5);
    assert_near(ratio.median, 2.2);
    assert_near(ratio.low, 9.0 / 5);
    assert_near(ratio.high, 13.0 / 5);
    assert_true(isnan(stats_median_ratio(values, 4, bases, 6).low));

    /* Resampled apart: with one stream for both, equal samples would give exactly 1. */
    ratio = stats_median_ratio(nist, 30, nist, 30);
    assert_near(ratio.median, 1);
    assert_true(ratio.low < 1 && ratio.high > 1);
}

static void test_drift(void **state)
{
    (void)state;
    /* Wikipedia, "Spearman's rank correlation coefficient": hours of television in the order of the
     * viewers' IQ. rho = -29/165, p = 0.627188. */
    static const double hours[] = {2, 20, 28, 27, 50, 29, 7, 17, 6, 12};
    struct stats_drift drift = stats_drift(hours, COUNT(hours));
    assert_near(drift.rho, -29.0 / 165);
    assert_true(fabs(drift.p - 0.627188) < 1e-6);

    static const double ties[] = {5, 3, 3, 8, 8, 8, 1, 9, 12, 9, 11};
    drift = stats_drift(ties, COUNT(ties));
    assert_near(drift.rho, 0.732788925391119);
    assert_true(fabs(drift.p - 0.010310655787921674) < 1e-9);

    static const double rising[] = {1, 2, NAN, 3, 4, 5};
    drift = stats_drift(rising, COUNT(rising));
    assert_near(drift.rho, 1);
    assert_true(drift.p < 1e-6);
    assert_near(drift.change, 4); /* 5 to 1 */
    static const double flat[] = {4, 4, 4, 4};
    assert_true(isnan(stats_drift(flat, COUNT(flat)).rho));
}

static void test_line(void **state)
{
    (void)state;
    static const double x[] = {1, 1, 10, 10, 100, 100}, y[] = {5, 5, 23, 23, 203, 203};
    struct stats_line line = stats_line(x, y, COUNT(x));
    assert_int_equal(line.count, 6);
    assert_near(line.slope, 2);
    assert_near(line.low, 2);
    assert_near(line.high, 2);
    assert_near(line.base, 3);

    /* Slack that takes the first tasks in: near pairs say 0 and weigh little. The unweighted median
     * would be 46.6. */
    static const double tasks[] = {100, 200, 300, 3000};
    static const double bytes[] = {800000, 800000, 800000, 1070000};
    line = stats_line(tasks, bytes, COUNT(tasks));
    assert_near(line.slope, 270000.0 / 2800);
    assert_near(line.base, 800000 - 200 * 270000.0 / 2800);
    assert_true(isnan(line.low)); /* too few points */

    /* Equal weight on both sides: between the two in the middle. */
    static const double ends[] = {0, 0, 10, 10}, heights[] = {0, 1, 20, 23};
    assert_near(stats_line(ends, heights, 4).slope, (2.0 + 2.2) / 2);

    /* One wild point of nine does not move it. */
    static const double n[] = {100, 100, 100, 1000, 1000, 1000, 3000, 3000, 3000};
    static const double m[] = {812000,  816100,  808000,  1020000, 1012000,
                               1028500, 1490000, 1482000, 1700000};
    line = stats_line(n, m, COUNT(n));
    assert_near(line.slope, 235);
    assert_near(line.base, 785000);
    assert_true(line.low <= 235 && line.high >= 235);

    static const double one[] = {5, 5, 5, 5, 5}, any[] = {1, 2, 3, 4, 5};
    line = stats_line(one, any, 5);
    assert_true(isnan(line.slope) && isnan(line.base) && isnan(line.low));
    static const double holes[] = {1, NAN, 3, 9}, heights2[] = {2, 5, 6, NAN};
    line = stats_line(holes, heights2, 4);
    assert_int_equal(line.count, 2);
    assert_near(line.slope, 2);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        char *(*format)(char *text, size_t bytes, double number);
        double number;
        const char *text;
    } cases[] = {
        {format_ns, 301e6, "301 ms"},
        {format_ns, 1.2345e9, "1.23 s"},
        {format_ns, 45600, "45.6 µs"},
        {format_ns, 999.4, "999 ns"},
        {format_ns, 999.6, "1 µs"},
        {format_ns, 999.6e6, "1 s"},
        {format_ns, 599e9, "599 s"},
        {format_ns, 600e9, "10 min"},
        {format_ns, 7200e9, "2 h"},
        {format_ns, 0, "0 ns"},
        {format_ns, -2.5e6, "-2.5 ms"},
        {format_ns, NAN, ""},
        {format_bytes, 48, "48 B"},
        {format_bytes, 1000, "1000 B"},
        {format_bytes, 1434, "1.4 KiB"},
        {format_bytes, 26.0 * 1048576, "26 MiB"},
        {format_bytes, 1023.7 * 1024, "1 MiB"},
        {format_bytes, 3.5 * 1073741824, "3.5 GiB"},
        {format_bytes, 5000.0 * 1073741824, "5000 GiB"},
        {format_count, 12.5, "12.5"},
        {format_count, 999, "999"},
        {format_count, 1000, "1k"},
        {format_count, 12345, "12.3k"},
        {format_count, 1e6, "1M"},
        {format_ratio, 0.98712, "0.987"},
        {format_ratio, 1.0123, "1.012"},
        {format_ratio, 9.99951, "10"},
        {format_ratio, 35.12, "35.1"},
        {format_ratio, NAN, ""},
        {format_percent, 0.021, "2.1 %"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[FORMAT_BYTES];
        assert_string_equal(cases[i].format(text, sizeof text, cases[i].number), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary_of_values),
        cmocka_unit_test(test_unknown_values),
        cmocka_unit_test(test_interval_has_its_closed_form),
        cmocka_unit_test(test_interval_is_reproducible),
        cmocka_unit_test(test_interval_covers),
        cmocka_unit_test(test_paired_ratio),
        cmocka_unit_test(test_median_ratio),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
