/*
 * Does a switch between contexts keep what a function must preserve? Both sides load a pattern into
 * every such register, switch, and compare what they find on their return. And does a new context
 * begin as a function may expect? To be included by one file of a program; needs no test library,
 * so that it runs on foreign processors as well.
 */
#ifndef OVERLAP_REGISTERS_H
#define OVERLAP_REGISTERS_H

#include "context.h"
#include "sanitizer.h"

#include <fenv.h>
#include <stdbool.h>
#include <stdint.h>

/* Loads `in` into the registers, calls swap(from, to), stores the registers to `out`. */
void registers_across(void (*swap)(void **, void *), void **from, void *to, const uint64_t *in,
                      uint64_t *out);

#if defined __x86_64__
static const char *const register_names[] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
__asm__(".text\n"
        "registers_across:\n"
        "    push %rbx\n    push %rbp\n    push %r12\n"
        "    push %r13\n    push %r14\n    push %r15\n    push %r8\n"
        "    mov %rdi, %rax\n    mov %rsi, %rdi\n    mov %rdx, %rsi\n"
        "    mov (%rcx), %rbx\n    mov 8(%rcx), %rbp\n    mov 16(%rcx), %r12\n"
        "    mov 24(%rcx), %r13\n    mov 32(%rcx), %r14\n    mov 40(%rcx), %r15\n"
        "    call *%rax\n"
        "    pop %rax\n"
        "    mov %rbx, (%rax)\n    mov %rbp, 8(%rax)\n    mov %r12, 16(%rax)\n"
        "    mov %r13, 24(%rax)\n    mov %r14, 32(%rax)\n    mov %r15, 40(%rax)\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n"
        "    pop %r12\n    pop %rbp\n    pop %rbx\n"
        "    ret\n");
#elif defined __aarch64__
static const char *const register_names[] = {"x19", "x20", "x21", "x22", "x23", "x24", "x25",
                                             "x26", "x27", "x28", "x29", "d8",  "d9",  "d10",
                                             "d11", "d12", "d13", "d14", "d15"};
__asm__(".text\n"
        "registers_across:\n"
        "    stp x19, x20, [sp, -176]!\n    stp x21, x22, [sp, 16]\n    stp x23, x24, [sp, 32]\n"
        "    stp x25, x26, [sp, 48]\n    stp x27, x28, [sp, 64]\n    stp x29, x30, [sp, 80]\n"
        "    stp d8, d9, [sp, 96]\n    stp d10, d11, [sp, 112]\n"
        "    stp d12, d13, [sp, 128]\n    stp d14, d15, [sp, 144]\n    str x4, [sp, 160]\n"
        "    mov x9, x0\n    mov x0, x1\n    mov x1, x2\n"
        "    ldp x19, x20, [x3]\n    ldp x21, x22, [x3, 16]\n    ldp x23, x24, [x3, 32]\n"
        "    ldp x25, x26, [x3, 48]\n    ldp x27, x28, [x3, 64]\n    ldr x29, [x3, 80]\n"
        "    ldp d8, d9, [x3, 88]\n    ldp d10, d11, [x3, 104]\n"
        "    ldp d12, d13, [x3, 120]\n    ldp d14, d15, [x3, 136]\n"
        "    blr x9\n"
        "    ldr x9, [sp, 160]\n"
        "    stp x19, x20, [x9]\n    stp x21, x22, [x9, 16]\n    stp x23, x24, [x9, 32]\n"
        "    stp x25, x26, [x9, 48]\n    stp x27, x28, [x9, 64]\n    str x29, [x9, 80]\n"
        "    stp d8, d9, [x9, 88]\n    stp d10, d11, [x9, 104]\n"
        "    stp d12, d13, [x9, 120]\n    stp d14, d15, [x9, 136]\n"
        "    ldp d14, d15, [sp, 144]\n    ldp d12, d13, [sp, 128]\n"
        "    ldp d10, d11, [sp, 112]\n    ldp d8, d9, [sp, 96]\n"
        "    ldp x29, x30, [sp, 80]\n    ldp x27, x28, [sp, 64]\n    ldp x25, x26, [sp, 48]\n"
        "    ldp x23, x24, [sp, 32]\n    ldp x21, x22, [sp, 16]\n    ldp x19, x20, [sp], 176\n"
        "    ret\n");
#endif
enum { REGISTERS = sizeof register_names / sizeof *register_names };

struct side {
    void *context;
    struct sanitizer_stack stack;
    int rounding; /* the floating-point mode that this side wants to keep */
    uint64_t pattern;
};

static struct {
    const struct context_backend *backend;
    bool keeps_modes;
    struct side here, there;
    const char *wrong; /* the first register that was not kept */
} registers;

/* One third tells the mode of the unit that computes; fegetround() may ask another one. */
static double third(void)
{
    volatile double one = 1, three = 3, quotient = one / three; /* now, in this very mode */
    return quotient;
}

static void switch_and_compare(struct side *from, struct side *to)
{
    uint64_t in[REGISTERS], out[REGISTERS];
    for (int i = 0; i < REGISTERS; i++)
        in[i] = from->pattern++ * 0x9e3779b97f4a7c15u;
    if (registers.keeps_modes)
        fesetround(from->rounding);
    double before = third();
    sanitizer_leave(&from->stack, &to->stack, 0);
    registers_across(registers.backend->swap, &from->context, to->context, in, out);
    sanitizer_arrive(&from->stack, &to->stack);
    for (int i = 0; i < REGISTERS; i++)
        if (out[i] != in[i])
            registers.wrong = register_names[i];
    if (registers.keeps_modes && (fegetround() != from->rounding || third() != before))
        registers.wrong = "the floating-point mode";
}

static void there_main(void *argument)
{
    if (argument != &registers)
        registers.wrong = "the argument of a new context";
    if ((uintptr_t)__builtin_frame_address(0) % 16 != 0)
        registers.wrong = "the alignment of a new stack";
    if (registers.keeps_modes && fegetround() != registers.here.rounding)
        registers.wrong = "the floating-point mode of its maker";
    sanitizer_arrive(&registers.there.stack, &registers.here.stack);
    for (;;)
        switch_and_compare(&registers.there, &registers.here);
}

/* What a switch by `backend` does not keep; NULL when all is well. keeps_modes: the floating-point
 * modes must be kept as well. */
static const char *registers_check(const struct context_backend *backend, bool keeps_modes)
{
    enum { ROUNDS = 1000, THERE = 1 << 20 /* its first pattern */ };
    static char stack[256 << 10];
    registers.backend = backend;
    registers.keeps_modes = keeps_modes;
    registers.wrong = NULL;
    registers.here = (struct side){.rounding = FE_UPWARD, .pattern = 1};
    registers.there = (struct side){.rounding = FE_DOWNWARD, .pattern = THERE};
    sanitizer_add_stack(&registers.there.stack, stack, sizeof stack);
    if (keeps_modes)
        fesetround(registers.here.rounding);
    registers.there.context = backend->make(stack, sizeof stack, there_main, &registers);
    for (int i = 0; i < ROUNDS; i++)
        switch_and_compare(&registers.here, &registers.there);
    if (registers.there.pattern != THERE + ROUNDS * REGISTERS)
        registers.wrong = "its word: the other side did not run each time";
    sanitizer_remove_stack(&registers.there.stack);
    fesetround(FE_TONEAREST);
    return registers.wrong;
}

#endif
