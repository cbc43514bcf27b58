/*
 * Cancelling: under every strategy the chosen tasks end with -ECANCELED and nobody else does, and
 * nothing of them is left: no descriptor, no child, no thread, no memory. Tasks are made for the
 * purpose; what they note lies in memory that all processes share. No duration is asserted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "sanitizer.h"
#include "setup.h"

/* A sanitizer takes long over each process, and sees what is lost at the first time. */
enum { TASKS = 12, CYCLES = SANITIZER_STACK_FACTOR == 1 ? 10000 : 1000, BATCH = 50 };

static const uint64_t hour_ns = UINT64_C(3600) * 1000000000;

static struct {
    atomic_uint waiting; /* tasks that have come to their first wait */
    atomic_uint made, freed;
} * shared;

static struct result results[BATCH];
static unsigned trigger; /* so many must wait before the chosen ones are cancelled */
static struct sockaddr_in silent, full;
static int pairs[TASKS]; /* connected: 2k with 2k + 1 */

struct waiting {
    struct task task;
    int fd; /* of a connection of its own; 0: none */
    char byte;
};

static bool odd(uint32_t id)
{
    return id % 2 != 0;
}

static bool every(uint32_t id)
{
    (void)id;
    return true;
}

/* To be called before the first wait; the last to come has the chosen ones cancelled. */
static void arrive(void)
{
    if (atomic_fetch_add(&shared->waiting, 1) + 1 == trigger)
        eventfd_write(cancellation.fd, 1);
}

/* ---- Tasks ---- */

static const struct op *sleeping(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    arrive();
    AWAIT(task, op_sleep(odd(task->id) ? hour_ns : 1000000));
    task->result->error = (int32_t)-result;
    task->result->digest = 1000 + task->id;
    TASK_END(task);
}

/* Waits for an answer that never comes; those who are not cancelled give up. */
static const struct op *receiving(struct task *task, int64_t result)
{
    struct waiting *self = (struct waiting *)task;
    TASK_BEGIN(task);
    AWAIT(task,
          op_connect((struct sockaddr *)&silent, sizeof silent, odd(task->id) ? 0 : 100000000));
    if (result >= 0) {
        self->fd = (int)result;
        arrive();
        AWAIT(task, op_recv(self->fd, &self->byte, 1, odd(task->id) ? 0 : 100000000));
    }
    task->result->error = (int32_t)-result;
    TASK_END(task);
}

static const struct op *connecting(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    arrive();
    AWAIT(task, op_connect((struct sockaddr *)&full, sizeof full, 0));
    if (result >= 0)
        close((int)result);
    task->result->error = (int32_t)-result;
    TASK_END(task);
}

/* Goes on regardless: every op but a yield is to fail. */
static const struct op *stubborn(struct task *task, int64_t result)
{
    struct waiting *self = (struct waiting *)task;
    TASK_BEGIN(task);
    arrive();
    AWAIT(task, op_sleep(hour_ns));
    task->result->bytes_moved += result == -ECANCELED;
    AWAIT(task, op_yield());
    task->result->bytes_moved += result == 0;
    AWAIT(task, op_sleep(hour_ns));
    task->result->bytes_moved += result == -ECANCELED;
    AWAIT(task, op_connect((struct sockaddr *)&silent, sizeof silent, 0));
    task->result->bytes_moved += result == -ECANCELED;
    AWAIT(task, op_recv(pairs[task->id], &self->byte, 1, 0));
    task->result->bytes_moved += result == -ECANCELED;
    TASK_END(task);
}

/* Its partner is cancelled, says so by shutting the line down, and this one does not hang. */
static const struct op *playing(struct task *task, int64_t result)
{
    struct waiting *self = (struct waiting *)task;
    TASK_BEGIN(task);
    arrive();
    AWAIT(task, op_recv(pairs[task->id], &self->byte, 1, 0));
    task->result->error = result < 0 ? (int32_t)-result : EPIPE;
    shutdown(pairs[task->id], SHUT_RDWR);
    TASK_END(task);
}

/* Is done at about the time when it is cancelled; but the first one before, the last one never. */
static const struct op *racing(struct task *task, int64_t result)
{
    TASK_BEGIN(task);
    AWAIT(task, op_sleep(task->id * 1000));
    if (result == 0) {
        arrive();
        if (task->id > 0)
            AWAIT(task, op_sleep(task->id == BATCH - 1 ? hour_ns : (BATCH - task->id) * 1000));
    }
    task->result->error = (int32_t)-result;
    TASK_END(task);
}

static task_body *body;

static struct task *create(struct trial *trial, unsigned id)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting) {
        waiting->task = (struct task){.id = id, .result = &trial->results[id], .body = body};
        atomic_fetch_add(&shared->made, 1);
    }
    return &waiting->task;
}

static void release(struct task *task)
{
    const struct waiting *waiting = (const struct waiting *)task;
    if (waiting->fd > 0)
        close(waiting->fd);
}

/* ---- Trials ---- */

static unsigned count_entries(const char *path)
{
    DIR *folder = opendir(path);
    unsigned count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* A joined thread leaves /proc a moment later. */
static void assert_threads(unsigned threads)
{
    for (unsigned tries = 0; tries < 1000 && count_entries("/proc/self/task") != threads; tries++)
        usleep(1000);
    assert_int_equal(count_entries("/proc/self/task"), threads);
}

/* Runs `tasks` of them; nothing may be left. False where the strategy cannot run here. */
static bool run(const struct strategy *strategy, unsigned tasks, unsigned workers,
                task_body *of_tasks)
{
    if (strategy->unavailable && strategy->unavailable())
        return false;
    char why[256];
    settings_reset(strategy->settings);
    if (strategy->prepare && strategy->prepare(tasks, why, sizeof why) != 0)
        fail_msg("%s: %s", strategy->name, why);
    struct trial trial = {.tasks = tasks, .workers = workers, .results = results, .create = create};
    memset(results, 0, sizeof results);
    shared->waiting = 0;
    body = of_tasks;
    cancellation.fd = eventfd(0, EFD_CLOEXEC);
    unsigned descriptors = count_entries("/proc/self/fd");
    unsigned threads = count_entries("/proc/self/task");
    if (strategy->run(&trial) != 0)
        fail_msg("%s: %s", strategy->name, trial.reason);
    if (count_entries("/proc/self/fd") != descriptors)
        fail_msg("%s leaves descriptors behind", strategy->name);
    assert_threads(threads);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(cancellation.fd);
    cancellation.fd = -1;
    return true;
}

/* As many tasks as it has under way at once. */
static unsigned tasks_of(const struct strategy *strategy)
{
    return strategy->alive == ALIVE_ONE ? 1 : TASKS;
}

static bool cancels(const struct strategy *strategy)
{
    return strategy->cancels && tasks_of(strategy) > 1;
}

/* ---- All strategies ---- */

static void the_chosen_sleepers_end(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        cancellation.chosen = odd;
        trigger = TASKS;
        if (!cancels(*entry) || !run(*entry, TASKS, TASKS, sleeping))
            continue;
        for (unsigned id = 0; id < TASKS; id++) {
            if (results[id].error != (odd(id) ? ECANCELED : 0))
                fail_msg("%s, task %u: %s", (*entry)->name, id, strerror(results[id].error));
            assert_int_equal(results[id].digest, 1000 + id);
        }
    }
}

static void the_chosen_receivers_close_their_connections(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        cancellation.chosen = odd;
        trigger = TASKS;
        if (!cancels(*entry) || !run(*entry, TASKS, TASKS, receiving))
            continue;
        for (unsigned id = 0; id < TASKS; id++)
            if (results[id].error != (odd(id) ? ECANCELED : ETIMEDOUT))
                fail_msg("%s, task %u: %s", (*entry)->name, id, strerror(results[id].error));
    }
}

static void connections_under_way_are_given_up(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        cancellation.chosen = every;
        trigger = TASKS;
        if (!cancels(*entry) || !run(*entry, TASKS, TASKS, connecting))
            continue;
        for (unsigned id = 0; id < TASKS; id++)
            if (results[id].error != ECANCELED)
                fail_msg("%s, task %u: %s", (*entry)->name, id, strerror(results[id].error));
    }
}

/* With no task that could ask for it but one that is cancelled itself. */
static void a_task_cancels_itself_and_can_wait_no_more(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    for (unsigned id = 0; id < TASKS; id++)
        pairs[id] = ends[0];
    REGISTRY_FOR_EACH (strategy, entry) {
        unsigned tasks = tasks_of(*entry);
        cancellation.chosen = every;
        trigger = tasks;
        if (!(*entry)->cancels || !run(*entry, tasks, tasks, stubborn))
            continue;
        for (unsigned id = 0; id < tasks; id++)
            if (results[id].bytes_moved != 5)
                fail_msg("%s, task %u: %u of 5 as they should be", (*entry)->name, id,
                         (unsigned)results[id].bytes_moved);
    }
    close(ends[0]);
    close(ends[1]);
}

static void the_partner_of_a_cancelled_task_does_not_hang(void **state)
{
    (void)state;
    REGISTRY_FOR_EACH (strategy, entry) {
        for (unsigned id = 0; id < TASKS; id += 2)
            assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &pairs[id]), 0);
        cancellation.chosen = odd;
        trigger = TASKS;
        bool ran = cancels(*entry) && run(*entry, TASKS, TASKS, playing);
        for (unsigned id = 0; id < TASKS; id++) {
            close(pairs[id]);
            if (ran && results[id].error != (odd(id) ? ECANCELED : EPIPE))
                fail_msg("%s, task %u: %s", (*entry)->name, id, strerror(results[id].error));
        }
    }
}

/* ---- Again and again ---- */

static size_t memory_in_use(void)
{
    malloc_trim(0);
    return mallinfo2().uordblks;
}

static unsigned count_mappings(void)
{
    unsigned count = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count;
}

static void on_release(struct task *task)
{
    (void)task;
    atomic_fetch_add(&shared->freed, 1);
}

/* 10,000 tasks, each of which is done while it is being cancelled, or just before or after. A
 * strategy that loses anything at all in each trial has lost `trials` of it in the end. */
static void cycles_leak_nothing(const struct strategy *strategy)
{
    enum { SETTLED = 10, TRIALS = CYCLES / BATCH }; /* what libraries keep, they have by then */
    const unsigned trials = TRIALS - SETTLED;
    unsigned outcomes[2] = {0}, mappings = 0;
    size_t memory = 0;
    cancellation.chosen = every;
    shared->made = shared->freed = 0;
    for (unsigned cycle = 0; cycle < TRIALS; cycle++) {
        if (cycle == SETTLED) {
            memory = memory_in_use();
            mappings = count_mappings();
        }
        trigger = 1 + cycle % BATCH;
        if (!run(strategy, BATCH, 8, racing))
            return;
        for (unsigned id = 0; id < BATCH; id++) {
            assert_true(results[id].error == 0 || results[id].error == ECANCELED);
            outcomes[results[id].error != 0]++;
        }
    }
    assert_int_equal(shared->made, CYCLES);
    if (shared->freed != CYCLES)
        fail_msg("%s: %u tasks freed of %u", strategy->name, shared->freed, CYCLES);
    assert_int_equal(outcomes[0] + outcomes[1], CYCLES);
    assert_true(outcomes[0] > 0 && outcomes[1] > 0);
    if (memory_in_use() >= memory + 16 * trials)
        fail_msg("%s keeps %zu bytes", strategy->name, memory_in_use() - memory);
    if (count_mappings() >= mappings + trials)
        fail_msg("%s keeps %u mappings", strategy->name, count_mappings() - mappings);
}

static void ten_thousand_tasks_of_each(void **state)
{
    (void)state;
    task_hooks.release = on_release;
    REGISTRY_FOR_EACH (strategy, entry)
        if (cancels(*entry))
            cycles_leak_nothing(*entry);
    task_hooks.release = release;
}

/* ---- The loop ---- */

static unsigned asked;

static void ask(struct loop *loop)
{
    (void)loop;
    asked++;
}

/* The descriptor can be read for good, which must not keep the loop of those who stay busy. */
static void a_loop_asks_once(void **state)
{
    (void)state;
    struct loop loop;
    struct waiter waiter = {0};
    const struct op nap = op_sleep(5000000);
    cancellation.fd = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(loop_open(&loop, 1, ask), 0);
    for (unsigned naps = 0; naps < 3; naps++) {
        loop_await(&loop, &waiter, &nap);
        assert_ptr_equal(loop_next(&loop), &waiter);
        assert_int_equal(waiter.result, 0);
    }
    assert_int_equal(asked, 1);
    loop_close(&loop);
    close(cancellation.fd);
    cancellation.fd = -1;
}

/* ---- Before all of them ---- */

/* A server that accepts nobody: connections wait for it in a queue of that length. */
static bool listen_silently(struct sockaddr_in *address, int queue)
{
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(listener, (struct sockaddr *)address, len) == 0 && listen(listener, queue) == 0 &&
           getsockname(listener, (struct sockaddr *)address, &len) == 0;
}

static void *nothing(void *argument)
{
    return argument;
}

static int set_up(void **state)
{
    (void)state;
    pthread_t first; /* ThreadSanitizer has a thread of its own from the first one on */
    if (pthread_create(&first, NULL, nothing, NULL) != 0 || pthread_join(first, NULL) != 0)
        return -1;
    if (!listen_silently(&silent, 1024) || !listen_silently(&full, 0))
        return -1;
    for (unsigned i = 0; i < 2; i++) { /* the queue holds one more than it says */
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&full, sizeof full) < 0 && errno != EINPROGRESS)
            return -1;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGPIPE, SIG_IGN);
    mallopt(M_ARENA_MAX, 1); /* mallinfo2() knows no more than one */
    task_hooks.release = release;
    return shared == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chosen_sleepers_end),
        cmocka_unit_test(the_chosen_receivers_close_their_connections),
        cmocka_unit_test(connections_under_way_are_given_up),
        cmocka_unit_test(a_task_cancels_itself_and_can_wait_no_more),
        cmocka_unit_test(the_partner_of_a_cancelled_task_does_not_hang),
        cmocka_unit_test(ten_thousand_tasks_of_each),
        cmocka_unit_test(a_loop_asks_once),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
