/*
 * Deriving the timeline. Events are sorted by thread, so that what a thread did after a certain
 * event stands behind it; a second order by task then tells each task's story event by event. Each
 * stretch between two events of a task is divided by what the first of them says.
 */
#include "timeline.h"
#include "array.h"
#include "csv.h"
#include "stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const timeline_state_names[STATES] = {
    [STATE_CREATING] = "creating",
    [STATE_RUNNING] = "running",
    [STATE_READY] = "ready",
    [STATE_READY_PREEMPTED] = "ready-preempted",
    [STATE_READY_LOCK] = "ready-lock",
    [STATE_WAITING] = "waiting",
    [STATE_IDEAL_RUNNING] = "ideal-running",
    [STATE_IDEAL_WAITING] = "ideal-waiting",
};

struct derivation {
    struct timeline *timeline;
    const struct trace_event *end; /* of the events sorted by thread */
    uint64_t start_ns, end_ns;     /* the clock */
    size_t room;                   /* for intervals */
    bool no_memory;
};

static struct interval *last_of(const struct derivation *d, uint32_t task)
{
    struct timeline *timeline = d->timeline;
    if (timeline->count == 0 || timeline->intervals[timeline->count - 1].task != task)
        return NULL;
    return &timeline->intervals[timeline->count - 1];
}

/* Appends an interval given in CLOCK_MONOTONIC: cut to the clock, joined with its like, left out
 * when empty. */
static void add(struct derivation *d, uint32_t task, enum timeline_state state, int cpu,
                uint64_t from_ns, uint64_t to_ns)
{
    from_ns = from_ns > d->start_ns ? from_ns - d->start_ns : 0;
    to_ns = to_ns > d->start_ns ? to_ns - d->start_ns : 0;
    if (to_ns > d->end_ns - d->start_ns)
        to_ns = d->end_ns - d->start_ns;
    if (to_ns <= from_ns || d->no_memory)
        return;

    struct timeline *timeline = d->timeline;
    struct interval *last = last_of(d, task);
    if (last && last->state == state && last->cpu == cpu) {
        last->end_ns = to_ns;
        return;
    }
    if (timeline->count == d->room) {
        size_t room = d->room ? 2 * d->room : 1024;
        struct interval *larger = realloc(timeline->intervals, room * sizeof *larger);
        if (!larger) {
            d->no_memory = true;
            return;
        }
        timeline->intervals = larger;
        d->room = room;
    }
    timeline->intervals[timeline->count++] = (struct interval){
        .start_ns = from_ns, .end_ns = to_ns, .task = task, .cpu = cpu, .state = state};
}

static bool is_of_task(const struct trace_event *event)
{
    return event->kind >= TRACE_CREATING && event->kind <= TRACE_DONE;
}

/* When the thread that said it would make a task came to something else, at the latest `until`. If
 * it made no other task, that is when it went to wait for the end of all. */
static uint64_t moved_on_ns(const struct derivation *d, const struct trace_event *creating,
                            uint64_t until_ns)
{
    for (const struct trace_event *event = creating + 1;
         event < d->end && event->thread == creating->thread && event->ns < until_ns; event++)
        if (is_of_task(event) || event->kind == TRACE_OUT)
            return event->ns;
    return until_ns;
}

/* From its resumption until `until` the task is where its thread is. Off its core of its own
 * accord within a resumption, the thread waits for a page, or for a lock of the C library, not for
 * the task's op: ready.
 */
static void add_running(struct derivation *d, const struct trace_event *resume, uint64_t until_ns)
{
    enum timeline_state state = STATE_RUNNING;
    int cpu = resume->cpu;
    uint64_t since_ns = resume->ns;
    for (const struct trace_event *event = resume + 1;
         event < d->end && event->thread == resume->thread && event->ns < until_ns; event++) {
        if (is_of_task(event))
            continue;
        add(d, resume->task, state, state == STATE_RUNNING ? cpu : NO_CPU, since_ns, event->ns);
        since_ns = event->ns;
        if (event->kind == TRACE_IN) {
            state = STATE_RUNNING;
            cpu = event->cpu;
        } else {
            state = event->kind == TRACE_OUT ? STATE_READY : STATE_READY_PREEMPTED;
        }
    }
    add(d, resume->task, state, state == STATE_RUNNING ? cpu : NO_CPU, since_ns, until_ns);
}

static void add_waiting(struct derivation *d, const struct trace_event *await,
                        const struct trace_event *next)
{
    uint64_t complete_ns = await->until_ns < next->ns ? await->until_ns : next->ns;
    add(d, await->task, STATE_WAITING, NO_CPU, await->ns, complete_ns);
    add(d, await->task, STATE_READY, NO_CPU, complete_ns, next->ns);
}

/* Notes how much later than its sleep was over a task was resumed. */
static void note_lateness(struct derivation *d, const struct trace_event *await,
                          const struct trace_event *resume)
{
    if (await->until_ns == TRACE_UNKNOWN || await->until_ns == await->ns)
        return; /* no sleep */
    uint64_t late_ns = resume->ns > await->until_ns ? resume->ns - await->until_ns : 0;
    d->timeline->late_ns[d->timeline->sleeps++] = (double)late_ns;
}

/* What became of a task between one of its events and the next. */
static void add_stretch(struct derivation *d, const struct trace_event *event,
                        const struct trace_event *next)
{
    uint64_t moved_ns;
    switch (event->kind) {
    case TRACE_CREATING:
        moved_ns = moved_on_ns(d, event, next->ns);
        add(d, event->task, STATE_CREATING, NO_CPU, event->ns, moved_ns);
        add(d, event->task, STATE_READY, NO_CPU, moved_ns, next->ns);
        break;
    case TRACE_RESUME:
        add_running(d, event, next->ns);
        break;
    case TRACE_AWAIT:
        add_waiting(d, event, next);
        break;
    case TRACE_LOCK_AWAITED:
        add(d, event->task, STATE_READY_LOCK, NO_CPU, event->ns, next->ns);
        break;
    }
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_thread(const void *a, const void *b)
{
    const struct trace_event *left = a, *right = b;
    int order = compare(left->thread, right->thread);
    if (order == 0)
        order = compare(left->ns, right->ns);
    return order ? order : compare(left->order, right->order);
}

static int by_task(const void *a, const void *b)
{
    const struct trace_event *left = *(const struct trace_event *const *)a;
    const struct trace_event *right = *(const struct trace_event *const *)b;
    int order = compare(left->task, right->task);
    if (order == 0)
        order = compare(left->ns, right->ns);
    return order ? order : compare(left->order, right->order);
}

int timeline_derive(struct trace_event *events, size_t count, uint64_t start_ns, uint64_t end_ns,
                    struct timeline *timeline)
{
    *timeline = (struct timeline){0};
    struct derivation d = {
        .timeline = timeline, .end = events + count, .start_ns = start_ns, .end_ns = end_ns};

    const struct trace_event **story = malloc((count + 1) * sizeof *story);
    size_t told = 0, awaits = 0;
    for (size_t i = 0; i < count; i++) {
        events[i].order = (uint32_t)i;
        awaits += events[i].kind == TRACE_AWAIT;
    }
    timeline->late_ns = malloc((awaits + 1) * sizeof *timeline->late_ns);
    if (!story || !timeline->late_ns) {
        free(story);
        errno = ENOMEM;
        return -1;
    }

    qsort(events, count, sizeof *events, by_thread);
    for (size_t i = 0; i < count; i++)
        if (is_of_task(&events[i]))
            story[told++] = &events[i];
    qsort(story, told, sizeof *story, by_task);
    const struct trace_event *await = NULL; /* that no resumption has followed yet */
    for (size_t i = 0; i < told; i++) {
        if (i + 1 < told && story[i]->task == story[i + 1]->task)
            add_stretch(&d, story[i], story[i + 1]);
        if (story[i]->kind == TRACE_AWAIT) {
            await = story[i];
        } else if (story[i]->kind == TRACE_RESUME && await) {
            if (await->task == story[i]->task)
                note_lateness(&d, await, story[i]);
            await = NULL;
        }
    }
    stats_sort(timeline->late_ns, timeline->sleeps);

    free(story);
    errno = ENOMEM;
    return d.no_memory ? -1 : 0;
}

void timeline_drop(struct timeline *timeline)
{
    free(timeline->intervals);
    free(timeline->late_ns);
    *timeline = (struct timeline){0};
}

void timeline_csv_header(FILE *file)
{
    fprintf(file, "task,cpu,state,start_ns,end_ns\n");
}

void timeline_csv_row(const struct interval *interval, FILE *file)
{
    fprintf(file, "%" PRIu32 ",", interval->task);
    if (interval->cpu != NO_CPU)
        fprintf(file, "%d", interval->cpu);
    fprintf(file, ",%s,%" PRIu64 ",%" PRIu64 "\n", timeline_state_names[interval->state],
            interval->start_ns, interval->end_ns);
}

/* ---- The CSV again ---- */

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0 && *number <= most;
}

static bool read_state(const char *text, enum timeline_state *state)
{
    for (unsigned i = 0; i < STATES; i++)
        if (strcmp(text, timeline_state_names[i]) == 0) {
            *state = (enum timeline_state)i;
            return true;
        }
    return false;
}

enum { TASK, CPU, STATE, START_NS, END_NS, COLUMNS };

static bool read_row(char *const *fields, struct interval *row)
{
    uint64_t task, cpu;
    if (!read_number(fields[TASK], UINT32_MAX, &task) || !read_state(fields[STATE], &row->state) ||
        !read_number(fields[START_NS], UINT64_MAX, &row->start_ns) ||
        !read_number(fields[END_NS], UINT64_MAX, &row->end_ns) || row->end_ns < row->start_ns)
        return false;
    row->task = (uint32_t)task;
    row->cpu = NO_CPU;
    if (*fields[CPU]) {
        if (!read_number(fields[CPU], UINT16_MAX, &cpu))
            return false;
        row->cpu = (int)cpu;
    }
    return true;
}

int timeline_csv_read(const char *path, struct interval **intervals, size_t *count, char *why,
                      size_t why_bytes)
{
    size_t room = 0;
    *intervals = NULL;
    *count = 0;
    struct csv csv;
    if (csv_open(&csv, path, why, why_bytes) != 0)
        return -1;
    char wrong[200] = "expected the columns task,cpu,state,start_ns,end_ns";
    enum csv_status status = csv_read(&csv, wrong, sizeof wrong); /* the header */
    if (status == CSV_ROW && csv.count != COLUMNS)
        status = CSV_WRONG;
    while (status == CSV_ROW && (status = csv_read(&csv, wrong, sizeof wrong)) == CSV_ROW) {
        if (*count == room) {
            room = room ? 2 * room : 1024;
            *intervals = array_resize(*intervals, room, sizeof **intervals);
        }
        if (!read_row(csv.fields, &(*intervals)[(*count)++])) {
            snprintf(wrong, sizeof wrong, "not an interval of a task");
            status = CSV_WRONG;
        }
    }
    size_t line = csv.line;
    bool empty = csv.count == 0;
    csv_close(&csv);
    if (status == CSV_END && !empty)
        return 0;
    free(*intervals);
    *intervals = NULL;
    snprintf(why, why_bytes, "%s:%zu: %s", path, line,
             status == CSV_TORN ? "the last row lacks its end"
             : empty            ? "expected a timeline, found nothing"
                                : wrong);
    return -1;
}
