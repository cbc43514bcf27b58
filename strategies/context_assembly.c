/*
 * Contexts by the smallest switch that the calling convention allows: push what a function must
 * preserve, exchange the stack pointers, pop. See swap_x86_64.S and swap_aarch64.S, which do it,
 * and whose frame a new context starts with.
 */
#include "context.h"

#include <stdint.h>

#if defined __x86_64__ || defined __aarch64__

void context_swap(void **from, void *to);
void context_begin(void); /* entered by a swap; calls entry(argument) */

/* What context_swap() leaves on the stack, from the lowest address. */
struct frame {
#ifdef __x86_64__
    uint32_t mxcsr;
    uint16_t x87_control, unused;
    void (*entry)(void *); /* r12 */
    void *argument;        /* r13 */
    uint64_t r14, r15;
    uint64_t rbx, rbp;
    void (*go_on_at)(void);
#else
    void (*entry)(void *); /* x19 */
    void *argument;        /* x20 */
    uint64_t x21_28[8];
    uint64_t x29;
    void (*go_on_at)(void); /* x30 */
    uint64_t d8_15[8];
    uint64_t fpcr, unused;
#endif
};

/* A new context takes over the floating-point modes of its maker. */
static void save_fp_control(struct frame *frame)
{
#ifdef __x86_64__
    __asm__("stmxcsr %0" : "=m"(frame->mxcsr));
    __asm__("fnstcw %0" : "=m"(frame->x87_control));
#else
    __asm__("mrs %0, fpcr" : "=r"(frame->fpcr));
#endif
}

static void *assembly_make(void *stack, size_t bytes, void (*entry)(void *), void *argument)
{
    uintptr_t top = ((uintptr_t)stack + bytes) & ~(uintptr_t)15; /* as a call wants it */
    struct frame *frame = (struct frame *)top - 1;
    *frame = (struct frame){.entry = entry, .argument = argument, .go_on_at = context_begin};
    save_fp_control(frame);
    return frame;
}

const char *context_assembly_unavailable(void)
{
    return NULL;
}

const struct context_backend context_assembly = {.make = assembly_make, .swap = context_swap};

#else

const char *context_assembly_unavailable(void)
{
    return "no switch in assembly for this kind of processor; fiber-ucontext can do without";
}

const struct context_backend context_assembly;

#endif
