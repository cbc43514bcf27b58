/* The limits of the system on how many processes and threads there can be. */
#ifndef OVERLAP_LIMIT_H
#define OVERLAP_LIMIT_H

#include <stdint.h>

struct limit {
    const char *name;
    char raise[320]; /* the command that raises it */
    uint64_t used, limit;
    uint64_t per_task; /* what a task with a thread or a process of its own takes of it */
};
enum { LIMITS_OF_TASKS = 5, LIMITS = LIMITS_OF_TASKS + 3 }; /* of numbers, then of bytes */

/* Reads what is in use now, of which `made` tasks are known to be this user's. No limit is
 * UINT64_MAX. */
void limits_read(uint64_t made, struct limit limits[LIMITS]);

#endif
