/*
 * Contexts by makecontext() and swapcontext(), which POSIX had until 2008 and glibc still has. They
 * keep the signal mask as well, and setting that is a system call at every switch.
 */
#include "context.h"

#include <stdint.h>
#include <ucontext.h>

#ifdef __GLIBC__

/* makecontext() hands on ints. Two of them hold a pointer anywhere. */
static void begin(unsigned entry_high, unsigned entry_low, unsigned argument_high,
                  unsigned argument_low)
{
    void (*entry)(void *) = (void (*)(void *))((uintptr_t)entry_high << 32 | entry_low);
    entry((void *)((uintptr_t)argument_high << 32 | argument_low));
}

static void *ucontext_make(void *stack, size_t bytes, void (*entry)(void *), void *argument)
{
    uintptr_t top = ((uintptr_t)stack + bytes - sizeof(ucontext_t)) & ~(uintptr_t)63;
    ucontext_t *context = (ucontext_t *)top;
    getcontext(context);
    context->uc_stack = (stack_t){.ss_sp = stack, .ss_size = top - (uintptr_t)stack};
    context->uc_link = NULL;
    makecontext(context, (void (*)(void))begin, 4, (unsigned)((uintptr_t)entry >> 32),
                (unsigned)(uintptr_t)entry, (unsigned)((uintptr_t)argument >> 32),
                (unsigned)(uintptr_t)argument);
    return context;
}

static void ucontext_swap(void **from, void *to)
{
    ucontext_t here;
    here.uc_stack = (stack_t){0}; /* AddressSanitizer looks at it */
    *from = &here;
    swapcontext(&here, to);
}

const char *context_ucontext_unavailable(void)
{
    return NULL;
}

const struct context_backend context_ucontext = {.make = ucontext_make, .swap = ucontext_swap};

#else

const char *context_ucontext_unavailable(void)
{
    return "this C library has no makecontext(), as musl; fiber does without";
}

const struct context_backend context_ucontext;

#endif
