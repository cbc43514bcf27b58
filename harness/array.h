/* Arrays of the harness's own bookkeeping: without memory for these there is no going on. */
#ifndef OVERLAP_ARRAY_H
#define OVERLAP_ARRAY_H

#include "options.h"

#include <err.h>
#include <stdlib.h>

/* realloc() for `count` elements of `bytes` each, at least one; ends the program when memory is
 * short. The caller frees it. */
static inline void *array_resize(void *array, size_t count, size_t bytes)
{
    array = reallocarray(array, count ? count : 1, bytes);
    if (!array)
        err(EXIT_UNABLE, "cannot allocate %zu times %zu bytes", count, bytes);
    return array;
}

#endif
