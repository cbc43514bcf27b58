/* See stacks.h. */
#include "stacks.h"
#include "limit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* of Linux 6.13; C libraries are younger */
#endif

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static int install(char *page, enum guard guard)
{
    int failed = 0;
    if (guard == GUARD_MADVISE)
        failed = madvise(page, page_bytes(), MADV_GUARD_INSTALL);
    else if (guard == GUARD_MPROTECT)
        failed = mprotect(page, page_bytes(), PROT_NONE);
    return failed ? -errno : 0;
}

/* No huge pages: a stack would take 2 MiB at its first touch. MAP_STACK says so since Linux 6.7,
 * madvise() on all. */
static char *map(size_t bytes)
{
    char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    madvise(start, bytes, MADV_NOHUGEPAGE);
    return start;
}

enum guard stacks_cheapest_guard(unsigned count)
{
    struct stacks one;
    int error = stacks_open(&one, 1, page_bytes(), GUARD_MADVISE);
    stacks_close(&one);
    if (!error)
        return GUARD_MADVISE;
    struct limit limits[LIMITS];
    limits_read(0, limits);
    for (int i = 0; i < LIMITS; i++) {
        const uint64_t spare = 1000; /* mappings for everything else */
        if (strcmp(limits[i].name, "vm.max_map_count") == 0 &&
            limits[i].used + 2 * (uint64_t)count + spare > limits[i].limit)
            return GUARD_NONE;
    }
    return GUARD_MPROTECT;
}

int stacks_open(struct stacks *stacks, unsigned count, size_t stack_bytes, enum guard guard)
{
    *stacks =
        (struct stacks){.stack_bytes = stack_bytes, .guard_bytes = page_bytes(), .count = count};
    stacks->start = map((stack_bytes + stacks->guard_bytes) * count);
    if (!stacks->start)
        return -errno;
    for (; stacks->guarded < count; stacks->guarded++) {
        char *stack = stacks_get(stacks, stacks->guarded);
        int error = install(stack - stacks->guard_bytes, guard);
        if (error)
            return error;
    }
    return 0;
}

void stacks_close(struct stacks *stacks)
{
    if (stacks->start)
        munmap(stacks->start, (stacks->stack_bytes + stacks->guard_bytes) * stacks->count);
    stacks->start = NULL;
}

/* ---- Overflow ---- */

static struct {
    const struct stacks *stacks;
    char advice[128];
    struct sigaction before;
    char stack[64 << 10]; /* of the handler: the fiber has none left */
} watch;

/* Whether `address` is in a guard, and in that of which stack. */
static bool find_guard(const struct stacks *stacks, const void *address, unsigned *i)
{
    size_t stride = stacks->stack_bytes + stacks->guard_bytes;
    uintptr_t offset = (uintptr_t)address - (uintptr_t)stacks->start;
    *i = (unsigned)(offset / stride);
    return offset / stride < stacks->count && offset % stride < stacks->guard_bytes;
}

/* Either way the access is tried again afterwards, and then ends the process as it should. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    unsigned i;
    if (!find_guard(watch.stacks, info->si_addr, &i)) {
        sigaction(number, &watch.before, NULL);
        return;
    }
    char digits[12], *digit = digits + sizeof digits;
    *--digit = '\0';
    do
        *--digit = (char)('0' + i % 10); /* printf() is not for signal handlers */
    while ((i /= 10));
    const char *const parts[] = {"overlap: fiber stack overflow: task ", digit, ", ", watch.advice,
                                 "\n"};
    char line[256];
    size_t length = 0;
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
        length = (size_t)(stpcpy(line + length, parts[part]) - line);
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* whether anybody listens or not */
    signal(number, SIG_DFL);
}

void stacks_watch(const struct stacks *stacks, const char *advice)
{
    watch.stacks = stacks;
    snprintf(watch.advice, sizeof watch.advice, "%s", advice);
    sigaltstack(&(stack_t){.ss_sp = watch.stack, .ss_size = sizeof watch.stack}, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, &watch.before);
}

void stacks_unwatch(void)
{
    sigaction(SIGSEGV, &watch.before, NULL);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
}
