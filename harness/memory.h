/*
 * What the processes of a trial hold in memory, read from outside while they stand still: PSS of
 * the whole tree by kind, what the kernel spends on it, and a memory cgroup as the cross-check.
 */
#ifndef OVERLAP_MEMORY_H
#define OVERLAP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sums over a process and all its descendants. A page that n processes map counts 1/n in each of
 * them, so memory shared within the tree counts once. The four kinds add up to pss_bytes:
 *
 *   code   executable or read-only private mappings of files: binaries, libraries, the vdso
 *   heap   [heap] and private anonymous mappings: malloc's arenas and large blocks, .bss
 *   stack  [stack] and the stacks of threads and fibers (see memory.c for how they are known)
 *   other  initialised data of binaries, shared memory, rings
 *
 * The kernel rounds the PSS of each process down to 1 KiB. Swapped-out pages count nowhere. */
struct memory {
    uint64_t processes, threads;
    uint64_t pss_bytes;
    uint64_t pss_code_bytes, pss_heap_bytes, pss_stack_bytes, pss_other_bytes;
    uint64_t page_table_bytes;   /* VmPTE: all levels but the topmost page of each process */
    uint64_t kernel_stack_bytes; /* threads x 16 KiB (64-bit kernels) */
};

/* Reads the tree of `root` into *out: one pass over /proc, then the mappings of each process, in
 * time proportional to processes and mappings. Dead children not yet waited for count nowhere. The
 * tree must stand still and belong to the same user; no root is needed. Returns 0; or -1 with one
 * line in `why` when a process ended meanwhile or cannot be read. */
int memory_read(pid_t root, struct memory *out, char *why, size_t why_bytes);

/* The number behind `key` in a file of lines like "Pss: 12 kB" (given in bytes) or "anon 4096";
 * false when there is none. */
bool memory_field(const char *path, const char *key, uint64_t *number);

/* A memory cgroup of its own for one trial, below that of this process (version 1 or 2). */
struct memory_cgroup;

/* Makes one (see cgroup.h for what that moves). Returns NULL, with one line in `why` that says what
 * would make it possible, where none can be made; a run goes on without. One at a time. */
struct memory_cgroup *memory_cgroup_open(char *why, size_t why_bytes);

/* Moves the calling process in: for the child between fork and exec, async-signal-safe. What it
 * allocated before stays charged where it was. Returns 0, or -1 with errno set. */
int memory_cgroup_enter(const struct memory_cgroup *group);

/* What is charged to it now: anonymous and shared memory and all the kernel spent for it (stacks,
 * page tables, task structures, sockets), without the page cache of files. Summed from statistics
 * that lag by up to 64 pages per core and that the kernel brings up to date every 2 s. Returns
 * NO_NUMBER (record.h) when it cannot be read. */
uint64_t memory_cgroup_bytes(const struct memory_cgroup *group);

/* Removes it, once its processes are dead, and undoes what open changed. NULL is allowed. */
void memory_cgroup_close(struct memory_cgroup *group);

#endif
