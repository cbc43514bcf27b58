/*
 * What AddressSanitizer, ThreadSanitizer and Valgrind must be told of stacks that they did not
 * make. Without them all of this is nothing.
 */
#ifndef OVERLAP_SANITIZER_H
#define OVERLAP_SANITIZER_H

#include <stddef.h>

#ifdef __has_feature /* clang's way to say it; gcc defines the macros itself */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#endif

/* Stack frames grow under a sanitizer, and its own functions run on whatever stack there is. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZER_STACK_FACTOR = 8 };
#else
enum { SANITIZER_STACK_FACTOR = 1 };
#endif

/* What is known of one stack. All zero: that of the thread, before it is first left. */
struct sanitizer_stack {
#ifdef __SANITIZE_ADDRESS__
    const void *start;
    size_t bytes;
    void *fake; /* where locals live that outlast their function */
#endif
#ifdef __SANITIZE_THREAD__
    void *fiber;
#endif
};

/* There is a new stack. */
static inline void sanitizer_add_stack(struct sanitizer_stack *stack, void *start, size_t bytes)
{
    (void)stack, (void)start, (void)bytes;
    (void)VALGRIND_STACK_REGISTER(start, (char *)start + bytes);
#ifdef __SANITIZE_ADDRESS__
    stack->start = start;
    stack->bytes = bytes;
#endif
#ifdef __SANITIZE_THREAD__
    stack->fiber = __tsan_create_fiber(0);
#endif
}

/* It is gone. Its owner must have left it, and unmaps it afterwards. */
static inline void sanitizer_remove_stack(struct sanitizer_stack *stack)
{
    (void)stack;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack->start, stack->bytes);
#endif
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(stack->fiber);
#endif
}

/* Right before a switch; `for_good`: nobody comes back to `from`. */
static inline void sanitizer_leave(struct sanitizer_stack *from, struct sanitizer_stack *to,
                                   int for_good)
{
    (void)from, (void)to, (void)for_good;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake, to->start, to->bytes);
#endif
#ifdef __SANITIZE_THREAD__
    if (!from->fiber)
        from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

/* Right after one, on `self`; `left` is the stack that was left for it. */
static inline void sanitizer_arrive(struct sanitizer_stack *self, struct sanitizer_stack *left)
{
    (void)self, (void)left;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(self->fake, &left->start, &left->bytes);
#endif
}

#endif
