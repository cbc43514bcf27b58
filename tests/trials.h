/*
 * A trials.csv of made-up trials in a folder of its own: what the tests of everything that is
 * computed from one begin with. Included after cmocka.h.
 */
#ifndef TESTS_TRIALS_H
#define TESTS_TRIALS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

enum { ROUNDS = 6 };

static char dir[] = "/tmp/overlap-trials.XXXXXX";
static FILE *trials; /* being written */

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    return rmdir(dir); /* fails when anything else was left behind */
}

static int begin_trials(void **state)
{
    (void)state;
    trials = fopen(path_of("trials.csv"), "w");
    if (!trials)
        return -1;
    record_csv_header(trials);
    return 0;
}

/* A good trial, to be changed where a test needs it; written by put(). */
static struct record trial(const char *group, const char *strategy, const char *pass,
                           uint64_t round)
{
    struct record record;
    char cell[128];
    record_init(&record);
    snprintf(cell, sizeof cell, "%s-%s", group, strategy);
    record_set(&record.cell, cell);
    record_set(&record.group, group);
    record_set(&record.pass, pass);
    record.round = round;
    record_set(&record.strategy, strategy);
    record_set(&record.workload, "mixed");
    record_set(&record.cpus, "0");
    record.tasks = 4;
    record.seed = 1;
    record.ok = true;
    record.exit_status = 0;
    return record;
}

static void put(struct record record)
{
    record_csv_row(&record, trials);
    record_drop(&record);
}

/* What the machine's mood makes of each round: the same for all cells. */
static const double moods[ROUNDS + 1] = {50, 1.00, 1.10, 0.95, 1.30, 1.02, 0.90};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-6 * fabs(expected)))
        fail_msg("%.15g is not %.15g", value, expected);
}

#endif
