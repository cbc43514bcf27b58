/*
 * See loop.h. Two things are not what libev would do by itself:
 *
 * Deadlines go through one timerfd, for libev's timers are late (deadlines.h). While all who wait
 * sleep there is nothing to watch, and the loop sleeps itself.
 *
 * A stopped watcher keeps its place in the kernel's interest list, as libev leaves it there. So a
 * connection that waits for its answer again and again needs one epoll_ctl(), not one each time;
 * but only as long as the descriptor stays the same file, which the loop knows of its own
 * connections.
 */
#include "loop.h"
#include "clock.h"
#include "op.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* ---- Completion ---- */

static void complete(struct loop *loop, struct waiter *waiter, int64_t result)
{
    heap_remove(&loop->deadlines.heap, &waiter->deadline);
    if (waiter->op->kind == OP_CONNECT)
        waiter->socket = (int)result;
    loop->on_sockets -= waiter->op->kind != OP_SLEEP;
    waiter->op = NULL;
    loop->waiting--;
    loop_ready(loop, waiter, result);
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct waiter *waiter = container_of(io, struct waiter, io);
    const struct op *op = waiter->op;
    int64_t result = op->kind == OP_CONNECT ? op_connect_end(io->fd) : op_try(op);
    if (result == -EAGAIN)
        return;
    ev_io_stop(ev, io);
    complete(ev_userdata(ev), waiter, result);
}

/* Ends an op that nothing came of. */
static void give_up(struct loop *loop, struct waiter *waiter, int64_t result)
{
    if (waiter->op->kind != OP_SLEEP)
        ev_io_stop(loop->ev, &waiter->io);
    if (waiter->op->kind == OP_CONNECT)
        close(waiter->io.fd);
    complete(loop, waiter, result);
}

/* The deadline of a sleep is its end, that of any other op is its failure. */
static void expire(struct loop *loop, struct waiter *waiter)
{
    give_up(loop, waiter, waiter->op->kind == OP_SLEEP ? 0 : -ETIMEDOUT);
}

static void expire_due(struct loop *loop)
{
    uint64_t now = clock_now_ns();
    struct heap_node *top;
    while ((top = deadlines_due(&loop->deadlines, now)))
        expire(loop, container_of(top, struct waiter, deadline));
}

static void on_timer(struct ev_loop *ev, ev_io *io, int events)
{
    (void)io, (void)events;
    struct loop *loop = ev_userdata(ev);
    expire_due(loop);
    deadlines_went_off(&loop->deadlines);
}

void loop_cancel(struct loop *loop, struct waiter *waiter)
{
    waiter->cancelled = true;
    if (waiter->op)
        give_up(loop, waiter, -ECANCELED);
}

static void on_cancellation(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct loop *loop = ev_userdata(ev);
    ev_io_stop(ev, io); /* it can be read forever */
    loop->cancel(loop);
}

/* ---- Waiting ---- */

static void add_deadline(struct loop *loop, struct waiter *waiter, uint64_t time_ns)
{
    waiter->deadline.key = clock_now_ns() + time_ns;
    heap_push(&loop->deadlines.heap, &waiter->deadline); /* loop_open() made room */
}

static void watch(struct loop *loop, struct waiter *waiter, int fd, int events)
{
    if (waiter->op->kind != OP_CONNECT && waiter->io.fd == fd && waiter->socket == fd)
        ev_io_modify(&waiter->io, events);
    else
        ev_io_init(&waiter->io, on_io, fd, events);
    ev_io_start(loop->ev, &waiter->io);
    loop->on_sockets++;
    if (waiter->op->time_ns)
        add_deadline(loop, waiter, waiter->op->time_ns);
}

/* Begins an op on a socket. Returns its result, or -EAGAIN when the waiter must wait. */
static int64_t begin(struct loop *loop, struct waiter *waiter, const struct op *op)
{
    if (op->kind == OP_CONNECT) {
        bool in_progress;
        int fd = op_connect_begin(op, &in_progress);
        waiter->socket = fd;
        if (fd < 0 || !in_progress)
            return fd;
        watch(loop, waiter, fd, EV_WRITE);
        return -EAGAIN;
    }
    int64_t result = op_try(op);
    if (result == -EAGAIN)
        watch(loop, waiter, op->fd, op->kind == OP_SEND ? EV_WRITE : EV_READ);
    return result;
}

void loop_perform(struct loop *loop, struct waiter *waiter, const struct op *op)
{
    if (waiter->cancelled) {
        loop_ready(loop, waiter, -ECANCELED);
        return;
    }
    waiter->op = op;
    if (op->kind == OP_SLEEP) {
        add_deadline(loop, waiter, op->time_ns);
        loop->waiting++;
        return;
    }
    int64_t result = begin(loop, waiter, op);
    if (result == -EAGAIN) {
        loop->waiting++;
    } else {
        waiter->op = NULL;
        loop_ready(loop, waiter, result);
    }
}

static void sleep_until(uint64_t ns)
{
    struct timespec end = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

static void look_for_completed(struct loop *loop)
{
    if (!loop->ready.count && !loop->on_sockets && !loop->cancel) {
        sleep_until(heap_top(&loop->deadlines.heap)->key); /* all who wait sleep */
        expire_due(loop);
        return;
    }
    deadlines_arm(&loop->deadlines);
    ev_run(loop->ev, loop->ready.count ? EVRUN_NOWAIT : EVRUN_ONCE);
}

/* Looks for completed ops until somebody is ready, who then makes up the turn. */
bool loop_begin_turn(struct loop *loop)
{
    do {
        if (loop->waiting)
            look_for_completed(loop);
        else if (!loop->ready.count)
            return false;
        loop->turn = loop->ready.count;
    } while (loop->turn == 0);
    return true;
}

/* ---- Life ---- */

int loop_open(struct loop *loop, unsigned waiters, void (*cancel)(struct loop *loop))
{
    *loop = (struct loop){0};
    queue_init(&loop->ready);
    int error = deadlines_open(&loop->deadlines, waiters);
    if (error)
        return error;
    errno = 0;
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!loop->ev) {
        error = errno ? -errno : -ENOMEM;
        deadlines_close(&loop->deadlines);
        return error;
    }
    ev_set_userdata(loop->ev, loop);
    ev_io_init(&loop->timer, on_timer, loop->deadlines.timer, EV_READ);
    ev_io_start(loop->ev, &loop->timer);
    if (cancel && cancellation.fd >= 0) {
        loop->cancel = cancel;
        ev_io_init(&loop->cancellation, on_cancellation, cancellation.fd, EV_READ);
        ev_io_start(loop->ev, &loop->cancellation);
    }
    return 0;
}

void loop_close(struct loop *loop)
{
    ev_loop_destroy(loop->ev);
    deadlines_close(&loop->deadlines);
}
