/* See setup.h. */
#include "setup.h"
#include "cpus.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pass_names[PASSES] = {"timing", "memory", "timeline", "syscalls"};

/* The values behind the options of `run`, as they are typed. */
static struct {
    const char *strategy, *workload, *cpus, *pass, *timeline, *origin;
    uint64_t tasks, workers, seed, unit_ns, limit_ns, timeout_ns;
    double work_rate, cancel_share;
    bool json, dry_run;
} given;

static const struct setting run_settings[] = {
    {"strategy", 's', SETTING_TEXT, NULL, "NAME", "how the tasks are run (a path: a program)",
     &given.strategy, 0, 0},
    {"workload", 'w', SETTING_TEXT, NULL, "NAME", "what the tasks do", &given.workload, 0, 0},
    {"tasks", 'n', SETTING_COUNT, "4", "N", "how many tasks", &given.tasks, 1, 10e6},
    {"workers", 'j', SETTING_COUNT, NULL, "N", "workers of a pool [one per core]", &given.workers,
     1, 4096},
    {"cpus", 'c', SETTING_TEXT, "all", "LIST", "cores to run on: one, all, 0-1, 0,2", &given.cpus,
     0, 0},
    {"seed", 0, SETTING_COUNT, "1", "N", "of all that is random", &given.seed, 0, 9e15},
    {"unit", 'u', SETTING_DURATION, "100ms", "TIME", "the unit of time of sleep, mixed, rude",
     &given.unit_ns, 1, 3600e9},
    {"work-rate", 0, SETTING_NUMBER, NULL, "X", "iterations of work per ns [calibrated]",
     &given.work_rate, 1e-6, 1e3},
    {"json", 0, SETTING_FLAG, NULL, NULL, "print one line of JSON", &given.json, 0, 0},
    {"pass", 0, SETTING_TEXT, "timing", "NAME", "timing, memory, timeline or syscalls, with --json",
     &given.pass, 0, 0},
    {"timeline", 0, SETTING_TEXT, NULL, "FILE", "write the timeline there, as CSV", &given.timeline,
     0, 0},
    {"origin", 0, SETTING_TEXT, NULL, "URL", "HTTP server to use [one of its own]", &given.origin,
     0, 0},
    {"limit", 0, SETTING_DURATION, NULL, "TIME", "give a trial up after [by the work]",
     &given.limit_ns, 1e6, 86400e9},
    {"dry-run", 0, SETTING_FLAG, NULL, NULL, "only check and tell the bound, as JSON",
     &given.dry_run, 0, 0},
    {0},
};

/* What befalls the tasks of any workload: unlike the above, noted as options in the record. */
static const struct setting task_settings[] = {
    {"timeout", 0, SETTING_DURATION, "0", "TIME",
     "give up an op that takes so long; 0: fetch 30s, others never", &given.timeout_ns, 0, 86400e9},
    {"cancel", 0, SETTING_NUMBER, "0", "SHARE", "cancel so many of the tasks once all wait: 0 to 1",
     &given.cancel_share, 0, 1},
    {0},
};

const struct strategy *strategy_find(const char *name)
{
    REGISTRY_FOR_EACH (strategy, entry)
        if (strcmp((*entry)->name, name) == 0)
            return *entry;
    return NULL;
}

const struct workload *workload_find(const char *name)
{
    REGISTRY_FOR_EACH (workload, entry)
        if (strcmp((*entry)->name, name) == 0)
            return *entry;
    return NULL;
}

bool strategy_is_external(const char *name)
{
    return strchr(name, '/') != NULL;
}

_Noreturn static void unknown(const char *kind, const char *name, const char *list)
{
    errx(EXIT_USAGE, "unknown %s '%s'; overlap list %s shows them", kind, name, list);
}

void setup_parse(int argc, char **argv, struct setup *setup)
{
    const struct setting *tables[5] = {run_settings, task_settings};
    size_t count = 2;
    const char *workload_name = options_peek(argc, argv, "workload", 'w');
    const char *strategy_name = options_peek(argc, argv, "strategy", 's');
    const struct workload *workload = workload_name ? workload_find(workload_name) : NULL;
    const struct strategy *strategy = strategy_name ? strategy_find(strategy_name) : NULL;
    if (workload_name && !workload)
        unknown("workload", workload_name, "workloads");
    if (strategy_name && !strategy && !strategy_is_external(strategy_name))
        unknown("strategy", strategy_name, "strategies");
    if (workload && workload->settings)
        tables[count++] = workload->settings;
    if (strategy && strategy->settings)
        tables[count++] = strategy->settings;

    options_parse(argc, argv,
                  &(struct command_line){
                      .usage = "overlap run -s STRATEGY -w WORKLOAD [OPTIONS]",
                      .summary = "Runs one trial and prints what it cost.",
                      .details = "Workloads and strategies bring options of their own: give -w and "
                                 "-s before --help\nto see them.",
                      .tables = tables,
                  });
    if (!given.strategy)
        errx(EXIT_USAGE, "which strategy? give -s NAME; overlap list strategies shows them");
    if (!given.workload)
        errx(EXIT_USAGE, "which workload? give -w NAME; overlap list workloads shows them");

    *setup = (struct setup){
        .strategy = strategy,
        .workload = workload,
        .strategy_name = given.strategy,
        .workload_name = given.workload,
        .tasks = given.tasks,
        .cpu_list = given.cpus,
        .timeline = given.timeline,
        .json = given.json,
        .dry_run = given.dry_run,
        .cancel_share = given.cancel_share,
    };
    char why[512];
    if (cpus_parse(given.cpus, &setup->cpus, why, sizeof why) != 0)
        errx(EXIT_USAGE, "%s", why);
    setup->cpu_count = (unsigned)CPU_COUNT(&setup->cpus);
    setup->workers = given.workers ? given.workers : setup->cpu_count;
    while (setup->pass < PASSES && strcmp(given.pass, pass_names[setup->pass]) != 0)
        setup->pass++;
    if (setup->pass == PASSES)
        errx(EXIT_USAGE, "--pass is timing, memory, timeline or syscalls, not '%s'", given.pass);
    params = (struct params){
        .seed = given.seed,
        .unit_ns = given.unit_ns,
        .work_rate = given.work_rate,
        .origin = given.origin,
        .tasks = (unsigned)given.tasks,
        .timeout_ns = given.timeout_ns,
    };
}

/* Adds the settings that differ from their defaults, as they would be typed. */
static void print_options(const struct setting *settings, FILE *file)
{
    for (const struct setting *setting = settings; setting && setting->name; setting++) {
        char text[4096], initial[4096] = "";
        setting_print(setting, text, sizeof text);
        if (setting->kind == SETTING_FLAG) {
            if (*(bool *)setting->where)
                fprintf(file, " --%s", setting->name);
            continue;
        }
        if (setting->initial)
            snprintf(initial, sizeof initial, "%s", setting->initial);
        if (*text && strcmp(text, initial) != 0)
            fprintf(file, " --%s %s", setting->name, text);
    }
}

void setup_identify(const struct setup *setup, struct record *record)
{
    char cpus[1024], *text = NULL;
    size_t bytes;
    record_set(&record->strategy, setup->strategy_name);
    record_set(&record->workload, setup->workload_name);
    record_set(&record->pass, pass_names[setup->pass]);
    record_set(&record->cpus, cpus_print(&setup->cpus, cpus, sizeof cpus));
    record->tasks = setup->tasks;
    record->workers = setup->workers;
    record->seed = params.seed;
    record->unit_ns = params.unit_ns;
    record->work_rate = params.work_rate;

    FILE *file = open_memstream(&text, &bytes);
    if (!file)
        err(EXIT_FAILED, "cannot note the options");
    print_options(task_settings, file);
    print_options(setup->workload ? setup->workload->settings : NULL, file);
    print_options(setup->strategy ? setup->strategy->settings : NULL, file);
    fclose(file);
    record_set(&record->options, *text ? text + 1 : NULL);

    char unit[64], command[8192];
    const struct setting unit_setting = {.kind = SETTING_DURATION, .where = &params.unit_ns};
    snprintf(
        command, sizeof command,
        "overlap run -s %s -w %s -n %u -j %u --cpus %s --seed %llu --unit %s --work-rate %.15g%s "
        "--json",
        setup->strategy_name, setup->workload_name, (unsigned)setup->tasks,
        (unsigned)setup->workers, cpus, (unsigned long long)params.seed,
        setting_print(&unit_setting, unit, sizeof unit), params.work_rate, text);
    record_set(&record->command, command);
    free(text);
}
