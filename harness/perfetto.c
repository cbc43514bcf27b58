/* Chrome trace events from a timeline: one complete event ("X") per interval, times in µs. */
#include "perfetto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "timeline.h"

/* What Perfetto shows as processes; the tracks in them are their threads. */
enum group { TASKS = 1, CORES, IDEAL_TASKS, IDEAL_CORES, GROUPS };
static const char *const group_names[GROUPS] = {
    [TASKS] = "tasks",
    [CORES] = "cores",
    [IDEAL_TASKS] = "ideal: tasks",
    [IDEAL_CORES] = "ideal: cores",
};

struct rows {
    struct interval *row;
    size_t count;
};

/* ---- Writing ---- */

static bool is_ideal(const struct interval *row)
{
    return row->state == STATE_IDEAL_RUNNING || row->state == STATE_IDEAL_WAITING;
}

/* Every event but the first stands behind a comma. */
static const char separator[] = ",\n";

/* Some viewers keep thread 0 for the idle task. */
enum { FIRST_THREAD = 1 };

/* Names a group, or a track of it. False when memory is short or the name is not UTF-8. */
static bool print_name(const char *before, const char *kind, enum group group, int track,
                       const char *name, FILE *json)
{
    json_t *event = json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "ph", "M", "name", kind, "pid",
                              (int)group, "tid", track + FIRST_THREAD, "args", "name", name);
    fputs(before, json);
    bool printed = event && json_dumpf(event, json, JSON_COMPACT) == 0;
    json_decref(event);
    return printed;
}

static bool print_groups(const char *title, FILE *json)
{
    bool printed = true;
    for (enum group group = TASKS; group < GROUPS; group++) {
        char name[1024];
        snprintf(name, sizeof name, "%s: %s", title, group_names[group]);
        printed &=
            print_name(group == TASKS ? "" : separator, "process_name", group, 0, name, json);
    }
    return printed;
}

static void print_us(const char *name, uint64_t ns, FILE *json)
{
    fprintf(json, ",\"%s\":%" PRIu64 ".%03" PRIu64, name, ns / 1000, ns % 1000);
}

static void print_slice(enum group group, uint32_t track, const char *name, uint64_t start_ns,
                        uint64_t end_ns, FILE *json)
{
    fprintf(json, "%s{\"ph\":\"X\",\"pid\":%d,\"tid\":%" PRIu32 ",\"name\":\"%s\"", separator,
            (int)group, track + FIRST_THREAD, name);
    print_us("ts", start_ns, json);
    print_us("dur", end_ns - start_ns, json);
    fprintf(json, "}");
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_task(const void *a, const void *b)
{
    const struct interval *left = a, *right = b;
    int order = is_ideal(left) - is_ideal(right);
    if (order == 0)
        order = compare(left->task, right->task);
    return order ? order : compare(left->start_ns, right->start_ns);
}

static int by_core(const void *a, const void *b)
{
    const struct interval *left = a, *right = b;
    int order = is_ideal(left) - is_ideal(right);
    if (order == 0)
        order = left->cpu - right->cpu;
    return order ? order : compare(left->start_ns, right->start_ns);
}

/* Sorts the rows. */
static bool print_tasks(struct rows *rows, FILE *json)
{
    bool printed = true;
    if (rows->count > 0)
        qsort(rows->row, rows->count, sizeof *rows->row, by_task);
    for (size_t i = 0; i < rows->count; i++) {
        const struct interval *row = &rows->row[i];
        enum group group = is_ideal(row) ? IDEAL_TASKS : TASKS;
        if (i == 0 || row->task != row[-1].task || is_ideal(row) != is_ideal(&row[-1])) {
            char name[32];
            snprintf(name, sizeof name, "task %" PRIu32, row->task);
            printed &= print_name(separator, "thread_name", group, (int)row->task, name, json);
        }
        print_slice(group, row->task, timeline_state_names[row->state], row->start_ns, row->end_ns,
                    json);
    }
    return printed;
}

/* Sorts the rows. Slices of a track may not overlap, but where switches are inferred two tasks can
 * seem to share a core for a moment: the later one then starts where the other ends. */
static bool print_cores(struct rows *rows, FILE *json)
{
    bool printed = true;
    uint64_t free_ns = 0;
    if (rows->count > 0)
        qsort(rows->row, rows->count, sizeof *rows->row, by_core);
    for (size_t i = 0; i < rows->count; i++) {
        const struct interval *row = &rows->row[i];
        enum group group = is_ideal(row) ? IDEAL_CORES : CORES;
        char name[32];
        if (row->cpu == NO_CPU)
            continue;
        if (i == 0 || row->cpu != row[-1].cpu || is_ideal(row) != is_ideal(&row[-1])) {
            snprintf(name, sizeof name, "core %d", row->cpu);
            printed &= print_name(separator, "thread_name", group, row->cpu, name, json);
            free_ns = 0;
        }
        uint64_t start_ns = row->start_ns > free_ns ? row->start_ns : free_ns;
        if (start_ns >= row->end_ns)
            continue;
        snprintf(name, sizeof name, "task %" PRIu32, row->task);
        print_slice(group, (uint32_t)row->cpu, name, start_ns, row->end_ns, json);
        free_ns = row->end_ns;
    }
    return printed;
}

static int write_rows(struct rows *rows, const char *path, const char *title, char *why,
                      size_t why_bytes)
{
    FILE *json = fopen(path, "we");
    if (!json) {
        snprintf(why, why_bytes, "cannot write %s: %s", path, strerror(errno));
        return -1;
    }
    fprintf(json, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    bool printed = print_groups(title, json) && print_tasks(rows, json) && print_cores(rows, json);
    fprintf(json, "]}\n");
    bool written = !ferror(json);
    if (fclose(json) != 0 || !written) {
        snprintf(why, why_bytes, "cannot write %s: %s", path, strerror(errno));
        return -1;
    }
    if (!printed) {
        snprintf(why, why_bytes, "cannot name the tracks of %s: no memory, or no UTF-8", path);
        return -1;
    }
    return 0;
}

int perfetto_write(const char *csv_path, const char *json_path, const char *title, char *why,
                   size_t why_bytes)
{
    struct rows rows = {0};
    int status = timeline_csv_read(csv_path, &rows.row, &rows.count, why, why_bytes);
    if (status == 0)
        status = write_rows(&rows, json_path, title, why, why_bytes);
    free(rows.row);
    return status;
}
