/*
 * Whether the machine was too restless for the numbers of a run to be cited. Three witnesses: the
 * controls, which differ from their twins by noise alone; the baselines' wall times, which should
 * not depend on the round; and the hypervisor. The thresholds stand here and in docs/method.md.
 */
#include "array.h"
#include "environment.h"
#include "format.h"
#include "summary.h"

#include <gsl/gsl_cdf.h>
#include <string.h>

/* A difference below these is no reason to distrust a run, however sure it is. */
static const double control_matters = 0.05, drift_matters = 0.02;

static const double control_p = 0.05, controls_p = 0.01;

/* By chance alone one run in a hundred drifts, over all its groups together (Bonferroni). */
static const double drift_p = 0.01;
/* With fewer rounds, Student's t is no fair approximation to the law of Spearman's rho. */
enum { DRIFT_ROUNDS_LEAST = 8 };

/* Groups where a witness speaks up. */
struct finding {
    size_t asked, found;
    double worst; /* as a fraction */
    const char *where;
};

static void find(struct finding *finding, double size, const char *where)
{
    finding->found++;
    if (fabs(size) > fabs(finding->worst)) {
        finding->worst = size;
        finding->where = where;
    }
}

/* One in twenty controls differs by chance. So many that chance gives as many in fewer than one run
 * of a hundred (binomial distribution) are no chance; where one alone was asked, it must do. */
static bool controls_fail(const struct summary *summary, struct finding *finding)
{
    for (size_t i = 0; i < summary->cell_count; i++) {
        const struct summary_cell *cell = &summary->cells[i];
        if (cell->verdict != VERDICT_CONTROL || isnan(cell->ratio.low))
            continue;
        finding->asked++;
        double reach = fmax(cell->ratio.high, 1 / cell->ratio.low) - 1;
        if ((cell->ratio.low > 1 || cell->ratio.high < 1) && reach > control_matters)
            find(finding, reach, cell->sample->group);
    }
    if (finding->found == 0 || finding->asked == 1)
        return finding->found > 0;
    return gsl_cdf_binomial_Q((unsigned)finding->found - 1, control_p, (unsigned)finding->asked) <
           controls_p;
}

static bool baselines_drift(const struct summary *summary, struct finding *finding)
{
    for (size_t g = 0; g < summary->group_count; g++)
        finding->asked += summary->groups[g].baseline != NULL;
    for (size_t g = 0; g < summary->group_count; g++) {
        const struct summary_group *group = &summary->groups[g];
        const struct summary_cell *cell = group->baseline;
        if (!cell || cell->metrics[METRIC_wall_ns].count < DRIFT_ROUNDS_LEAST)
            continue;
        if (cell->drift.p < drift_p / (double)finding->asked &&
            fabs(cell->drift.change) > fmax(group->noise_floor, drift_matters)) /* NaN gives way */
            find(finding, cell->drift.change, cell->sample->group);
    }
    return finding->found > 0;
}

/* The part of the cores' time that the hypervisor took while trials ran; NaN when unknown. */
static double stolen_share(const struct summary *summary, double cores)
{
    double stolen_ns = 0, all_ns = 0;
    for (size_t i = 0; i < summary->trial_count; i++) {
        const struct record *row = summary->sorted[i];
        if (strcmp(row->pass, "hyperfine") == 0 || row->wall_ns == NO_NUMBER ||
            row->stolen_ns == NO_NUMBER)
            continue;
        stolen_ns += (double)row->stolen_ns;
        all_ns += (double)row->wall_ns * cores;
    }
    return all_ns > 0 ? stolen_ns / all_ns : NAN;
}

char *summary_noise(const struct summary *summary, double cores)
{
    char *stamp = NULL, why[256], size[FORMAT_BYTES];
    size_t bytes;
    struct finding controls = {0}, drifts = {0};
    FILE *text = open_memstream(&stamp, &bytes);
    if (!text)
        err(EXIT_UNABLE, "cannot note whether a run is noisy");
    const char *separator = "noisy: ";
    if (controls_fail(summary, &controls)) {
        fprintf(text, "%sin %zu of %zu groups the control differs from its twin (%s: up to %s)",
                separator, controls.found, controls.asked, controls.where,
                format_percent(size, sizeof size, controls.worst));
        separator = "; ";
    }
    if (baselines_drift(summary, &drifts)) {
        fprintf(text, "%sin %zu of %zu groups wall times drift over the rounds (%s: %s%s)",
                separator, drifts.found, drifts.asked, drifts.where, drifts.worst > 0 ? "+" : "",
                format_percent(size, sizeof size, drifts.worst));
        separator = "; ";
    }
    if (environment_noisy(0, stolen_share(summary, cores), why, sizeof why))
        fprintf(text, "%s%s", separator, why);
    fclose(text);
    return stamp;
}
