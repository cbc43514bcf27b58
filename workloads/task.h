/*
 * A task is one unit of work: a resumable function and its state. It never waits by itself: it
 * yields the op it waits for, and whoever runs it (a strategy) performs that op and resumes it
 * with the result. So one piece of object code runs under every strategy.
 *
 * A task body reads top to bottom. It is a stackless coroutine: a switch on the line where it
 * stopped (Simon Tatham, "Coroutines in C", 2000), so what must survive an AWAIT lives in the
 * task's own struct, never in a local variable:
 *
 *     struct nap { struct task task; uint64_t ns; };
 *
 *     static const struct op *nap_body(struct task *task, int64_t result)
 *     {
 *         struct nap *nap = (struct nap *)task;
 *         TASK_BEGIN(task);
 *         AWAIT(task, op_sleep(nap->ns));      // the op's result is now in `result`
 *         if (result < 0)
 *             task->result->error = (int32_t)-result;
 *         TASK_END(task);
 *     }
 */
#ifndef OVERLAP_TASK_H
#define OVERLAP_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

/* What a task can wait for. The result that it is resumed with is what the op brought: */
enum op_kind {
    OP_YIELD,   /* nothing, but others may run first; result 0 */
    OP_SLEEP,   /* time_ns to pass; result 0 */
    OP_CONNECT, /* a TCP connection to (addr, len); result: its descriptor, which the task owns */
    OP_SEND,    /* at least one byte of (buffer, len) to be taken; result: bytes sent */
    OP_RECV,    /* at least one byte into (buffer, len); result: bytes, 0 when the peer has ended */
    OP_READ,    /* at least one byte of a regular file, from its byte `offset`, into (buffer, len);
                 * result: bytes, 0 at or behind its end. The file's own position is left alone. A
                 * file is always ready, so asking for readiness is of no use: who reads, waits */
};

/* An op is complete with its result, a failed one with -errno, one that ran out of time with
 * -ETIMEDOUT, one whose task is cancelled with -ECANCELED. Connections time out alike in all
 * strategies: each op of one connection must ask for the time that its OP_CONNECT asked for. An
 * OP_SEND or OP_RECV on any other socket asks for what socket_limit() was told: that socket blocks,
 * and whoever does not want to wait says so in the call. */
struct op {
    enum op_kind kind;
    int fd; /* OP_SEND, OP_RECV, OP_READ */
    union {
        uint64_t time_ns; /* OP_SLEEP: how long. Others: give up after; 0 is never */
        uint64_t offset;  /* OP_READ, which never times out */
    };
    union {
        void *buffer;                /* OP_RECV, OP_READ */
        const void *data;            /* OP_SEND */
        const struct sockaddr *addr; /* OP_CONNECT */
    };
    size_t len; /* bytes at buffer, data or addr */
};

/* What becomes of a task: all that its strategy hands back to the parent. */
struct result {
    int32_t error;        /* 0, or the errno of what went wrong */
    uint32_t digest;      /* of the work done: equal under every strategy */
    uint64_t bytes_moved; /* received and sent */
    uint64_t work_ns;     /* CPU time spent computing (work()) */
    uint64_t started_ns;  /* CLOCK_MONOTONIC at its first resumption */
    uint64_t finished_ns; /* and when its body ended */
    size_t payload_bytes; /* size of what `payload` holds */
    void *payload;        /* malloc'd, owned by whoever holds the result; or NULL */
};

struct task;
typedef const struct op *task_body(struct task *task, int64_t result);

struct task {
    task_body *body;
    struct result *result; /* where the outcome goes; owned by the trial */
    struct op op;          /* what it awaits */
    uint32_t id;           /* 0 ... tasks - 1 */
    uint32_t line;         /* where the body goes on; 0 before the first resumption */
};

/* Runs the task until it waits or ends: the op that it waits for, which stays valid until the
 * next resumption, or NULL when the task is done. `result` is what the last op brought, 0 at
 * first. Never blocks. The caller performs the op, or has somebody perform it. */
static inline const struct op *task_resume(struct task *task, int64_t result)
{
    return task->body(task, result);
}

/* Ends the life of a task, done or not: releases what its workload holds for it and the task. */
void task_free(struct task *task);

/* How long a blocking socket may keep whoever sends or receives: its timeouts belong to the socket,
 * not to the call. Rounded up to a microsecond. Returns 0 or -errno. */
int socket_limit(int fd, uint64_t ns);

/* Which tasks are to end early, and when. Set before the first task is created, the same for the
 * whole trial and for all of its processes. */
struct cancellation {
    int fd;                      /* can be read, and stays so, once they are to end; -1: none is */
    bool (*chosen)(uint32_t id); /* is it to end? Asked from any thread */
};
extern struct cancellation cancellation;

static inline bool task_may_be_cancelled(const struct task *task)
{
    return cancellation.fd >= 0 && cancellation.chosen(task->id);
}

/* ---- For task bodies ---- */

#define TASK_BEGIN(task)                                                                           \
    (void)result;                                                                                  \
    switch ((task)->line) {                                                                        \
    case 0:                                                                                        \
        task_started(task)

/* Waits for `op_`; afterwards the body's parameter `result` holds what it brought. */
#define AWAIT(task, op_)                                                                           \
    do {                                                                                           \
        (task)->op = (op_);                                                                        \
        (task)->line = __LINE__;                                                                   \
        return &(task)->op;                                                                        \
    case __LINE__:;                                                                                \
    } while (0)

#define TASK_END(task)                                                                             \
    }                                                                                              \
    task_finished(task);                                                                           \
    return NULL

static inline struct op op_yield(void)
{
    return (struct op){.kind = OP_YIELD};
}

static inline struct op op_sleep(uint64_t ns)
{
    return (struct op){.kind = OP_SLEEP, .time_ns = ns};
}

/* `addr` must live until the op is complete. */
static inline struct op op_connect(const struct sockaddr *addr, socklen_t len, uint64_t timeout_ns)
{
    return (struct op){.kind = OP_CONNECT, .time_ns = timeout_ns, .addr = addr, .len = len};
}

static inline struct op op_send(int fd, const void *data, size_t len, uint64_t timeout_ns)
{
    return (struct op){.kind = OP_SEND, .fd = fd, .time_ns = timeout_ns, .data = data, .len = len};
}

static inline struct op op_recv(int fd, void *buffer, size_t len, uint64_t timeout_ns)
{
    return (struct op){
        .kind = OP_RECV, .fd = fd, .time_ns = timeout_ns, .buffer = buffer, .len = len};
}

static inline struct op op_read(int fd, void *buffer, size_t len, uint64_t offset)
{
    return (struct op){.kind = OP_READ, .fd = fd, .offset = offset, .buffer = buffer, .len = len};
}

/* Computes: `iterations` of 32-bit integer arithmetic over the `words` 32-bit words at `set` (a
 * power of two), starting from `digest`; returns the new digest. The time it takes on the CPU is
 * added to the task's work_ns. Calls the checkpoint a few thousand times a second. */
uint32_t work(struct task *task, uint32_t digest, uint64_t iterations, uint32_t *set, size_t words);

/* ---- For whoever measures: what to call at the turning points of a task ---- */

/* Any may be NULL. Set before the first task is created, the same for the whole trial. */
struct task_hooks {
    void (*started)(struct task *task);
    void (*finished)(struct task *task);
    void (*work_begins)(struct task *task);
    void (*work_ends)(struct task *task);
    void (*checkpoint)(struct task *task); /* from within work() */
    void (*lock_awaited)(struct task *task);
    void (*lock_taken)(struct task *task);
    void (*release)(struct task *task); /* before the memory of a task goes */
};
extern struct task_hooks task_hooks;

/* A strategy that takes the processor from a computing task (a GIL) does so here; or NULL. */
extern void (*task_preempt)(struct task *task);

/* What keeps a task from running, although it is ready, is the strategy's lock: the thread that is
 * to resume it, or within whose resumption it computes, says so before it waits for the lock, and
 * once it has it. */
static inline void task_lock_awaited(struct task *task)
{
    if (task_hooks.lock_awaited)
        task_hooks.lock_awaited(task);
}

static inline void task_lock_taken(struct task *task)
{
    if (task_hooks.lock_taken)
        task_hooks.lock_taken(task);
}

static inline void task_started(struct task *task)
{
    if (task_hooks.started)
        task_hooks.started(task);
}

static inline void task_finished(struct task *task)
{
    if (task_hooks.finished)
        task_hooks.finished(task);
}

#endif
