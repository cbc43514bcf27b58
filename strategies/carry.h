/*
 * Child processes that hand their results back through pipes: what all strategies share whose tasks
 * live in other processes. A result is copied twice, into the pipe and out of it, with its payload;
 * the catch is that a child who writes more than the pipe holds (64 KiB) waits for the parent.
 */
#ifndef OVERLAP_CARRY_H
#define OVERLAP_CARRY_H

#include "strategy.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;   /* 0 once it has ended */
    int results; /* the end of its pipe that the parent reads */
    int epoll;   /* that watches it for child_next(), or -1 */
};

/* Forks a child that calls main(argument, results) with the other end of its pipe, then exits with
 * status 0 if that returned true, otherwise 1. The kernel kills it when the parent dies. `epoll` is
 * an epoll descriptor for child_next(), or -1. Returns 0 or an errno. */
int child_start(struct child *child, int epoll, bool (*main)(void *argument, int results),
                void *argument);

/* In the child: hands the result to the parent and frees its payload. False when the parent is
 * gone. */
bool child_send(int results, struct result *result);

/* In the parent: waits for the child's next result and puts it there, its payload malloc'd. False
 * when the child ended before all of it came, or memory is short. */
bool child_receive(const struct child *child, struct result *result);

/* Waits until there is something to receive, or the end, from one of the children that `epoll`
 * watches; returns it. */
struct child *child_next(int epoll);

/* Closes the pipe, waits for the child's end and returns 0 when all of its results came
 * (`complete`). Otherwise STRATEGY_FAILED: trial->reason says how `who` ("worker 3") ended. */
int child_end(struct trial *trial, struct child *child, bool complete, const char *who);

/* Ends it now, whatever it does; nothing when it has ended already. */
void child_kill(struct child *child);

/* Reads or writes all of it; false when the other end is gone. */
bool pipe_read(int fd, void *buffer, size_t bytes);
bool pipe_write(int fd, const void *buffer, size_t bytes);

#endif
