/*
 * What the strategies promise, with tasks made for the purpose: how many are under way at once, in
 * which order, what is carried between processes, and what becomes of a trial when a worker dies.
 * Tasks note what they do in memory that all processes share. No duration is asserted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "setup.h"

enum { TASKS_MAX = 40, PAYLOAD_BYTES = 100000 };

static struct {
    atomic_uint arrived; /* tasks that are under way */
    atomic_uint notes;
    struct note {
        uint32_t task;
        pid_t worker;
        bool begins;
    } note[2 * TASKS_MAX];
    int status; /* of a trial that was run in a process of its own */
    char reason[512];
} * shared;

static struct result results[TASKS_MAX];
static unsigned together; /* tasks that wait for each other */
static struct sockaddr_in silent, closed;
static bool refuse; /* to make task 3 */

/* ---- Tasks ---- */

struct connection {
    struct task task;
    int fd; /* 0: none */
    char byte;
};

static void note(const struct task *task, bool begins)
{
    shared->note[atomic_fetch_add(&shared->notes, 1)] =
        (struct note){.task = task->id, .worker = gettid(), .begins = begins};
}

static const struct op *noting(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    note(task, true);
    AWAIT(task, op_sleep(task->id % 3 * 300000));
    note(task, false);
    task->result->digest = 1000 + task->id;
    TASK_END(task);
}

/* Goes on when so many tasks are under way at once as shall be. */
static const struct op *gathering(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    atomic_fetch_add(&shared->arrived, 1);
    while (shared->arrived < together)
        AWAIT(task, op_sleep(200000));
    TASK_END(task);
}

static const struct op *yielding(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    for (; task->result->digest < 10; task->result->digest++) {
        AWAIT(task, op_yield());
        task->result->error += result != 0;
    }
    TASK_END(task);
}

static const struct op *paying(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    AWAIT(task, op_yield());
    task->result->payload = malloc(PAYLOAD_BYTES);
    if (task->result->payload) {
        task->result->payload_bytes = PAYLOAD_BYTES;
        memset(task->result->payload, (int)task->id, PAYLOAD_BYTES);
    }
    TASK_END(task);
}

static const struct op *dying(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    AWAIT(task, op_sleep(1000000));
    if (task->id == 2)
        raise(SIGKILL);
    AWAIT(task, op_sleep(task->id > 2 ? 3600000000000u : 0));
    TASK_END(task);
}

static const struct op *leaving(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    if (task->id == 1)
        _exit(0);
    TASK_END(task);
}

/* Even ones connect to somebody who never says anything, odd ones to nobody. */
static const struct op *connecting(struct task *task, int64_t result)
{
    struct connection *connection = (struct connection *)task;
    enum { TIMEOUT_NS = 2000000 };
    TASK_BEGIN(task);
    AWAIT(task, op_connect((struct sockaddr *)(task->id % 2 ? &closed : &silent), sizeof silent,
                           TIMEOUT_NS));
    if (result >= 0) {
        connection->fd = (int)result;
        AWAIT(task, op_send(connection->fd, "x", 1, TIMEOUT_NS));
        task->result->bytes_moved = (uint64_t)result;
        AWAIT(task, op_recv(connection->fd, &connection->byte, 1, TIMEOUT_NS));
    }
    task->result->error = (int32_t)-result;
    TASK_END(task);
}

static void release(struct task *task)
{
    const struct connection *connection = (const struct connection *)task;
    if (connection->fd > 0)
        close(connection->fd);
}

static const struct op *(*body)(struct task *task, int64_t result);

static struct task *create(struct trial *trial, unsigned id)
{
    if (refuse && id == 3) {
        errno = ENOMEM;
        return NULL;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection)
        connection->task = (struct task){.id = id, .result = &trial->results[id], .body = body};
    return &connection->task;
}

static struct trial trial_of(unsigned tasks, unsigned workers,
                             const struct op *(*of_tasks)(struct task *task, int64_t result))
{
    memset(results, 0, sizeof results);
    memset(shared, 0, sizeof *shared);
    body = of_tasks;
    return (struct trial){.tasks = tasks, .workers = workers, .results = results, .create = create};
}

/* What the harness does for a strategy before the clock starts. */
static void prepare(const struct strategy *strategy, const struct trial *trial)
{
    char why[256];
    settings_reset(strategy->settings);
    if (strategy->prepare && strategy->prepare(trial->tasks, why, sizeof why) != 0)
        fail_msg("%s: %s", strategy->name, why);
}

static void run(const char *name, struct trial *trial)
{
    const struct strategy *strategy = strategy_find(name);
    assert_non_null(strategy);
    prepare(strategy, trial);
    if (strategy->run(trial) != 0)
        fail_msg("%s: %s", name, trial->reason);
}

/* In a process of its own, where a strategy may leave threads behind. */
static void run_apart(const char *name, const struct trial *trial)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct trial own = *trial;
        shared->status = strategy_find(name)->run(&own);
        memcpy(shared->reason, own.reason, sizeof own.reason);
        raise(SIGKILL); /* ThreadSanitizer would have a word with those threads at any exit */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static bool runs_here(const struct strategy *strategy)
{
    return !strategy->unavailable || !strategy->unavailable();
}

/* ---- All strategies ---- */

static void as_many_are_alive_as_promised(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        for (unsigned workers = 1; workers <= 4 && runs_here(*entry); workers++) {
            struct trial trial = trial_of(9, workers, gathering);
            together = (*entry)->alive == ALIVE_ALL       ? trial.tasks
                       : (*entry)->alive == ALIVE_WORKERS ? workers
                                                          : 1;
            run((*entry)->name, &trial);
            assert_int_equal(shared->arrived, trial.tasks);
            assert_no_child();
        }
    }
}

static void one_task_and_many_workers(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        for (unsigned tasks = 1; tasks <= 3 && runs_here(*entry); tasks += 2) {
            struct trial trial = trial_of(tasks, 8, noting);
            run((*entry)->name, &trial);
            assert_int_equal(shared->notes, 2 * tasks);
            for (unsigned id = 0; id < tasks; id++)
                assert_int_equal(results[id].digest, 1000 + id);
            assert_no_child();
        }
    }
}

static void sockets_time_out_and_refuse(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        if (!runs_here(*entry))
            continue;
        struct trial trial = trial_of(4, 2, connecting);
        task_hooks.release = release;
        run((*entry)->name, &trial);
        task_hooks.release = NULL;
        for (unsigned id = 0; id < trial.tasks; id++) {
            if (results[id].error != (id % 2 ? ECONNREFUSED : ETIMEDOUT))
                fail_msg("%s, task %u: %s", (*entry)->name, id, strerror(results[id].error));
            assert_int_equal(results[id].bytes_moved, id % 2 ? 0 : 1);
        }
    }
}

static void yields_bring_nothing_and_are_counted(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        if (!runs_here(*entry))
            continue;
        struct trial trial = trial_of(6, 2, yielding);
        run((*entry)->name, &trial);
        for (unsigned id = 0; id < trial.tasks; id++) {
            assert_int_equal(results[id].error, 0);
            assert_int_equal(results[id].digest, 10);
        }
        /* Either the kernel makes all switches, or the first resumption counts as well. */
        if (trial.task_switches != 0 && trial.task_switches != 6 * 11)
            fail_msg("%s: %llu task switches", (*entry)->name,
                     (unsigned long long)trial.task_switches);
    }
}

/* ---- Pools ---- */

static const char *const pools[] = {"thread-pool", "process-pool"};

static void one_worker_keeps_the_order(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct trial trial = trial_of(10, 1, noting);
        run(pools[p], &trial);
        assert_int_equal(shared->notes, 20);
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(shared->note[i].task, i / 2);
            assert_int_equal(shared->note[i].begins, i % 2 == 0);
            assert_int_equal(shared->note[i].worker, shared->note[0].worker);
        }
    }
}

/* Where the worker's last note stands, or `index` when it has none before that. */
static unsigned note_before(unsigned index)
{
    for (unsigned i = index; i-- > 0;)
        if (shared->note[i].worker == shared->note[index].worker)
            return i;
    return index;
}

static void a_worker_has_one_task_at_a_time(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct trial trial = trial_of(TASKS_MAX, 3, noting);
        run(pools[p], &trial);
        assert_int_equal(shared->notes, 2 * TASKS_MAX);
        unsigned workers = 0;
        for (unsigned i = 0; i < 2 * TASKS_MAX; i++) {
            const struct note *now = &shared->note[i], *before = &shared->note[note_before(i)];
            workers += now == before;
            if (now != before) {
                assert_int_not_equal(now->begins, before->begins);
                assert_true(now->begins ? now->task > before->task : now->task == before->task);
            }
        }
        assert_in_range(workers, 1, 3);
        assert_int_not_equal(shared->note[0].worker, gettid());
    }
}

/* ---- Loops ---- */

static void tasks_are_dealt_to_loops(void **state)
{
    (void)state;
    enum { TASKS = 11, LOOPS = 4 };
    static const char *const names[] = {"multi-loop", "multi-loop-processes"};
    for (unsigned s = 0; s < 2; s++) {
        struct trial trial = trial_of(TASKS, LOOPS, noting);
        pid_t workers[TASKS];
        run(names[s], &trial);
        assert_int_equal(shared->notes, 2 * TASKS);
        for (unsigned i = 0; i < 2 * TASKS; i++)
            workers[shared->note[i].task] = shared->note[i].worker;
        for (unsigned id = 0; id < TASKS; id++)
            for (unsigned other = 0; other < id; other++)
                assert_int_equal(workers[id] == workers[other], id % LOOPS == other % LOOPS);
    }
}

/* Nor may a fault in memory make it wait: so it is tried more than once. */
static void the_toy_never_sleeps(void **state)
{
    (void)state;
    long waits = 1;
    for (unsigned tries = 0; waits > 0 && tries < 10; tries++) {
        struct rusage before, after;
        struct trial trial = trial_of(20, 1, noting);
        getrusage(RUSAGE_THREAD, &before);
        run("toy-loop", &trial);
        getrusage(RUSAGE_THREAD, &after);
        waits = after.ru_nvcsw - before.ru_nvcsw;
    }
    assert_int_equal(waits, 0);
}

/* ---- Processes ---- */

static const char *const in_processes[] = {"fork", "process-pool", "multi-loop-processes"};

static void payloads_are_carried(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        struct trial trial = trial_of(7, 2, paying);
        run(in_processes[s], &trial);
        for (unsigned id = 0; id < trial.tasks; id++) {
            assert_int_equal(results[id].payload_bytes, PAYLOAD_BYTES);
            const unsigned char *payload = results[id].payload;
            assert_non_null(payload);
            assert_int_equal(payload[0], id);
            assert_int_equal(payload[PAYLOAD_BYTES - 1], id);
            free(results[id].payload);
        }
    }
}

static void who_dies_is_named(void **state)
{
    (void)state;
    static const char *const reasons[] = {
        "the process of task 2 died: Killed",
        "which had task 2, died: Killed",
        "the process of loop 0 died: Killed",
    };
    for (unsigned s = 0; s < 3; s++) {
        /* The fork strategy waits for the others, which must not sleep for an hour. */
        struct trial trial = trial_of(s ? 6 : 3, 2, dying);
        assert_int_equal(strategy_find(in_processes[s])->run(&trial), STRATEGY_FAILED);
        if (!strstr(trial.reason, reasons[s]))
            fail_msg("'%s' does not hold '%s'", trial.reason, reasons[s]);
        assert_no_child();
    }
}

static void who_leaves_early_is_named(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        struct trial trial = trial_of(4, 2, leaving);
        assert_int_equal(strategy_find(in_processes[s])->run(&trial), STRATEGY_FAILED);
        assert_non_null(strstr(trial.reason, "ended without a result, exit status 0"));
        assert_no_child();
    }
}

/* ---- Tasks that cannot be made ---- */

static void a_task_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"thread-pool", "toy-loop", "multi-loop",
                                        "multi-loop-processes"};
    refuse = true;
    for (unsigned s = 0; s < 4; s++) {
        struct trial trial = trial_of(6, 2, noting);
        run_apart(names[s], &trial);
        assert_int_equal(shared->status, STRATEGY_LIMIT);
        if (!strstr(shared->reason, "cannot make task 4 for 6 tasks"))
            fail_msg("%s: %s", names[s], shared->reason);
    }
    /* Here it is a task that fails: its worker goes on with the others. */
    struct trial trial = trial_of(6, 2, noting);
    run("process-pool", &trial);
    refuse = false;
    for (unsigned id = 0; id < trial.tasks; id++)
        assert_int_equal(results[id].error, id == 3 ? ENOMEM : 0);
}

/* ---- Before all of them ---- */

static int listen_silently(void **state)
{
    (void)state;
    socklen_t len = sizeof silent;
    silent = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    closed = silent;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int unused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&silent, len) < 0 || listen(listener, 128) < 0 ||
        bind(unused, (struct sockaddr *)&closed, len) < 0)
        return -1;
    getsockname(listener, (struct sockaddr *)&silent, &len);
    getsockname(unused, (struct sockaddr *)&closed, &len); /* bound, so nobody else's */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGPIPE, SIG_IGN);
    return shared == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_are_alive_as_promised),
        cmocka_unit_test(one_task_and_many_workers),
        cmocka_unit_test(sockets_time_out_and_refuse),
        cmocka_unit_test(yields_bring_nothing_and_are_counted),
        cmocka_unit_test(one_worker_keeps_the_order),
        cmocka_unit_test(a_worker_has_one_task_at_a_time),
        cmocka_unit_test(tasks_are_dealt_to_loops),
        cmocka_unit_test(the_toy_never_sleeps),
        cmocka_unit_test(payloads_are_carried),
        cmocka_unit_test(who_dies_is_named),
        cmocka_unit_test(who_leaves_early_is_named),
        cmocka_unit_test(a_task_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, listen_silently, NULL);
}
