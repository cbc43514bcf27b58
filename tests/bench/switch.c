/*
 * switch [SWITCHES]: what going to another stack and back costs, by each way that there is here,
 * and by Boost.Context's where that was found when this was built: the yardstick of the strategy
 * `fiber`. Nothing runs on either side but the loop, so these are the least that a switch can cost.
 *
 *     make programs && build/tests/bench/switch
 *
 * The ways take turns, ten times, and the best time of each counts.
 */
#include "clock.h"
#include "context.h"

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK_BYTES = 64 << 10, ROUNDS = 10 };

static char stack[STACK_BYTES] __attribute__((aligned(64)));

/* ---- A call that does nothing: as near as a switch can come ---- */

static void nothing(void)
{
}
static void (*volatile callee)(void) = nothing;

static void run_call(uint64_t switches)
{
    while (switches--)
        callee();
}

/* ---- The backends of fiber ---- */

static const struct context_backend *backend;
static void *here, *there;

static void other_side(void *argument)
{
    (void)argument;
    for (;;)
        backend->swap(&there, here);
}

static void run_backend(uint64_t switches)
{
    there = backend->make(stack, sizeof stack, other_side, NULL);
    for (uint64_t i = 0; i < switches; i += 2) /* there and back */
        backend->swap(&here, there);
}

static void run_assembly(uint64_t switches)
{
    backend = &context_assembly;
    run_backend(switches);
}

static void run_setjmp(uint64_t switches)
{
    backend = &context_setjmp;
    run_backend(switches);
}

static void run_ucontext(uint64_t switches)
{
    backend = &context_ucontext;
    run_backend(switches);
}

/* ---- Boost.Context, whose header is C++ ---- */

#ifdef HAVE_BOOST_CONTEXT
struct transfer {
    void *context, *data;
};
struct transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t bytes, void (*entry)(struct transfer));

static void boost_side(struct transfer from)
{
    for (;;)
        from = jump_fcontext(from.context, NULL);
}

static void run_boost(uint64_t switches)
{
    struct transfer other = {.context =
                                 make_fcontext(stack + sizeof stack, sizeof stack, boost_side)};
    for (uint64_t i = 0; i < switches; i += 2)
        other = jump_fcontext(other.context, NULL);
}
#endif

/* ---- */

static const char *available(void)
{
    return NULL;
}

static struct {
    const char *name;
    void (*run)(uint64_t switches);
    const char *(*unavailable)(void);
    double best_ns;
} ways[] = {
    {"fiber (assembly)", run_assembly, context_assembly_unavailable, 0},
#ifdef HAVE_BOOST_CONTEXT
    {"Boost.Context", run_boost, available, 0},
#endif
    {"call through a pointer", run_call, available, 0},
    {"fiber-setjmp", run_setjmp, context_setjmp_unavailable, 0},
    {"fiber-ucontext", run_ucontext, context_ucontext_unavailable, 0},
};
enum { WAYS = sizeof ways / sizeof *ways };

int main(int argc, char **argv)
{
    uint64_t switches = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    if (!switches)
        errx(2, "give a number of switches, not '%s'", argv[1]);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < WAYS; i++) {
            if (ways[i].unavailable())
                continue;
            uint64_t start_ns = clock_now_ns();
            ways[i].run(switches);
            double ns = (double)(clock_now_ns() - start_ns) / (double)switches;
            if (!round || ns < ways[i].best_ns)
                ways[i].best_ns = ns;
        }
    }
    for (size_t i = 0; i < WAYS; i++) {
        const char *why = ways[i].unavailable();
        if (why)
            printf("%-24s %s\n", ways[i].name, why);
        else
            printf("%-24s %8.2f ns  %6.2f x fiber\n", ways[i].name, ways[i].best_ns,
                   ways[i].best_ns / ways[0].best_ns);
    }
#ifndef HAVE_BOOST_CONTEXT
    printf("%-24s not found when this was built\n", "Boost.Context");
#endif
}
