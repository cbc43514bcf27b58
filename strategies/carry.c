/* Children and their pipes: see carry.h. */
#include "carry.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

bool pipe_read(int fd, void *buffer, size_t bytes)
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

bool pipe_write(int fd, const void *buffer, size_t bytes)
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

bool child_send(int results, struct result *result)
{
    bool sent = pipe_write(results, result, sizeof *result) &&
                pipe_write(results, result->payload, result->payload_bytes);
    free(result->payload);
    result->payload = NULL;
    return sent;
}

bool child_receive(const struct child *child, struct result *result)
{
    bool complete = pipe_read(child->results, result, sizeof *result);
    result->payload = NULL;
    if (complete && result->payload_bytes > 0) {
        result->payload = malloc(result->payload_bytes);
        complete =
            result->payload && pipe_read(child->results, result->payload, result->payload_bytes);
    }
    return complete;
}

struct child *child_next(int epoll)
{
    struct epoll_event event;
    while (epoll_wait(epoll, &event, 1, -1) < 1)
        ; /* a signal came */
    return event.data.ptr;
}

/* Closed is not enough for epoll: later children hold copies of the descriptor. Returns how the
 * child ended, as waitpid() tells. */
static int reap(struct child *child)
{
    int status = 0;
    if (child->epoll >= 0)
        epoll_ctl(child->epoll, EPOLL_CTL_DEL, child->results, NULL);
    close(child->results);
    waitpid(child->pid, &status, 0);
    child->pid = 0;
    return status;
}

int child_end(struct trial *trial, struct child *child, bool complete, const char *who)
{
    int status = reap(child);
    if (complete)
        return 0;
    if (WIFSIGNALED(status))
        snprintf(trial->reason, sizeof trial->reason, "%s died: %s", who,
                 strsignal(WTERMSIG(status)));
    else
        snprintf(trial->reason, sizeof trial->reason, "%s ended without a result, exit status %d",
                 who, WEXITSTATUS(status));
    return STRATEGY_FAILED;
}

void child_kill(struct child *child)
{
    if (child->pid == 0)
        return;
    kill(child->pid, SIGKILL);
    reap(child);
}

int child_start(struct child *child, int epoll, bool (*main)(void *argument, int results),
                void *argument)
{
    int ends[2];
    if (pipe(ends) < 0)
        return errno;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives a killed trial */
        _exit(main(argument, ends[1]) ? 0 : 1);
    }
    int error = pid < 0 ? errno : 0;
    /* Only now: *child may lie in memory that both share. */
    *child = (struct child){.pid = pid, .results = ends[0], .epoll = epoll};
    close(ends[1]); /* the child alone holds it, so that its end ends the pipe */
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = child};
    if (error)
        close(ends[0]);
    else if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) < 0) {
        error = errno;
        child_kill(child);
    }
    return error;
}
