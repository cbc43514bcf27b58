/* See bench.h. */
#include "bench.h"
#include "array.h"
#include "calibrate.h"
#include "clock.h"
#include "environment.h"
#include "format.h"
#include "options.h"
#include "origin.h"
#include "perfetto.h"
#include "progress.h"
#include "suite.h"
#include "summary.h"
#include "supervise.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *out;
    uint64_t rounds, max_rounds, seed, budget_ns;
    double precision; /* per cent; NaN: not asked for */
    bool full, resume;
} given;

static const struct setting settings[] = {
    {"out", 'o', SETTING_TEXT, NULL, "DIR", "folder for the results [results/DATE-TIME]",
     &given.out, 0, 0},
    {"rounds", 0, SETTING_COUNT, NULL, "N", "timing rounds [the suite's]", &given.rounds, 1,
     100000},
    {"full", 0, SETTING_FLAG, NULL, NULL,
     "all cells in all rounds, also those to which the suite gives fewer", &given.full, 0, 0},
    {"precision", 0, SETTING_NUMBER, NULL, "PERCENT",
     "go on after them until each median wall time is known to within that [off]", &given.precision,
     0.01, 1e6},
    {"max-rounds", 0, SETTING_COUNT, NULL, "N", "but no longer than that [three times the rounds]",
     &given.max_rounds, 1, 300000},
    {"budget", 0, SETTING_DURATION, NULL, "TIME", "begin no round that would end later [none]",
     &given.budget_ns, 1, 7 * 86400e9},
    {"seed", 0, SETTING_COUNT, NULL, "N", "of the order of trials [1]", &given.seed, 1, 9e15},
    {"resume", 0, SETTING_FLAG, NULL, NULL, "go on with the run in --out", &given.resume, 0, 0},
    {0},
};

enum { ROUNDS_MAX = 100000, WARM_UP_LEAST = 10 };

/* Why a pass of a cell is run no more. */
enum standing {
    RUNS,
    TOO_LONG, /* its least time exceeds the budget of a cell */
    UNABLE,   /* a limit of this system stops it */
    BROKEN,   /* it failed twice */
};

/* What the bench knows of a cell while it runs. */
struct cell_state {
    struct record identity; /* as the cell's own dry run told it */
    enum standing standing[PASSES];
    unsigned failures[PASSES];
    double expected_ns[PASSES]; /* of one trial, process and all */
    double *walls;              /* wall_ns of its timing rounds so far */
    size_t wall_count;
};

/* One trial to come. */
struct entry {
    size_t cell;
    enum pass pass;
};

struct bench {
    struct suite suite;
    struct cell_state *states;
    char *folder;
    FILE *trials;
    struct record *done; /* what an earlier session has left, with --resume */
    size_t done_count;
    double work_rate;
    char origin_url[256];
    pid_t origin;
    uint64_t rounds;      /* of the suite, at least */
    uint64_t most_rounds; /* more than `rounds` where a precision is asked for */
    uint64_t start_ns, trial_count;
    const char *stopped; /* what ended it, as in environment.json; with `ended` for people */
    char ended[256];
};

static char *path_in(const struct bench *bench, const char *format, ...)
{
    char name[1024], *path;
    va_list values;
    va_start(values, format);
    vsnprintf(name, sizeof name, format, values);
    va_end(values);
    if (asprintf(&path, "%s/%s", bench->folder, name) < 0)
        err(EXIT_UNABLE, "cannot name a file");
    return path;
}

/* ---- The folder ---- */

static void make_one_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        err(EXIT_USAGE, "cannot make the folder %s", path);
}

static void make_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        err(EXIT_UNABLE, "cannot make %s", path);
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        make_one_folder(copy);
        *slash = '/';
    }
    free(copy);
    make_one_folder(path);
}

static char *default_folder(void)
{
    char name[64];
    time_t now = time(NULL);
    struct tm local;
    strftime(name, sizeof name, "results/%Y%m%d-%H%M%S", localtime_r(&now, &local));
    char *folder = strdup(name);
    if (!folder)
        err(EXIT_UNABLE, "cannot name the folder of the results");
    return folder;
}

static void refuse_run(const struct bench *bench)
{
    errx(EXIT_USAGE, "%s already holds a run; go on with it by --resume or choose another --out",
         bench->folder);
}

/* Takes trials.csv, and with it the folder. A bench that was killed before it wrote down what it
 * was has left a trials.csv without rows, which is no run. */
static void open_trials(struct bench *bench)
{
    char *path = path_in(bench, "trials.csv"), why[512];
    char *environment = path_in(bench, "environment.json");
    bool there = access(path, F_OK) == 0;
    if (there && !given.resume && access(environment, F_OK) == 0)
        refuse_run(bench);
    if (!there && given.resume)
        errx(EXIT_USAGE, "%s holds no run to resume", bench->folder);
    bench->trials = records_append(path, why, sizeof why);
    if (!bench->trials)
        errx(EXIT_USAGE, "%s", why);
    size_t torn;
    bench->done = records_read(path, &bench->done_count, &torn, why, sizeof why);
    if (!bench->done)
        errx(EXIT_USAGE, "%s", why);
    if (bench->done_count > 0 && !given.resume)
        refuse_run(bench);
    free(environment);
    free(path);
}

static void flush_trials(const struct bench *bench)
{
    if (fflush(bench->trials) != 0 || ferror(bench->trials)) {
        progress_end();
        err(EXIT_FAILED, "cannot write %s/trials.csv; what is there can be resumed", bench->folder);
    }
}

/* ---- environment.json: the machine, and what a resumed bench must do alike ---- */

static void write_environment(const struct bench *bench, const char *suite)
{
    json_t *environment = environment_read();
    json_object_set_new(environment, "suite", json_string(suite));
    json_object_set_new(environment, "rounds", json_integer((json_int_t)bench->rounds));
    json_object_set_new(environment, "full", json_boolean(given.full));
    json_object_set_new(environment, "seed", json_integer((json_int_t)given.seed));
    json_object_set_new(environment, "work_rate", json_real(bench->work_rate));
    char *path = path_in(bench, "environment.json");
    if (json_dump_file(environment, path, JSON_INDENT(2)) != 0)
        err(EXIT_FAILED, "cannot write %s", path);
    free(path);
    json_decref(environment);
}

static void note_environment(const struct bench *bench, const char *key, json_t *value)
{
    char why[1024];
    if (environment_note(bench->folder, key, value, why, sizeof why) != 0)
        errx(EXIT_FAILED, "%s", why);
}

/* How far this session means to go; an earlier one may have meant less. */
static void note_plan(const struct bench *bench)
{
    note_environment(bench, "max_rounds", json_integer((json_int_t)bench->most_rounds));
    note_environment(bench, "precision_percent",
                     isnan(given.precision) ? json_null() : json_real(given.precision));
}

static void read_environment(struct bench *bench)
{
    char *path = path_in(bench, "environment.json");
    json_error_t error;
    json_t *environment = json_load_file(path, 0, &error);
    double rate = json_real_value(json_object_get(environment, "work_rate"));
    if (!environment || !(rate > 0))
        errx(EXIT_USAGE, "cannot resume: %s holds no work_rate", path);
    bench->work_rate = rate;
    json_int_t seed = json_integer_value(json_object_get(environment, "seed"));
    json_int_t rounds = json_integer_value(json_object_get(environment, "rounds"));
    if (seed < 0 || !json_is_integer(json_object_get(environment, "seed")) || rounds < 1 ||
        rounds > ROUNDS_MAX)
        errx(EXIT_USAGE, "cannot resume: %s holds no seed, or no rounds from 1 to %d", path,
             ROUNDS_MAX);
    given.seed = (uint64_t)seed;
    bench->rounds = (uint64_t)rounds;
    given.full = json_is_true(json_object_get(environment, "full"));
    json_t *precision = json_object_get(environment, "precision_percent");
    if (isnan(given.precision) && json_is_number(precision)) {
        given.precision = json_number_value(precision);
        if (!given.max_rounds)
            given.max_rounds =
                (uint64_t)json_integer_value(json_object_get(environment, "max_rounds"));
    }
    json_decref(environment);
    free(path);
}

/* The suite as it was run stays with its results; a resumed bench reads that one. */
static void copy_suite(const struct bench *bench)
{
    char *path = path_in(bench, "suite.txt"), buffer[4096];
    FILE *from = fopen(bench->suite.path, "re"), *to = fopen(path, "we");
    if (!from || !to)
        err(EXIT_FAILED, "cannot write %s", path);
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, from)) > 0;)
        fwrite(buffer, 1, got, to);
    fclose(from);
    if (fclose(to) != 0)
        err(EXIT_FAILED, "cannot write %s", path);
    free(path);
}

/* ---- One trial ---- */

static void set_identity(struct record *record, const struct cell *cell, uint64_t round,
                         uint64_t position, const char *pass)
{
    const char *base = strrchr(cell->strategy, '/');
    record_set(&record->strategy, base ? base + 1 : cell->strategy);
    record_set(&record->cell, cell->name);
    record_set(&record->group, cell->group);
    record_set(&record->pass, pass);
    record->control = cell->control;
    record->round = round;
    record->position = position;
}

/* What the trial itself would have said of who it is, when it did not come to that. */
static void complete_identity(struct record *record, const struct record *identity)
{
    if (!record->strategy) {
        record_set(&record->workload, identity->workload);
        record_set(&record->cpus, identity->cpus);
        record_set(&record->options, identity->options);
        record->tasks = identity->tasks;
        record->workers = identity->workers;
        record->seed = identity->seed;
        record->unit_ns = identity->unit_ns;
        record->work_rate = identity->work_rate;
    }
    record_set(&record->command, identity->command);
}

static void set_external_command(struct record *record, const struct cell *cell, const char *rate)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    if (!file)
        err(EXIT_UNABLE, "cannot note a command");
    fprintf(file, "%s run", cell->strategy);
    for (char **word = cell->arguments.words; *word; word++)
        fprintf(file, " %s", *word);
    fprintf(file, " --work-rate %s --json", rate);
    fclose(file);
    record_set(&record->command, text);
    free(text);
}

/* Asks each cell who it is and how long it takes at least. Ends the program when one is wrong. */
static void check_cells(struct bench *bench)
{
    char rate[32];
    snprintf(rate, sizeof rate, "%.15g", bench->work_rate);
    for (size_t i = 0; i < bench->suite.cell_count && !interrupted; i++) {
        const struct cell *cell = &bench->suite.cells[i];
        struct cell_state *state = &bench->states[i];
        record_init(&state->identity);
        struct arguments arguments = {0};
        arguments_add(&arguments, (const char *const *)cell->arguments.words);
        arguments_add(&arguments, (const char *[]){"--work-rate", rate, "--dry-run", NULL});
        if (strategy_is_external(cell->strategy)) /* another strategy reads its options */
            arguments_add(&arguments, (const char *[]){"-s", "sequential", NULL});
        int status = supervise("sequential", arguments.words, PASS_TIMING, &state->identity, NULL);
        arguments_drop(&arguments);
        if (status > 0)
            errx(status, "%s:%u: %s", bench->suite.path, cell->line, state->identity.reason);
        if (strategy_is_external(cell->strategy)) {
            state->identity.bound_ns = NO_NUMBER;
            set_external_command(&state->identity, cell, rate);
        }
        uint64_t least_ns = state->identity.bound_ns;
        bool too_long = least_ns != NO_NUMBER && least_ns > bench->suite.cell_budget_ns;
        for (enum pass pass = 0; pass < PASSES; pass++) {
            bool whole = pass != PASS_MEMORY; /* there the tasks are held, and then ended */
            state->standing[pass] = too_long && whole ? TOO_LONG : RUNS;
            state->expected_ns[pass] =
                least_ns != NO_NUMBER && whole ? (double)least_ns + 5e6 : 1e8;
        }
    }
}

/* For the precision that is reached. */
static void note_wall(struct cell_state *state, const struct record *record)
{
    if (strcmp(record->pass, "timing") != 0 || record->round == 0 || !record->ok)
        return;
    state->walls = array_resize(state->walls, state->wall_count + 1, sizeof *state->walls);
    state->walls[state->wall_count++] = record_number(record->wall_ns);
}

static void write_row(struct bench *bench, const struct record *record)
{
    record_csv_row(record, bench->trials);
    flush_trials(bench);
}

static void write_bound(struct bench *bench, size_t index)
{
    struct record *record = &bench->states[index].identity;
    char why[256];
    set_identity(record, &bench->suite.cells[index], 0, 0, "bound");
    snprintf(why, sizeof why, "not run: it takes at least %.3g s, more than the %.3g s of a cell",
             (double)record->bound_ns / 1e9, (double)bench->suite.cell_budget_ns / 1e9);
    record_set(&record->reason, why);
    record->ok = true;
    write_row(bench, record);
}

/* A cell that cannot run here will not in the next round; one that failed gets one more chance. */
static void judge_cell(struct cell_state *state, enum pass pass, int status)
{
    if (status == EXIT_UNABLE)
        state->standing[pass] = UNABLE;
    else if (status != 0 && ++state->failures[pass] == 2)
        state->standing[pass] = BROKEN;
}

static void run_entry(struct bench *bench, struct entry entry, uint64_t round, uint64_t position)
{
    const struct cell *cell = &bench->suite.cells[entry.cell];
    struct cell_state *state = &bench->states[entry.cell];
    char rate[32];
    snprintf(rate, sizeof rate, "%.15g", bench->work_rate);
    char *timeline =
        path_in(bench, "timelines/%s.r%llu.csv", cell->name, (unsigned long long)round);
    struct arguments arguments = {0};
    arguments_add(&arguments, (const char *const *)cell->arguments.words);
    arguments_add(&arguments, (const char *[]){"--work-rate", rate, NULL});
    if (bench->origin)
        arguments_add(&arguments, (const char *[]){"--origin", bench->origin_url, NULL});
    if (!strategy_is_external(cell->strategy))
        arguments_add(&arguments, (const char *[]){"--pass", pass_names[entry.pass], NULL});
    if (entry.pass == PASS_TIMELINE)
        arguments_add(&arguments, (const char *[]){"--timeline", timeline, NULL});
    struct record record;
    record_init(&record);
    if (bench->origin)
        origin_keep_off(bench->origin, state->identity.cpus);
    uint64_t start_ns = clock_now_ns();
    int status = supervise(cell->strategy, arguments.words, entry.pass, &record, NULL);
    state->expected_ns[entry.pass] = (double)(clock_now_ns() - start_ns);
    arguments_drop(&arguments);
    if (status >= 0) {
        complete_identity(&record, &state->identity);
        set_identity(&record, cell, round, position, pass_names[entry.pass]);
        write_row(bench, &record);
        note_wall(state, &record);
        bench->trial_count++;
        judge_cell(state, entry.pass, status);
    }
    if (entry.pass == PASS_TIMELINE && status != 0)
        unlink(timeline);
    free(timeline);
    record_drop(&record);
}

/* ---- Rounds ---- */

static bool is_done(const struct bench *bench, struct entry entry, uint64_t round)
{
    for (size_t i = 0; i < bench->done_count; i++)
        if (bench->done[i].round == round &&
            strcmp(bench->done[i].pass, pass_names[entry.pass]) == 0 &&
            strcmp(bench->done[i].cell, bench->suite.cells[entry.cell].name) == 0)
            return true;
    return false;
}

static bool has_entry(const struct bench *bench, struct entry entry, uint64_t round)
{
    if (!bench->suite.cells[entry.cell].passes[entry.pass] ||
        bench->states[entry.cell].standing[entry.pass] == TOO_LONG)
        return false;
    uint64_t most = entry.pass == PASS_MEMORY || entry.pass == PASS_SYSCALLS
                        ? bench->suite.memory_rounds
                    : entry.pass == PASS_TIMELINE ? bench->suite.timeline_rounds
                                                  : bench->most_rounds;
    if (round == 0) /* what runs seldom would spend more time on warming up than on running */
        return entry.pass == PASS_TIMING && bench->suite.cells[entry.cell].rounds >= WARM_UP_LEAST;
    return round <= most && round <= bench->suite.cells[entry.cell].rounds;
}

/* The entries of a round in their shuffled order, which depends on seed and round alone. */
static size_t make_round(const struct bench *bench, uint64_t round, struct entry *entries)
{
    size_t count = 0;
    for (size_t cell = 0; cell < bench->suite.cell_count; cell++)
        for (enum pass pass = 0; pass < PASSES; pass++)
            if (has_entry(bench, (struct entry){cell, pass}, round))
                entries[count++] = (struct entry){cell, pass};
    for (size_t i = count; i > 1; i--) { /* Fisher and Yates */
        size_t k = workload_random(given.seed, (uint32_t)round, (uint32_t)i) % i;
        struct entry swap = entries[i - 1];
        entries[i - 1] = entries[k];
        entries[k] = swap;
    }
    return count;
}

/* What a round is expected to take. */
static double round_ns(const struct bench *bench, uint64_t round)
{
    double sum = 0;
    for (size_t cell = 0; cell < bench->suite.cell_count; cell++)
        for (enum pass pass = 0; pass < PASSES; pass++)
            if (has_entry(bench, (struct entry){cell, pass}, round) &&
                bench->states[cell].standing[pass] == RUNS)
                sum += bench->states[cell].expected_ns[pass];
    return sum;
}

static void run_round(struct bench *bench, uint64_t round, struct entry *entries)
{
    size_t count = make_round(bench, round, entries);
    double later_ns = 0, this_ns = 0;
    for (uint64_t later = round + 1; later <= bench->rounds; later++)
        later_ns += round_ns(bench, later);
    for (size_t i = 0; i < count; i++)
        this_ns += bench->states[entries[i].cell].expected_ns[entries[i].pass];
    for (size_t i = 0; i < count && !interrupted; i++) {
        const struct cell_state *state = &bench->states[entries[i].cell];
        double expected = state->expected_ns[entries[i].pass];
        double spent_ns = (double)(clock_now_ns() - bench->start_ns);
        double left_ns = later_ns + this_ns;
        bool extra = round > bench->rounds;
        progress_show(spent_ns / (spent_ns + left_ns), left_ns, "round %llu of %s%llu: %s, %s",
                      (unsigned long long)round, extra ? "at most " : "",
                      (unsigned long long)(extra ? bench->most_rounds : bench->rounds),
                      bench->suite.cells[entries[i].cell].name, pass_names[entries[i].pass]);
        if (state->standing[entries[i].pass] == RUNS && !is_done(bench, entries[i], round))
            run_entry(bench, entries[i], round, i + 1);
        this_ns -= expected;
    }
}

static bool is_round_done(const struct bench *bench, uint64_t round)
{
    for (size_t cell = 0; cell < bench->suite.cell_count; cell++)
        for (enum pass pass = 0; pass < PASSES; pass++)
            if (has_entry(bench, (struct entry){cell, pass}, round) &&
                !is_done(bench, (struct entry){cell, pass}, round))
                return false;
    return true;
}

/* Would the next round end after the budget? */
static bool out_of_budget(const struct bench *bench, uint64_t round)
{
    if (!given.budget_ns || round == 0 || is_round_done(bench, round))
        return false;
    double spent_ns = (double)(clock_now_ns() - bench->start_ns);
    return spent_ns + round_ns(bench, round) > (double)given.budget_ns;
}

/* Half of the widest 95 % interval of a median wall time, as a fraction of that median, and whose
 * it is; cells that failed give no numbers, those with rounds of their own don't count. Infinite
 * while there are too few rounds to tell. */
static double least_precision(const struct bench *bench, const char **name)
{
    double widest = 0;
    *name = "no cell";
    for (size_t i = 0; i < bench->suite.cell_count; i++) {
        const struct cell_state *state = &bench->states[i];
        const struct cell *cell = &bench->suite.cells[i];
        if (!cell->passes[PASS_TIMING] || cell->rounds != EVERY_ROUND ||
            state->standing[PASS_TIMING] != RUNS || state->failures[PASS_TIMING] > 0)
            continue;
        struct stats wall = stats_of(state->walls, state->wall_count);
        double half = isnan(wall.low) ? INFINITY : (wall.high - wall.low) / 2 / wall.median;
        if (half >= widest) {
            widest = half;
            *name = bench->suite.cells[i].name;
        }
    }
    return widest;
}

static bool is_precise(const struct bench *bench)
{
    const char *name = NULL;
    return !isnan(given.precision) && least_precision(bench, &name) <= given.precision / 100;
}

/* Notes what ended the bench before `round`. */
static void note_end(struct bench *bench, const char *stopped, uint64_t round)
{
    char reached[160] = "", half[FORMAT_BYTES];
    const char *name = "";
    double widest = isnan(given.precision) ? INFINITY : least_precision(bench, &name);
    if (isfinite(widest))
        snprintf(reached, sizeof reached, "; the widest interval is that of %s, ±%s", name,
                 format_percent(half, sizeof half, widest));
    bench->stopped = stopped;
    snprintf(bench->ended, sizeof bench->ended, "%s after %llu of %s%llu rounds%s",
             strcmp(stopped, "precision") == 0 ? "precise enough"
             : strcmp(stopped, "rounds") == 0  ? "done"
             : strcmp(stopped, "budget") == 0  ? "the budget ends"
                                               : "interrupted",
             (unsigned long long)(round > 0 ? round - 1 : 0),
             bench->most_rounds > bench->rounds ? "at most " : "",
             (unsigned long long)bench->most_rounds, reached);
}

static void run_rounds(struct bench *bench)
{
    size_t most = bench->suite.cell_count * PASSES;
    struct entry *entries = array_resize(NULL, most, sizeof *entries);
    uint64_t round = 0;
    const char *stopped = "rounds";
    for (; round <= bench->most_rounds && !interrupted; round++) {
        if (round > bench->rounds && !is_round_done(bench, round) && is_precise(bench))
            break;
        if (out_of_budget(bench, round)) {
            stopped = "budget";
            break;
        }
        run_round(bench, round, entries);
    }
    progress_end();
    if (interrupted)
        stopped = "interrupted";
    else if (round > bench->rounds && is_precise(bench))
        stopped = "precision";
    note_end(bench, stopped, round);
    free(entries);
}

/* ---- The command ---- */

static void start_origin(struct bench *bench)
{
    char why[512];
    bool wanted = false;
    for (size_t i = 0; i < bench->suite.cell_count; i++) {
        const struct workload *workload = workload_find(bench->suite.cells[i].workload);
        wanted = wanted || (workload && workload->wants_origin);
    }
    if (!wanted)
        return;
    bench->origin = origin_start(bench->origin_url, sizeof bench->origin_url, why, sizeof why);
    if (bench->origin < 0)
        errx(EXIT_UNABLE, "%s", why);
}

static void set_most_rounds(struct bench *bench)
{
    bench->most_rounds = bench->rounds;
    if (isnan(given.precision) && given.max_rounds)
        errx(EXIT_USAGE, "--max-rounds goes with --precision; --rounds says how many there are");
    if (isnan(given.precision))
        return;
    bench->most_rounds = given.max_rounds ? given.max_rounds : 3 * bench->rounds;
    if (bench->most_rounds < bench->rounds)
        errx(EXIT_USAGE, "--max-rounds %llu is less than the %llu rounds that are run at least",
             (unsigned long long)bench->most_rounds, (unsigned long long)bench->rounds);
}

/* What an earlier session has found out. */
static void take_up(struct bench *bench)
{
    for (size_t i = 0; i < bench->done_count; i++)
        for (size_t cell = 0; cell < bench->suite.cell_count; cell++)
            if (strcmp(bench->done[i].cell, bench->suite.cells[cell].name) == 0)
                note_wall(&bench->states[cell], &bench->done[i]);
}

static const char default_suite[] = "default";
enum { default_seed = 1 };

static void open_bench(struct bench *bench, const char *suite)
{
    char why[1024];
    bench->folder = given.out ? strdup(given.out) : default_folder();
    if (!bench->folder)
        err(EXIT_UNABLE, "cannot name the folder of the results");
    if (given.resume && !given.out)
        errx(EXIT_USAGE, "--resume needs --out DIR: the run to go on with");
    if (given.resume && (suite || given.rounds || given.seed || given.full))
        errx(EXIT_USAGE,
             "--resume goes on with the suite, the rounds (--rounds, --full) and the seed that are "
             "stored in %s; give none of them",
             bench->folder);
    if (!suite)
        suite = default_suite;
    if (!given.seed)
        given.seed = default_seed;
    char *stored = path_in(bench, "suite.txt");
    if (suite_read(given.resume ? stored : suite, &bench->suite, why, sizeof why) != 0)
        errx(EXIT_USAGE, "%s", why);
    free(stored);
    size_t bytes = bench->suite.cell_count * sizeof *bench->states;
    bench->states = memset(array_resize(NULL, 1, bytes), 0, bytes);
    bench->rounds = given.rounds ? given.rounds : bench->suite.rounds;
    if (given.resume)
        read_environment(bench);
    else
        bench->work_rate = calibrate();
    for (size_t i = 0; given.full && i < bench->suite.cell_count; i++)
        bench->suite.cells[i].rounds = EVERY_ROUND;
    set_most_rounds(bench);
    check_cells(bench);
    if (interrupted)
        interrupt_end();

    make_folder(bench->folder);
    char *timelines = path_in(bench, "timelines");
    make_folder(timelines);
    free(timelines);
    open_trials(bench);
    take_up(bench);
    if (!given.resume) {
        write_environment(bench, suite);
        copy_suite(bench);
        for (size_t i = 0; i < bench->suite.cell_count; i++)
            if (bench->states[i].standing[PASS_TIMING] == TOO_LONG &&
                bench->suite.cells[i].passes[PASS_TIMING])
                write_bound(bench, i);
    }
    note_plan(bench);
    start_origin(bench);
}

/* The timelines that are drawn, for Perfetto as well. */
static void write_traces(const struct summary *summary, const char *folder)
{
    for (size_t g = 0; g < summary->group_count; g++) {
        for (size_t c = 0; c < summary->groups[g].cell_count; c++) {
            const struct record *traced = summary->groups[g].cells[c].traced;
            if (!traced)
                continue;
            char csv[4096], json[4096], why[1024];
            snprintf(csv, sizeof csv, "%s/timelines/%s.r%llu.csv", folder, traced->cell,
                     (unsigned long long)traced->round);
            snprintf(json, sizeof json, "%s/timelines/%s.trace.json", folder, traced->cell);
            if (perfetto_write(csv, json, traced->cell, why, sizeof why) != 0)
                warnx("no trace for Perfetto: %s", why);
        }
    }
}

static void close_bench(struct bench *bench)
{
    if (bench->origin)
        origin_stop(bench->origin);
    if (fclose(bench->trials) != 0)
        err(EXIT_FAILED, "cannot write %s/trials.csv", bench->folder);
    for (size_t i = 0; i < bench->suite.cell_count; i++) {
        record_drop(&bench->states[i].identity);
        free(bench->states[i].walls);
    }
    for (size_t i = 0; i < bench->done_count; i++)
        record_drop(&bench->done[i]);
    free(bench->done);
    free(bench->states);
    suite_drop(&bench->suite);
    free(bench->folder);
}

int bench_main(int argc, char **argv)
{
    const struct setting *const tables[] = {settings, NULL};
    int operand = options_parse(
        argc, argv,
        &(struct command_line){
            .usage = "overlap bench [SUITE] [OPTIONS]",
            .summary = "Runs every cell of a suite in shuffled rounds and sums the trials up.",
            .details =
                "SUITE is a file, or one of those that come with the project: default, quick, map.",
            .tables = tables,
            .most = 1,
        });
    static struct bench bench;
    char why[1024];
    bench.start_ns = clock_now_ns();
    interrupt_catch();
    open_bench(&bench, operand < argc ? argv[operand] : NULL);
    run_rounds(&bench);

    note_environment(&bench, "stopped", json_string(bench.stopped));
    note_environment(&bench, "ended", json_string(bench.ended));
    if (interrupted && bench.trial_count + bench.done_count == 0) { /* nothing to sum up */
        warnx("stopped; go on with: overlap bench --resume --out %s", bench.folder);
        close_bench(&bench);
        interrupt_end();
    }
    struct summary *summary = summary_read(bench.folder, bench.suite.baseline, why, sizeof why);
    if (!summary || summary_save(summary, bench.folder, why, sizeof why) != 0)
        errx(EXIT_FAILED, "%s", why);
    write_traces(summary, bench.folder);
    summary_print(summary, stdout);
    bool failed = summary->failed_count > 0;
    summary_free(summary);
    if (interrupted)
        warnx("stopped; go on with: overlap bench --resume --out %s", bench.folder);
    else
        printf("\n%s\n%llu trials in %.0f s; results in %s\n", bench.ended,
               (unsigned long long)bench.trial_count,
               (double)(clock_now_ns() - bench.start_ns) / 1e9, bench.folder);
    close_bench(&bench);
    if (interrupted)
        interrupt_end();
    return failed ? EXIT_FAILED : 0;
}
