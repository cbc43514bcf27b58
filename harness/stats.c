/* See stats.h. */
#include "stats.h"
#include "array.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

void stats_sort(double *values, size_t count)
{
    gsl_sort(values, 1, count);
}

double stats_quantile(const double *sorted, size_t count, double p)
{
    return count ? gsl_stats_quantile_from_sorted_data(sorted, 1, count, p) : NAN;
}

/* The known values, sorted; the caller frees them. */
static double *sorted_copy(const double *values, size_t count, size_t *known)
{
    double *copy = array_resize(NULL, count, sizeof *copy);
    *known = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            copy[(*known)++] = values[i];
    stats_sort(copy, *known);
    return copy;
}

double stats_median(const double *values, size_t count)
{
    double *sorted = sorted_copy(values, count, &count);
    double median = stats_quantile(sorted, count, 0.5);
    free(sorted);
    return median;
}

/* ---- The bootstrap of a median ---- */

/* The median of a resample depends on the ranks that were drawn alone, so that they are drawn once
 * for all samples of one size: per resample the ranks of the two middle values, which are one when
 * the size is odd. */
struct middle {
    uint32_t low, high;
};

struct draw {
    size_t count;
    unsigned long stream;
    struct middle middles[STATS_RESAMPLES];
    struct draw *next;
};

static struct draw *make_draw(size_t count, unsigned long stream)
{
    struct draw *draw = array_resize(NULL, 1, sizeof *draw);
    uint32_t *times = array_resize(NULL, count, sizeof *times); /* each rank was drawn */
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, stream);
    for (size_t k = 0; k < STATS_RESAMPLES; k++) {
        memset(times, 0, count * sizeof *times);
        for (size_t i = 0; i < count; i++)
            times[gsl_rng_uniform_int(rng, count)]++;
        uint32_t rank = 0;
        size_t seen = times[0];
        while (seen <= (count - 1) / 2)
            seen += times[++rank];
        draw->middles[k].low = rank;
        while (seen <= count / 2)
            seen += times[++rank];
        draw->middles[k].high = rank;
    }
    gsl_rng_free(rng);
    free(times);
    draw->count = count;
    draw->stream = stream;
    return draw;
}

/* Two samples of one size that are resampled independently need two streams. */
static const struct middle *draw_middles(size_t count, unsigned long stream)
{
    static struct draw *draws; /* kept: a run has few sizes */
    struct draw *draw = draws;
    while (draw && (draw->count != count || draw->stream != stream))
        draw = draw->next;
    if (!draw) {
        draw = make_draw(count, stream);
        draw->next = draws;
        draws = draw;
    }
    return draw->middles;
}

static double median_of(const double *sorted, struct middle middle)
{
    return sorted[middle.low] + (sorted[middle.high] - sorted[middle.low]) / 2;
}

/* The interval of what `resamples` of a sample of `count` gave; reorders them. A percentile
 * interval is as narrow as one by z and the standard deviation divided by n: the percentiles are
 * moved apart to where t and n - 1 would put them. */
static void interval_of(double *results, size_t resamples, size_t count, double *low, double *high)
{
    double n = (double)count;
    double p = gsl_cdf_ugaussian_P(gsl_cdf_tdist_Pinv(0.025, n - 1) * sqrt(n / (n - 1)));
    size_t below = (size_t)((double)(resamples + 1) * p);
    if (below > 0)
        below--;
    *low = gsl_stats_select(results, 1, resamples, below);
    *high = gsl_stats_select(results, 1, resamples, resamples - 1 - below);
}

struct stats stats_of(const double *values, size_t count)
{
    double *sorted = sorted_copy(values, count, &count);
    struct stats stats = {.count = count, .low = NAN, .high = NAN};
    stats.median = stats_quantile(sorted, count, 0.5);
    stats.min = count ? sorted[0] : NAN;
    stats.max = count ? sorted[count - 1] : NAN;
    if (count >= STATS_INTERVAL_LEAST) {
        double medians[STATS_RESAMPLES];
        const struct middle *middles = draw_middles(count, 1);
        for (size_t k = 0; k < STATS_RESAMPLES; k++)
            medians[k] = median_of(sorted, middles[k]);
        interval_of(medians, STATS_RESAMPLES, count, &stats.low, &stats.high);
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = fabs(sorted[i] - stats.median);
    stats.mad = stats_median(sorted, count);
    free(sorted);
    return stats;
}

struct stats_ratio stats_paired_ratio(const double *values, const double *bases, size_t count)
{
    double *ratios = array_resize(NULL, count, sizeof *ratios);
    for (size_t i = 0; i < count; i++)
        ratios[i] = values[i] / bases[i];
    struct stats stats = stats_of(ratios, count);
    free(ratios);
    return (struct stats_ratio){stats.count, stats.median, stats.low, stats.high};
}

struct stats_ratio stats_median_ratio(const double *values, size_t count, const double *bases,
                                      size_t base_count)
{
    double *above = sorted_copy(values, count, &count);
    double *below = sorted_copy(bases, base_count, &base_count);
    struct stats_ratio ratio = {
        .count = count < base_count ? count : base_count,
        .median = stats_quantile(above, count, 0.5) / stats_quantile(below, base_count, 0.5),
        .low = NAN,
        .high = NAN,
    };
    if (ratio.count >= STATS_INTERVAL_LEAST) {
        double ratios[STATS_RESAMPLES];
        const struct middle *middles = draw_middles(count, 1);
        const struct middle *base_middles = draw_middles(base_count, 2);
        for (size_t k = 0; k < STATS_RESAMPLES; k++)
            ratios[k] = median_of(above, middles[k]) / median_of(below, base_middles[k]);
        interval_of(ratios, STATS_RESAMPLES, ratio.count, &ratio.low, &ratio.high);
    }
    free(above);
    free(below);
    return ratio;
}

/* ---- Outliers and drift ---- */

size_t stats_outliers(const double *values, size_t count)
{
    double *sorted = sorted_copy(values, count, &count);
    double low = stats_quantile(sorted, count, 0.25), high = stats_quantile(sorted, count, 0.75);
    double reach = 1.5 * (high - low);
    size_t outliers = 0;
    for (size_t i = 0; i < count; i++)
        outliers += sorted[i] < low - reach || sorted[i] > high + reach;
    free(sorted);
    return outliers;
}

struct stats_drift stats_drift(const double *values, size_t count)
{
    double *known = array_resize(NULL, 4 * count, sizeof *known);
    double *order = known + count, *work = order + count; /* twice as long */
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            order[n] = (double)i;
            known[n++] = values[i];
        }
    }
    struct stats_drift drift = {NAN, NAN, NAN};
    if (n >= 3 && gsl_stats_min(known, 1, n) < gsl_stats_max(known, 1, n)) {
        drift.rho = gsl_stats_spearman(order, 1, known, 1, n, work);
        double freedom = (double)n - 2, rest = 1 - drift.rho * drift.rho;
        drift.p =
            rest > 0 ? 2 * gsl_cdf_tdist_Q(fabs(drift.rho) * sqrt(freedom / rest), freedom) : 0;
        drift.change = stats_median(known + n - n / 3, n / 3) / stats_median(known, n / 3) - 1;
    }
    free(known);
    return drift;
}

/* ---- Lines ---- */

struct point {
    double x, y;
};

/* The line through two of the points. */
struct secant {
    double slope, weight;
    uint32_t i, k;
};

/* Points by x with all their secants by slope; and how often each point counts. */
struct cloud {
    struct point *points;
    struct secant *secants;
    uint32_t *times;
    size_t count, secant_count;
};

static int by_x(const void *left, const void *right)
{
    double a = ((const struct point *)left)->x, b = ((const struct point *)right)->x;
    return (a > b) - (a < b);
}

static int by_slope(const void *left, const void *right)
{
    double a = ((const struct secant *)left)->slope, b = ((const struct secant *)right)->slope;
    return (a > b) - (a < b);
}

static struct cloud make_cloud(const double *x, const double *y, size_t count)
{
    struct cloud cloud = {
        .points = array_resize(NULL, count, sizeof *cloud.points),
        .secants = array_resize(NULL, count * count / 2, sizeof *cloud.secants),
        .times = array_resize(NULL, count, sizeof *cloud.times),
    };
    for (size_t i = 0; i < count; i++)
        if (isfinite(x[i]) && isfinite(y[i]))
            cloud.points[cloud.count++] = (struct point){x[i], y[i]};
    qsort(cloud.points, cloud.count, sizeof *cloud.points, by_x);
    for (size_t i = 0; i < cloud.count; i++) {
        cloud.times[i] = 1;
        for (size_t k = 0; k < i; k++) {
            double dx = cloud.points[i].x - cloud.points[k].x;
            double dy = cloud.points[i].y - cloud.points[k].y;
            if (dx > 0)
                cloud.secants[cloud.secant_count++] =
                    (struct secant){dy / dx, dx, (uint32_t)i, (uint32_t)k};
        }
    }
    qsort(cloud.secants, cloud.secant_count, sizeof *cloud.secants, by_slope);
    return cloud;
}

static void drop_cloud(struct cloud *cloud)
{
    free(cloud->points);
    free(cloud->secants);
    free(cloud->times);
}

/* The sum of all distances in x, from each point to all before it. */
static double total_weight(const struct cloud *cloud)
{
    double total = 0, before = 0, sum = 0;
    for (size_t i = 0; i < cloud->count; i++) {
        total += cloud->times[i] * (cloud->points[i].x * before - sum);
        before += cloud->times[i];
        sum += cloud->times[i] * cloud->points[i].x;
    }
    return total;
}

/* The weighted median of the slopes; NaN when all points that count have the same x. */
static double middle_slope(const struct cloud *cloud)
{
    double half = total_weight(cloud) / 2, sum = 0, slope = NAN;
    for (size_t s = 0; s < cloud->secant_count && sum <= half; s++) {
        const struct secant *secant = &cloud->secants[s];
        uint32_t times = cloud->times[secant->i] * cloud->times[secant->k];
        if (times == 0)
            continue;
        double weight = secant->weight * times;
        /* As much weight lies below as above: the median is between the two. */
        slope = sum > 0 && sum == half ? (slope + secant->slope) / 2 : secant->slope;
        sum += weight;
    }
    return slope;
}

static void resample_slopes(struct cloud *cloud, double *low, double *high)
{
    double slopes[STATS_LINE_RESAMPLES];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 1);
    for (size_t k = 0; k < STATS_LINE_RESAMPLES;) {
        memset(cloud->times, 0, cloud->count * sizeof *cloud->times);
        for (size_t i = 0; i < cloud->count; i++)
            cloud->times[gsl_rng_uniform_int(rng, cloud->count)]++;
        slopes[k] = middle_slope(cloud);
        if (!isnan(slopes[k])) /* points of a single x have no slope: draw again */
            k++;
    }
    gsl_rng_free(rng);
    interval_of(slopes, STATS_LINE_RESAMPLES, cloud->count, low, high);
}

struct stats_line stats_line(const double *x, const double *y, size_t count)
{
    struct cloud cloud = make_cloud(x, y, count);
    struct stats_line line = {cloud.count, middle_slope(&cloud), NAN, NAN, NAN};
    double *bases = array_resize(NULL, cloud.count, sizeof *bases);
    for (size_t i = 0; i < cloud.count; i++)
        bases[i] = cloud.points[i].y - line.slope * cloud.points[i].x;
    line.base = stats_median(bases, cloud.count);
    free(bases);
    if (cloud.secant_count > 0 && cloud.count >= STATS_INTERVAL_LEAST)
        resample_slopes(&cloud, &line.low, &line.high);
    drop_cloud(&cloud);
    return line;
}
