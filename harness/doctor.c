/*
 * A problem is what would make a run noisy now: only those change the exit status. A note is what
 * shifts numbers or ends a large cell, for all strategies alike.
 */
#include "doctor.h"
#include "clock.h"
#include "environment.h"
#include "format.h"
#include "limit.h"
#include "memory.h"
#include "options.h"
#include "supervise.h"
#include "switches.h"

#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum level { OK, NOTE, PROBLEM };
static const char *const level_names[] = {"ok", "note", "problem"};

struct finding {
    enum level level;
    const char *name;
    char text[512];     /* what is, and what that does to a run */
    const char *remedy; /* a command; NULL when there is none or none is needed */
};

static struct {
    struct finding list[32];
    size_t count;
    char noise[256]; /* why a run now would be noisy, or "" */
} report;

__attribute__((format(printf, 4, 5))) static void add(enum level level, const char *name,
                                                      const char *remedy, const char *format, ...)
{
    if (report.count == sizeof report.list / sizeof *report.list)
        abort();
    struct finding *finding = &report.list[report.count++];
    *finding = (struct finding){.level = level, .name = name, .remedy = remedy};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

/* ---- What others take ---- */

/* A second: the kernel counts in ticks of 10 ms, and 2 % of less would not show. */
static void check_noise(void)
{
    struct cpu_times before = environment_cpu_times();
    const struct timespec second = {.tv_sec = 1};
    nanosleep(&second, NULL);
    struct cpu_times after = environment_cpu_times();
    if (after.all_ns == before.all_ns) {
        add(NOTE, "load", NULL, "unknown: /proc/stat does not tell");
        return;
    }
    double all_ns = (double)(after.all_ns - before.all_ns);
    double busy = (double)(after.busy_ns - before.busy_ns) / all_ns;
    double stolen = (double)(after.stolen_ns - before.stolen_ns) / all_ns;
    bool too_busy = environment_noisy(busy, 0, report.noise, sizeof report.noise);
    bool too_stolen = environment_noisy(0, stolen, report.noise, sizeof report.noise);
    add(too_busy ? PROBLEM : OK, "load", too_busy ? "top -o %CPU" : NULL,
        "others took %.0f %% of the cores' time in a second (load average %.2f)%s", 100 * busy,
        environment_load_1min(), too_busy ? ": trials wait for them; stop them" : "");
    add(too_stolen ? PROBLEM : OK, "steal", NULL, "the hypervisor took %.1f %% in a second%s",
        100 * stolen,
        too_stolen ? ": trials last longer by chance; use a dedicated host or another hour" : "");
}

/* ---- The processor ---- */

static void check_cores(void)
{
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    int cores = CPU_COUNT(&allowed);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores == 1)
        add(NOTE, "cores", NULL,
            "1 of %ld: nothing runs in parallel, and whatever measures takes time from the trial",
            online);
    else
        add(cores < online ? NOTE : OK, "cores", NULL, "%d of %ld%s", cores, online,
            cores < online ? " may be used: \"all\" means these" : "");
}

static void check_processor(void)
{
    char governor[128];
    if (!environment_governor(governor, sizeof governor))
        add(OK, "governor", NULL, "none here: the frequency is not this system's to choose");
    else if (strcmp(governor, "performance") == 0)
        add(OK, "governor", NULL, "performance");
    else
        add(NOTE, "governor", "sudo cpupower frequency-set -g performance",
            "%s: a core that waited is slow at first, which strategies that wait much pay",
            governor);

    int turbo = environment_turbo();
    bool intel = access("/sys/devices/system/cpu/intel_pstate/no_turbo", F_OK) == 0;
    if (turbo == 1)
        add(NOTE, "turbo",
            intel ? "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
                  : "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
            "on: the frequency falls with heat and with each busy core, which one core's "
            "strategies do not pay");
    else
        add(OK, "turbo", NULL, turbo == 0 ? "off" : "not shown here");

    int smt = environment_smt();
    if (smt == 1)
        add(NOTE, "smt", "echo off | sudo tee /sys/devices/system/cpu/smt/control",
            "on: two \"cores\" may share one; choose --cpus of different ones "
            "(lscpu -e) or turn it off");
    else
        add(OK, "smt", NULL, smt == 0 ? "off" : "not shown here");
}

/* ---- Clock and timers ---- */

static void check_clock(void)
{
    enum { READINGS = 100000, SLOW_NS = 200 };
    char source[64], each[FORMAT_BYTES];
    if (!environment_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                          source, sizeof source))
        strcpy(source, "unknown source");
    uint64_t start_ns = clock_now_ns(), now_ns = start_ns;
    for (int i = 0; i < READINGS; i++)
        now_ns = clock_now_ns();
    double each_ns = (double)(now_ns - start_ns) / READINGS;
    format_ns(each, sizeof each, each_ns);
    if (each_ns < SLOW_NS)
        add(OK, "clock", NULL, "%s, %s a reading", source, each);
    else
        add(NOTE, "clock",
            "echo tsc | sudo tee "
            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            "%s, %s a reading: each is a system call, and traced trials are slowed by it", source,
            each);
}

static void wait_by_nanosleep(int unused, const struct timespec *until)
{
    (void)unused;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL);
}

static void wait_by_timerfd(int timer, const struct timespec *until)
{
    const struct itimerspec setting = {.it_value = *until};
    uint64_t expirations;
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL) == 0 &&
        read(timer, &expirations, sizeof expirations) < 0)
        return;
}

static int by_size(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* How late a wait of a millisecond ends, with the timer slack that trials use. */
static void check_wake(const char *name, void (*wait)(int timer, const struct timespec *until),
                       int timer)
{
    enum { WAITS = 100, WAIT_NS = 1000000, LATE_NS = 200000 };
    uint64_t late_ns[WAITS];
    for (int i = 0; i < WAITS; i++) {
        uint64_t until_ns = clock_now_ns() + WAIT_NS;
        const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                                       .tv_nsec = (long)(until_ns % 1000000000)};
        wait(timer, &until);
        uint64_t now_ns = clock_now_ns();
        late_ns[i] = now_ns > until_ns ? now_ns - until_ns : 0;
    }
    qsort(late_ns, WAITS, sizeof *late_ns, by_size);
    char median[FORMAT_BYTES], most[FORMAT_BYTES];
    uint64_t median_ns = late_ns[WAITS / 2], most_ns = late_ns[WAITS - 1];
    bool late = median_ns > LATE_NS;
    add(late ? NOTE : OK, name, NULL, "wakes %s late (median; at most %s)%s",
        format_ns(median, sizeof median, (double)median_ns),
        format_ns(most, sizeof most, (double)most_ns),
        late ? ": deep idle states or a hypervisor; every short sleep lasts that much longer" : "");
}

static void check_timers(void)
{
    int slack_ns = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, 1UL);
    check_wake("nanosleep", wait_by_nanosleep, -1);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer >= 0) {
        check_wake("timerfd", wait_by_timerfd, timer);
        close(timer);
    }
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns);
}

/* ---- What can be seen ---- */

static void check_perf(void)
{
    struct switches switches = {0};
    struct switches_sample now = switches_sample();
    bool absent;
    struct trace_event out, in;
    const char *why = switches_open(&switches, &now, &absent, &out, &in);
    if (why)
        add(NOTE, "perf", NULL, "timelines infer pre-emption from gaps: %s", why);
    else
        add(OK, "perf", NULL, "the kernel's own switch records can be read");
    switches_close(&switches);
}

static void check_memory(void)
{
    char why[512];
    interrupt_catch(); /* what is opened is closed */
    struct memory_cgroup *group = memory_cgroup_open(why, sizeof why);
    if (group)
        add(OK, "cgroup", NULL, "a memory cgroup can be made for each trial");
    else
        add(NOTE, "cgroup", NULL, "the memory pass lacks its cross-check: %s", why);
    memory_cgroup_close(group);
    if (interrupted)
        interrupt_end();

    uint64_t total, left;
    if (memory_field("/proc/meminfo", "SwapTotal", &total) &&
        memory_field("/proc/meminfo", "SwapFree", &left) && total > left) {
        char used[FORMAT_BYTES];
        add(NOTE, "swap", "sudo swapoff -a", "%s in use: what is swapped out counts as no memory",
            format_bytes(used, sizeof used, (double)(total - left)));
    } else {
        add(OK, "swap", NULL, "not in use");
    }

    char pages[128];
    if (environment_line("/sys/kernel/mm/transparent_hugepage/enabled", pages, sizeof pages) &&
        strstr(pages, "[always]"))
        add(NOTE, "huge pages",
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
            "always: heaps and stacks grow by 2 MiB at a touch, and the cost of a task shows in "
            "steps");
    else
        add(OK, "huge pages", NULL, "only where they are asked for");
}

/* ---- How many tasks there can be ---- */

enum { TASKS_USUAL = 1000, TASKS_MANY = 10000 };

static void add_limit(const char *name, const char *raise, uint64_t limit, uint64_t tasks)
{
    char most[FORMAT_BYTES];
    format_count(most, sizeof most, (double)tasks);
    if (limit == UINT64_MAX)
        add(OK, name, NULL, "none");
    else if (tasks >= TASKS_MANY)
        add(OK, name, NULL, "%" PRIu64 ": room for about %s tasks", limit, most);
    else
        add(NOTE, name, raise, "%" PRIu64 ": room for about %s tasks%s: larger cells cannot run",
            limit, most, tasks < TASKS_USUAL ? ", less than the usual suites have" : "");
}

static void check_limits(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    /* A task with a connection and its end in the origin, or with a pipe, takes two. */
    enum { OF_THE_PROGRAM = 64, PER_TASK = 2 };
    uint64_t most = files.rlim_max == RLIM_INFINITY ? UINT64_MAX : files.rlim_max;
    add_limit("open files", "ulimit -n 65536 (its ceiling: /etc/security/limits.conf)", most,
              most < OF_THE_PROGRAM ? 0 : (most - OF_THE_PROGRAM) / PER_TASK);

    static struct limit limits[LIMITS]; /* the report points to their remedies */
    limits_read(0, limits);
    for (size_t i = 0; i < LIMITS; i++) {
        const struct limit *limit = &limits[i];
        uint64_t left = limit->limit > limit->used ? limit->limit - limit->used : 0;
        add_limit(limit->name, limit->raise, limit->limit, left / limit->per_task);
    }
}

/* ---- The report ---- */

static void print_text(void)
{
    for (size_t i = 0; i < report.count; i++) {
        const struct finding *finding = &report.list[i];
        printf("%-7s  %s: %s%s%s\n", level_names[finding->level], finding->name, finding->text,
               finding->remedy ? "; do: " : "", finding->remedy ? finding->remedy : "");
    }
    if (report.noise[0])
        printf("a run now would be stamped noisy: %s\n", report.noise);
    else
        printf("a run now would not be noisy\n");
}

static void print_json(void)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report.count; i++) {
        const struct finding *finding = &report.list[i];
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:s?}", "level",
                                        level_names[finding->level], "name", finding->name, "text",
                                        finding->text, "remedy", finding->remedy));
    }
    json_t *object = json_pack("{s:b, s:s?, s:o}", "noisy", report.noise[0] != '\0', "reason",
                               report.noise[0] ? report.noise : NULL, "findings", findings);
    json_dumpf(object, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(object);
}

int doctor_main(int argc, char **argv)
{
    static bool json;
    static const struct setting settings[] = {
        {"json", 0, SETTING_FLAG, NULL, NULL, "print the findings as one JSON object", &json, 0, 0},
        {0},
    };
    static const struct setting *const tables[] = {settings, NULL};
    static const struct command_line line = {
        .usage = "overlap doctor [OPTIONS]",
        .summary = "Tells what on this machine would disturb or limit a run.",
        .details = "Exit status 1: a run now would be stamped noisy.",
        .tables = tables,
    };
    options_parse(argc, argv, &line);
    check_noise();
    check_cores();
    check_processor();
    check_clock();
    check_timers();
    check_perf();
    check_memory();
    check_limits();
    if (json)
        print_json();
    else
        print_text();
    return report.noise[0] ? EXIT_FAILED : 0;
}
