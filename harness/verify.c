/* See verify.h. */
#include "verify.h"
#include "calibrate.h"
#include "options.h"
#include "origin.h"
#include "supervise.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static uint64_t tasks, unit_ns;

static const struct setting settings[] = {
    {"tasks", 'n', SETTING_COUNT, "8", "N", "tasks per trial", &tasks, 1, 10e6},
    {"unit", 'u', SETTING_DURATION, "2ms", "TIME", "the unit of time", &unit_ns, 1, 3600e9},
    {0},
};

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* One trial; its record tells how it went. */
static int run_one(const char *strategy, const char *workload, const char *origin, double rate,
                   struct record *record)
{
    char count[32], unit[32], work_rate[32];
    snprintf(count, sizeof count, "%llu", (unsigned long long)tasks);
    snprintf(unit, sizeof unit, "%lluns", (unsigned long long)unit_ns);
    snprintf(work_rate, sizeof work_rate, "%.15g", rate);
    char *arguments[] = {(char *)"-s",
                         (char *)strategy,
                         (char *)"-w",
                         (char *)workload,
                         (char *)"-n",
                         count,
                         (char *)"-u",
                         unit,
                         (char *)"--work-rate",
                         work_rate,
                         NULL,
                         NULL,
                         NULL};
    if (*origin) {
        arguments[10] = (char *)"--origin";
        arguments[11] = (char *)origin;
    }
    record_init(record);
    return supervise(strategy, arguments, PASS_TIMING, record, NULL);
}

/* One line: same, or what is different. Returns whether that is well. */
static bool compare(const struct record *record, const struct record *reference)
{
    printf("  %-10s %-21s ", reference->workload, record->strategy ? record->strategy : "?");
    if (record->exit_status == EXIT_UNABLE) {
        printf("cannot run here: %s\n", record->reason);
        return true;
    }
    if (!record->ok) {
        printf("FAILED: %s\n", record->reason);
        return false;
    }
    bool same = strcmp(record->digest, reference->digest) == 0;
    printf("%s %s\n", record->digest, same ? "same" : "DIFFERENT");
    return same;
}

/* Runs what the others are compared with: sequential, or where that cannot run the workload, the
 * first that can. Returns as run_one() does, EXIT_UNABLE when none can. */
static int run_reference(const char *const strategies[], size_t count, const char *workload,
                         const char *origin, double rate, struct record *reference)
{
    int status = run_one("sequential", workload, origin, rate, reference);
    for (size_t s = 0; status == EXIT_UNABLE && s < count; s++) {
        record_drop(reference);
        status = run_one(strategies[s], workload, origin, rate, reference);
    }
    return status;
}

int verify_main(int argc, char **argv)
{
    const struct setting *const tables[] = {settings, NULL};
    options_parse(argc, argv,
                  &(struct command_line){
                      .usage = "overlap verify [OPTIONS]",
                      .summary = "Checks that every strategy does the work that sequential does.",
                      .tables = tables,
                  });
    enum { NAMES_MAX = 256 };
    const char *strategies[NAMES_MAX], *workloads[NAMES_MAX];
    size_t strategy_count = 0, workload_count = 0;
    REGISTRY_FOR_EACH (strategy, entry)
        strategies[strategy_count++] = (*entry)->name;
    REGISTRY_FOR_EACH (workload, entry)
        workloads[workload_count++] = (*entry)->name;
    qsort(strategies, strategy_count, sizeof *strategies, by_name);
    qsort(workloads, workload_count, sizeof *workloads, by_name);

    char origin[256] = "", why[512];
    interrupt_catch();
    double rate = calibrate_cached();
    pid_t server = origin_start(origin, sizeof origin, why, sizeof why);
    if (server < 0)
        errx(EXIT_UNABLE, "%s", why);
    unsigned wrong = 0;
    for (size_t w = 0; w < workload_count && !interrupted; w++) {
        struct record reference;
        if (run_reference(strategies, strategy_count, workloads[w], origin, rate, &reference) !=
            0) {
            printf("  %-10s %-21s FAILED: %s\n", workloads[w],
                   reference.strategy ? reference.strategy : "?",
                   reference.reason ? reference.reason : "stopped");
            wrong++;
        }
        for (size_t s = 0; s < strategy_count && reference.ok && !interrupted; s++) {
            struct record record;
            int status = run_one(strategies[s], workloads[w], origin, rate, &record);
            if (!record.strategy)
                record_set(&record.strategy, strategies[s]);
            if (status >= 0)
                wrong += !compare(&record, &reference);
            record_drop(&record);
        }
        record_drop(&reference);
    }
    origin_stop(server);
    if (interrupted)
        interrupt_end();
    printf("%s\n", wrong ? "NOT all do the same work" : "all that can run do the same work");
    return wrong ? EXIT_FAILED : 0;
}
