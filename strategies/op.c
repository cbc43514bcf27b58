/* Ops as system calls, blocking and not. */
#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

static int64_t block_sleep(uint64_t ns)
{
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};
    int error;
    do
        error = clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left);
    while (error == EINTR);
    return -error;
}

/* The timeouts of a blocking socket belong to the socket, not to the call: set once. */
static int set_timeout(int fd, uint64_t ns)
{
    struct timeval time = {.tv_sec = (time_t)(ns / 1000000000),
                           .tv_usec = (suseconds_t)(ns % 1000000000 / 1000)};
    if (time.tv_sec == 0 && time.tv_usec == 0)
        time.tv_usec = 1; /* zero would mean never */
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0 ||
                   setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) < 0
               ? -errno
               : 0;
}

static int64_t block_connect(const struct op *op)
{
    int fd = socket(op->addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = op->time_ns ? -set_timeout(fd, op->time_ns) : 0;
    if (!error && connect(fd, op->addr, (socklen_t)op->len) < 0)
        error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    if (error) {
        close(fd);
        return -error;
    }
    return fd;
}

/* One send, recv or read; `flags` are those of send() and recv(). */
static int64_t transfer(const struct op *op, int flags)
{
    ssize_t bytes;
    do
        bytes = op->kind == OP_SEND   ? send(op->fd, op->data, op->len, MSG_NOSIGNAL | flags)
                : op->kind == OP_RECV ? recv(op->fd, op->buffer, op->len, flags)
                                      : pread(op->fd, op->buffer, op->len, (off_t)op->offset);
    while (bytes < 0 && errno == EINTR);
    return bytes < 0 ? -errno : bytes;
}

int64_t op_block(const struct op *op)
{
    switch (op->kind) {
    case OP_YIELD:
        sched_yield();
        return 0;
    case OP_SLEEP:
        return block_sleep(op->time_ns);
    case OP_CONNECT:
        return block_connect(op);
    case OP_SEND:
    case OP_RECV: {
        int64_t result = transfer(op, 0);
        return result == -EAGAIN ? -ETIMEDOUT : result;
    }
    case OP_READ:
        return transfer(op, 0);
    }
    return -EINVAL;
}

int64_t op_try(const struct op *op)
{
    return transfer(op, MSG_DONTWAIT);
}

int op_connect_begin(const struct op *op, bool *in_progress)
{
    int fd = socket(op->addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    *in_progress = false;
    if (connect(fd, op->addr, (socklen_t)op->len) < 0) {
        if (errno != EINPROGRESS) {
            int error = errno;
            close(fd);
            return -error;
        }
        *in_progress = true;
    }
    return fd;
}

int64_t op_connect_end(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (!error)
        return fd;
    close(fd);
    return -error;
}
