/*
 * The environment of a run. The Makefile passes OVERLAP_VERSION and OVERLAP_FLAGS to this file
 * alone, so that a new commit compiles one file.
 */
#include "environment.h"
#include "cgroup.h"
#include "cpus.h"
#include "memory.h"

#include <errno.h>
#include <ev.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#ifndef OVERLAP_VERSION
#define OVERLAP_VERSION "unknown"
#endif
#ifndef OVERLAP_FLAGS
#define OVERLAP_FLAGS ""
#endif

#define TEXT(number)  TEXT_(number)
#define TEXT_(number) #number
#if defined(__clang__)
#define COMPILER         "clang"
#define COMPILER_VERSION TEXT(__clang_major__) "." TEXT(__clang_minor__)
#elif defined(__GNUC__)
#define COMPILER         "gcc"
#define COMPILER_VERSION TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__)
#else
#define COMPILER         "cc"
#define COMPILER_VERSION ""
#endif

const char *environment_version(void)
{
    return OVERLAP_VERSION;
}

/* ---- What disturbs ---- */

double environment_load_1min(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? load : NAN;
}

/* "cpu user nice system idle iowait irq softirq steal guest guest_nice": user holds guest's. */
struct cpu_times environment_cpu_times(void)
{
    struct cpu_times times = {0};
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
    char line[256];
    if (environment_line("/proc/stat", line, sizeof line) &&
        sscanf(line,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) == 8) {
        uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
        times.busy_ns = (user + nice + system + irq + softirq) * tick_ns;
        times.stolen_ns = steal * tick_ns;
        times.all_ns = times.busy_ns + times.stolen_ns + (idle + iowait) * tick_ns;
    }
    return times;
}

uint64_t environment_stolen_ns(void)
{
    return environment_cpu_times().stolen_ns;
}

bool environment_noisy(double busy, double stolen, char *why, size_t why_bytes)
{
    const double busy_max = 0.10, stolen_max = 0.02;
    if (stolen > stolen_max)
        snprintf(why, why_bytes,
                 "the hypervisor took %.1f %% of the cores' time (more than %.0f %%)", 100 * stolen,
                 100 * stolen_max);
    else if (busy > busy_max)
        snprintf(why, why_bytes, "others took %.0f %% of the cores' time (more than %.0f %%)",
                 100 * busy, 100 * busy_max);
    else
        return false;
    return true;
}

/* ---- Reading ---- */

bool environment_line(const char *path, char *line, size_t line_bytes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(line, (int)line_bytes, file) != NULL;
    fclose(file);
    if (read)
        line[strcspn(line, "\n")] = '\0';
    return read && line[0];
}

/* What follows "key" and a colon in a file of such lines. */
static bool keyed_text(const char *path, const char *key, char *text, size_t text_bytes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char line[512];
    bool found = false;
    size_t length = strlen(key);
    while (!found && fgets(line, sizeof line, file)) {
        size_t gap = strncmp(line, key, length) == 0 ? strspn(line + length, " \t") : 0;
        const char *colon = line + length + gap;
        if (strncmp(line, key, length) != 0 || *colon != ':')
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(text, text_bytes, "%s", colon + 1 + strspn(colon + 1, " \t"));
        found = text[0];
    }
    fclose(file);
    return found;
}

static json_t *json_or_null(bool known, const char *text)
{
    return known ? json_string(text) : json_null();
}

static json_t *json_flag(int flag)
{
    return flag < 0 ? json_null() : json_boolean(flag);
}

static json_t *json_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *number_of_file(const char *path)
{
    char line[64];
    return environment_line(path, line, sizeof line) ? json_integer(strtoll(line, NULL, 10))
                                                     : json_null();
}

static json_t *text_of_file(const char *path)
{
    char line[256];
    return json_or_null(environment_line(path, line, sizeof line), line);
}

static json_t *bytes_of_meminfo(const char *key)
{
    uint64_t bytes;
    return memory_field("/proc/meminfo", key, &bytes) ? json_number(bytes) : json_null();
}

/* ---- The processor ---- */

static bool cpu_model(char *text, size_t text_bytes)
{
    static const char *const keys[] = {"model name", "Model", "cpu model", "uarch", "cpu"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keyed_text("/proc/cpuinfo", keys[i], text, text_bytes))
            return true;
    return environment_line("/proc/device-tree/model", text, text_bytes);
}

bool environment_governor(char *text, size_t text_bytes)
{
    glob_t files;
    size_t used = 0;
    text[0] = '\0';
    if (glob("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor", 0, NULL, &files) != 0)
        return false;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char governor[32];
        if (environment_line(files.gl_pathv[i], governor, sizeof governor) &&
            !strstr(text, governor) && used + strlen(governor) + 2 < text_bytes)
            used +=
                (size_t)snprintf(text + used, text_bytes - used, "%s%s", used ? "+" : "", governor);
    }
    globfree(&files);
    return used > 0;
}

int environment_turbo(void)
{
    char line[16];
    if (environment_line("/sys/devices/system/cpu/intel_pstate/no_turbo", line, sizeof line))
        return line[0] == '0';
    if (environment_line("/sys/devices/system/cpu/cpufreq/boost", line, sizeof line) ||
        environment_line("/sys/devices/system/cpu/cpufreq/policy0/boost", line, sizeof line))
        return line[0] == '1';
    return -1;
}

int environment_smt(void)
{
    char line[16];
    return environment_line("/sys/devices/system/cpu/smt/active", line, sizeof line)
               ? line[0] == '1'
               : -1;
}

/* ---- Machine in a machine ---- */

/* Text that betrays a hypervisor, and what people call that one. */
static const char *const hypervisors[][2] = {
    {"KVMKVMKVM", "KVM"},
    {"Linux KVM Hv", "KVM"},
    {"VMwareVMware", "VMware"},
    {"Microsoft Hv", "Hyper-V"},
    {"XenVMMXenVMM", "Xen"},
    {"TCGTCGTCGTCG", "QEMU"},
    {"bhyve bhyve", "bhyve"},
    {"VBoxVBoxVBox", "VirtualBox"},
    {"KVM", "KVM"},
    {"QEMU", "QEMU"},
    {"VMware", "VMware"},
    {"VirtualBox", "VirtualBox"},
    {"Xen", "Xen"},
    {"xen", "Xen"},
    {"Amazon EC2", "Amazon EC2"},
    {"Google Compute", "Google Compute Engine"},
    {"Hyper-V", "Hyper-V"},
    {"linux,dummy-virt", "KVM"},
};

static const char *hypervisor_of(const char *text)
{
    for (size_t i = 0; i < sizeof hypervisors / sizeof *hypervisors; i++)
        if (strstr(text, hypervisors[i][0]))
            return hypervisors[i][1];
    return NULL;
}

/* Whether the processor says that it is virtual, and by whom; -1 where it cannot say. */
static int ask_processor(char name[13])
{
    name[0] = '\0';
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
        return 0;
    __cpuid(0x40000000, a, b, c, d);
    const unsigned letters[] = {b, c, d};
    memcpy(name, letters, sizeof letters);
    name[12] = '\0';
    return 1;
#else
    return -1;
#endif
}

/* The hypervisor's name, "none" or "unknown"; NULL when nothing tells. */
static const char *virtualisation(void)
{
    static const char *const files[] = {
        "/sys/hypervisor/type", "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor",
        "/sys/class/dmi/id/bios_vendor", "/proc/device-tree/compatible"};
    char line[128];
    int virtual = ask_processor(line);
    if (virtual == 0)
        return "none";
    const char *name = hypervisor_of(line);
    for (size_t i = 0; !name && i < sizeof files / sizeof *files; i++)
        if (environment_line(files[i], line, sizeof line))
            name = hypervisor_of(line);
    if (name)
        return name;
    return virtual > 0 ? "unknown" : NULL;
}

static json_t *container(void)
{
    char line[64];
    if (environment_line("/run/systemd/container", line, sizeof line))
        return json_string(line);
    if (access("/.dockerenv", F_OK) == 0)
        return json_string("docker");
    if (access("/run/.containerenv", F_OK) == 0)
        return json_string("podman");
    return json_null();
}

/* ---- Limits ---- */

static json_t *limit_value(rlim_t value)
{
    return value == RLIM_INFINITY ? json_string("unlimited") : json_number(value);
}

static json_t *limit_pair(const struct rlimit *limit)
{
    return json_pack("{s:o, s:o}", "soft", limit_value(limit->rlim_cur), "hard",
                     limit_value(limit->rlim_max));
}

static json_t *limits(void)
{
    struct rlimit files, processes, stack, locked;
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NPROC, &processes);
    getrlimit(RLIMIT_STACK, &stack);
    getrlimit(RLIMIT_MEMLOCK, &locked);
    return json_pack("{s:o, s:o, s:o, s:o}", "nofile", limit_pair(&files), "nproc",
                     limit_pair(&processes), "stack_bytes", limit_pair(&stack), "memlock_bytes",
                     limit_pair(&locked));
}

/* "always [madvise] never": the choice is in brackets. */
static json_t *chosen_of_file(const char *path)
{
    char line[128];
    if (!environment_line(path, line, sizeof line))
        return json_null();
    char *open = strchr(line, '['), *close = strchr(line, ']');
    return open && close > open ? json_stringn(open + 1, (size_t)(close - open - 1))
                                : json_string(line);
}

/* ---- The line on every figure ---- */

static void cut(char *text, const char *what)
{
    char *at = strstr(text, what);
    if (at)
        memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

/* "Intel(R) Xeon(R) CPU E5-2673 v4 @ 2.30GHz" is "Intel Xeon E5-2673 v4" to people. */
static void shorten_model(char *model)
{
    static const char *const ballast[] = {"(R)", "(R)", "(TM)", "(TM)", " CPU", " Processor"};
    for (size_t i = 0; i < sizeof ballast / sizeof *ballast; i++)
        cut(model, ballast[i]);
    char *end = strstr(model, " @ ");
    if (end)
        *end = '\0';
}

/* "-O2" of the compiler's flags; the last one counts. */
static void optimisation(char *text, size_t text_bytes)
{
    text[0] = '\0';
    for (const char *at = OVERLAP_FLAGS; (at = strstr(at, "-O")); at += 2)
        snprintf(text, text_bytes, " %.*s", (int)strcspn(at, " "), at);
}

/* "AMD EPYC, 2 cores, Linux 6.18, KVM, gcc 12.2 -O2" */
static json_t *fingerprint(const struct utsname *kernel)
{
    char model[128], level[16];
    if (!cpu_model(model, sizeof model))
        snprintf(model, sizeof model, "%s", kernel->machine);
    shorten_model(model);
    optimisation(level, sizeof level);
    int version[2] = {0};
    sscanf(kernel->release, "%d.%d", &version[0], &version[1]);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const char *hypervisor = virtualisation();
    bool named = hypervisor && strcmp(hypervisor, "none") != 0;
    if (named && strcmp(hypervisor, "unknown") == 0)
        hypervisor = "virtual";
    return json_sprintf("%s, %ld core%s, Linux %d.%d%s%s, %s %s%s", model, cores,
                        cores == 1 ? "" : "s", version[0], version[1], named ? ", " : "",
                        named ? hypervisor : "", COMPILER, COMPILER_VERSION, level);
}

json_t *environment_read(void)
{
    char text[256], date[32];
    struct utsname kernel;
    uname(&kernel);
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    const char *hypervisor = virtualisation();
    int cgroup = cgroup_folder("memory", text, sizeof text);
    double load = environment_load_1min();
    uint64_t total, left;

    json_t *object = json_object();
#define SET(key, value) json_object_set_new(object, key, value)
    SET("fingerprint", fingerprint(&kernel));
    SET("date", json_string(date));
    SET("version", json_string(environment_version()));
    SET("compiler", json_string(COMPILER " " COMPILER_VERSION));
    SET("flags", json_or_null(OVERLAP_FLAGS[0], OVERLAP_FLAGS));
    SET("libev", json_sprintf("%d.%d", ev_version_major(), ev_version_minor()));
#ifdef __GLIBC__
    SET("glibc", json_string(gnu_get_libc_version()));
#else
    SET("glibc", json_null());
#endif

    SET("cpu_model", json_or_null(cpu_model(text, sizeof text), text));
    SET("architecture", json_string(kernel.machine));
    SET("cores_online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    SET("cores_allowed", json_string(cpus_print(&allowed, text, sizeof text)));
    SET("governor", json_or_null(environment_governor(text, sizeof text), text));
    SET("turbo", json_flag(environment_turbo()));
    SET("smt", json_flag(environment_smt()));
    SET("virtualisation", json_or_null(hypervisor, hypervisor));
    SET("container", container());
    SET("memory_bytes", bytes_of_meminfo("MemTotal"));
    SET("swap_bytes", bytes_of_meminfo("SwapTotal"));
    SET("swap_used_bytes", memory_field("/proc/meminfo", "SwapTotal", &total) &&
                                   memory_field("/proc/meminfo", "SwapFree", &left)
                               ? json_number(total - left)
                               : json_null());

    SET("kernel", json_string(kernel.release));
    SET("kernel_build", json_string(kernel.version));
    SET("clock_source",
        text_of_file("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    SET("timer_slack_ns", json_integer(prctl(PR_GET_TIMERSLACK)));
    SET("transparent_hugepage", chosen_of_file("/sys/kernel/mm/transparent_hugepage/enabled"));
    SET("cgroup_version", cgroup ? json_integer(cgroup) : json_null());
    SET("perf_event_paranoid", number_of_file("/proc/sys/kernel/perf_event_paranoid"));
    SET("pid_max", number_of_file("/proc/sys/kernel/pid_max"));
    SET("threads_max", number_of_file("/proc/sys/kernel/threads-max"));
    SET("max_map_count", number_of_file("/proc/sys/vm/max_map_count"));
    SET("limits", limits());

    SET("load_1min", isnan(load) ? json_null() : json_real(load));
    SET("stolen_ns", json_number(environment_stolen_ns()));
#undef SET
    return object;
}

/* ---- environment.json of a run ---- */

static json_t *read_json(const char *path)
{
    json_error_t error;
    return json_load_file(path, 0, &error);
}

double environment_recorded(const char *dir, const char *key)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/environment.json", dir);
    json_t *object = read_json(path), *value = json_object_get(object, key);
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    json_decref(object);
    return number;
}

char *environment_recorded_text(const char *dir, const char *key)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/environment.json", dir);
    json_t *object = read_json(path);
    const char *text = json_string_value(json_object_get(object, key));
    char *copy = text ? strdup(text) : NULL;
    json_decref(object);
    return copy;
}

int environment_note(const char *dir, const char *key, json_t *value, char *why, size_t why_bytes)
{
    char path[PATH_MAX], temporary[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/environment.json", dir);
    bool there = access(path, F_OK) == 0;
    json_t *object = there ? read_json(path) : NULL;
    if (json_object_set_new(object, key, value) != 0) { /* which takes the value in any case */
        json_decref(object);
        if (!there)
            return 0;
        snprintf(why, why_bytes, "%s is no object of JSON", path);
        return -1;
    }
    snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
    int status = json_dump_file(object, temporary, JSON_INDENT(2));
    if (status == 0)
        status = rename(temporary, path);
    if (status != 0) {
        snprintf(why, why_bytes, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    json_decref(object);
    return status;
}
