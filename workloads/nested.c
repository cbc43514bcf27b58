/*
 * nested: tasks tidied into calls. Each task calls a function that calls a second one that calls a
 * third, and only the innermost waits, for one unit of time. Its op travels out through all of them
 * to the strategy, and the result travels back in: what `yield from` does for generators. On its
 * way back each call sends what it got to a counter, a coroutine that yields numbers and no ops.
 *
 * The catch: a stackless call has no stack to live on. Each level's frame has its place in the
 * task's struct, and each resumption walks down all levels to the one that waits.
 */
#include "workload.h"

struct frame {
    uint32_t line;  /* where the call goes on; 0 before its beginning */
    uint32_t value; /* what it returned */
};

struct counter {
    uint32_t line, total;
};

struct nested {
    struct task task;
    struct frame outer, middle, inner;
    struct counter counter;
};

/* A call is a body of its own: it yields ops, as a task does, and at last returns a value. */
#define CALL_BEGIN(frame)                                                                          \
    (void)result;                                                                                  \
    switch ((frame)->line) {                                                                       \
    case 0:

#define CALL_AWAIT(frame, task, op_)                                                               \
    do {                                                                                           \
        (task)->op = (op_);                                                                        \
        (frame)->line = __LINE__;                                                                  \
        return &(task)->op;                                                                        \
    case __LINE__:;                                                                                \
    } while (0)

#define CALL_RETURN(frame, value_)                                                                 \
    }                                                                                              \
    (frame)->value = (value_);                                                                     \
    return NULL

/* Hands on each op that `call` yields, until it has returned. */
#define YIELD_FROM(frame, call)                                                                    \
    do {                                                                                           \
        (frame)->line = __LINE__;                                                                  \
        __attribute__((fallthrough));                                                              \
    case __LINE__:;                                                                                \
        const struct op *op_ = (call);                                                             \
        if (op_)                                                                                   \
            return op_;                                                                            \
    } while (0)

/* Resumes the counter with a value; it adds it and yields the total so far. */
static uint32_t counter_send(struct counter *counter, uint32_t value)
{
    switch (counter->line) {
    case 0:
        counter->line = 1;
        for (;;) {
            counter->total = counter->total * 1664525u + value;
            return counter->total;
        case 1:;
        }
    }
    return 0;
}

static const struct op *inner(struct nested *self, int64_t result)
{
    CALL_BEGIN(&self->inner)
    CALL_AWAIT(&self->inner, &self->task, op_sleep(params.unit_ns));
    if (result < 0)
        self->task.result->error = (int32_t)-result;
    CALL_RETURN(&self->inner, workload_random(params.seed, self->task.id, 0));
}

static const struct op *middle(struct nested *self, int64_t result)
{
    CALL_BEGIN(&self->middle)
    YIELD_FROM(&self->middle, inner(self, result));
    CALL_RETURN(&self->middle, counter_send(&self->counter, self->inner.value));
}

static const struct op *outer(struct nested *self, int64_t result)
{
    CALL_BEGIN(&self->outer)
    YIELD_FROM(&self->outer, middle(self, result));
    CALL_RETURN(&self->outer, counter_send(&self->counter, self->middle.value));
}

static const struct op *nested_body(struct task *task, int64_t result)
{
    struct nested *self = (struct nested *)task;
    TASK_BEGIN(task);
    YIELD_FROM(task, outer(self, result));
    task->result->digest = counter_send(&self->counter, self->outer.value);
    TASK_END(task);
}

static unsigned nested_plan(uint32_t id, struct step *steps)
{
    (void)id;
    steps[0] = (struct step){.wait_ns = params.unit_ns};
    return 1;
}

WORKLOAD(nested) = {
    .name = "nested",
    .summary = "three calls inside each other, the innermost of which waits for a unit of time",
    .task_bytes = sizeof(struct nested),
    .body = nested_body,
    .plan = nested_plan,
};
