/*
 * The stacks of fibers, all of one size, in a single mapping, each with a guard page below it.
 *
 * One mapping, because malloc'd stacks depend on the heap's moods, and because a mapping for each
 * ends at vm.max_map_count. The guards are made by the cheapest means that the kernel has:
 * MADV_GUARD_INSTALL (Linux 6.13) marks pages within a mapping; mprotect() splits it, two mappings
 * for each stack, so that vm.max_map_count (65530) ends it near 32,000 stacks.
 */
#ifndef OVERLAP_STACKS_H
#define OVERLAP_STACKS_H

#include <stddef.h>

enum guard {
    GUARD_MADVISE,
    GUARD_MPROTECT,
    GUARD_NONE, /* an overflow runs into the neighbour's stack */
    GUARDS,
};

struct stacks {
    char *start;
    size_t stack_bytes;
    size_t guard_bytes; /* a page, also where nothing guards */
    unsigned count;
    unsigned guarded; /* how many of them have their guard */
};

/* The cheapest guard that this kernel can give to `count` stacks. */
enum guard stacks_cheapest_guard(unsigned count);

/* Maps `count` stacks of `stack_bytes`, a multiple of the page size, and guards them. Nothing of
 * them takes memory before it is touched. 0; or -errno: -EINVAL when the kernel has no such guard,
 * -ENOMEM when it runs out of mappings or address space; stacks_close() is due in any case. */
int stacks_open(struct stacks *stacks, unsigned count, size_t stack_bytes, enum guard guard);

/* Unmaps what stacks_open() mapped, also where it failed. Nobody may be on one of the stacks. */
void stacks_close(struct stacks *stacks);

/* The lowest address of stack `i`. */
static inline void *stacks_get(const struct stacks *stacks, unsigned i)
{
    return stacks->start + (stacks->guard_bytes + stacks->stack_bytes) * i + stacks->guard_bytes;
}

/* From now on a thread that runs into a guard says so in one line, with the number of the stack and
 * the advice, and dies of SIGSEGV as it would have anyway. One `stacks` at a time. */
void stacks_watch(const struct stacks *stacks, const char *advice);
void stacks_unwatch(void);

#endif
