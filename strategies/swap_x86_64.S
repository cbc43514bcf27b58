/*
 * void context_swap(void **from, void *to), for x86-64 (System V ABI).
 *
 * Saves what a function must preserve: rbx, rbp, r12 to r15, the control bits of mxcsr and the x87
 * control word; then exchanges the stacks. Both stacks have the same frame, so the unwind
 * information is right before and after.
 *
 * It returns by a jump: the processor predicts `ret` from a stack of its own, where it would find the
 * call of the context that was left.
 *
 * With shadow stacks (CET SHSTK) each context would need one of its own; this object does not claim
 * to support them, so the linker leaves them off. It does support indirect branch tracking (IBT).
 */
#ifdef __x86_64__

#if defined __CET__ && (__CET__ & 1)
#define LANDING endbr64
#define JUMP    notrack jmp /* to where a call returns, which is no landing */
#else
#define LANDING
#define JUMP    jmp
#endif

        .text
        .globl  context_swap
        .hidden context_swap
        .type   context_swap, @function
        .p2align 6
context_swap:
        .cfi_startproc
        LANDING
        leaq    -56(%rsp), %rsp
        .cfi_adjust_cfa_offset 56
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %r12, 8(%rsp)
        .cfi_rel_offset r12, 8
        movq    %r13, 16(%rsp)
        .cfi_rel_offset r13, 16
        movq    %r14, 24(%rsp)
        .cfi_rel_offset r14, 24
        movq    %r15, 32(%rsp)
        .cfi_rel_offset r15, 32
        movq    %rbx, 40(%rsp)
        .cfi_rel_offset rbx, 40
        movq    %rbp, 48(%rsp)
        .cfi_rel_offset rbp, 48

        movq    %rsp, (%rdi)
        movq    %rsi, %rsp

        movq    56(%rsp), %r8           /* where to go on: as early as can be */
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        movq    8(%rsp), %r12
        .cfi_restore r12
        movq    16(%rsp), %r13
        .cfi_restore r13
        movq    24(%rsp), %r14
        .cfi_restore r14
        movq    32(%rsp), %r15
        .cfi_restore r15
        movq    40(%rsp), %rbx
        .cfi_restore rbx
        movq    48(%rsp), %rbp
        .cfi_restore rbp
        leaq    64(%rsp), %rsp
        .cfi_adjust_cfa_offset -64
        .cfi_register rip, r8
        JUMP    *%r8
        .cfi_endproc
        .size   context_swap, . - context_swap

/* The bottom of every new stack: nobody called this, and unwinding ends here. An unwinder looks up
 * the byte before a return address, so there is one. */
        .globl  context_begin
        .hidden context_begin
        .type   context_begin, @function
        .p2align 4
        .cfi_startproc
        .cfi_undefined rip
        nop
context_begin:
        LANDING
        movq    %r13, %rdi
        call    *%r12
        ud2
        .cfi_endproc
        .size   context_begin, . - context_begin

#if defined __CET__ && (__CET__ & 1)
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5                /* sizes of the name and the note, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0     /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT, but no SHSTK */
#endif

#endif
        .section .note.GNU-stack, "", %progbits
