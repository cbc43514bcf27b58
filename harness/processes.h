/* The tree of a process, from one pass over /proc. */
#ifndef OVERLAP_PROCESSES_H
#define OVERLAP_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid, parent;
    bool dead;
    uint64_t threads;
};

struct processes {
    struct process *list;
    size_t count, room;
};

/* `root` first, then its descendants, breadth first; empty when root does not exist. The caller
 * frees the list. */
struct processes processes_of_tree(pid_t root);

#endif
