/*
 * fiber: stackful coroutines on one event loop, on one thread; fiber-ucontext and fiber-setjmp are
 * the same with other ways of switching between stacks (context.h).
 *
 * Where it runs: one process, one thread, a stack for each task. Who decides the order: the loop,
 * first ready first served, and only where a task awaits. A fiber that awaits looks itself who is
 * next and goes there straight: there is no scheduler in between, only one switch for each turn.
 * What blocks: nothing but the loop itself when no task is ready; and a task that computes, which
 * keeps all others waiting. What one more task costs: a stack, of which what is touched takes
 * memory, at least a page.
 *
 * An overflow is met by the guard page below the stack, unless one function takes more than a page
 * at once and touches what lies below first (-fstack-clash-protection prevents that).
 */
#include "context.h"
#include "loop.h"
#include "sanitizer.h"
#include "stacks.h"
#include "strategy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fiber {
    struct waiter waiter; /* first, so that the loop's waiter is the fiber */
    struct task *task;
    void *context; /* where it goes on, while another runs */
    struct sanitizer_stack stack;
};

/* A process runs one trial at a time. */
static struct {
    const struct context_backend *backend;
    struct loop loop;
    uint64_t switches;
    struct fiber main;  /* the thread itself, which waits for the end */
    struct fiber *left; /* who switched last */
    struct fiber *all;  /* `count` of them */
    unsigned count;
    struct stacks stacks;
} fibers;

/* ---- Switching ---- */

/* Has the stack of the one after next fetched into the cache: among thousands it is not there. */
static inline void fetch_ahead(void)
{
    const struct fiber *after = (const struct fiber *)fibers.loop.ready.first;
    if (after)
        __builtin_prefetch(after->context);
}

/* Goes to the fiber whose turn it is, or back to run() when there is none. Returns when it is the
 * turn of `self`, at once when nobody else is ready. */
static inline void leave(struct fiber *self, bool for_good)
{
    struct fiber *next = (struct fiber *)loop_next(&fibers.loop);
    if (next)
        fibers.switches++;
    else
        next = &fibers.main;
    if (next == self)
        return;
    fetch_ahead();
    sanitizer_leave(&self->stack, &next->stack, for_good);
    fibers.left = self;
    fibers.backend->swap(&self->context, next->context);
    sanitizer_arrive(&self->stack, &fibers.left->stack);
}

static inline int64_t fiber_await(struct fiber *self, const struct op *op)
{
    loop_await(&fibers.loop, &self->waiter, op);
    leave(self, false);
    return self->waiter.result;
}

static void fiber_main(void *argument)
{
    struct fiber *self = argument;
    sanitizer_arrive(&self->stack, &fibers.left->stack);
    int64_t result = 0;
    for (const struct op *op; (op = task_resume(self->task, result));)
        result = fiber_await(self, op);
    task_free(self->task);
    self->task = NULL;
    leave(self, true);
}

static void cancel(struct loop *loop)
{
    for (unsigned i = 0; i < fibers.count; i++)
        if (fibers.all[i].task && task_may_be_cancelled(fibers.all[i].task))
            loop_cancel(loop, &fibers.all[i].waiter);
}

/* ---- Settings ---- */

static uint64_t stack_bytes;
static const char *guard_name;

static const struct setting settings[] = {
    {"stack", 0, SETTING_BYTES, "16KiB", "BYTES", "size of each stack", &stack_bytes, 4096,
     1 << 30},
    {"guard", 0, SETTING_TEXT, "auto", "HOW",
     "guard pages by madvise, mprotect or none (auto: the first that works)", &guard_name, 0, 0},
    {0},
};

static const char *const guard_names[] = {
    [GUARD_MADVISE] = "madvise", [GUARD_MPROTECT] = "mprotect", [GUARD_NONE] = "none"};

/* GUARDS when it is none of them. */
static enum guard guard_of(const char *name)
{
    enum guard guard = 0;
    while (guard < GUARDS && strcmp(name, guard_names[guard]) != 0)
        guard++;
    return guard;
}

/* What --guard auto comes to is noted in the record, except where it is the usual. */
static int fiber_prepare(unsigned tasks, char *why, size_t why_bytes)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    stack_bytes = (stack_bytes + page_bytes - 1) / page_bytes * page_bytes;
    if (strcmp(guard_name, "auto") == 0) {
        enum guard guard = stacks_cheapest_guard(tasks);
        if (guard != GUARD_MADVISE)
            guard_name = guard_names[guard];
        return 0;
    }
    if (guard_of(guard_name) < GUARDS)
        return 0;
    snprintf(why, why_bytes, "--guard takes auto, madvise, mprotect or none, not '%s'", guard_name);
    return -1;
}

/* ---- The trial ---- */

/* What a user can do about an overflow. */
static void watch_stacks(void)
{
    char given[32], twice[32], advice[128];
    uint64_t twice_bytes = 2 * stack_bytes;
    const struct setting larger = {.kind = SETTING_BYTES, .where = &twice_bytes};
    setting_print(&settings[0], given, sizeof given);
    setting_print(&larger, twice, sizeof twice);
    snprintf(advice, sizeof advice, "--stack %s; a larger one: --stack %s", given, twice);
    stacks_watch(&fibers.stacks, advice);
}

static int open_stacks(struct trial *trial)
{
    enum guard guard = guard_of(guard_name);
    int error = stacks_open(&fibers.stacks, trial->tasks, stack_bytes * SANITIZER_STACK_FACTOR,
                            guard < GUARDS ? guard : GUARD_MADVISE);
    if (!error)
        return 0;
    if (error != -EINVAL)
        return strategy_limit(trial, "stack", fibers.stacks.guarded, -error);
    snprintf(trial->reason, sizeof trial->reason,
             "this kernel has no guards by madvise (Linux 6.13 has); use --guard mprotect");
    return STRATEGY_LIMIT;
}

/* How much of its stack fiber `id` has. If all began at the same place of their page, what they use
 * would contend for a few sets of the cache; so they begin at one of several lines. */
static size_t own_stack_bytes(unsigned id)
{
    enum { LINES = 16, LINE_BYTES = 64 }; /* a quarter of a page: the first page still does */
    return fibers.stacks.stack_bytes - id % LINES * LINE_BYTES;
}

static int make_fibers(struct trial *trial, struct fiber *all)
{
    for (unsigned id = 0; id < trial->tasks; id++) {
        struct fiber *fiber = &all[id];
        void *stack = stacks_get(&fibers.stacks, id);
        fiber->task = task_create(trial, id);
        if (!fiber->task)
            return strategy_limit(trial, "task", id, errno);
        sanitizer_add_stack(&fiber->stack, stack, fibers.stacks.stack_bytes);
        fiber->context = fibers.backend->make(stack, own_stack_bytes(id), fiber_main, fiber);
        loop_ready(&fibers.loop, &fiber->waiter, 0);
    }
    return 0;
}

static int run_on(struct trial *trial, const struct context_backend *backend)
{
    struct fiber *all = calloc(trial->tasks, sizeof *all);
    int error = all ? loop_open(&fibers.loop, trial->tasks, cancel) : -ENOMEM;
    if (error) {
        free(all);
        return strategy_limit(trial, "event loop", 0, -error);
    }
    fibers.backend = backend;
    fibers.all = all;
    fibers.count = trial->tasks;
    fibers.switches = 0;
    int status = open_stacks(trial);
    if (!status) {
        watch_stacks();
        status = make_fibers(trial, all);
        if (!status)
            leave(&fibers.main, false);
        trial->task_switches = fibers.switches;
        for (unsigned id = 0; id < trial->tasks && all[id].context; id++) {
            sanitizer_remove_stack(&all[id].stack);
            task_free(all[id].task);
        }
        stacks_unwatch();
    }
    stacks_close(&fibers.stacks);
    loop_close(&fibers.loop);
    free(all);
    return status;
}

static int fiber_run(struct trial *trial)
{
    return run_on(trial, &context_assembly);
}

static int fiber_ucontext_run(struct trial *trial)
{
    return run_on(trial, &context_ucontext);
}

static int fiber_setjmp_run(struct trial *trial)
{
    return run_on(trial, &context_setjmp);
}

STRATEGY(fiber) = {
    .name = "fiber",
    .summary = "a stack for each task, switched in assembly, on the loop of coroutine",
    .settings = settings,
    .alive = ALIVE_ALL,
    .cancels = true,
    .unavailable = context_assembly_unavailable,
    .prepare = fiber_prepare,
    .run = fiber_run,
};

STRATEGY(fiber_ucontext) = {
    .name = "fiber-ucontext",
    .summary = "fiber, switched by swapcontext()",
    .settings = settings,
    .alive = ALIVE_ALL,
    .cancels = true,
    .unavailable = context_ucontext_unavailable,
    .prepare = fiber_prepare,
    .run = fiber_ucontext_run,
};

STRATEGY(fiber_setjmp) = {
    .name = "fiber-setjmp",
    .summary = "fiber, switched by _setjmp() and _longjmp()",
    .settings = settings,
    .alive = ALIVE_ALL,
    .cancels = true,
    .unavailable = context_setjmp_unavailable,
    .prepare = fiber_prepare,
    .run = fiber_setjmp_run,
};
