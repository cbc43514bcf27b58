/*
 * See trial.h. The timed region is in measure(): between its two clock readings there is nothing
 * but the strategy.
 */
#include "trial.h"
#include "calibrate.h"
#include "clock.h"
#include "ideal.h"
#include "setup.h"
#include "stats.h"
#include "syscalls.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- What is counted around the tasks, in memory that forked children share ---- */

static struct counters {
    _Atomic uint32_t started, done, alive, peak;
    _Atomic uint32_t held;
} * counters;

static const struct workload *workload;
static uint32_t hold_target; /* tasks that will be under way at once, in a memory pass */
static _Thread_local uint64_t work_began_ns;
static int syscall_counter = -1; /* in a syscalls pass */

static void on_started(struct task *task)
{
    atomic_fetch_add_explicit(&counters->started, 1, memory_order_relaxed);
    uint32_t alive = atomic_fetch_add_explicit(&counters->alive, 1, memory_order_relaxed) + 1;
    uint32_t peak = atomic_load_explicit(&counters->peak, memory_order_relaxed);
    while (alive > peak && !atomic_compare_exchange_weak(&counters->peak, &peak, alive))
        ;
    task->result->started_ns = clock_now_ns();
}

static void on_finished(struct task *task)
{
    atomic_fetch_sub_explicit(&counters->alive, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->done, 1, memory_order_relaxed);
    task->result->finished_ns = clock_now_ns();
}

static void on_work_begins(struct task *task)
{
    (void)task;
    work_began_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void on_work_begins_traced(struct task *task)
{
    trace_work_begins(task);
    on_work_begins(task);
}

static void on_work_ends(struct task *task)
{
    task->result->work_ns += clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - work_began_ns;
}

static void on_release(struct task *task)
{
    if (workload->release)
        workload->release(task);
}

/* ---- Making tasks ---- */

static struct task *create(struct trial *trial, unsigned id)
{
    struct task *task = calloc(1, workload->task_bytes);
    if (!task)
        return NULL;
    task->id = id;
    task->result = &trial->results[id];
    task->body = workload->body;
    int error = workload->init ? workload->init(task) : 0;
    if (error) {
        task_free(task);
        errno = -error;
        return NULL;
    }
    return task;
}

static struct task *create_traced(struct trial *trial, unsigned id)
{
    trace_creating(id);
    struct task *task = create(trial, id);
    if (task)
        task->body = trace_body;
    return task;
}

/* The memory pass: a task goes on to its first wait for time or data, or to its end, and is then
 * held for longer than anybody looks. The last to come says so. The supervisor reads the memory of
 * the tree while nobody moves, and ends it. */
static const struct op *hold_body(struct task *task, int64_t result)
{
    const struct op *op = workload->body(task, result);
    if (op && op->kind != OP_SLEEP && op->kind != OP_RECV && op->kind != OP_READ)
        return op;
    if (atomic_fetch_add(&counters->held, 1) + 1 == hold_target) {
        char line[64];
        int length = snprintf(line, sizeof line, "{\"schema\":%d,\"tasks_held\":%u}\n",
                              RECORD_SCHEMA, hold_target);
        if (write(STDOUT_FILENO, line, (size_t)length) != length)
            _exit(EXIT_FAILED);
    }
    task->op = op_sleep(UINT64_C(86400) * 1000000000);
    return &task->op;
}

static struct task *create_held(struct trial *trial, unsigned id)
{
    struct task *task = create(trial, id);
    if (task)
        task->body = hold_body;
    return task;
}

/* Tasks that the strategy has under way at once. */
static uint32_t alive_at_once(const struct setup *setup)
{
    uint32_t most = setup->strategy->alive == ALIVE_ONE       ? 1
                    : setup->strategy->alive == ALIVE_WORKERS ? (uint32_t)setup->workers
                                                              : (uint32_t)setup->tasks;
    return most < setup->tasks ? most : (uint32_t)setup->tasks;
}

/* ---- Before the clock ---- */

/* Ends the program when the strategy cannot run this workload here, whatever the limits. */
static void check_strategy(const struct setup *setup)
{
    const struct strategy *strategy = setup->strategy;
    const char *unavailable = strategy->unavailable ? strategy->unavailable() : NULL;
    if (unavailable)
        errx(EXIT_UNABLE, "%s cannot run here: %s", strategy->name, unavailable);
    if (!workload->needs_all_alive || alive_at_once(setup) == setup->tasks)
        return;
    if (strategy->alive == ALIVE_ONE)
        errx(EXIT_UNABLE,
             "deadlocked by design: %s needs all its tasks alive at once, %s finishes one before "
             "it starts the next",
             workload->name, strategy->name);
    errx(EXIT_UNABLE,
         "deadlocked by design: %s needs all its tasks alive at once, %s has no more of them than "
         "workers; as many as tasks would do: -j %" PRIu64,
         workload->name, strategy->name, setup->tasks);
}

/* The same conditions for every strategy. */
static void set_conditions(const struct setup *setup)
{
    if (sched_setaffinity(0, sizeof setup->cpus, &setup->cpus) != 0)
        err(EXIT_UNABLE, "cannot run on cores %s", setup->cpu_list);
    prctl(PR_SET_TIMERSLACK, 1UL); /* threads and children inherit it */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void set_hooks(const struct setup *setup)
{
    task_hooks = (struct task_hooks){
        .started = on_started,
        .finished = on_finished,
        .work_begins = on_work_begins,
        .work_ends = on_work_ends,
        .release = on_release,
    };
    if (setup->pass == PASS_TIMELINE) {
        task_hooks.work_begins = on_work_begins_traced;
        task_hooks.checkpoint = trace_checkpoint;
    }
}

static void begin_trace(const struct setup *setup)
{
    char why[512];
    const struct trace_setup trace = {.tasks = (unsigned)setup->tasks, .body = workload->body};
    if (trace_begin(&trace, why, sizeof why) != 0)
        errx(EXIT_UNABLE, "%s", why);
}

/* Has the workload make what its tasks find there. */
static void provide(struct trial *trial, struct record *record)
{
    for (unsigned id = 0; workload->provide && id < trial->tasks; id++) {
        int error = -workload->provide(id);
        if (error) {
            int status = strategy_limit(trial, "task", id, error);
            errx(status == STRATEGY_LIMIT ? EXIT_UNABLE : EXIT_FAILED, "%s", trial->reason);
        }
    }
    record_set(&record->note, workload->note ? workload->note() : NULL);
}

/* Memory that is there before the clock starts, for all strategies alike. */
static void *allocate(size_t bytes, int sharing)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        err(EXIT_UNABLE, "cannot allocate %zu bytes for results; fewer tasks (-n) would do", bytes);
    return memory;
}

/* ---- The clock ---- */

struct measured {
    int status; /* of strategy->run() */
    uint64_t start_ns, end_ns;
    struct rusage before, after; /* this process and its children, added */
    uint64_t system_calls;
};

static void add_time(struct timeval *sum, struct timeval more)
{
    sum->tv_sec += more.tv_sec;
    sum->tv_usec += more.tv_usec;
}

static struct rusage read_usage(void)
{
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    add_time(&own.ru_utime, children.ru_utime);
    add_time(&own.ru_stime, children.ru_stime);
    own.ru_nvcsw += children.ru_nvcsw;
    own.ru_nivcsw += children.ru_nivcsw;
    return own;
}

static struct measured measure(const struct strategy *strategy, struct trial *trial)
{
    struct measured measured = {.before = read_usage(), .system_calls = NO_NUMBER};
    if (syscall_counter >= 0)
        syscalls_start(syscall_counter);
    measured.start_ns = clock_now_ns();
    measured.status = strategy->run(trial);
    measured.end_ns = clock_now_ns();
    if (syscall_counter >= 0)
        measured.system_calls = syscalls_stop(syscall_counter);
    measured.after = read_usage();
    return measured;
}

/* ---- After the clock ---- */

static uint64_t time_between(struct timeval from, struct timeval to)
{
    return (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_usec - from.tv_usec) * 1000);
}

static void note_measured(const struct measured *measured, const struct trial *trial,
                          struct record *record)
{
    record->wall_ns = measured->end_ns - measured->start_ns;
    record->user_ns = time_between(measured->before.ru_utime, measured->after.ru_utime);
    record->system_ns = time_between(measured->before.ru_stime, measured->after.ru_stime);
    record->voluntary_switches = (uint64_t)(measured->after.ru_nvcsw - measured->before.ru_nvcsw);
    record->involuntary_switches =
        (uint64_t)(measured->after.ru_nivcsw - measured->before.ru_nivcsw);
    record->task_switches = trial->task_switches;
    record->system_calls = measured->system_calls;
    record->tasks_started = counters->started;
    record->tasks_done = counters->done;
    record->tasks_peak = counters->peak;
}

/* Looks at what the tasks handed back, which nobody needs any more then. */
static void check_results(struct trial *trial)
{
    for (unsigned id = 0; id < trial->tasks; id++) {
        struct result *result = &trial->results[id];
        if (workload->check)
            workload->check(result);
        free(result->payload);
        result->payload = NULL;
    }
}

/* FNV-1a (Fowler, Noll, Vo) over the digests, in the order of the tasks. */
static uint64_t digest_of(const struct trial *trial)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned id = 0; id < trial->tasks; id++)
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ ((trial->results[id].digest >> shift) & 0xff)) * 0x100000001b3u;
    return hash;
}

/* What an iteration of work() took in this trial, by the CPU clocks of its own tasks. */
static double iteration_ns(const struct trial *trial)
{
    uint64_t iterations = 0, work_ns = 0;
    for (unsigned id = 0; id < trial->tasks; id++) {
        struct step steps[PLAN_STEPS_MAX];
        for (unsigned count = workload->plan(id, steps); count-- > 0;)
            iterations += steps[count].iterations;
        work_ns += trial->results[id].work_ns;
    }
    return iterations ? (double)work_ns / (double)iterations : 0;
}

static void note_tasks(const struct setup *setup, const struct trial *trial, uint64_t start_ns,
                       struct record *record)
{
    double *latencies = calloc(trial->tasks, sizeof *latencies);
    double *stretches = calloc(trial->tasks, sizeof *stretches);
    if (!latencies || !stretches)
        err(EXIT_UNABLE, "cannot sum up %u tasks", trial->tasks);
    record->bytes_moved = record->work_ns = 0;
    bool planned = true;
    for (unsigned id = 0; id < trial->tasks; id++) {
        const struct result *result = &trial->results[id];
        struct step steps[PLAN_STEPS_MAX];
        unsigned count = workload->plan(id, steps);
        uint64_t alone_ns = result->work_ns;
        for (unsigned i = 0; i < count; i++)
            alone_ns += steps[i].wait_ns;
        planned = planned && count > 0;
        record->bytes_moved += result->bytes_moved;
        record->work_ns += result->work_ns;
        latencies[id] = (double)(result->finished_ns - start_ns);
        stretches[id] = (double)(result->finished_ns - result->started_ns) / (double)alone_ns;
    }
    stats_sort(latencies, trial->tasks);
    record->latency_p50_ns = (uint64_t)stats_quantile(latencies, trial->tasks, 0.5);
    record->latency_p99_ns = (uint64_t)stats_quantile(latencies, trial->tasks, 0.99);
    record->latency_max_ns = (uint64_t)latencies[trial->tasks - 1];
    if (planned) {
        stats_sort(stretches, trial->tasks);
        record->stretch_p50 = stats_quantile(stretches, trial->tasks, 0.5);
        record->stretch_max = stretches[trial->tasks - 1];

        struct ideal ideal;
        if (ideal_schedule(workload, trial->tasks, setup->cpu_count, iteration_ns(trial), NULL,
                           NULL, &ideal) == 0) {
            record->bound_ns = ideal.bound_ns;
            record->ideal_ns = ideal.ideal_ns;
        }
    }
    free(latencies);
    free(stretches);
}

/* Did every task do its work? Returns the exit status, with the reason in trial->reason. */
static int judge(struct trial *trial, const struct record *record)
{
    unsigned failed = 0, first = 0;
    for (unsigned id = trial->tasks; id-- > 0;) {
        if (trial->results[id].error) {
            failed++;
            first = id;
        }
    }
    if (failed) {
        int error = trial->results[first].error;
        if ((error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL) &&
            strategy_limit(trial, "connection", first, error) == STRATEGY_LIMIT)
            return EXIT_UNABLE;
        snprintf(trial->reason, sizeof trial->reason,
                 "%u of %u tasks failed; the first of them, task %u: %s", failed, trial->tasks,
                 first, strerror(error));
        return EXIT_FAILED;
    }
    if (record->tasks_started != trial->tasks || record->tasks_done != trial->tasks) {
        snprintf(trial->reason, sizeof trial->reason,
                 "of %u tasks %" PRIu64 " were started and %" PRIu64 " done", trial->tasks,
                 record->tasks_started, record->tasks_done);
        return EXIT_FAILED;
    }
    return 0;
}

static void write_ideal_piece(void *context, uint32_t id, int cpu, uint64_t start_ns,
                              uint64_t end_ns)
{
    const struct interval interval = {
        .start_ns = start_ns,
        .end_ns = end_ns,
        .task = id,
        .cpu = cpu < 0 ? NO_CPU : cpu,
        .state = cpu < 0 ? STATE_IDEAL_WAITING : STATE_IDEAL_RUNNING,
    };
    timeline_csv_row(&interval, context);
}

static void write_timeline(const struct setup *setup, const struct trial *trial,
                           const struct measured *measured, struct record *record)
{
    struct trace_report report;
    if (trace_end(measured->start_ns, measured->end_ns, &report) != 0)
        err(EXIT_UNABLE, "cannot derive the timeline");
    record->trace_events = report.events;
    record->trace_dropped = report.dropped;
    record->trace_event_ns = report.event_ns;
    record_set(&record->switch_source, report.switch_source);
    record->wake_p50_ns = report.wake_p50_ns;
    record->wake_p99_ns = report.wake_p99_ns;
    record->wake_max_ns = report.wake_max_ns;
    if (setup->timeline) {
        FILE *file = fopen(setup->timeline, "we");
        if (!file)
            err(EXIT_FAILED, "cannot write the timeline %s", setup->timeline);
        struct ideal ideal;
        int status = trace_write(file);
        ideal_schedule(workload, trial->tasks, setup->cpu_count, iteration_ns(trial),
                       write_ideal_piece, file, &ideal);
        if (fclose(file) != 0 || status != 0)
            err(EXIT_FAILED, "cannot write the timeline %s", setup->timeline);
    }
    trace_drop();
}

static void say(const struct record *record)
{
    char *line = record_to_json(record);
    dprintf(STDOUT_FILENO, "%s\n", line);
    free(line);
}

/* Who this is, and the least time it can take: for the supervisor's patience and the bench's. */
static void say_hello(const struct setup *setup, struct record *record)
{
    struct ideal ideal;
    if (ideal_schedule(workload, (unsigned)setup->tasks, setup->cpu_count, 1 / params.work_rate,
                       NULL, NULL, &ideal) == 0)
        record->bound_ns = ideal_least_ns(&ideal, setup->strategy, (unsigned)setup->workers);
    if (setup->dry_run) {
        record->ok = true;
        record->exit_status = 0;
    }
    say(record);
}

int trial_main(int argc, char **argv)
{
    struct setup setup;
    struct record record;
    char why[512];
    setup_parse(argc, argv, &setup);
    if (!setup.strategy)
        errx(EXIT_USAGE, "an external program runs its trials itself");
    workload = setup.workload;
    if (isnan(params.work_rate))
        params.work_rate = calibrate_cached();
    const struct strategy *strategy = setup.strategy;
    if ((workload->prepare && workload->prepare(why, sizeof why) != 0) ||
        (strategy->prepare && strategy->prepare((unsigned)setup.tasks, why, sizeof why) != 0))
        errx(EXIT_USAGE, "%s", why);
    record_init(&record);
    setup_identify(&setup, &record);
    say_hello(&setup, &record);
    if (setup.dry_run) {
        record_drop(&record);
        return 0;
    }
    check_strategy(&setup);

    set_conditions(&setup);
    set_hooks(&setup);
    counters = allocate(sizeof *counters, MAP_SHARED);
    struct trial trial = {
        .tasks = (unsigned)setup.tasks,
        .workers = (unsigned)setup.workers,
        .results = allocate(setup.tasks * sizeof *trial.results, MAP_PRIVATE),
        .create = create,
    };
    provide(&trial, &record);
    if (setup.pass == PASS_MEMORY) {
        trial.create = create_held;
        hold_target = alive_at_once(&setup);
    } else if (setup.pass == PASS_TIMELINE) {
        trial.create = create_traced;
        begin_trace(&setup);
    } else if (setup.pass == PASS_SYSCALLS) {
        syscall_counter = syscalls_open(why, sizeof why);
        if (syscall_counter < 0)
            errx(EXIT_UNABLE, "%s", why);
    }

    struct measured measured = measure(strategy, &trial);

    note_measured(&measured, &trial, &record);
    if (measured.status == 0)
        check_results(&trial);
    int status = measured.status == STRATEGY_LIMIT    ? EXIT_UNABLE
                 : measured.status == STRATEGY_FAILED ? EXIT_FAILED
                                                      : judge(&trial, &record);
    if (status == 0) {
        char digest[32];
        snprintf(digest, sizeof digest, "%016" PRIx64, digest_of(&trial));
        record_set(&record.digest, digest);
        note_tasks(&setup, &trial, measured.start_ns, &record);
        if (setup.pass == PASS_TIMELINE)
            write_timeline(&setup, &trial, &measured, &record);
    }
    record.ok = status == 0;
    record.exit_status = (uint64_t)status;
    record_set(&record.reason, status ? trial.reason : NULL);
    say(&record);
    record_drop(&record);
    return status;
}
