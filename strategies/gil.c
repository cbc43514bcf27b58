/*
 * gil: a thread per task under one lock, as CPython's global interpreter lock: only its holder
 * runs.
 *
 * Where it runs: one process, a kernel thread for each task. Who decides the order: the lock. It is
 * released around each op; and a thread that has waited a switch interval for it (5 ms) without its
 * changing hands asks the computing holder to drop it, which that does at its next checkpoint. What
 * blocks: an op blocks its own thread alone, a task that computes blocks all others, whatever cores
 * are free. What one more task costs: a stack, a kernel thread, and one more in the queue.
 *
 * The method is that of CPython 3.2 and later (Antoine Pitrou's "new GIL", 2009; take_gil() and
 * drop_gil() in Python/ceval_gil.c, ceval_gil.h before 3.12), with its forced switching: who drops
 * the lock on request waits until another thread has taken it, or it would be the first to take it
 * again. Three things differ. One mutex guards everything where CPython has a second one for the
 * forced switch. Who drops the lock for good waits likewise, as it did there until 3.11. And the
 * thread that creates the others needs no lock, since it is not a task.
 *
 * The kernel does the switching: a waiter is woken by it, so there are no task switches to count.
 */
#include "clock.h"
#include "op.h"
#include "pthreads.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static uint64_t switch_interval_ns;

static const struct setting settings[] = {
    {"switch-interval", 0, SETTING_DURATION, "5ms", "TIME",
     "how long to wait for the lock before asking for it", &switch_interval_ns, 1000, 3600e9},
    {0},
};

enum { NOBODY = UINT32_MAX };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t dropped;     /* the lock was: one of those who wait for it may go on */
    pthread_cond_t switched;    /* another thread has taken it */
    bool locked;                /* these three under the mutex */
    uint32_t last_holder;       /* the task that holds it, or held it last */
    uint64_t switches;          /* how often it went from one task to another */
    atomic_bool drop_requested; /* read by the holder at its checkpoints, without the mutex */
} gil;

/* Waits for the lock to be dropped, at most for the switch interval. False: it took longer. */
static bool wait_for_drop(void)
{
    uint64_t until_ns = clock_now_ns() + switch_interval_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                                   .tv_nsec = (long)(until_ns % 1000000000)};
    return pthread_cond_timedwait(&gil.dropped, &gil.mutex, &until) != ETIMEDOUT;
}

static void gil_take(struct task *task)
{
    pthread_mutex_lock(&gil.mutex);
    bool waits = gil.locked;
    if (waits)
        task_lock_awaited(task);
    while (gil.locked) {
        uint64_t switches = gil.switches;
        if (!wait_for_drop() && gil.locked && gil.switches == switches)
            atomic_store_explicit(&gil.drop_requested, true, memory_order_relaxed);
    }
    gil.locked = true;
    if (gil.last_holder != task->id) {
        gil.last_holder = task->id;
        gil.switches++;
        pthread_cond_signal(&gil.switched);
    }
    atomic_store_explicit(&gil.drop_requested, false, memory_order_relaxed);
    pthread_mutex_unlock(&gil.mutex);
    if (waits)
        task_lock_taken(task);
}

static void gil_drop(const struct task *task)
{
    pthread_mutex_lock(&gil.mutex);
    gil.locked = false;
    pthread_cond_signal(&gil.dropped);
    if (atomic_load_explicit(&gil.drop_requested, memory_order_relaxed))
        while (gil.last_holder == task->id)
            pthread_cond_wait(&gil.switched, &gil.mutex);
    pthread_mutex_unlock(&gil.mutex);
}

/* At each checkpoint of a task that computes. */
static void gil_checkpoint(struct task *task)
{
    if (atomic_load_explicit(&gil.drop_requested, memory_order_relaxed)) {
        task_lock_awaited(task);
        gil_drop(task);
        gil_take(task);
        task_lock_taken(task);
    }
}

static void gil_make(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&gil.mutex, NULL);
    pthread_cond_init(&gil.dropped, &monotonic);
    pthread_cond_init(&gil.switched, NULL);
    pthread_condattr_destroy(&monotonic);
    gil.locked = false;
    gil.last_holder = NOBODY;
    gil.drop_requested = false;
    task_preempt = gil_checkpoint;
}

static void gil_end(void)
{
    task_preempt = NULL;
    pthread_cond_destroy(&gil.switched);
    pthread_cond_destroy(&gil.dropped);
    pthread_mutex_destroy(&gil.mutex);
}

static void *thread_main(void *argument)
{
    struct task *task = argument;
    int64_t result = 0;
    gil_take(task);
    for (const struct op *op; (op = task_resume(task, result));) {
        gil_drop(task);
        result = op_block_for(task, op);
        gil_take(task);
    }
    gil_drop(task);
    task_free(task);
    return NULL;
}

static int gil_run(struct trial *trial)
{
    gil_make();
    int status = pthreads_run_each(trial, thread_main);
    if (!status)
        gil_end();
    return status;
}

STRATEGY(gil) = {
    .name = "gil",
    .summary = "a thread per task under a lock as CPython's",
    .settings = settings,
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = gil_run,
};
