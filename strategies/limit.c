/*
 * Which limit of the system stopped a strategy. The kernel says only EAGAIN or ENOMEM; so the
 * limits that can be behind it are compared with what is in use, and the fullest one is named.
 */
#include "limit.h"
#include "strategy.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t read_number(const char *path)
{
    unsigned long long number = UINT64_MAX; /* "max", or no such file: no limit */
    FILE *file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%llu", &number) != 1)
            number = UINT64_MAX;
        fclose(file);
    }
    return number;
}

/* The number of KiB behind `key` in a file of lines such as "VmSize:   1234 kB", in bytes; 0 when
 * there is none. */
static uint64_t read_bytes(const char *path, const char *key)
{
    unsigned long long kib = 0;
    char line[256];
    size_t length = strlen(key);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            kib = strtoull(line + length + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib * 1024;
}

/* The superuser is not held to the limit of processes; that of a container may be anybody outside.
 */
static bool is_superuser(void)
{
    unsigned inside, outside;
    FILE *file = fopen("/proc/self/uid_map", "re");
    bool mapped = file && fscanf(file, "%u %u", &inside, &outside) == 2 && inside == 0 && outside;
    if (file)
        fclose(file);
    return geteuid() == 0 && !mapped;
}

/* Of a new thread, with its guard page. */
static uint64_t stack_bytes(void)
{
    pthread_attr_t attributes;
    size_t stack = 0, guard = 0;
    pthread_attr_init(&attributes);
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    return stack + guard;
}

static uint64_t count_lines(const char *path)
{
    uint64_t lines = 0;
    FILE *file = fopen(path, "re");
    if (file) {
        for (int c; (c = getc(file)) != EOF;)
            lines += c == '\n';
        fclose(file);
    }
    return lines;
}

/* Tasks that the kernel schedules now, in the whole system: "1/234" in /proc/loadavg. */
static uint64_t count_threads(void)
{
    unsigned long long threads = 0;
    FILE *file = fopen("/proc/loadavg", "re");
    if (file) {
        if (fscanf(file, "%*s %*s %*s %*u/%llu", &threads) != 1)
            threads = 0;
        fclose(file);
    }
    return threads;
}

/* With one task more. */
static double fullness(const struct limit *limit)
{
    return (double)(limit->used + limit->per_task) / (double)limit->limit;
}

/* The pids controller below `root`: the fullest limit of the cgroup `name` and of all above it, any
 * of which can stop a fork (systemd limits the slice of a user, not each session in it). */
static void read_pids_limits(const char *root, char *name, struct limit *fullest)
{
    for (;;) {
        char folder[600], path[640];
        struct limit limit = *fullest;
        snprintf(folder, sizeof folder, "%s%s", root, name);
        snprintf(path, sizeof path, "%s/pids.max", folder);
        limit.limit = read_number(path);
        snprintf(path, sizeof path, "%s/pids.current", folder);
        limit.used = read_number(path);
        snprintf(limit.raise, sizeof limit.raise, "echo max | sudo tee %.240s/pids.max", folder);
        if (limit.limit != UINT64_MAX && fullness(&limit) > fullness(fullest))
            *fullest = limit;

        char *last = strrchr(name, '/');
        if (!last)
            break;
        *last = '\0';
    }
}

/* Those of this process's cgroup, version 1 or 2. */
static struct limit read_pids_cgroup(void)
{
    struct limit fullest = {"the cgroup's pids.max", "", 0, UINT64_MAX, 1};
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return fullest;
    char line[512];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *name = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!name)
            continue;
        *name++ = '\0';
        if (strcmp(controllers, ":pids") == 0)
            read_pids_limits("/sys/fs/cgroup/pids", name, &fullest);
        else if (strcmp(controllers, ":") == 0)
            read_pids_limits("/sys/fs/cgroup", name, &fullest);
    }
    fclose(file);
    return fullest;
}

enum { PROCESSES = LIMITS_OF_TASKS - 1 };

void limits_read(uint64_t made, struct limit limits[LIMITS])
{
    struct rlimit processes, space, data;
    getrlimit(RLIMIT_NPROC, &processes);
    getrlimit(RLIMIT_AS, &space);
    getrlimit(RLIMIT_DATA, &data);
    static const char status[] = "/proc/self/status", system[] = "/proc/meminfo";
    uint64_t threads = count_threads();
    bool strict = read_number("/proc/sys/vm/overcommit_memory") == 2;
    enum { PIDS_KEPT = 300 }; /* that the kernel gives out once and never again */
    const struct limit now[LIMITS] = {
        read_pids_cgroup(),
        {"kernel.pid_max", "sysctl -w kernel.pid_max=4194304", threads + PIDS_KEPT,
         read_number("/proc/sys/kernel/pid_max"), 1},
        {"kernel.threads-max", "sysctl -w kernel.threads-max=4000000", threads,
         read_number("/proc/sys/kernel/threads-max"), 1},
        {"vm.max_map_count", "sysctl -w vm.max_map_count=4000000", count_lines("/proc/self/maps"),
         read_number("/proc/sys/vm/max_map_count"), 2},
        /* The kernel counts the user's threads in all processes; ours alone is a lower bound. */
        [PROCESSES] = {"the limit of this user's processes (RLIMIT_NPROC)", "ulimit -u unlimited",
                       made, is_superuser() ? UINT64_MAX : processes.rlim_cur, 1},
        {"the limit of address space in bytes (RLIMIT_AS)", "ulimit -v unlimited",
         read_bytes(status, "VmSize"), space.rlim_cur, stack_bytes()},
        {"the limit of writable memory in bytes (RLIMIT_DATA)", "ulimit -d unlimited",
         read_bytes(status, "VmData"), data.rlim_cur, stack_bytes()},
        {"CommitLimit in bytes (vm.overcommit_memory is 2)", "sysctl -w vm.overcommit_memory=0",
         read_bytes(system, "Committed_AS"),
         strict ? read_bytes(system, "CommitLimit") : UINT64_MAX, stack_bytes()},
    };
    memcpy(limits, now, sizeof now);
}

/* The fullest of those that are fuller than `least`; NULL when there is none. */
static const struct limit *fullest(const struct limit *limits, size_t count, double least)
{
    const struct limit *found = NULL;
    for (size_t i = 0; i < count; i++) {
        double full = limits[i].limit == UINT64_MAX ? 0 : fullness(&limits[i]);
        if (full > least) {
            least = full;
            found = &limits[i];
        }
    }
    return found;
}

/* Which of them it was: what is nearly full, for others use the system meanwhile. Or a limit of
 * bytes, for nobody knows here how many were asked for; a thread that got no stack says EAGAIN. */
static const struct limit *culprit(const struct limit limits[LIMITS], int error)
{
    const struct limit *limit = fullest(limits, LIMITS, 0.9);
    if (!limit && error == EAGAIN && limits[PROCESSES].limit != UINT64_MAX)
        limit = &limits[PROCESSES]; /* the user has others somewhere */
    if (!limit && (error == ENOMEM || error == EAGAIN))
        limit = fullest(limits + LIMITS_OF_TASKS, LIMITS - LIMITS_OF_TASKS, 0);
    return limit;
}

/* Limits that an errno alone tells. */
static bool explain(int error, unsigned tasks, char *text, size_t bytes)
{
    struct rlimit limit;
    switch (error) {
    case EMFILE:
        getrlimit(RLIMIT_NOFILE, &limit);
        snprintf(text, bytes,
                 "the limit of open files (RLIMIT_NOFILE) is %" PRIu64
                 "; raise it with: ulimit -n %u (its ceiling: /etc/security/limits.conf)",
                 (uint64_t)limit.rlim_max, 2 * tasks + 64);
        return true;
    case ENFILE:
        snprintf(text, bytes,
                 "the system's limit of open files is reached; raise it with: sysctl -w "
                 "fs.file-max=1000000");
        return true;
    case EADDRNOTAVAIL:
        snprintf(text, bytes,
                 "no local port is free (net.ipv4.ip_local_port_range); raise it with: sysctl -w "
                 "net.ipv4.ip_local_port_range='1024 65535'");
        return true;
    case ENOSPC:
        snprintf(
            text, bytes,
            "no space is left on the disk; TMPDIR on another one or fewer tasks (-n) would do");
        return true;
    case EFBIG:
        getrlimit(RLIMIT_FSIZE, &limit);
        snprintf(text, bytes,
                 "the limit of a file's size (RLIMIT_FSIZE) is %" PRIu64
                 "; raise it with: ulimit -f unlimited",
                 (uint64_t)limit.rlim_cur);
        return true;
    default:
        return false;
    }
}

int strategy_limit(struct trial *trial, const char *what, unsigned made, int error)
{
    size_t bytes = sizeof trial->reason;
    int length = snprintf(trial->reason, bytes, "cannot make %s %u for %u tasks: ", what, made + 1,
                          trial->tasks);
    char *text = trial->reason + length;
    bytes -= (size_t)length;
    if (explain(error, trial->tasks, text, bytes))
        return STRATEGY_LIMIT;

    struct limit limits[LIMITS];
    limits_read((uint64_t)made + 1, limits);
    const struct limit *limit = culprit(limits, error);
    if (limit)
        snprintf(text, bytes, "%s is %" PRIu64 "; raise it with: %s", limit->name, limit->limit,
                 limit->raise);
    else
        snprintf(text, bytes, "%s%s", strerror(error),
                 error == ENOMEM ? "; more memory or fewer tasks (-n) would do" : "");
    return limit || error == EAGAIN || error == ENOMEM ? STRATEGY_LIMIT : STRATEGY_FAILED;
}
