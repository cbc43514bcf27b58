/* Recording the events of a trial from within, and what becomes of them afterwards. */
#include "trace.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "clock.h"
#include "record.h"
#include "stats.h"
#include "switches.h"

/* A thread takes a page of events at a time from the pool, whichever process it lives in. */
enum { PAGE_EVENTS = 4096 / sizeof(struct trace_event), EVENTS_DEFAULT = 1 << 22 };
struct event_page {
    struct trace_event events[PAGE_EVENTS];
};

/* Shared by all processes of the trial: memory that is only spent once it is written. */
struct pool {
    atomic_uint_fast64_t pages_taken; /* may exceed `pages`: those were asked for in vain */
    atomic_uint_fast64_t dropped;
    atomic_uint threads;                 /* that have recorded */
    _Atomic(const char *) switch_reason; /* why some thread's switches are inferred; static text,
                                          * at the same address in forked children */
    uint64_t pages;
    alignas(4096) struct event_page page[];
};

/* What one thread has of the pool. */
struct recorder {
    struct trace_event *next, *end; /* the rest of its page */
    uint32_t thread;                /* its number, from 1; 0: not known to the pool yet */
    bool follows_switches;
    struct switches_sample fresh; /* taken when its first resumption began; zeroed after that */
    struct switches switches;
};

static const struct op *(*workload_body)(struct task *task, int64_t result);
static bool no_perf;
static struct pool *pool;
static struct timeline timeline;
static pthread_key_t thread_end;
static _Thread_local struct recorder self;

/* ---- Recording ---- */

static bool take_page(void)
{
    if (self.thread == 0)
        self.thread = atomic_fetch_add(&pool->threads, 1) + 1;
    uint64_t page = atomic_fetch_add(&pool->pages_taken, 1);
    if (page >= pool->pages)
        return false;
    self.next = pool->page[page].events;
    self.end = self.next + PAGE_EVENTS;
    return true;
}

/* Has room for an event at hand: what is about to read the clock does not fault after it. A
 * thread's first fault may take milliseconds, for all its siblings are at it. */
static void make_room(void)
{
    if (self.next == self.end && take_page())
        *(volatile unsigned char *)self.next = 0;
}

static void record(const struct trace_event *event)
{
    if (self.next == self.end && !take_page()) {
        atomic_fetch_add(&pool->dropped, 1);
        return;
    }
    *self.next = *event;
    self.next->thread = self.thread;
    self.next++;
}

/* ---- Switches of the calling thread ---- */

static void end_thread(void *recorder)
{
    switches_close(&((struct recorder *)recorder)->switches);
}

/* A forked child is another thread in every respect, and has no ring: perf's are not inherited. */
static void begin_child(void)
{
    self = (struct recorder){0};
}

static void follow_switches(void)
{
    struct switches_sample since = self.fresh.wall_ns ? self.fresh : switches_sample();
    struct trace_event out, in;
    bool absent = false;
    self.follows_switches = true;
    const char *reason =
        no_perf ? "perf was turned off" : switches_open(&self.switches, &since, &absent, &out, &in);
    if (reason)
        atomic_store(&pool->switch_reason, reason);
    else
        pthread_setspecific(thread_end, &self);
    if (absent) {
        record(&out);
        record(&in);
    }
}

static void drain_switches(void)
{
    struct trace_event event;
    uint64_t lost = 0;
    while (switches_take(&self.switches, &event, &lost))
        record(&event);
    if (lost > 0)
        atomic_fetch_add(&pool->dropped, lost);
}

static void look_for_switches(uint64_t ns, bool at_checkpoint)
{
    struct trace_event out, in;
    if (self.switches.ring) {
        if (switches_half_full(&self.switches))
            drain_switches();
    } else if (switches_look(&self.switches, ns, at_checkpoint, &out, &in)) {
        record(&out);
        record(&in);
    }
}

/* ---- What the trial calls ---- */

void trace_creating(uint32_t id)
{
    record(&(struct trace_event){.ns = clock_now_ns(), .task = id, .kind = TRACE_CREATING});
    if (switches_half_full(&self.switches))
        drain_switches();
}

static uint64_t op_until_ns(const struct op *op, uint64_t ns)
{
    switch (op->kind) {
    case OP_YIELD:
        return ns;
    case OP_SLEEP:
        return ns + op->time_ns;
    default:
        return TRACE_UNKNOWN;
    }
}

static void record_resume(uint32_t id)
{
    make_room();
    self.switches.cpu = (uint16_t)sched_getcpu();
    record(&(struct trace_event){
        .task = id, .kind = TRACE_RESUME, .cpu = self.switches.cpu, .ns = clock_now_ns()});
}

const struct op *trace_body(struct task *task, int64_t result)
{
    uint32_t id = task->id;
    bool is_fresh = self.thread == 0;
    record_resume(id);
    self.fresh = is_fresh ? switches_sample() : (struct switches_sample){0};

    const struct op *op = workload_body(task, result);

    uint64_t ns = clock_now_ns();
    if (op)
        record(&(struct trace_event){
            .task = id, .kind = TRACE_AWAIT, .ns = ns, .until_ns = op_until_ns(op, ns)});
    else
        record(&(struct trace_event){.task = id, .kind = TRACE_DONE, .ns = ns});
    if (self.switches.ring || self.switches.computing)
        look_for_switches(ns, false);
    self.switches.computing = false;
    if (!op)
        drain_switches();
    return op;
}

void trace_work_begins(struct task *task)
{
    (void)task;
    if (!self.follows_switches)
        follow_switches();
    look_for_switches(clock_now_ns(), false);
}

void trace_checkpoint(struct task *task)
{
    (void)task;
    look_for_switches(clock_now_ns(), true);
}

void trace_lock_awaited(struct task *task)
{
    record(
        &(struct trace_event){.task = task->id, .kind = TRACE_LOCK_AWAITED, .ns = clock_now_ns()});
}

/* Whether within a resumption or just before one: from here on the task runs. What the wait for
 * the lock did to its thread is no news. */
void trace_lock_taken(struct task *task)
{
    record_resume(task->id);
    if (self.switches.computing) {
        self.switches.computing = false;
        look_for_switches(clock_now_ns(), false);
    }
}

/* ---- Before and after the clock ---- */

static size_t pool_bytes(uint64_t pages)
{
    return sizeof(struct pool) + pages * sizeof(struct event_page);
}

static struct pool *pool_make(uint64_t pages)
{
    struct pool *made = mmap(NULL, pool_bytes(pages), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED)
        return NULL;
    made->pages = pages;
    return made;
}

int trace_begin(const struct trace_setup *setup, char *why, size_t why_bytes)
{
    static bool prepared;
    const char *forbidden = getenv("OVERLAP_NO_PERF");
    workload_body = setup->body;
    no_perf = setup->no_perf || (forbidden && *forbidden);

    /* A task in a thread of its own takes a page of its own. */
    uint64_t events = setup->events ? setup->events : EVENTS_DEFAULT;
    pool = pool_make((events + PAGE_EVENTS - 1) / PAGE_EVENTS + 2 * (uint64_t)setup->tasks);
    if (!pool) {
        snprintf(why, why_bytes, "no memory for trace events: %s", strerror(errno));
        return -1;
    }
    if (!prepared && (pthread_key_create(&thread_end, end_thread) != 0 ||
                      pthread_atfork(NULL, NULL, begin_child) != 0)) {
        snprintf(why, why_bytes, "cannot follow threads and forks for the trace");
        return -1;
    }
    prepared = true;

    /* The first perf event of a system waits for an RCU grace period, 15 ms or so, and the others
     * don't while it is there: this thread opens its own now, whether or not it will run tasks.
     * The others do so when they begin to compute: for a thread that only sleeps, the 14 µs that
     * opening and closing takes would double the cost of its life. */
    follow_switches();
    return 0;
}

static uint64_t pages_used(void)
{
    uint64_t taken = atomic_load(&pool->pages_taken);
    return taken < pool->pages ? taken : pool->pages;
}

/* All that was recorded, page by page; the caller frees it. NULL when memory is short. */
static struct trace_event *collect(size_t *count)
{
    struct trace_event *events = malloc(pages_used() * sizeof(struct event_page) + 1);
    *count = 0;
    for (uint64_t page = 0; events && page < pages_used(); page++)
        for (unsigned i = 0; i < PAGE_EVENTS; i++)
            if (pool->page[page].events[i].kind != TRACE_NONE)
                events[(*count)++] = pool->page[page].events[i];
    return events;
}

/* What it takes to record an event, into memory as fresh as the trial's was. */
static uint64_t measure_event_ns(void)
{
    enum { EVENTS = 10000 };
    struct pool *of_trial = pool;
    struct recorder self_of_trial = self;
    pool = pool_make(EVENTS / PAGE_EVENTS + 1);
    if (!pool) {
        pool = of_trial;
        return NO_NUMBER;
    }
    self.next = self.end = NULL;
    uint64_t start_ns = clock_now_ns();
    for (int i = 0; i < EVENTS; i++)
        record_resume(0);
    uint64_t event_ns = (clock_now_ns() - start_ns) / EVENTS;
    munmap(pool, pool_bytes(pool->pages));
    pool = of_trial;
    self = self_of_trial;
    return event_ns;
}

static uint64_t late_ns(double quantile)
{
    if (timeline.sleeps == 0)
        return NO_NUMBER;
    return (uint64_t)stats_quantile(timeline.late_ns, timeline.sleeps, quantile);
}

int trace_end(uint64_t start_ns, uint64_t end_ns, struct trace_report *report)
{
    size_t count;
    drain_switches();
    struct trace_event *events = collect(&count);
    if (!events)
        return -1;
    int status = timeline_derive(events, count, start_ns, end_ns, &timeline);
    free(events);
    const char *reason = atomic_load(&pool->switch_reason);
    *report = (struct trace_report){
        .events = count,
        .dropped = atomic_load(&pool->dropped),
        .event_ns = measure_event_ns(),
        .switch_source = reason ? "gaps" : "perf",
        .switch_reason = reason,
        .wake_p50_ns = late_ns(0.5),
        .wake_p99_ns = late_ns(0.99),
        .wake_max_ns = late_ns(1),
    };
    return status;
}

int trace_write(FILE *csv)
{
    timeline_csv_header(csv);
    for (size_t i = 0; i < timeline.count; i++)
        timeline_csv_row(&timeline.intervals[i], csv);
    return fflush(csv) == 0 && !ferror(csv) ? 0 : -1;
}

void trace_drop(void)
{
    switches_close(&self.switches);
    self = (struct recorder){0};
    timeline_drop(&timeline);
    if (pool)
        munmap(pool, pool_bytes(pool->pages));
    pool = NULL;
}
