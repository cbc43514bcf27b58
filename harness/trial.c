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
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- What is counted around the tasks, in memory that forked children share ---- */

static struct counters {
    _Atomic uint32_t started, done, alive, peak;
    _Atomic uint32_t at_gate;      /* that have come to their first wait */
    _Atomic uint64_t cancelled_ns; /* when the chosen ones were asked to end; 0: not yet */
} * counters;

static const struct workload *workload;
static struct workload planned; /* the same, its plan leaving out who is to be cancelled */
static uint32_t gate_target;    /* tasks that will be under way at once */
static uint64_t chosen_below;   /* of 2^32: the share that is to be cancelled */
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

/* What resumes a task: the workload's own body, or those that stand in for it one upon the other.
 */
static task_body *body;       /* limit_body() or the workload's */
static task_body *pass_body;  /* that of the pass, or `body` */
static task_body *first_body; /* gate_body() or `pass_body` */

/* With --timeout: a sleep that would take as long is that long, and has failed then. Those who wait
 * for sockets ask for the time by themselves. */
static const struct op *limit_body(struct task *task, int64_t result)
{
    if (task->op.kind == OP_SLEEP && task->op.time_ns == params.timeout_ns && result == 0)
        result = -ETIMEDOUT;
    const struct op *op = workload->body(task, result);
    if (op && op->kind == OP_SLEEP && op->time_ns > params.timeout_ns)
        task->op.time_ns = params.timeout_ns;
    return op;
}

static struct task *create(struct trial *trial, unsigned id)
{
    struct task *task = calloc(1, workload->task_bytes);
    if (!task)
        return NULL;
    task->id = id;
    task->result = &trial->results[id];
    task->body = first_body;
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
    return create(trial, id);
}

/* Is its task at the gate: at its first wait for time or data, or at its end? */
static bool is_at_gate(const struct op *op)
{
    return !op || op->kind == OP_SLEEP || op->kind == OP_RECV || op->kind == OP_READ;
}

static bool is_last_at_gate(void)
{
    return atomic_fetch_add(&counters->at_gate, 1) + 1 == gate_target;
}

static void say(const struct record *record)
{
    char *line = record_to_json(record);
    dprintf(STDOUT_FILENO, "%s\n", line);
    free(line);
}

/* What a task's error means: a limit of the system, or a failure. Returns the exit status, with the
 * reason in trial->reason. */
static int judge_error(struct trial *trial, unsigned id, int error)
{
    if ((error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL) &&
        strategy_limit(trial, "connection", id, error) == STRATEGY_LIMIT)
        return EXIT_UNABLE;
    snprintf(trial->reason, sizeof trial->reason, "task %u: %s", id,
             error == ETIMEDOUT ? "timed out" : strerror(error));
    return EXIT_FAILED;
}

/* In a memory pass: this task has failed, so there is nothing to read. The supervisor ends us. */
static void say_not_held(const struct task *task)
{
    struct trial trial = {.tasks = params.tasks};
    struct record record;
    record_init(&record);
    record.exit_status = (uint64_t)judge_error(&trial, task->id, task->result->error);
    record_set(&record.reason, trial.reason);
    say(&record);
    record_drop(&record);
}

/* The memory pass: a task goes on to its first wait for time or data, or to its end, and is then
 * held for longer than anybody looks. The last to come says so. The supervisor reads the memory of
 * the tree while nobody moves, and ends it. */
static const struct op *hold_body(struct task *task, int64_t result)
{
    const struct op *op = body(task, result);
    if (!is_at_gate(op))
        return op;
    if (!op && task->result->error)
        say_not_held(task);
    if (is_last_at_gate()) {
        char line[64];
        int length = snprintf(line, sizeof line, "{\"schema\":%d,\"tasks_held\":%u}\n",
                              RECORD_SCHEMA, gate_target);
        if (write(STDOUT_FILENO, line, (size_t)length) != length)
            _exit(EXIT_FAILED);
    }
    task->op = op_sleep(UINT64_C(86400) * 1000000000);
    return &task->op;
}

/* ---- Cancelling ---- */

/* The same tasks under every strategy, and no workload draws with this salt. */
static bool is_chosen(uint32_t id)
{
    uint32_t first = workload->together ? id - id % workload->together : id;
    return workload_random(params.seed, first, 0xca9ce1ed) < chosen_below;
}

/* Until a task is at the gate. The last to come there has the chosen ones cancelled, on its own
 * thread, before it waits as well. */
static const struct op *gate_body(struct task *task, int64_t result)
{
    const struct op *op = pass_body(task, result);
    if (!is_at_gate(op))
        return op;
    task->body = pass_body;
    if (is_last_at_gate()) {
        counters->cancelled_ns = clock_now_ns();
        eventfd_write(cancellation.fd, 1);
    }
    return op;
}

static void begin_cancellation(void)
{
    cancellation = (struct cancellation){.fd = eventfd(0, EFD_CLOEXEC), .chosen = is_chosen};
    if (cancellation.fd < 0)
        err(EXIT_UNABLE, "cannot make the descriptor that cancels");
}

/* A chosen one that was done before it could be cancelled is done. */
static bool was_cancelled(const struct trial *trial, unsigned id)
{
    return trial->results[id].error == ECANCELED && is_chosen(id);
}

/* Those who are to be cancelled may, but need not, take time. */
static unsigned plan_uncancelled(uint32_t id, struct step *steps)
{
    unsigned count = workload->plan(id, steps);
    if (count == 0 || !is_chosen(id))
        return count;
    steps[0] = (struct step){0};
    return 1;
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
    if (setup->cancel_share > 0 && !strategy->cancels)
        errx(EXIT_UNABLE, "cannot cancel: %s has no way to end an op early", strategy->name);
    char need[128] = "";
    if (workload->needs_all_alive)
        snprintf(need, sizeof need, "deadlocked by design: %s needs all its tasks alive at once",
                 workload->name);
    else if (setup->cancel_share > 0)
        snprintf(need, sizeof need, "cannot cancel: all tasks must be under way at once");
    if (!*need || alive_at_once(setup) == setup->tasks)
        return;
    if (strategy->alive == ALIVE_ONE)
        errx(EXIT_UNABLE, "%s, %s finishes one before it starts the next", need, strategy->name);
    errx(EXIT_UNABLE,
         "%s, %s has no more of them than workers; as many as tasks would do: -j %" PRIu64, need,
         strategy->name, setup->tasks);
}

/* The same conditions for every strategy. */
static void set_conditions(const struct setup *setup)
{
    if (sched_setaffinity(0, sizeof setup->cpus, &setup->cpus) != 0)
        err(EXIT_UNABLE, "cannot run on cores %s", setup->cpu_list);
    prctl(PR_SET_TIMERSLACK, 1UL); /* threads and children inherit it */
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
        task_hooks.lock_awaited = trace_lock_awaited;
        task_hooks.lock_taken = trace_lock_taken;
    }
}

static void begin_trace(const struct setup *setup)
{
    char why[512];
    const struct trace_setup trace = {.tasks = (unsigned)setup->tasks, .body = body};
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
    if (memory == MAP_FAILED) {
        struct trial trial = {.tasks = params.tasks};
        strategy_limit(&trial, "result", 0, errno);
        errx(EXIT_UNABLE, "%s", trial.reason);
    }
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

static void note_cancelled(const struct trial *trial, struct record *record)
{
    uint64_t last_ns = 0;
    if (cancellation.fd < 0)
        return;
    record->tasks_cancelled = 0;
    for (unsigned id = 0; id < trial->tasks; id++) {
        const struct result *result = &trial->results[id];
        if (was_cancelled(trial, id)) {
            record->tasks_cancelled++;
            last_ns = result->finished_ns > last_ns ? result->finished_ns : last_ns;
        }
    }
    record->tasks_done -= record->tasks_cancelled;
    if (record->tasks_cancelled > 0)
        record->cancel_ns = last_ns - counters->cancelled_ns;
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
    note_cancelled(trial, record);
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

/* FNV-1a (Fowler, Noll, Vo) over the digests, in the order of the tasks; without those that were to
 * be cancelled, whether or not they were. */
static uint64_t digest_of(const struct trial *trial)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned id = 0; id < trial->tasks; id++)
        for (int shift = 0; shift < 32 && !is_chosen(id); shift += 8)
            hash = (hash ^ ((trial->results[id].digest >> shift) & 0xff)) * 0x100000001b3u;
    return hash;
}

/* What an iteration of work() took in this trial, by the CPU clocks of its own tasks. */
static double iteration_ns(const struct trial *trial)
{
    uint64_t iterations = 0, work_ns = 0;
    for (unsigned id = 0; id < trial->tasks; id++) {
        struct step steps[PLAN_STEPS_MAX];
        for (unsigned count = planned.plan(id, steps); count-- > 0;)
            iterations += steps[count].iterations;
        work_ns += is_chosen(id) ? 0 : trial->results[id].work_ns;
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
    bool has_plan = true;
    unsigned count = 0; /* of those who were not to be cancelled */
    for (unsigned id = 0; id < trial->tasks; id++) {
        const struct result *result = &trial->results[id];
        struct step steps[PLAN_STEPS_MAX];
        record->bytes_moved += result->bytes_moved;
        record->work_ns += result->work_ns;
        if (is_chosen(id))
            continue;
        unsigned step_count = workload->plan(id, steps);
        uint64_t alone_ns = result->work_ns;
        for (unsigned i = 0; i < step_count; i++)
            alone_ns += steps[i].wait_ns;
        has_plan = has_plan && step_count > 0;
        latencies[count] = (double)(result->finished_ns - start_ns);
        stretches[count] = (double)(result->finished_ns - result->started_ns) / (double)alone_ns;
        count++;
    }
    if (count > 0) {
        stats_sort(latencies, count);
        record->latency_p50_ns = (uint64_t)stats_quantile(latencies, count, 0.5);
        record->latency_p99_ns = (uint64_t)stats_quantile(latencies, count, 0.99);
        record->latency_max_ns = (uint64_t)latencies[count - 1];
    }
    if (has_plan && count > 0) {
        stats_sort(stretches, count);
        record->stretch_p50 = stats_quantile(stretches, count, 0.5);
        record->stretch_max = stretches[count - 1];

        struct ideal ideal;
        if (ideal_schedule(&planned, trial->tasks, setup->cpu_count, iteration_ns(trial), NULL,
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
        if (trial->results[id].error && !was_cancelled(trial, id)) {
            failed++;
            first = id;
        }
    }
    if (failed) {
        int status = judge_error(trial, first, trial->results[first].error);
        char first_of_all[sizeof trial->reason];
        memcpy(first_of_all, trial->reason, sizeof first_of_all);
        if (status == EXIT_FAILED)
            snprintf(trial->reason, sizeof trial->reason,
                     "%u of %u tasks failed; the first of them, %.400s", failed, trial->tasks,
                     first_of_all);
        return status;
    }
    uint64_t cancelled = record->tasks_cancelled == NO_NUMBER ? 0 : record->tasks_cancelled;
    if (record->tasks_started != trial->tasks || record->tasks_done + cancelled != trial->tasks) {
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
        ideal_schedule(&planned, trial->tasks, setup->cpu_count, iteration_ns(trial),
                       write_ideal_piece, file, &ideal);
        if (fclose(file) != 0 || status != 0)
            err(EXIT_FAILED, "cannot write the timeline %s", setup->timeline);
    }
    trace_drop();
}

/* Who this is, and the least time it can take: for the supervisor's patience and the bench's. */
static void say_hello(const struct setup *setup, struct record *record)
{
    struct ideal ideal;
    if (ideal_schedule(&planned, (unsigned)setup->tasks, setup->cpu_count, 1 / params.work_rate,
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
    planned = *workload;
    planned.plan = plan_uncancelled;
    chosen_below = (uint64_t)(setup.cancel_share * 4294967296.0);
    gate_target = alive_at_once(&setup);
    body = params.timeout_ns ? limit_body : workload->body;
    pass_body = setup.pass == PASS_MEMORY     ? hold_body
                : setup.pass == PASS_TIMELINE ? trace_body
                                              : body;
    first_body = chosen_below && setup.pass != PASS_MEMORY ? gate_body : pass_body;
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
    if (chosen_below)
        begin_cancellation();
    if (setup.pass == PASS_TIMELINE) {
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
