/*
 * pthreads: a thread per task.
 *
 * Where it runs: one process, a kernel thread for each task. Who decides the order: the kernel,
 * which may take a computing thread off its core at any time. What blocks: an op blocks its own
 * thread alone. What one more task costs: a stack, a kernel thread, and its switches.
 */
#include "pthreads.h"
#include "op.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static void *run_task(void *argument)
{
    struct task *task = argument;
    int64_t result = 0;
    for (const struct op *op; (op = task_resume(task, result));)
        result = op_block_for(task, op);
    task_free(task);
    return NULL;
}

int pthreads_run_each(struct trial *trial, void *(*thread_main)(void *task))
{
    pthread_t *threads = calloc(trial->tasks, sizeof *threads);
    if (!threads)
        return strategy_limit(trial, "task", 0, errno);

    unsigned made = 0;
    int error = 0;
    for (; made < trial->tasks; made++) {
        struct task *task = task_create(trial, made);
        error = task ? pthread_create(&threads[made], NULL, thread_main, task) : errno;
        if (error) {
            task_free(task);
            break;
        }
    }
    /* After an error the process ends, and with it the threads that there are. */
    for (unsigned i = 0; i < made && !error; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return error ? strategy_limit(trial, "thread", made, error) : 0;
}

static int pthreads_run(struct trial *trial)
{
    return pthreads_run_each(trial, run_task);
}

STRATEGY(pthreads) = {
    .name = "pthreads",
    .summary = "a thread per task",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = pthreads_run,
};
