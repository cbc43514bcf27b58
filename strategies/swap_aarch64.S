/*
 * void context_swap(void **from, void *to), for aarch64 (AAPCS64).
 *
 * Saves what a function must preserve: x19 to x30, the low halves of v8 to v15 (d8 to d15) and the
 * floating-point modes (fpcr); then exchanges the stacks. Both stacks have the same frame, so the
 * unwind information is right before and after.
 *
 * The return address is used as it came, unsigned: whoever signs return addresses (PAC) signs what
 * it puts on its own stack, before it calls. Branch target identification (BTI) is met: a `ret` may
 * land anywhere.
 */
#ifdef __aarch64__

        .text
        .globl  context_swap
        .hidden context_swap
        .type   context_swap, %function
        .p2align 6
context_swap:
        .cfi_startproc
        hint    34                      /* bti c */
        sub     sp, sp, 176
        .cfi_adjust_cfa_offset 176
        stp     x19, x20, [sp, 0]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        stp     x21, x22, [sp, 16]
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        stp     x23, x24, [sp, 32]
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        stp     x25, x26, [sp, 48]
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        stp     x27, x28, [sp, 64]
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        stp     x29, x30, [sp, 80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, 96]
        stp     d10, d11, [sp, 112]
        stp     d12, d13, [sp, 128]
        stp     d14, d15, [sp, 144]
        mrs     x3, fpcr
        str     x3, [sp, 160]

        mov     x2, sp
        str     x2, [x0]
        mov     sp, x1

        ldr     x4, [sp, 160]
        cmp     x3, x4                  /* a write would wait for everything in flight */
        b.eq    1f
        msr     fpcr, x4
1:      ldp     x19, x20, [sp, 0]
        ldp     x21, x22, [sp, 16]
        ldp     x23, x24, [sp, 32]
        ldp     x25, x26, [sp, 48]
        ldp     x27, x28, [sp, 64]
        ldp     x29, x30, [sp, 80]
        ldp     d8, d9, [sp, 96]
        ldp     d10, d11, [sp, 112]
        ldp     d12, d13, [sp, 128]
        ldp     d14, d15, [sp, 144]
        add     sp, sp, 176
        .cfi_def_cfa_offset 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   context_swap, . - context_swap

/* The bottom of every new stack: nobody called this, and unwinding ends here. An unwinder looks up
 * the instruction before a return address, so there is one. */
        .globl  context_begin
        .hidden context_begin
        .type   context_begin, %function
        .p2align 4
        .cfi_startproc
        .cfi_undefined x30
        nop
context_begin:
        mov     x0, x20
        blr     x19
        brk     1
        .cfi_endproc
        .size   context_begin, . - context_begin

#ifdef __ARM_FEATURE_BTI_DEFAULT
        .section .note.gnu.property, "a"
        .p2align 3
        .word   4, 16, 5                /* sizes of the name and the note, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .word   0xc0000000, 4, 1, 0     /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
#endif

#endif
        .section .note.GNU-stack, "", %progbits
