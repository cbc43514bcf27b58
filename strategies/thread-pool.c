/*
 * thread-pool: W threads (-j), each of which takes one task at a time and stays with it to its end.
 *
 * Where it runs: one process, a kernel thread for each worker. Who decides the order: the tasks
 * begin in the order of their numbers, which the workers draw from a shared counter; the kernel
 * decides between the workers. What blocks: an op blocks its worker, which sits idle though other
 * tasks could run. What one more task costs: its object while a worker has it, nothing before; its
 * time is shared by the workers.
 */
#include "op.h"
#include "strategy.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pool {
    struct trial *trial;
    atomic_uint next; /* the first task that nobody has taken */
    atomic_int error; /* why task `failed` could not be made; 0: all could */
    atomic_uint failed;
};

static void *worker_main(void *argument)
{
    struct pool *pool = argument;
    unsigned id;
    while ((id = atomic_fetch_add(&pool->next, 1)) < pool->trial->tasks) {
        struct task *task = task_create(pool->trial, id);
        if (!task) {
            atomic_store(&pool->failed, id);
            atomic_store(&pool->error, errno);
            break;
        }
        int64_t result = 0;
        for (const struct op *op; (op = task_resume(task, result));)
            result = op_block_for(task, op);
        task_free(task);
    }
    return NULL;
}

static int thread_pool_run(struct trial *trial)
{
    static struct pool pool; /* outlives this call: see below */
    pool = (struct pool){.trial = trial};
    unsigned workers = trial->workers < trial->tasks ? trial->workers : trial->tasks;
    pthread_t *threads = calloc(workers, sizeof *threads);
    if (!threads)
        return strategy_limit(trial, "worker", 0, errno);

    unsigned made = 0;
    int error = 0;
    while (made < workers && !(error = pthread_create(&threads[made], NULL, worker_main, &pool)))
        made++;
    /* After an error the process ends, and with it the threads that there are. */
    for (unsigned i = 0; i < made && !error; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    if (error)
        return strategy_limit(trial, "worker thread", made, error);
    return pool.error ? strategy_limit(trial, "task", pool.failed, pool.error) : 0;
}

STRATEGY(thread_pool) = {
    .name = "thread-pool",
    .summary = "W threads (-j), each takes one task at a time",
    .alive = ALIVE_WORKERS,
    .cancels = true,
    .run = thread_pool_run,
};
