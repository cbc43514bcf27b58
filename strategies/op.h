/*
 * Ops as system calls: what every strategy performs for its tasks, in one of two ways.
 */
#ifndef OVERLAP_OP_H
#define OVERLAP_OP_H

#include <stdbool.h>

#include "task.h"

/* Performs the op by a blocking system call, as a plain blocking program would, and returns its
 * result. The thread waits meanwhile. */
int64_t op_block(const struct op *op);

/* The same for the op of a task, which may be cancelled: then it ends with -ECANCELED as soon as
 * that is asked for, and so does every later one but OP_YIELD. An OP_READ that has begun is
 * completed. */
int64_t op_block_for(const struct task *task, const struct op *op);

/* OP_SEND or OP_RECV without waiting, whether or not the descriptor blocks: the result, or -EAGAIN
 * when it must be tried again once op->fd can be written or read. OP_READ: the result, always,
 * after waiting for the disk if need be. A file has no readiness, so this is what a loop can do. */
int64_t op_try(const struct op *op);

/* OP_CONNECT without waiting, in two steps. op_connect_begin() returns a non-blocking descriptor,
 * and *in_progress says whether it must become writable before op_connect_end() may be asked for
 * the result: the same descriptor, or -errno with the descriptor closed. */
int op_connect_begin(const struct op *op, bool *in_progress);
int64_t op_connect_end(int fd);

#endif
