/* Ops as system calls, blocking and not. */
#include "op.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

static int64_t block_connect(const struct op *op)
{
    int fd = socket(op->addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = op->time_ns ? -socket_limit(fd, op->time_ns) : 0;
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

/* Waits for `events` on `fd` (-1: for time alone) until `deadline_ns` (0: without end). Nothing is
 * lost when the cancellation comes just before: its descriptor can be read from then on. Returns 0,
 * -ETIMEDOUT, -ECANCELED or another -errno. */
static int await_unless_cancelled(int fd, short events, uint64_t deadline_ns)
{
    struct pollfd fds[] = {{.fd = cancellation.fd, .events = POLLIN}, {.fd = fd, .events = events}};
    int ready;
    do {
        uint64_t now_ns = deadline_ns ? clock_now_ns() : 0;
        uint64_t ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        const struct timespec left = {.tv_sec = (time_t)(ns / 1000000000),
                                      .tv_nsec = (long)(ns % 1000000000)};
        ready = ppoll(fds, 2, deadline_ns ? &left : NULL, NULL);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return -errno;
    return ready == 0 ? -ETIMEDOUT : fds[0].revents ? -ECANCELED : 0;
}

static int64_t block_connect_for(const struct op *op, uint64_t deadline_ns)
{
    bool in_progress;
    int fd = op_connect_begin(op, &in_progress);
    if (fd < 0)
        return fd;
    int error = await_unless_cancelled(fd, POLLOUT, deadline_ns);
    if (!error)
        return op_connect_end(fd);
    close(fd);
    return error;
}

int64_t op_block_for(const struct task *task, const struct op *op)
{
    if (op->kind == OP_YIELD || !task_may_be_cancelled(task))
        return op_block(op);
    bool ends = op->kind == OP_SLEEP || (op->kind != OP_READ && op->time_ns > 0);
    uint64_t deadline_ns = ends ? clock_now_ns() + op->time_ns : 0;
    if (op->kind == OP_CONNECT)
        return block_connect_for(op, deadline_ns);
    if (op->kind == OP_SLEEP) {
        int error = await_unless_cancelled(-1, 0, deadline_ns);
        return error == -ETIMEDOUT ? 0 : error;
    }
    for (;;) {
        int error =
            await_unless_cancelled(op->fd, op->kind == OP_SEND ? POLLOUT : POLLIN, deadline_ns);
        int64_t result = error ? error : op_try(op);
        if (result != -EAGAIN)
            return result;
    }
}

int op_connect_begin(const struct op *op, bool *in_progress)
{
    *in_progress = false;
    int fd = socket(op->addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
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
