/*
 * The timeline pass: made-up events with known answers, then real threads and forks. Durations are
 * compared with the kernel's own clocks only, and with patience: other programs run here too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "perfetto.h"
#include "record.h"
#include "switches.h"
#include "task.h"
#include "timeline.h"
#include "trace.h"

enum { START = 1000, END = 2000 }; /* of the made-up clocks */

static struct trace_event at(uint64_t ns, uint32_t thread, uint32_t task, enum trace_kind kind,
                             unsigned cpu)
{
    return (struct trace_event){.ns = START + ns,
                                .until_ns = TRACE_UNKNOWN,
                                .thread = thread,
                                .task = task,
                                .kind = (uint16_t)kind,
                                .cpu = (uint16_t)cpu};
}

static struct trace_event await_at(uint64_t ns, uint32_t thread, uint32_t task, uint64_t time_ns)
{
    struct trace_event event = at(ns, thread, task, TRACE_AWAIT, 0);
    event.until_ns = event.ns + time_ns;
    return event;
}

/* The timeline as text, "TASK STATE[@CPU] START-END", one interval a line. */
static char *text_of(const struct timeline *timeline)
{
    char *text;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (size_t i = 0; i < timeline->count; i++) {
        const struct interval *interval = &timeline->intervals[i];
        fprintf(file, "%" PRIu32 " %s", interval->task, timeline_state_names[interval->state]);
        if (interval->cpu != NO_CPU)
            fprintf(file, "@%d", interval->cpu);
        fprintf(file, " %" PRIu64 "-%" PRIu64 "\n", interval->start_ns, interval->end_ns);
    }
    fclose(file);
    return text;
}

#define assert_derives(events, expected)                                                           \
    do {                                                                                           \
        struct timeline timeline_;                                                                 \
        assert_int_equal(                                                                          \
            timeline_derive(events, sizeof(events) / sizeof *(events), START, END, &timeline_),    \
            0);                                                                                    \
        char *text_ = text_of(&timeline_);                                                         \
        assert_string_equal(text_, expected);                                                      \
        free(text_);                                                                               \
        timeline_drop(&timeline_);                                                                 \
    } while (0)

/* ---- Deriving ---- */

static void loop_of_two_tasks(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(10, 1, 0, TRACE_CREATING, 0), at(15, 1, 1, TRACE_CREATING, 0),
        at(20, 1, 0, TRACE_RESUME, 3),   await_at(50, 1, 0, 100),
        at(55, 1, 1, TRACE_RESUME, 3),   await_at(120, 1, 1, 10),
        at(130, 1, 1, TRACE_RESUME, 3),  at(180, 1, 1, TRACE_DONE, 0),
        at(182, 1, 0, TRACE_RESUME, 3),  at(190, 1, 0, TRACE_DONE, 0),
    };
    assert_derives(events, "0 creating 10-15\n"
                           "0 ready 15-20\n"
                           "0 running@3 20-50\n"
                           "0 waiting 50-150\n"
                           "0 ready 150-182\n"
                           "0 running@3 182-190\n"
                           "1 creating 15-20\n"
                           "1 ready 20-55\n"
                           "1 running@3 55-120\n"
                           "1 waiting 120-130\n"
                           "1 running@3 130-180\n");
}

static void lateness_of_sleeps(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(0, 1, 0, TRACE_RESUME, 0),   await_at(10, 1, 0, 20),
        at(35, 1, 0, TRACE_RESUME, 0),  await_at(40, 1, 0, 20),
        at(61, 1, 0, TRACE_RESUME, 0),  await_at(70, 1, 0, 0),
        at(99, 1, 0, TRACE_RESUME, 0),                                  /* a yield */
        at(100, 1, 0, TRACE_AWAIT, 0),  at(200, 1, 0, TRACE_RESUME, 0), /* a socket */
        await_at(210, 1, 0, 20),        at(233, 1, 0, TRACE_LOCK_AWAITED, 0),
        at(239, 1, 0, TRACE_RESUME, 0), at(240, 1, 0, TRACE_DONE, 0),
    };
    struct timeline timeline;
    assert_int_equal(timeline_derive(events, sizeof events / sizeof *events, START, END, &timeline),
                     0);
    assert_int_equal(timeline.sleeps, 3);
    assert_int_equal((int)timeline.late_ns[0], 1);
    assert_int_equal((int)timeline.late_ns[1], 5);
    assert_int_equal((int)timeline.late_ns[2], 9); /* of which 6 for the lock */
    timeline_drop(&timeline);
}

static void preempted_and_blocked_thread(void **state)
{
    (void)state;
    /* The kernel's records come late, when the ring is emptied, and know no task. */
    struct trace_event events[] = {
        at(0, 1, 7, TRACE_CREATING, 0),
        at(9, 2, 7, TRACE_RESUME, 0),
        at(90, 2, 7, TRACE_DONE, 0),
        at(5, 2, 0, TRACE_IN, 0), /* before the task: nobody's */
        at(20, 2, 0, TRACE_OUT_PREEMPTED, 0),
        at(40, 2, 0, TRACE_IN, 1), /* on another core */
        at(50, 2, 0, TRACE_OUT, 1),
        at(60, 2, 0, TRACE_IN, 1),
        at(95, 2, 0, TRACE_OUT, 1),
    };
    assert_derives(events, "7 creating 0-9\n"
                           "7 running@0 9-20\n"
                           "7 ready-preempted 20-40\n"
                           "7 running@1 40-50\n"
                           "7 ready 50-60\n"
                           "7 running@1 60-90\n");
}

static void waiting_for_the_lock(void **state)
{
    (void)state;
    /* Between two ops, and at a checkpoint, the while its thread is woken in vain. */
    struct trace_event events[] = {
        at(0, 1, 0, TRACE_CREATING, 0),
        at(5, 2, 0, TRACE_LOCK_AWAITED, 0),
        at(20, 2, 0, TRACE_RESUME, 1),
        at(20, 2, 0, TRACE_RESUME, 1),
        await_at(30, 2, 0, 10),
        at(44, 2, 0, TRACE_LOCK_AWAITED, 0),
        at(60, 2, 0, TRACE_RESUME, 0),
        at(80, 2, 0, TRACE_LOCK_AWAITED, 0),
        at(81, 2, 0, TRACE_LOCK_AWAITED, 0),
        at(82, 2, 0, TRACE_OUT, 0),
        at(85, 2, 0, TRACE_IN, 0),
        at(86, 2, 0, TRACE_OUT, 0),
        at(94, 2, 0, TRACE_IN, 1),
        at(95, 2, 0, TRACE_RESUME, 1),
        at(97, 2, 0, TRACE_OUT_PREEMPTED, 1),
        at(98, 2, 0, TRACE_IN, 1),
        at(100, 2, 0, TRACE_DONE, 0),
    };
    assert_derives(events, "0 creating 0-5\n"
                           "0 ready-lock 5-20\n"
                           "0 running@1 20-30\n"
                           "0 waiting 30-40\n"
                           "0 ready 40-44\n"
                           "0 ready-lock 44-60\n"
                           "0 running@0 60-80\n"
                           "0 ready-lock 80-95\n"
                           "0 running@1 95-97\n"
                           "0 ready-preempted 97-98\n"
                           "0 running@1 98-100\n");
}

static void switches_while_the_thread_waits(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(0, 1, 0, TRACE_RESUME, 0), await_at(10, 1, 0, 50),        at(12, 1, 0, TRACE_OUT, 0),
        at(70, 1, 0, TRACE_IN, 1),    at(71, 1, 0, TRACE_RESUME, 1), at(80, 1, 0, TRACE_DONE, 0),
    };
    assert_derives(events, "0 running@0 0-10\n"
                           "0 waiting 10-60\n"
                           "0 ready 60-71\n"
                           "0 running@1 71-80\n");
}

static void children_are_created_by_their_parent(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(10, 1, 0, TRACE_CREATING, 0), at(40, 1, 1, TRACE_CREATING, 0),
        at(30, 2, 0, TRACE_RESUME, 0),   at(60, 2, 0, TRACE_DONE, 0),
        at(90, 3, 1, TRACE_RESUME, 1),   at(95, 3, 1, TRACE_DONE, 0),
        at(80, 1, 2, TRACE_CREATING, 0), at(200, 4, 2, TRACE_RESUME, 1),
    };
    assert_derives(events, "0 creating 10-30\n" /* runs before the parent moves on */
                           "0 running@0 30-60\n"
                           "1 creating 40-80\n" /* the parent moves on before it runs */
                           "1 ready 80-90\n"
                           "1 running@1 90-95\n"
                           "2 creating 80-200\n"); /* never ended: stops at its last event */
}

static void creator_that_goes_to_wait(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(10, 1, 0, TRACE_CREATING, 0), at(15, 1, 0, TRACE_OUT_PREEMPTED, 0),
        at(25, 1, 0, TRACE_IN, 0), /* it still had to go on with it */
        at(40, 1, 0, TRACE_OUT, 0),      at(90, 2, 0, TRACE_RESUME, 0),
        at(95, 2, 0, TRACE_DONE, 0),
    };
    assert_derives(events, "0 creating 10-40\n"
                           "0 ready 40-90\n"
                           "0 running@0 90-95\n");
}

static void yields_are_ready(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(0, 1, 0, TRACE_RESUME, 0), await_at(5, 1, 0, 0),          at(5, 1, 0, TRACE_RESUME, 0),
        await_at(8, 1, 0, 0),         at(20, 1, 0, TRACE_RESUME, 0), at(30, 1, 0, TRACE_DONE, 0),
    };
    /* The first yield took no time at all, so it does not show. */
    assert_derives(events, "0 running@0 0-8\n"
                           "0 ready 8-20\n"
                           "0 running@0 20-30\n");
}

static void cut_to_the_clock(void **state)
{
    (void)state;
    struct trace_event events[] = {
        at(0, 1, 0, TRACE_RESUME, 0),
        at(5000, 1, 0, TRACE_DONE, 0),
    };
    events[0].ns = START - 10;
    assert_derives(events, "0 running@0 0-1000\n");
}

static void nothing_recorded(void **state)
{
    (void)state;
    struct timeline timeline;
    struct trace_event none[1];
    assert_int_equal(timeline_derive(none, 0, START, END, &timeline), 0);
    assert_int_equal(timeline.count, 0);
    assert_int_equal(timeline.sleeps, 0);
    timeline_drop(&timeline);
}

/* Random but possible histories: the intervals of each task must tile its life. */
static void random_histories_tile(void **state)
{
    (void)state;
    enum { TASKS = 6, THREADS = 3, ROUNDS = 300, EVENTS_MAX = 400 };
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct trace_event events[EVENTS_MAX];
        uint64_t first_ns[TASKS], done_ns[TASKS], ns[THREADS + 1] = {0}, free_ns[TASKS];
        size_t count = 0;
        for (uint32_t task = 0; task < TASKS; task++) {
            ns[0] += (uint64_t)rand() % 5;
            first_ns[task] = free_ns[task] = ns[0];
            events[count++] = at(ns[0], 1, task, TRACE_CREATING, 0);
        }
        for (uint32_t turn = 0; turn < 4 * TASKS; turn++) {
            uint32_t task = turn % TASKS, thread = (uint32_t)rand() % THREADS;
            uint64_t now_ns = ns[thread] > free_ns[task] ? ns[thread] : free_ns[task];
            now_ns += (uint64_t)rand() % 4;
            events[count++] = at(now_ns, thread + 1, task, TRACE_RESUME, (unsigned)rand() % 2);
            for (int i = rand() % 4; i > 0; i--) {
                static const enum trace_kind kinds[] = {TRACE_OUT, TRACE_OUT_PREEMPTED, TRACE_IN};
                now_ns += (uint64_t)rand() % 3;
                events[count++] =
                    at(now_ns, thread + 1, 0, kinds[rand() % 3], (unsigned)rand() % 2);
            }
            now_ns += (uint64_t)rand() % 10;
            done_ns[task] = now_ns;
            events[count++] = turn >= 3 * TASKS ? at(now_ns, thread + 1, task, TRACE_DONE, 0)
                              : rand() % 3
                                  ? await_at(now_ns, thread + 1, task, (uint64_t)rand() % 20)
                                  : at(now_ns, thread + 1, task, TRACE_AWAIT, 0);
            free_ns[task] = ns[thread] = now_ns + 1;
        }
        for (size_t i = 0; i < count; i++) { /* threads' buffers come in any order */
            size_t j = (size_t)rand() % count;
            if (events[i].ns != events[j].ns) {
                struct trace_event event = events[i];
                events[i] = events[j];
                events[j] = event;
            }
        }
        struct timeline timeline;
        assert_int_equal(timeline_derive(events, count, START, START + 100000, &timeline), 0);
        uint64_t reached_ns[TASKS];
        memcpy(reached_ns, first_ns, sizeof reached_ns);
        for (size_t i = 0; i < timeline.count; i++) {
            const struct interval *interval = &timeline.intervals[i], *last = interval - 1;
            assert_int_equal(interval->start_ns, reached_ns[interval->task]);
            assert_true(interval->end_ns > interval->start_ns);
            assert_true((interval->cpu != NO_CPU) == (interval->state == STATE_RUNNING));
            if (i > 0 && last->task == interval->task)
                assert_true(last->state != interval->state || last->cpu != interval->cpu);
            reached_ns[interval->task] = interval->end_ns;
        }
        assert_memory_equal(reached_ns, done_ns, sizeof done_ns);
        timeline_drop(&timeline);
    }
}

/* ---- Inferring switches ---- */

static void inferred_switches(void **state)
{
    (void)state;
    struct switches_sample before = {.wall_ns = 1000000, .cpu_ns = 500000, .voluntary = 3};
    struct switches_sample after = {.wall_ns = 1200000, .cpu_ns = 699000, .voluntary = 3};
    struct trace_event out, in;
    /* Busy all the time. */
    assert_false(switches_infer(&before, &after, 1100000, &out, &in));

    /* 4 ms away, in the middle of the last 4.2 ms. */
    after = (struct switches_sample){
        .wall_ns = 9000000, .cpu_ns = 4500000, .voluntary = 3, .involuntary = 1};
    assert_true(switches_infer(&before, &after, 4800000, &out, &in));
    assert_int_equal(out.kind, TRACE_OUT_PREEMPTED);
    assert_int_equal(out.ns, 4900000);
    assert_int_equal(in.kind, TRACE_IN);
    assert_int_equal(in.ns, 8900000);

    /* More than fits since the last look: all of that. */
    assert_true(switches_infer(&before, &after, 6000000, &out, &in));
    assert_int_equal(out.ns, 6000000);
    assert_int_equal(in.ns, 9000000);

    after.voluntary++;
    assert_true(switches_infer(&before, &after, 4800000, &out, &in));
    assert_int_equal(out.kind, TRACE_OUT_PREEMPTED);
    after.involuntary = 0;
    assert_true(switches_infer(&before, &after, 4800000, &out, &in));
    assert_int_equal(out.kind, TRACE_OUT);
}

/* A thread that sleeps between two checkpoints; one that does not is left alone. */
static void looking_for_switches(void **state)
{
    (void)state;
    struct switches switches = {.cpu = (uint16_t)sched_getcpu()};
    struct trace_event out, in;
    assert_false(switches_look(&switches, clock_now_ns(), false, &out, &in));
    for (int i = 0; i < 100; i++)
        switches_look(&switches, clock_now_ns(), true, &out, &in);
    usleep(3000);
    assert_true(switches_look(&switches, clock_now_ns(), true, &out, &in));
    assert_true(out.kind == TRACE_OUT || out.kind == TRACE_OUT_PREEMPTED);
    assert_int_equal(in.kind, TRACE_IN);
    assert_true(in.ns - out.ns >= 2000000);
    assert_true(in.ns <= clock_now_ns());
}

/* ---- Recording ---- */

static void begin(const struct trace_setup *setup)
{
    char why[200];
    if (trace_begin(setup, why, sizeof why) != 0)
        fail_msg("%s", why);
}

/* The rows that trace_write() leaves, in a file that the caller closes; at the first row. */
static FILE *written(void)
{
    char header[100];
    FILE *csv = tmpfile();
    assert_non_null(csv);
    assert_int_equal(trace_write(csv), 0);
    rewind(csv);
    assert_non_null(fgets(header, sizeof header, csv));
    assert_string_equal(header, "task,cpu,state,start_ns,end_ns\n");
    return csv;
}

/* Adds up what the trace holds: time of one task (or of all: -1) in one state. */
static uint64_t sum_ns(int task, const char *state)
{
    char line[200];
    FILE *csv = written();
    uint64_t total_ns = 0;
    while (fgets(line, sizeof line, csv)) {
        unsigned of;
        char is[32];
        uint64_t start_ns, end_ns;
        char *after = strchr(line, ',');
        assert_int_equal(sscanf(line, "%u", &of), 1);
        assert_int_equal(
            sscanf(strchr(after + 1, ','), ",%31[^,],%" SCNu64 ",%" SCNu64, is, &start_ns, &end_ns),
            3);
        if ((task < 0 || of == (unsigned)task) && strcmp(is, state) == 0)
            total_ns += end_ns - start_ns;
    }
    fclose(csv);
    return total_ns;
}

static const struct op *yielding_body(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    for (;;)
        AWAIT(task, op_yield());
    TASK_END(task);
}

static void full_memory_drops_and_counts(void **state)
{
    (void)state;
    enum { RESUMES = 5000 };
    struct task task = {.body = trace_body};
    begin(&(struct trace_setup){.tasks = 1, .body = yielding_body, .events = 1000});
    uint64_t start_ns = clock_now_ns();
    for (int i = 0; i < RESUMES; i++)
        assert_non_null(task_resume(&task, 0));
    struct trace_report report;
    assert_int_equal(trace_end(start_ns, clock_now_ns(), &report), 0);
    assert_true(report.events >= 1000);
    assert_true(report.dropped > 0);
    assert_true(report.events + report.dropped >= 2 * RESUMES);
    assert_true(report.event_ns > 0 && report.event_ns != NO_NUMBER);
    assert_true(report.wake_max_ns == NO_NUMBER);
    trace_drop();
}

static const struct op *sleeping_body(struct task *task, int64_t result)
{
    uint32_t set[1] = {0};
    TASK_BEGIN(task);
    work(task, 0, 1000, set, 1);
    AWAIT(task, op_sleep(2000000));
    TASK_END(task);
}

static void run_blocking(struct task *task)
{
    for (const struct op *op; (op = task_resume(task, 0));)
        if (op->kind == OP_SLEEP)
            usleep((useconds_t)(op->time_ns / 1000));
}

static void forked_children_are_seen(void **state)
{
    (void)state;
    enum { CHILDREN = 3 };
    struct task task = {.body = trace_body};
    struct trace_report report;
    begin(&(struct trace_setup){.tasks = CHILDREN + 1, .body = sleeping_body});
    task_hooks.work_begins = trace_work_begins;
    uint64_t start_ns = clock_now_ns();
    trace_creating(CHILDREN);
    task.id = CHILDREN;
    run_blocking(&task); /* so that the parent has a ring that its children must not touch */
    for (unsigned i = 0; i < CHILDREN; i++) {
        trace_creating(i);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            task = (struct task){.body = trace_body, .id = i};
            run_blocking(&task);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(trace_end(start_ns, clock_now_ns(), &report), 0);
    task_hooks.work_begins = NULL;
    assert_int_equal(report.dropped, 0);
    assert_true(report.wake_p50_ns <= report.wake_p99_ns);
    assert_true(report.wake_p99_ns <= report.wake_max_ns);
    for (int i = 0; i <= CHILDREN; i++) {
        assert_true(sum_ns(i, "creating") > 0);
        assert_true(sum_ns(i, "running") > 0);
        assert_true(sum_ns(i, "waiting") >= 1900000);
    }
    trace_drop();
}

static const struct op *restless_body(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    for (int i = 0; i < 500; i++)
        usleep(1); /* no task should; two switches each */
    TASK_END(task);
}

static void full_ring_is_counted(void **state)
{
    (void)state;
    struct task task = {.body = trace_body};
    struct trace_report report;
    begin(&(struct trace_setup){.tasks = 1, .body = restless_body});
    uint64_t start_ns = clock_now_ns();
    run_blocking(&task);
    usleep(1); /* now that there is room, the kernel says how many it lost */
    assert_int_equal(trace_end(start_ns, clock_now_ns(), &report), 0);
    if (report.switch_reason) {
        trace_drop();
        print_message("skipped: %s\n", report.switch_reason);
        skip();
    }
    assert_true(report.dropped >= 500);
    assert_true(report.events + report.dropped >= 1000);
    assert_true(sum_ns(0, "ready") > 0);
    trace_drop();
}

/* ---- Two threads on one core ---- */

struct computing {
    struct task task;
    uint32_t set[16];
    uint64_t cpu_ns; /* as its own clock has it */
    pthread_barrier_t *ready;
};

static const struct op *computing_body(struct task *task, int64_t result)
{
    struct computing *computing = (struct computing *)task;
    TASK_BEGIN(task);
    uint64_t cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < 4; i++)
        work(task, task->id, 3000000, computing->set, 16);
    computing->cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    TASK_END(task);
}

static void *compute(void *argument)
{
    struct computing *computing = argument;
    pthread_barrier_wait(computing->ready);
    task_resume(&computing->task, 0);
    return NULL;
}

/* One trial: true when the trace agrees with the threads' own CPU clocks. */
static bool two_threads_agree(bool no_perf, struct trace_report *report)
{
    pthread_barrier_t ready;
    pthread_t thread[2];
    struct computing computing[2] = {0};
    pthread_barrier_init(&ready, NULL, 2);
    begin(&(struct trace_setup){.tasks = 2, .body = computing_body, .no_perf = no_perf});
    task_hooks =
        (struct task_hooks){.work_begins = trace_work_begins, .checkpoint = trace_checkpoint};
    uint64_t start_ns = clock_now_ns();
    for (uint32_t i = 0; i < 2; i++) {
        trace_creating(i);
        computing[i].task = (struct task){.body = trace_body, .id = i};
        computing[i].ready = &ready;
        assert_int_equal(pthread_create(&thread[i], NULL, compute, &computing[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(trace_end(start_ns, clock_now_ns(), report), 0);
    assert_int_equal(report->dropped, 0);
    task_hooks = (struct task_hooks){0};
    pthread_barrier_destroy(&ready);

    bool agree = sum_ns(-1, "ready-preempted") > 0;
    for (int i = 0; i < 2; i++) {
        double off_ns = (double)sum_ns(i, "running") - (double)computing[i].cpu_ns;
        double allowed_ns = (double)computing[i].cpu_ns * 0.02;
        if (allowed_ns < 1e6)
            allowed_ns = 1e6;
        if (off_ns > allowed_ns || off_ns < -allowed_ns) {
            print_message("thread %d: the trace is off by %.0f ns of %" PRIu64 "\n", i, off_ns,
                          computing[i].cpu_ns);
            agree = false;
        }
    }
    trace_drop();
    return agree;
}

static void two_threads_on_one_core(bool no_perf, const char *source)
{
    cpu_set_t all, one;
    struct trace_report report;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    /* Time that a hypervisor steals counts as running in one account, not in the other. */
    bool agree = false;
    for (int attempt = 0; attempt < 10 && !agree; attempt++)
        agree = two_threads_agree(no_perf, &report);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    if (strcmp(source, "perf") == 0 && report.switch_reason) {
        print_message("skipped: %s\n", report.switch_reason);
        skip();
    }
    assert_true(agree);
    assert_string_equal(report.switch_source, source);
    assert_true((report.switch_reason != NULL) == no_perf);
}

static void preemption_by_perf(void **state)
{
    (void)state;
    two_threads_on_one_core(false, "perf");
}

static void preemption_by_gaps(void **state)
{
    (void)state;
    two_threads_on_one_core(true, "gaps");
}

static cpu_set_t other_core;

/* Its thread is moved to another core before the last of three pieces of work. */
static const struct op *moved_body(struct task *task, int64_t result)
{
    uint32_t set[16] = {0};
    TASK_BEGIN(task);
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            assert_int_equal(sched_setaffinity(0, sizeof other_core, &other_core), 0);
        work(task, 0, 3000000, set, 16);
    }
    TASK_END(task);
}

static void moved_to_another_core(bool no_perf)
{
    cpu_set_t all, core[2];
    int number[2], cores = 0;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && cores < 2; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            CPU_ZERO(&core[cores]);
            CPU_SET(cpu, &core[cores]);
            number[cores++] = (int)cpu;
        }
    if (cores < 2)
        skip();
    other_core = core[1];
    assert_int_equal(sched_setaffinity(0, sizeof *core, core), 0);

    struct task task = {.body = trace_body};
    struct trace_report report;
    begin(&(struct trace_setup){.tasks = 1, .body = moved_body, .no_perf = no_perf});
    task_hooks =
        (struct task_hooks){.work_begins = trace_work_begins, .checkpoint = trace_checkpoint};
    uint64_t start_ns = clock_now_ns();
    run_blocking(&task);
    assert_int_equal(trace_end(start_ns, clock_now_ns(), &report), 0);
    task_hooks = (struct task_hooks){0};
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);

    uint64_t ns[2] = {0};
    FILE *csv = written();
    char line[200];
    while (fgets(line, sizeof line, csv)) {
        int cpu;
        uint64_t from_ns, to_ns;
        if (sscanf(line, "0,%d,running,%" SCNu64 ",%" SCNu64, &cpu, &from_ns, &to_ns) == 3)
            ns[cpu == number[1]] += to_ns - from_ns;
    }
    fclose(csv);
    double share = (double)ns[1] / (double)(ns[0] + ns[1]);
    if (share < 0.25 || share > 0.42)
        fail_msg("a third was done on the other core; the timeline has %.2f there", share);
    trace_drop();
}

static void core_by_perf(void **state)
{
    (void)state;
    moved_to_another_core(false);
}

static void core_by_checkpoints(void **state)
{
    (void)state;
    moved_to_another_core(true);
}

static void environment_turns_perf_off(void **state)
{
    (void)state;
    struct task task = {.body = trace_body};
    struct trace_report report;
    setenv("OVERLAP_NO_PERF", "1", 1);
    begin(&(struct trace_setup){.tasks = 1, .body = sleeping_body});
    unsetenv("OVERLAP_NO_PERF");
    uint64_t start_ns = clock_now_ns();
    run_blocking(&task);
    assert_int_equal(trace_end(start_ns, clock_now_ns(), &report), 0);
    assert_string_equal(report.switch_source, "gaps");
    assert_int_equal(report.events, 4);
    trace_drop();
}

/* ---- Perfetto ---- */

static char *file_with(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void perfetto_tracks(void **state)
{
    (void)state;
    char csv[] = "/tmp/overlap-trace-XXXXXX", json[] = "/tmp/overlap-trace-XXXXXX", why[200] = "";
    file_with(csv, "task,cpu,state,start_ns,end_ns\n"
                   "0,,creating,0,1000\n"
                   "0,1,running,1000,5500\n"
                   "1,1,running,5400,9000\n"
                   "1,0,ideal-running,0,4000\n");
    file_with(json, "");
    assert_int_equal(perfetto_write(csv, json, "a \"title\"", why, sizeof why), 0);

    json_error_t error;
    json_t *root = json_load_file(json, 0, &error);
    assert_non_null(root);
    size_t slices = 0, on_cores = 0, i;
    json_t *event;
    json_array_foreach(json_object_get(root, "traceEvents"), i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0)
            continue;
        slices++;
        if (strcmp(json_string_value(json_object_get(event, "name")), "task 1") == 0 &&
            json_number_value(json_object_get(event, "ts")) > 0) {
            /* Cut where task 0 still holds the core. */
            assert_float_equal(json_number_value(json_object_get(event, "ts")), 5.5, 1e-9);
            assert_float_equal(json_number_value(json_object_get(event, "dur")), 3.5, 1e-9);
            on_cores++;
        }
    }
    assert_int_equal(slices, 4 + 3);
    assert_int_equal(on_cores, 1);
    json_decref(root);
    unlink(csv);
    unlink(json);
}

static void perfetto_refuses(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "0,,creating,0",    "0,,creating,0,1,2", "0,,asleep,0,1",  "x,,creating,0,1",
        "0,-1,running,0,1", "0,,creating,5,1",   "0,,creating,,1", "9999999999,,ready,0,1",
    };
    char why[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char csv[] = "/tmp/overlap-trace-XXXXXX", text[200];
        snprintf(text, sizeof text, "task,cpu,state,start_ns,end_ns\n%s\n", rows[i]);
        file_with(csv, text);
        assert_int_equal(perfetto_write(csv, "/dev/null", "title", why, sizeof why), -1);
        assert_non_null(strstr(why, ":2: "));
        unlink(csv);
    }
    assert_int_equal(perfetto_write("/nowhere/at.csv", "/dev/null", "", why, sizeof why), -1);
    assert_non_null(strstr(why, "/nowhere/at.csv"));
    char trials[] = "/tmp/overlap-trace-XXXXXX";
    file_with(trials, "schema,cell\n1,a\n");
    assert_int_equal(perfetto_write(trials, "/dev/null", "", why, sizeof why), -1);
    assert_non_null(strstr(why, "expected the columns"));
    unlink(trials);
    assert_int_equal(perfetto_write("/dev/null", "/dev/null", "", why, sizeof why), -1);
    assert_non_null(strstr(why, "found nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_of_two_tasks),
        cmocka_unit_test(lateness_of_sleeps),
        cmocka_unit_test(preempted_and_blocked_thread),
        cmocka_unit_test(waiting_for_the_lock),
        cmocka_unit_test(switches_while_the_thread_waits),
        cmocka_unit_test(children_are_created_by_their_parent),
        cmocka_unit_test(creator_that_goes_to_wait),
        cmocka_unit_test(yields_are_ready),
        cmocka_unit_test(cut_to_the_clock),
        cmocka_unit_test(nothing_recorded),
        cmocka_unit_test(random_histories_tile),
        cmocka_unit_test(inferred_switches),
        cmocka_unit_test(looking_for_switches),
        cmocka_unit_test(full_memory_drops_and_counts),
        cmocka_unit_test(forked_children_are_seen),
        cmocka_unit_test(full_ring_is_counted),
        cmocka_unit_test(preemption_by_perf),
        cmocka_unit_test(preemption_by_gaps),
        cmocka_unit_test(core_by_perf),
        cmocka_unit_test(core_by_checkpoints),
        cmocka_unit_test(environment_turns_perf_off),
        cmocka_unit_test(perfetto_tracks),
        cmocka_unit_test(perfetto_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
