/* See processes.h. */
#include "processes.h"
#include "array.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* /proc/PID/stat: "pid (name) state ppid ...", the 20th field counts threads. The name may hold
 * anything, so reading starts behind its last parenthesis. */
static bool process_read(pid_t pid, struct process *process)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t bytes = read(file, line, sizeof line - 1);
    close(file);
    if (bytes <= 0)
        return false;
    line[bytes] = '\0';
    const char *rest = strrchr(line, ')');
    char state;
    process->pid = pid;
    if (!rest ||
        sscanf(rest + 1,
               " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
               &state, &process->parent, &process->threads) != 3)
        return false;
    process->dead = state == 'Z' || state == 'X';
    return true;
}

static int by_parent(const void *left, const void *right)
{
    const struct process *a = left, *b = right;
    return (a->parent > b->parent) - (a->parent < b->parent);
}

static void processes_add(struct processes *processes, const struct process *process)
{
    if (processes->count == processes->room) {
        processes->room = processes->room ? 2 * processes->room : 256;
        processes->list = array_resize(processes->list, processes->room, sizeof *processes->list);
    }
    processes->list[processes->count++] = *process;
}

/* All processes of the system, those of one parent next to each other. One scan is no slower than
 * following /proc/PID/task/TID/children of every thread, and needs no CONFIG_PROC_CHILDREN. */
static struct processes processes_of_system(void)
{
    struct processes all = {0};
    DIR *folder = opendir("/proc");
    if (folder) {
        for (struct dirent *entry; (entry = readdir(folder));) {
            struct process process;
            if (isdigit((unsigned char)entry->d_name[0]) &&
                process_read(atoi(entry->d_name), &process))
                processes_add(&all, &process);
        }
        closedir(folder);
    }
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, by_parent);
    return all;
}

/* Index of the first child of `parent` in a list sorted by_parent(), or where it would be. */
static size_t first_child(const struct processes *all, pid_t parent)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->list[middle].parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct processes processes_of_tree(pid_t root)
{
    struct processes all = processes_of_system(), tree = {0};
    struct process process;
    if (process_read(root, &process))
        processes_add(&tree, &process);
    for (size_t done = 0; done < tree.count; done++) {
        pid_t parent = tree.list[done].pid;
        for (size_t i = first_child(&all, parent); i < all.count && all.list[i].parent == parent;
             i++)
            processes_add(&tree, &all.list[i]);
    }
    free(all.list);
    return tree;
}
