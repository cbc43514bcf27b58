/*
 * The lock of the strategy gil, seen from its tasks: they note when they run in memory that nothing
 * but the lock protects. Other programs run here too, so time is compared from below: a hold is
 * measured from the last sign of the one before to the first sign of the one after. And from above
 * only in the median, and by the holder's own CPU time, which stands still while it is kept
 * waiting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "setup.h"

enum { TASKS = 3, RUNS_MAX = 1000, ITERATIONS = 1 << 18, PIECES_MAX = 3000 };

/* One hold of the lock. */
struct run {
    uint32_t task;
    uint64_t before_ns; /* the last sign of the run before */
    uint64_t after_ns;  /* the first sign of the run after; 0: there is none */
    uint64_t start_ns;  /* its thread's CPU time at its first sign */
    uint64_t cpu_ns;    /* what it has computed since */
    bool preempted;     /* it ended at a checkpoint */
};

static struct run runs[RUNS_MAX];
static unsigned run_count;
static uint64_t last_ns;
static bool at_checkpoint;

static atomic_int inside, overlaps;
static int sockets[2];
static void (*preempt)(struct task *task); /* the strategy's */
static atomic_bool awaits_lock[TASKS];     /* as the strategy says */
static atomic_uint awaited;                /* how often it said so */

static void sign(const struct task *task)
{
    uint64_t now_ns = clock_now_ns();
    struct run *run = run_count ? &runs[run_count - 1] : NULL;
    if (!run || run->task != task->id) {
        if (run) {
            run->after_ns = now_ns;
            run->preempted = at_checkpoint;
        }
        if (run_count < RUNS_MAX)
            runs[run_count++] = (struct run){.task = task->id,
                                             .before_ns = last_ns,
                                             .start_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID)};
    } else {
        run->cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - run->start_ns;
    }
    last_ns = now_ns;
}

static void enter(const struct task *task)
{
    overlaps += atomic_fetch_add(&inside, 1) != 0;
    assert_false(awaits_lock[task->id]);
    sign(task);
    at_checkpoint = false;
}

static void leave(const struct task *task, bool checkpoint)
{
    at_checkpoint = checkpoint;
    sign(task);
    atomic_fetch_sub(&inside, 1);
}

static void watched_preempt(struct task *task)
{
    leave(task, true);
    preempt(task);
    enter(task);
}

static void lock_awaited(struct task *task)
{
    awaits_lock[task->id] = true;
    awaited++;
}

static void lock_taken(struct task *task)
{
    awaits_lock[task->id] = false;
}

/* ---- Tasks ---- */

static unsigned hand_overs; /* so often the lock is to go from one task to another */

struct spinner {
    struct task task;
    uint64_t pieces;
    uint32_t set[16];
};

static void spin(struct task *task)
{
    struct spinner *spinner = (struct spinner *)task;
    task->result->digest = work(task, task->result->digest, ITERATIONS, spinner->set, 16);
}

/* Computes until the lock has changed hands often enough, or should have long ago. */
static const struct op *greedy(struct task *task, int64_t result)
{
    struct spinner *spinner = (struct spinner *)task;
    TASK_BEGIN(task);
    enter(task);
    for (; run_count < hand_overs && spinner->pieces < PIECES_MAX; spinner->pieces++)
        spin(task);
    leave(task, false);
    TASK_END(task);
}

/* Computes, waits, computes. */
static const struct op *mixed(struct task *task, int64_t result)
{
    struct spinner *spinner = (struct spinner *)task;
    TASK_BEGIN(task);
    for (spinner->pieces = 0; spinner->pieces < 20; spinner->pieces++) {
        enter(task);
        spin(task);
        leave(task, false);
        AWAIT(task, spinner->pieces % 2 ? op_yield() : op_sleep(100000));
        task->result->error += result != 0;
    }
    TASK_END(task);
}

/* The first task waits for what the last one sends, which needs the lock for that. */
static const struct op *messenger(struct task *task, int64_t result)
{
    struct spinner *spinner = (struct spinner *)task;
    TASK_BEGIN(task);
    if (task->id == 0) {
        AWAIT(task, op_recv(sockets[0], spinner->set, 1, 0));
        task->result->error = result == 1 ? 0 : EPROTO;
    } else if (task->id == TASKS - 1) {
        enter(task);
        spin(task);
        leave(task, false);
        AWAIT(task, op_send(sockets[1], "x", 1, 0));
        task->result->error = result == 1 ? 0 : EPROTO;
    }
    TASK_END(task);
}

static const struct op *(*body)(struct task *task, int64_t result);
static unsigned late_us; /* how much later than the others the last thread comes */

static struct task *create(struct trial *trial, unsigned id)
{
    if (!preempt) { /* no thread runs yet */
        preempt = task_preempt;
        task_preempt = watched_preempt;
    }
    if (id == TASKS - 1)
        usleep(late_us);
    struct spinner *spinner = calloc(1, sizeof *spinner);
    if (spinner)
        spinner->task = (struct task){.id = id, .result = &trial->results[id], .body = body};
    return &spinner->task;
}

static void run(const char *switch_interval,
                const struct op *(*of_tasks)(struct task *task, int64_t result))
{
    const struct strategy *gil = strategy_find("gil");
    struct result results[TASKS] = {0};
    struct trial trial = {.tasks = TASKS, .workers = 1, .results = results, .create = create};
    char why[256];
    assert_non_null(gil);
    assert_int_equal(setting_parse(gil->settings, switch_interval, why, sizeof why), 0);
    task_hooks = (struct task_hooks){.lock_awaited = lock_awaited, .lock_taken = lock_taken};
    body = of_tasks;
    preempt = NULL;
    awaited = 0;
    run_count = 0;
    overlaps = 0;
    last_ns = clock_now_ns();

    assert_int_equal(gil->run(&trial), 0);
    assert_non_null(preempt);
    assert_null(task_preempt);
    assert_int_equal(overlaps, 0);
    for (unsigned id = 0; id < TASKS; id++)
        assert_false(awaits_lock[id]);
    assert_int_equal(trial.task_switches, 0);
    for (unsigned id = 0; id < TASKS; id++)
        assert_int_equal(results[id].error, 0);
}

/* ---- Tests ---- */

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Not sooner than an interval after the last switch, and not much later. */
static void computing_tasks_are_made_to_switch(void **state)
{
    (void)state;
    enum { INTERVAL_NS = 3000000 };
    uint64_t cpu_ns[RUNS_MAX];
    hand_overs = 12;
    late_us = 4500; /* so that not all who wait have begun to at a switch */
    run("3ms", greedy);
    late_us = 0;
    unsigned preempted = 0;
    for (unsigned i = 0; i < run_count; i++) {
        if (!runs[i].preempted)
            continue;
        cpu_ns[preempted++] = runs[i].cpu_ns;
        assert_true(runs[i].after_ns - runs[i].before_ns >= INTERVAL_NS);
        assert_int_not_equal(runs[i].task, runs[i + 1].task);
    }
    assert_true(preempted >= hand_overs - TASKS);
    assert_true(awaited >= preempted);
    qsort(cpu_ns, preempted, sizeof *cpu_ns, compare);
    assert_in_range(cpu_ns[preempted / 2], 0, 3 * INTERVAL_NS);
}

/* On one core, with a policy by which who is woken does not push aside who runs: if the holder did
 * not wait until somebody else has the lock, it would have it again long before. */
static void who_is_asked_does_not_take_it_again(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0 ||
        sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}) < 0)
        skip();
    hand_overs = 50;
    run("3ms", greedy);
    assert_true(run_count >= hand_overs);
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
    sched_setaffinity(0, sizeof before, &before);
}

static void nobody_switches_within_the_interval(void **state)
{
    (void)state;
    run("1000s", mixed);
    for (unsigned i = 0; i < run_count; i++)
        assert_false(runs[i].preempted);
}

static void only_one_runs(void **state)
{
    (void)state;
    run("1us", mixed);
    run("100us", mixed);
}

static void released_around_ops(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    run("5ms", messenger);
    close(sockets[0]);
    close(sockets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computing_tasks_are_made_to_switch),
        cmocka_unit_test(who_is_asked_does_not_take_it_again),
        cmocka_unit_test(nobody_switches_within_the_interval),
        cmocka_unit_test(only_one_runs),
        cmocka_unit_test(released_around_ops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
