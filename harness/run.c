/* See run.h. */
#include "run.h"
#include "arguments.h"
#include "calibrate.h"
#include "cpus.h"
#include "format.h"
#include "origin.h"
#include "setup.h"
#include "supervise.h"
#include "terminal.h"
#include "trial.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int run_pass(const struct setup *setup, const struct arguments *base, enum pass pass,
                    const char *timeline, struct record *record)
{
    struct arguments arguments = {0};
    char *complaint;
    arguments_add(&arguments, (const char *const *)base->words);
    if (setup->strategy)
        arguments_add(&arguments, (const char *[]){"--pass", pass_names[pass], NULL});
    if (timeline)
        arguments_add(&arguments, (const char *[]){"--timeline", timeline, NULL});
    record_init(record);
    int status = supervise(setup->strategy_name, arguments.words, pass, record, &complaint);
    /* The reason is its last line; what else it said helps as well. */
    size_t length = complaint ? strlen(complaint) : 0;
    while (length > 0 && complaint[length - 1] == '\n')
        complaint[--length] = '\0';
    const char *last = complaint ? strrchr(complaint, '\n') : NULL;
    if (status != 0 && last)
        fprintf(stderr, "%.*s\n", (int)(last - complaint), complaint);
    free(complaint);
    arguments_drop(&arguments);
    return status;
}

/* ---- What a person sees ---- */

static void print_row(const char *name, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    printf("  %-18s ", name);
    vprintf(format, values);
    printf("\n");
    va_end(values);
}

/* A number of a row, and the words around it. */
struct part {
    const char *before;
    double number; /* NaN: unknown, and left out */
    format_function *format;
    const char *after;
};

static char *format_whole(char *text, size_t bytes, double value)
{
    snprintf(text, bytes, "%.0f", value);
    return text;
}

/* A program of somebody else's may leave out any number; a row without any is left out. The last
 * part has no format. */
static void print_parts(const char *name, const struct part *part)
{
    char text[512] = "", number[FORMAT_BYTES];
    size_t length = 0;
    for (; part->format; part++)
        if (!isnan(part->number))
            length += (size_t)snprintf(
                text + length, sizeof text - length, "%s%s%s%s", length > 0 ? ", " : "",
                part->before, part->format(number, sizeof number, part->number), part->after);
    if (length > 0)
        print_row(name, "%s", text);
}

static void print_wall(const struct record *record)
{
    char wall[FORMAT_BYTES], ideal[FORMAT_BYTES];
    if (record->wall_ns == NO_NUMBER)
        return;
    format_ns(wall, sizeof wall, record_number(record->wall_ns));
    if (record->ideal_ns != NO_NUMBER && record->ideal_ns > 0)
        print_row("wall time", "%s, %.3f × the ideal schedule (%s)", wall,
                  record_number(record->wall_ns) / record_number(record->ideal_ns),
                  format_ns(ideal, sizeof ideal, record_number(record->ideal_ns)));
    else
        print_row("wall time", "%s", wall);
}

static void print_record(const struct setup *setup, const struct record *record)
{
    char cpus[1024];
    printf("%s × %llu under %s, cores %s%s%s\n\n", setup->workload_name,
           (unsigned long long)setup->tasks, setup->strategy_name,
           cpus_print(&setup->cpus, cpus, sizeof cpus), record->options ? ", " : "",
           record->options ? record->options : "");
    print_wall(record);
    print_parts("CPU time",
                (struct part[]){{"", record_number(record->user_ns), format_ns, " user"},
                                {"", record_number(record->system_ns), format_ns, " system"},
                                {0}});
    print_parts("latency",
                (struct part[]){{"p50 ", record_number(record->latency_p50_ns), format_ns, ""},
                                {"p99 ", record_number(record->latency_p99_ns), format_ns, ""},
                                {"max ", record_number(record->latency_max_ns), format_ns, ""},
                                {0}});
    if (!isnan(record->stretch_max))
        print_row("stretch", "%.2f at most (a task's time / its time alone)", record->stretch_max);
    print_parts("switches",
                (struct part[]){
                    {"", record_number(record->task_switches), format_whole, " task"},
                    {"", record_number(record->voluntary_switches), format_whole, " voluntary"},
                    {"", record_number(record->involuntary_switches), format_whole, " involuntary"},
                    {0}});
    double tasks = record_number(record->tasks_started);
    if (tasks > 1)
        print_parts(
            "  per task",
            (struct part[]){
                {"", record_number(record->task_switches) / tasks, format_count, " task"},
                {"", record_number(record->voluntary_switches) / tasks, format_count, " voluntary"},
                {"", record_number(record->involuntary_switches) / tasks, format_count,
                 " involuntary"},
                {0}});
    print_parts("tasks", (struct part[]){
                             {"", record_number(record->tasks_started), format_whole, " started"},
                             {"", record_number(record->tasks_peak), format_whole, " at once"},
                             {"", record_number(record->tasks_done), format_whole, " done"},
                             {0}});
    print_parts(
        "cancelled",
        (struct part[]){{"", record_number(record->tasks_cancelled), format_whole, " tasks"},
                        {"the last ended after ", record_number(record->cancel_ns), format_ns, ""},
                        {0}});
    if (record->bytes_moved != 0)
        print_parts("moved", (struct part[]){
                                 {"", record_number(record->bytes_moved), format_bytes, ""}, {0}});
    if (record->digest)
        print_row("digest", "%s", record->digest);
    if (record->note)
        print_row("note", "%s", record->note);
}

static void print_memory(const struct record *record)
{
    char a[32], b[32], c[32];
    if (!record->ok) {
        print_row("memory", "not read: %s", record->reason);
        return;
    }
    print_row("memory", "%s + %s page tables + %s kernel stacks, %llu tasks held",
              format_bytes(a, sizeof a, record_number(record->pss_bytes)),
              format_bytes(b, sizeof b, record_number(record->page_table_bytes)),
              format_bytes(c, sizeof c, record_number(record->kernel_stack_bytes)),
              (unsigned long long)record->tasks_held);
    if (record->cgroup_bytes != NO_NUMBER)
        print_row("memory cgroup", "%s",
                  format_bytes(a, sizeof a, record_number(record->cgroup_bytes)));
    if (record->note)
        print_row("note", "%s", record->note);
}

/* A trial that took longer than this is not run again for its timeline. */
static const uint64_t patience_ns = UINT64_C(10) * 1000000000;

static int show(const struct setup *setup, const struct arguments *arguments)
{
    struct record record;
    int status = run_pass(setup, arguments, PASS_TIMING, NULL, &record);
    if (status != 0) {
        if (status > 0)
            warnx("%s", record.reason);
        record_drop(&record);
        return status;
    }
    print_record(setup, &record);
    uint64_t wall_ns = record.wall_ns;
    record_drop(&record);
    if (!setup->strategy)
        return 0;

    status = run_pass(setup, arguments, PASS_MEMORY, NULL, &record);
    if (status >= 0)
        print_memory(&record);
    record_drop(&record);
    if (status < 0)
        return status;
    if (wall_ns > patience_ns && !setup->timeline) {
        printf("\n(no timeline: it would take another %.0f s; --timeline FILE records one)\n",
               (double)wall_ns / 1e9);
        return 0;
    }

    /* Without a file to keep it in, the timeline goes through memory: nothing is left behind. */
    char path[64];
    const char *timeline = setup->timeline;
    int fd = -1;
    if (!timeline) {
        fd = memfd_create("timeline", MFD_CLOEXEC);
        if (fd < 0)
            err(EXIT_UNABLE, "cannot make room for the timeline");
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
        timeline = path;
    }
    printf("\n");
    status = run_pass(setup, arguments, PASS_TIMELINE, timeline, &record);
    if (status == 0)
        terminal_timeline(timeline, &record);
    else if (status > 0)
        warnx("no timeline: %s", record.reason);
    if (fd >= 0)
        close(fd);
    record_drop(&record);
    return status;
}

/* One line for programs. */
static int print_json(const struct setup *setup, const struct arguments *arguments)
{
    struct record record;
    int status = run_pass(setup, arguments, setup->pass, setup->timeline, &record);
    if (status >= 0) {
        if (!record.strategy)
            setup_identify(setup, &record); /* it ended before it could say who it was */
        char *line = record_to_json(&record);
        printf("%s\n", line);
        free(line);
        if (status != 0)
            warnx("%s", record.reason);
    }
    record_drop(&record);
    return status;
}

/* ---- The command ---- */

int run_main(int argc, char **argv)
{
    struct setup setup;
    struct arguments arguments = {0};
    arguments_add(&arguments, (const char *const *)argv + 1);
    setup_parse(argc, argv, &setup);
    if (setup.dry_run && setup.strategy)
        return trial_main(argc, argv);

    char rate[32], url[256], why[512];
    if (isnan(params.work_rate)) {
        params.work_rate = calibrate_cached();
        snprintf(rate, sizeof rate, "%.15g", params.work_rate);
        arguments_add(&arguments, (const char *[]){"--work-rate", rate, NULL});
    }
    interrupt_catch();
    pid_t origin = 0;
    const struct workload *workload = setup.workload;
    if (workload->wants_origin && workload->wants_origin() && !params.origin) {
        origin = origin_start(url, sizeof url, why, sizeof why);
        if (origin < 0)
            errx(EXIT_UNABLE, "%s", why);
        origin_keep_off(origin, setup.cpu_list);
        arguments_add(&arguments, (const char *[]){"--origin", url, NULL});
    }

    int status = setup.json ? print_json(&setup, &arguments) : show(&setup, &arguments);
    if (origin)
        origin_stop(origin);
    arguments_drop(&arguments);
    if (interrupted)
        interrupt_end();
    return status;
}
