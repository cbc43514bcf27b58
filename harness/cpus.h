/* Lists of cores as the kernel writes them, with '+' for its commas (so that they fit CSV): 0-1+4
 */
#ifndef OVERLAP_CPUS_H
#define OVERLAP_CPUS_H

#include <sched.h>
#include <stddef.h>

/* Reads a list ("0", "0-3", "0,2" or "0+2"), "one" (the first core that this process may use) or
 * "all" (every one of them). Returns 0, or -1 with one line in `why`. */
int cpus_parse(const char *text, cpu_set_t *cpus, char *why, size_t why_bytes);

/* Writes the list; returns `text`. */
char *cpus_print(const cpu_set_t *cpus, char *text, size_t bytes);

#endif
