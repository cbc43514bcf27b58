/*
 * Contexts: places where a thread of control goes on, each on a stack of its own. One vocabulary
 * for the ways to switch between them, one file per way:
 *
 *     context_assembly.c   what the calling convention asks to be kept, in a dozen instructions
 *     context_ucontext.c   makecontext() and swapcontext(): the same, and a system call
 *     context_setjmp.c     _setjmp() and _longjmp(): the same, in the C library's keeping
 *
 * What is saved of a context lies on the stack that it left, and the context is the pointer to it.
 * So a context takes no memory but its stack, and its owner keeps one pointer.
 */
#ifndef OVERLAP_CONTEXT_H
#define OVERLAP_CONTEXT_H

#include <stddef.h>

struct context_backend {
    /* Makes a context that begins with entry(argument), which must not return, on the `bytes` at
     * `stack`, its lowest address. The stack stays the caller's; to forget a context that is never
     * to run again is enough to end it. */
    void *(*make)(void *stack, size_t bytes, void (*entry)(void *argument), void *argument);

    /* Saves the running context in *from and goes on with `to`, which is used up. Returns when
     * somebody else goes on with *from. */
    void (*swap)(void **from, void *to);
};

extern const struct context_backend context_assembly, context_ucontext, context_setjmp;

/* Why it cannot work here; NULL when it can. */
const char *context_assembly_unavailable(void);
const char *context_ucontext_unavailable(void);
const char *context_setjmp_unavailable(void);

#endif
