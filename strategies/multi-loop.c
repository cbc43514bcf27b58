/*
 * multi-loop: W event loops (-j; one per core), each with coroutines of its own, on threads or in
 * processes.
 *
 * Where it runs: a thread, or a child process, for each loop; the tasks are dealt to them in turn,
 * like cards, and stay there. Who decides the order: each loop for its own tasks, first ready first
 * served; the kernel between the loops. What blocks: nothing but a loop that has no task ready; and
 * a task that computes, which keeps the others of its own loop waiting, even though another core
 * may be free. What one more task costs: an object on the heap; from a process also a copy of its
 * result, which is handed back when all of the loop's tasks are done.
 */
#include "carry.h"
#include "coroutine.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

/* One loop's part of the trial, in memory that processes share as threads do. */
struct part {
    struct child child;   /* first, so that child_next() returns the part; processes only */
    pthread_t thread;     /* threads only */
    struct trial trial;   /* its own copy, to count in and to give a reason in */
    unsigned first, step; /* its tasks: the first, and how far it is to the next */
    int status;           /* of coroutines_run() */
};

static struct part *deal(const struct trial *trial)
{
    unsigned loops = trial->workers < trial->tasks ? trial->workers : trial->tasks;
    struct part *parts = mmap(NULL, loops * sizeof *parts, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (parts == MAP_FAILED)
        return NULL;
    for (unsigned i = 0; i < loops; i++)
        parts[i] = (struct part){.trial = *trial, .first = i, .step = loops};
    return parts;
}

/* A part has ended: adds what it counted to the whole, whose status it returns. */
static int settle(struct trial *trial, const struct part *part)
{
    trial->task_switches += part->trial.task_switches;
    if (part->status)
        memcpy(trial->reason, part->trial.reason, sizeof trial->reason);
    return part->status;
}

/* ---- Threads ---- */

/* Static, for after a failure the other threads go on until the process ends. */
static sem_t ended; /* posted by each thread at its end */
static struct part *_Atomic failed;

static void *thread_main(void *argument)
{
    struct part *part = argument;
    part->status = coroutines_run(&part->trial, part->first, part->step);
    if (part->status)
        failed = part;
    sem_post(&ended);
    return NULL;
}

static int threads_run(struct trial *trial)
{
    struct part *parts = deal(trial);
    if (!parts)
        return strategy_limit(trial, "event loop", 0, errno);
    unsigned loops = parts->step, made = 0;
    int error = 0;
    sem_init(&ended, 0, 0);
    failed = NULL;
    while (made < loops &&
           !(error = pthread_create(&parts[made].thread, NULL, thread_main, &parts[made])))
        made++;
    if (error)
        return strategy_limit(trial, "thread", made, error);
    for (unsigned i = 0; i < loops && !failed; i++)
        while (sem_wait(&ended) < 0)
            ; /* a signal came */
    if (failed)
        return settle(trial, failed);

    for (unsigned i = 0; i < loops; i++) {
        pthread_join(parts[i].thread, NULL);
        settle(trial, &parts[i]);
    }
    sem_destroy(&ended);
    munmap(parts, loops * sizeof *parts);
    return 0;
}

/* ---- Processes ---- */

static bool process_main(void *argument, int results)
{
    struct part *part = argument;
    struct trial *trial = &part->trial;
    part->status = coroutines_run(trial, part->first, part->step);
    bool sent = part->status == 0;
    for (unsigned id = part->first; sent && id < trial->tasks; id += part->step)
        sent = child_send(results, &trial->results[id]);
    return sent;
}

/* Takes all results of the next loop that has ended. */
static int collect(struct trial *trial, int epoll)
{
    struct part *part = (struct part *)child_next(epoll);
    bool complete = true;
    for (unsigned id = part->first; complete && id < trial->tasks; id += part->step)
        complete = child_receive(&part->child, &trial->results[id]);

    char who[64];
    snprintf(who, sizeof who, "the process of loop %u", part->first);
    int status = child_end(trial, &part->child, complete, who);
    int reported = settle(trial, part);
    return reported ? reported : status;
}

static int processes_run(struct trial *trial)
{
    struct part *parts = deal(trial);
    int epoll = parts ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (epoll < 0)
        return strategy_limit(trial, "event loop", 0, errno);
    unsigned loops = parts->step, made = 0;
    int error = 0;
    while (made < loops &&
           !(error = child_start(&parts[made].child, epoll, process_main, &parts[made])))
        made++;
    int status = error ? strategy_limit(trial, "process", made, error) : 0;
    for (unsigned i = 0; i < loops && !status; i++)
        status = collect(trial, epoll);
    for (unsigned i = 0; i < made; i++)
        child_kill(&parts[i].child);
    close(epoll);
    munmap(parts, loops * sizeof *parts);
    return status;
}

STRATEGY(multi_loop) = {
    .name = "multi-loop",
    .summary = "W loops of coroutines (-j), a thread each",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = threads_run,
};

STRATEGY(multi_loop_processes) = {
    .name = "multi-loop-processes",
    .summary = "W loops of coroutines (-j), a process each",
    .alive = ALIVE_ALL,
    .cancels = true,
    .run = processes_run,
};
