/* As much of fenv.h as registers.h needs, for a processor whose C library is not here. */
#ifndef OVERLAP_CROSS_FENV_H
#define OVERLAP_CROSS_FENV_H

#include <stdint.h>

enum { FE_TONEAREST = 0, FE_UPWARD = 1 << 22, FE_DOWNWARD = 2 << 22 }; /* as in fpcr */

static inline int fegetround(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return (int)(fpcr & 3 << 22);
}

static inline int fesetround(int rounding)
{
    uint64_t fpcr = (uint64_t)rounding;
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
    return 0;
}

#endif
