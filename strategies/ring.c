/*
 * See ring.h. All sleeps share one timeout of the ring, armed with the earliest deadline. A timeout
 * for each would do, but each of them is a timer of the kernel's with an interrupt of its own: ten
 * thousand sleeps of 10 to 30 ms took 44 ms so, and 32 ms as it is.
 */
#ifdef HAVE_LIBURING
#include "ring.h"
#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* When more ops wait than there are entries, those written so far are handed over early; the kernel
 * keeps results for which there is no room (IORING_FEAT_NODROP). So more entries only save calls.
 */
enum { ENTRIES_MAX = 4096 };

/* ---- Completion ---- */

static void complete(struct ring *ring, struct ring_waiter *waiter, int64_t result)
{
    const struct op *op = waiter->op;
    if (result == -ECANCELED || result == -EINTR) {
        if (waiter->cancelled)
            result = -ECANCELED;
        else if (op->kind != OP_READ && op->time_ns)
            result = -ETIMEDOUT; /* by the timeout that is linked to it */
    }
    if (op->kind == OP_CONNECT) {
        if (result == 0)
            result = waiter->socket;
        else
            close(waiter->socket);
    }
    waiter->op = NULL;
    ring->waiting--;
    ring_ready(ring, waiter, result);
}

/* Ends the sleeps that are over. */
static void expire(struct ring *ring)
{
    uint64_t now_ns = clock_now_ns();
    struct heap_node *top;
    while ((top = heap_top(&ring->deadlines)) && top->key <= now_ns) {
        heap_remove(&ring->deadlines, top);
        complete(ring, container_of(top, struct ring_waiter, deadline), 0);
    }
    if (ring->armed_ns <= now_ns)
        ring->armed_ns = UINT64_MAX;
}

static void reap(struct ring *ring)
{
    unsigned head, count = 0;
    bool expired = false, cancelling = false;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&ring->uring, head, cqe)
    {
        void *whose = (void *)(uintptr_t)cqe->user_data;
        count++;
        if (whose == ring)
            expired = true;
        else if (whose == &ring->cancel)
            cancelling = true;
        else if (whose) /* or it is the end of a linked timeout, or of a cancellation */
            complete(ring, whose, cqe->res);
    }
    io_uring_cq_advance(&ring->uring, count);
    if (expired)
        expire(ring);
    if (cancelling)
        ring->cancel(ring);
}

/* ---- Submission ---- */

/* Hands over what has been written, waits until `least` ops are complete, and takes what there is.
 * Some errors pass: a signal, or too little memory or room until results have been reaped. */
static void submit(struct ring *ring, unsigned least)
{
    int error = least ? io_uring_submit_and_wait(&ring->uring, least)
                      : io_uring_submit_and_get_events(&ring->uring);
    if (error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY)
        ring->error = error;
    reap(ring);
}

/* Makes sure that `count` entries are free. False: there is no hope of that. */
static bool make_room(struct ring *ring, unsigned count)
{
    while (io_uring_sq_space_left(&ring->uring) < count && !ring->error)
        submit(ring, 0);
    return !ring->error;
}

static struct __kernel_timespec timespec_of(uint64_t ns)
{
    return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / 1000000000),
                                      .tv_nsec = (long long)(ns % 1000000000)};
}

/* Has the ring wake us at the earliest deadline. A later timeout that is under way stays; it will
 * wake us for nothing. */
static void arm(struct ring *ring)
{
    const struct heap_node *top = heap_top(&ring->deadlines);
    if (!top || top->key >= ring->armed_ns || !make_room(ring, 1))
        return;
    ring->armed_ns = top->key;
    ring->time = timespec_of(top->key);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    io_uring_prep_timeout(sqe, &ring->time, 0, IORING_TIMEOUT_ABS);
    io_uring_sqe_set_data(sqe, ring);
}

/* Sockets are left blocking: of one that is not, the ring would return -EAGAIN instead of waiting.
 */
static int64_t make_socket(struct ring_waiter *waiter, const struct op *op)
{
    if (op->kind == OP_CONNECT) {
        waiter->socket = socket(op->addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (waiter->socket < 0)
            return -errno;
    }
    return 0;
}

/* The entry of an op; a time limit is an entry of its own, linked to it. */
static void write_entries(struct ring *ring, struct ring_waiter *waiter, const struct op *op)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    if (op->kind == OP_CONNECT)
        io_uring_prep_connect(sqe, waiter->socket, op->addr, (socklen_t)op->len);
    else if (op->kind == OP_SEND)
        io_uring_prep_send(sqe, op->fd, op->data, op->len, MSG_NOSIGNAL);
    else if (op->kind == OP_READ)
        io_uring_prep_read(sqe, op->fd, op->buffer, (unsigned)op->len, op->offset);
    else
        io_uring_prep_recv(sqe, op->fd, op->buffer, op->len, 0);
    io_uring_sqe_set_data(sqe, waiter);
    if (op->kind != OP_READ && op->time_ns) {
        io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
        waiter->time = timespec_of(op->time_ns);
        sqe = io_uring_get_sqe(&ring->uring);
        io_uring_prep_link_timeout(sqe, &waiter->time, 0);
        io_uring_sqe_set_data(sqe, NULL);
    }
}

void ring_perform(struct ring *ring, struct ring_waiter *waiter, const struct op *op)
{
    if (waiter->cancelled) {
        ring_ready(ring, waiter, -ECANCELED);
        return;
    }
    if (op->kind == OP_SLEEP) {
        waiter->op = op;
        ring->waiting++;
        waiter->deadline.key = clock_now_ns() + op->time_ns;
        heap_push(&ring->deadlines, &waiter->deadline); /* ring_open() made room */
        return;
    }
    int64_t error = make_socket(waiter, op);
    if (error) {
        ring_ready(ring, waiter, error);
        return;
    }
    bool room = make_room(ring, 2); /* it may be cancelled meanwhile */
    waiter->op = op;
    ring->waiting++;
    if (room && !waiter->cancelled)
        write_entries(ring, waiter, op);
    else
        complete(ring, waiter, room ? -ECANCELED : ring->error);
}

void ring_cancel(struct ring *ring, struct ring_waiter *waiter)
{
    waiter->cancelled = true;
    if (!waiter->op)
        return;
    if (waiter->op->kind == OP_SLEEP) {
        heap_remove(&ring->deadlines, &waiter->deadline);
        complete(ring, waiter, -ECANCELED);
    } else if (make_room(ring, 1) && waiter->op) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
        io_uring_prep_cancel(sqe, waiter, 0);
        io_uring_sqe_set_data(sqe, NULL);
    }
}

/* Asked once, and only where tasks may be cancelled. */
static void watch_cancellation(struct ring *ring)
{
    if (cancellation.fd < 0)
        return;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    io_uring_prep_poll_add(sqe, cancellation.fd, POLLIN);
    io_uring_sqe_set_data(sqe, &ring->cancel);
}

bool ring_begin_turn(struct ring *ring)
{
    do {
        if (ring->waiting) {
            arm(ring);
            submit(ring, ring->ready.count ? 0 : 1);
        }
        if (ring->error || (!ring->waiting && !ring->ready.count))
            return false;
        ring->turn = ring->ready.count;
    } while (ring->turn == 0);
    return true;
}

/* ---- Life ---- */

/* One thread uses the ring, and completions may wait until it asks for them, which saves
 * interrupting it. Linux 6.1 can be told so. */
static int set_up(struct io_uring *uring, unsigned entries)
{
    int error = io_uring_queue_init(entries, uring,
                                    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    return error == -EINVAL ? io_uring_queue_init(entries, uring, 0) : error;
}

int ring_open(struct ring *ring, unsigned waiters, void (*cancel)(struct ring *ring))
{
    *ring = (struct ring){.armed_ns = UINT64_MAX, .cancel = cancel};
    queue_init(&ring->ready);
    int error = heap_reserve(&ring->deadlines, waiters);
    if (error)
        return error;
    unsigned entries = 2; /* an op and its time limit */
    while (entries < 2 * waiters && entries < ENTRIES_MAX)
        entries *= 2;
    error = set_up(&ring->uring, entries);
    if (error)
        heap_drop(&ring->deadlines);
    else
        watch_cancellation(ring);
    return error;
}

void ring_close(struct ring *ring)
{
    io_uring_queue_exit(&ring->uring);
    heap_drop(&ring->deadlines);
}

/* ---- What there must be ---- */

/* kernel.io_uring_disabled: 0 for all, 1 for a group, 2 for nobody; Linux 6.6. */
static bool disabled_by_sysctl(void)
{
    int disabled = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file) {
        if (fscanf(file, "%d", &disabled) != 1)
            disabled = 0;
        fclose(file);
    }
    return disabled != 0;
}

static const char *explain(int error)
{
    static char text[128];
    switch (error) {
    case ENOSYS:
        return "this kernel has no io_uring (Linux 5.6 has), or a container's seccomp filter hides "
               "it; there: docker run --security-opt seccomp=unconfined";
    case EPERM:
    case EACCES:
        if (disabled_by_sysctl())
            return "io_uring is disabled; enable it with: sysctl -w kernel.io_uring_disabled=0";
        return "io_uring is forbidden, as by a container's seccomp filter; there: docker run "
               "--security-opt seccomp=unconfined";
    case ENOMEM:
        return "too little memory may be locked for io_uring; raise it with: ulimit -l unlimited";
    default:
        snprintf(text, sizeof text, "io_uring cannot be set up: %s", strerror(error));
        return text;
    }
}

const char *ring_unavailable(void)
{
    struct io_uring uring;
    int error = set_up(&uring, 2);
    if (error)
        return explain(-error);
    static const int needed[] = {IORING_OP_TIMEOUT,  IORING_OP_LINK_TIMEOUT, IORING_OP_CONNECT,
                                 IORING_OP_SEND,     IORING_OP_RECV,         IORING_OP_READ,
                                 IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL};
    struct io_uring_probe *probe = io_uring_get_probe_ring(&uring);
    bool complete = probe && (uring.features & IORING_FEAT_NODROP);
    for (size_t i = 0; complete && i < sizeof needed / sizeof *needed; i++)
        complete = io_uring_opcode_supported(probe, needed[i]);
    io_uring_free_probe(probe);
    io_uring_queue_exit(&uring);
    return complete ? NULL : "this kernel's io_uring lacks ops; Linux 5.6 has them all";
}
#endif
