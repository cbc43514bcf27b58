/* The check of registers.h for the switch in assembly, on a processor that only an emulator has:
 * aarch64. Without a C library, so that any clang and lld can build it, whatever they are for. */
#include "../registers.h"

enum { SYS_WRITE = 64, SYS_EXIT = 93 }; /* Linux on aarch64 */

static long call_kernel(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

static void say(const char *text)
{
    size_t bytes = 0;
    while (text[bytes])
        bytes++;
    call_kernel(SYS_WRITE, 1, (long)text, (long)bytes);
}

/* Compilers call these two by themselves. */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *start, int byte, size_t bytes)
{
    for (char *at = start; bytes > 0; bytes--)
        *at++ = (char)byte;
    return start;
}

_Noreturn void _start(void)
{
    const char *wrong = registers_check(&context_assembly, true);
    say(wrong ? "not kept: " : "all kept");
    say(wrong ? wrong : "");
    say("\n");
    for (;;)
        call_kernel(SYS_EXIT, wrong != NULL, 0, 0);
}
