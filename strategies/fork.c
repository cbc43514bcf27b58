/*
 * fork: a process per task; each hands its result back through a pipe of its own.
 *
 * Where it runs: a child process for each task. Who decides the order: the kernel. What blocks: an
 * op blocks its own process alone. What one more task costs: a process with its page tables and
 * copied pages, a pipe, and copying the result.
 */
#include "op.h"
#include "strategy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    pid_t pid;
    int results; /* the end of its pipe that the parent reads */
};

/* Reads or writes all of it; false when the other end is gone. */
static bool read_all(int fd, void *buffer, size_t bytes)
{
    for (char *at = buffer; bytes > 0;) {
        ssize_t got = read(fd, at, bytes);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        at += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_all(int fd, const void *buffer, size_t bytes)
{
    for (const char *at = buffer; bytes > 0;) {
        ssize_t put = write(fd, at, bytes);
        if (put < 0 && errno != EINTR)
            return false;
        at += put > 0 ? put : 0;
        bytes -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

_Noreturn static void child_main(struct task *task, int results)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives a killed trial */
    int64_t result = 0;
    for (const struct op *op; (op = task_resume(task, result));)
        result = op_block(op);
    const struct result *outcome = task->result;
    bool sent = write_all(results, outcome, sizeof *outcome) &&
                write_all(results, outcome->payload, outcome->payload_bytes);
    _exit(sent ? 0 : 1);
}

/* Makes task `id` and the process it runs in. Returns 0 or an errno. */
static int child_start(struct trial *trial, unsigned id, struct child *child)
{
    struct task *task = task_create(trial, id);
    if (!task)
        return errno;
    int ends[2];
    int error = pipe(ends) < 0 ? errno : 0;
    if (!error) {
        child->pid = fork();
        if (child->pid == 0)
            child_main(task, ends[1]);
        error = child->pid < 0 ? errno : 0;
        close(ends[1]);
        if (error)
            close(ends[0]);
        child->results = ends[0];
    }
    task_free(task); /* the child has its own copy */
    return error;
}

/* Takes the result from the child's pipe and the child from the process table. */
static int child_collect(struct trial *trial, unsigned id, struct child *child)
{
    struct result *result = &trial->results[id];
    bool complete = read_all(child->results, result, sizeof *result);
    result->payload = NULL;
    if (complete && result->payload_bytes > 0) {
        result->payload = malloc(result->payload_bytes);
        complete =
            result->payload && read_all(child->results, result->payload, result->payload_bytes);
    }
    close(child->results);
    int status;
    waitpid(child->pid, &status, 0);
    if (complete)
        return 0;
    result->error = ECHILD;
    if (WIFSIGNALED(status))
        snprintf(trial->reason, sizeof trial->reason, "the process of task %u died: %s", id,
                 strsignal(WTERMSIG(status)));
    else
        snprintf(trial->reason, sizeof trial->reason,
                 "the process of task %u ended without a result, exit status %d", id,
                 WEXITSTATUS(status));
    return STRATEGY_FAILED;
}

static int fork_run(struct trial *trial)
{
    struct child *children = calloc(trial->tasks, sizeof *children);
    if (!children)
        return strategy_limit(trial, "task", 0, errno);

    unsigned made = 0;
    int error = 0;
    while (made < trial->tasks && !(error = child_start(trial, made, &children[made])))
        made++;
    int status = 0;
    if (error) {
        status = strategy_limit(trial, "process", made, error);
        for (unsigned id = 0; id < made; id++) {
            kill(children[id].pid, SIGKILL);
            close(children[id].results);
            waitpid(children[id].pid, NULL, 0);
        }
    }
    for (unsigned id = 0; !error && id < made; id++) {
        int collected = child_collect(trial, id, &children[id]);
        status = collected ? collected : status;
    }
    free(children);
    return status;
}

STRATEGY(fork) = {
    .name = "fork",
    .summary = "a process per task, results back through pipes",
    .alive = ALIVE_ALL,
    .run = fork_run,
};
