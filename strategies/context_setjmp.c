/*
 * Contexts by _setjmp() and _longjmp(), the way of those who want no assembly of their own.
 *
 * _setjmp() rather than setjmp() or sigsetjmp(): it is the one that never saves the signal mask,
 * which would be a system call at every switch. The floating-point modes are not kept: C says that
 * a jump leaves them as they are, so all contexts share them.
 *
 * Something else must enter a stack for the first time. makecontext() does, at one more system call
 * for each context. The other way, to have a signal handler called on it (sigaltstack(),
 * Engelschall, "Portable Multithreading", 2000), takes five, and a signal frame on each stack:
 * several KiB with the registers of today's processors.
 */
#undef _FORTIFY_SOURCE /* its _longjmp() takes a jump to another stack for a mistake */

#include "context.h"

#include <setjmp.h>
#include <stdint.h>
#include <ucontext.h>

#ifdef __GLIBC__

struct saved {
    jmp_buf registers;
    ucontext_t *first; /* how to enter it, before it has run; then NULL */
};

static void *setjmp_make(void *stack, size_t bytes, void (*entry)(void *), void *argument)
{
    uintptr_t top = ((uintptr_t)stack + bytes - sizeof(struct saved)) & ~(uintptr_t)15;
    struct saved *saved = (struct saved *)top;
    saved->first = context_ucontext.make(stack, top - (uintptr_t)stack, entry, argument);
    return saved;
}

static void setjmp_swap(void **from, void *to)
{
    struct saved here = {.first = NULL};
    *from = &here;
    if (_setjmp(here.registers) == 0) {
        struct saved *saved = to;
        if (saved->first)
            setcontext(saved->first);
        _longjmp(saved->registers, 1);
    }
}

const char *context_setjmp_unavailable(void)
{
    return NULL;
}

const struct context_backend context_setjmp = {.make = setjmp_make, .swap = setjmp_swap};

#else

const char *context_setjmp_unavailable(void)
{
    return "this C library has no makecontext() to begin with, as musl; fiber does without";
}

const struct context_backend context_setjmp;

#endif
