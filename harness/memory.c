/*
 * Memory of a process tree from /proc, and what a memory cgroup says of it.
 *
 * Which mappings are stacks: /proc no longer says it for threads, and a thread's stack pointer
 * (/proc/PID/syscall) needs the right to trace, is hidden while it runs, and in Go or on a fiber
 * points into what is really heap. So a private anonymous mapping is a stack when
 *   - it is named so: [stack], or a name given by PR_SET_VMA_ANON_NAME that contains "stack";
 *   - or it was mapped with MAP_STACK, which Linux 6.7 and later show as the flag "nh" (no huge
 *     pages): glibc's thread stacks, and our fibers' in one mapping;
 *   - or it follows directly on a small inaccessible mapping, the guard page of a thread or fiber.
 *     The inaccessible rest of a malloc arena is large and does not count as a guard.
 */
#include "memory.h"
#include "cgroup.h"
#include "processes.h"
#include "record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc and our fibers take a page, musl 8 KiB; pages may be 64 KiB. */
enum { GUARD_MAX_BYTES = 64 << 10 };

__attribute__((format(printf, 3, 4))) static int fail(char *why, size_t why_bytes,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, why_bytes, format, arguments);
    va_end(arguments);
    return -1;
}

bool memory_field(const char *path, const char *key, uint64_t *number)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool found = false;
    char line[256];
    size_t length = strlen(key);
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) != 0 || (line[length] != ':' && line[length] != ' '))
            continue;
        char *end;
        *number = strtoull(line + length + 1, &end, 10);
        if (strncmp(end, " kB", 3) == 0)
            *number *= 1024;
        found = true;
    }
    fclose(file);
    return found;
}

/* ---- The mappings of one process ---- */

enum kind { CODE, HEAP, STACK, OTHER, KINDS };

struct mapping {
    uint64_t start, end;
    char access[5]; /* "rw-p"; p: private, s: shared */
    char name[32];  /* as far as it is needed to tell the kind */
    bool of_file, of_map_stack;
    uint64_t pss_bytes, shared_bytes;
};

/* guard_end: where the guard ends that lies directly below, or 0. */
static enum kind mapping_kind(const struct mapping *mapping, uint64_t guard_end)
{
    bool writable = mapping->access[1] == 'w', executable = mapping->access[2] == 'x';
    if (mapping->access[3] == 's')
        return OTHER;
    if (mapping->of_file)
        return writable ? OTHER : CODE;
    if (strncmp(mapping->name, "[heap]", 6) == 0)
        return HEAP;
    if (mapping->name[0] == '[' && strstr(mapping->name, "stack"))
        return STACK;
    if (executable && !writable)
        return CODE; /* the vdso, compiled at run time */
    if (mapping->name[0] && strncmp(mapping->name, "[anon:", 6) != 0)
        return OTHER;
    return mapping->of_map_stack || mapping->start == guard_end ? STACK : HEAP;
}

static bool mapping_is_guard(const struct mapping *mapping)
{
    return strcmp(mapping->access, "---p") == 0 && !mapping->of_file &&
           mapping->end - mapping->start <= GUARD_MAX_BYTES;
}

/* "start-end access offset device inode    name" */
static bool mapping_begin(struct mapping *mapping, const char *line)
{
    *mapping = (struct mapping){0};
    unsigned long long inode = 0;
    int fields = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %llu %31[^\n]", &mapping->start,
                        &mapping->end, mapping->access, &inode, mapping->name);
    mapping->of_file = inode != 0;
    return fields >= 4;
}

static void mapping_field(struct mapping *mapping, const char *line)
{
    uint64_t number;
    if (sscanf(line, "Pss: %" SCNu64, &number) == 1)
        mapping->pss_bytes = number * 1024;
    else if (sscanf(line, "Shared_Clean: %" SCNu64, &number) == 1 ||
             sscanf(line, "Shared_Dirty: %" SCNu64, &number) == 1)
        mapping->shared_bytes += number * 1024;
    else if (strncmp(line, "VmFlags:", 8) == 0)
        mapping->of_map_stack = strstr(line, " nh") != NULL;
}

struct kinds {
    uint64_t pss_bytes[KINDS], shared_bytes[KINDS];
};

/* smaps: a line for each mapping, then its fields, whose names begin with a capital. Returns false
 * when there is nothing to read: the process is gone. */
static bool mappings_read(FILE *smaps, struct kinds *kinds)
{
    char *line = NULL;
    size_t room = 0;
    bool any = false, more = true;
    uint64_t guard_end = 0;
    struct mapping mapping = {0};
    while (more) {
        more = getline(&line, &room, smaps) > 0;
        if (more && isupper((unsigned char)line[0])) {
            mapping_field(&mapping, line);
            continue;
        }
        if (any) { /* the mapping is complete */
            enum kind kind = mapping_kind(&mapping, guard_end);
            kinds->pss_bytes[kind] += mapping.pss_bytes;
            kinds->shared_bytes[kind] += mapping.shared_bytes;
            guard_end = mapping_is_guard(&mapping) ? mapping.end : 0;
        }
        if (more)
            any = mapping_begin(&mapping, line);
    }
    free(line);
    return any && !ferror(smaps);
}

/* smaps rounds the PSS of every mapping down to 1 KiB, which loses most of what a thousand forked
 * children share; smaps_rollup rounds once. What it has in addition is dealt out by shared bytes,
 * because only a shared page has a share that is not a whole number of KiB. */
static void kinds_complete(struct kinds *kinds, uint64_t rollup_bytes)
{
    uint64_t sum = 0, shared = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        sum += kinds->pss_bytes[kind];
        shared += kinds->shared_bytes[kind];
    }
    uint64_t lost = rollup_bytes > sum ? rollup_bytes - sum : 0, dealt = 0;
    for (int kind = 0; shared && kind < OTHER; kind++) {
        uint64_t part =
            (uint64_t)((double)lost * (double)kinds->shared_bytes[kind] / (double)shared);
        kinds->pss_bytes[kind] += part;
        dealt += part;
    }
    kinds->pss_bytes[OTHER] += lost - dealt;
}

static int process_memory(pid_t pid, struct memory *out, char *why, size_t why_bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    FILE *smaps = fopen(path, "re");
    if (!smaps)
        return fail(why, why_bytes, "cannot read %s: %s", path, strerror(errno));
    struct kinds kinds = {0};
    bool alive = mappings_read(smaps, &kinds);
    fclose(smaps);

    uint64_t rollup_bytes = 0, page_table_bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    alive = alive && memory_field(path, "Pss", &rollup_bytes);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    alive = alive && memory_field(path, "VmPTE", &page_table_bytes);
    if (!alive)
        return fail(why, why_bytes, "process %d ended while its memory was read", pid);

    kinds_complete(&kinds, rollup_bytes);
    out->pss_code_bytes += kinds.pss_bytes[CODE];
    out->pss_heap_bytes += kinds.pss_bytes[HEAP];
    out->pss_stack_bytes += kinds.pss_bytes[STACK];
    out->pss_other_bytes += kinds.pss_bytes[OTHER];
    out->page_table_bytes += page_table_bytes;
    return 0;
}

/* What the kernel gives a thread: 16 KiB on 64-bit machines, 8 on others, at least a page; debug
 * kernels (KASAN) double it. KernelStack of /proc/meminfo grows by exactly this, but is no way to
 * find it: it and the count of threads lag while others start and end. */
static uint64_t kernel_stack_size(void)
{
    uint64_t usual_bytes = sizeof(long) == 8 ? 16384 : 8192;
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    return page_bytes > usual_bytes ? page_bytes : usual_bytes;
}

int memory_read(pid_t root, struct memory *out, char *why, size_t why_bytes)
{
    *out = (struct memory){0};
    struct processes tree = processes_of_tree(root);
    int result = 0;
    if (!tree.count || tree.list[0].dead)
        result = fail(why, why_bytes, "process %d does not exist or has ended", root);
    for (size_t i = 0; i < tree.count && result == 0; i++) {
        const struct process *process = &tree.list[i];
        if (process->dead && process->threads > 1)
            result = fail(why, why_bytes, "the first thread of process %d ended before the others",
                          process->pid);
        if (process->dead)
            continue;
        out->processes++;
        out->threads += process->threads;
        result = process_memory(process->pid, out, why, why_bytes);
    }
    out->pss_bytes =
        out->pss_code_bytes + out->pss_heap_bytes + out->pss_stack_bytes + out->pss_other_bytes;
    out->kernel_stack_bytes = out->threads * kernel_stack_size();
    free(tree.list);
    return result;
}

/* ---- Its cgroup ---- */

struct memory_cgroup {
    struct cgroup cgroup;
    int procs; /* its cgroup.procs, open for writing */
};

/* What would make one possible, where systemd runs (sd_booted(3)). */
static const char *remedy(void)
{
    if (access("/run/systemd/system", F_OK) != 0)
        return "there is no systemd here that could delegate one";
    return geteuid() == 0 ? "run it under: systemd-run --scope -p Delegate=yes COMMAND"
                          : "run it under: systemd-run --user --scope -p Delegate=yes COMMAND";
}

struct memory_cgroup *memory_cgroup_open(char *why, size_t why_bytes)
{
    struct memory_cgroup *group = calloc(1, sizeof *group);
    if (!group) {
        fail(why, why_bytes, "no memory cgroup: %s", strerror(errno));
        return NULL;
    }
    if (cgroup_open(&group->cgroup, "memory") == 0) {
        group->procs = cgroup_procs(&group->cgroup);
        if (group->procs >= 0)
            return group;
    }
    int error = errno;
    if (error == ENOTSUP)
        fail(why, why_bytes,
             "no memory cgroup: this process's cgroup does not have the memory controller; %s",
             remedy());
    else
        fail(why, why_bytes, "no memory cgroup below %s: %s%s%s", group->cgroup.parent,
             error == EBUSY ? "other processes live there" : strerror(error),
             group->cgroup.version == 2 ? "; " : "",
             group->cgroup.version == 2 ? remedy()
             : geteuid() == 0           ? ""
                                        : "; version 1 needs root");
    cgroup_close(&group->cgroup);
    free(group);
    return NULL;
}

int memory_cgroup_enter(const struct memory_cgroup *group)
{
    return write(group->procs, "0", 1) == 1 ? 0 : -1; /* 0: whoever writes */
}

/* The counter of the whole cgroup also holds what each core has put by for its next allocations:
 * measured over equal trials, it varied by 400 KiB, and the sum of the statistics by 4 KiB. */
uint64_t memory_cgroup_bytes(const struct memory_cgroup *group)
{
    char stat[PATH_MAX + sizeof "/memory.stat"];
    uint64_t anonymous, shared, kernel, sockets, files, all;
    snprintf(stat, sizeof stat, "%s/memory.stat", group->cgroup.folder);
    if (group->cgroup.version == 1)
        return memory_field(stat, "total_rss", &anonymous) &&
                       memory_field(stat, "total_shmem", &shared) &&
                       cgroup_number(&group->cgroup, "memory.kmem.usage_in_bytes", &kernel)
                   ? anonymous + shared + kernel
                   : NO_NUMBER;
    if (!memory_field(stat, "shmem", &shared))
        return NO_NUMBER;
    if (memory_field(stat, "anon", &anonymous) && memory_field(stat, "kernel", &kernel) &&
        memory_field(stat, "sock", &sockets))
        return anonymous + shared + kernel + sockets;
    /* Before Linux 5.18 there is no sum of the kernel's part. */
    return memory_field(stat, "file", &files) &&
                   cgroup_number(&group->cgroup, "memory.current", &all)
               ? all - files + shared
               : NO_NUMBER;
}

void memory_cgroup_close(struct memory_cgroup *group)
{
    if (!group)
        return;
    close(group->procs);
    cgroup_close(&group->cgroup);
    free(group);
}
