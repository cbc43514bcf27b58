/*
 * A control group for one trial, below that of this process, in a hierarchy of version 1 or 2.
 *
 * In version 2 that takes more than a folder (Documentation/admin-guide/cgroup-v2.rst of Linux,
 * "Enabling and Disabling", "No Internal Process Constraint"): a cgroup has a controller's files
 * only while its parent has enabled that controller for all its children; and a parent that has,
 * unless it is the root, may hold no process itself. So whoever lives there steps aside into a
 * child, overlap-supervisor, which also marks that the controller is ours to disable: the last one
 * to close does so and puts everybody back. Several programs can do this at once.
 */
#ifndef OVERLAP_CGROUP_H
#define OVERLAP_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup {
    int version; /* of its hierarchy, 1 or 2; 0: that of the controller is not mounted */
    const char *controller;
    char parent[PATH_MAX];
    char folder[PATH_MAX]; /* "": there is none */
};

/* The folder of this process's own cgroup in the hierarchy of `controller`. Returns the version of
 * that hierarchy, 1 or 2; or 0 when it is not mounted. */
int cgroup_folder(const char *controller, char *folder, size_t folder_bytes);

/* Makes one with that controller. Where nobody may live beside it, this process with its
 * descendants (in a cgroup that systemd delegated, all others too) steps aside until the last one
 * is closed. Returns 0; or -1 with errno set: ENOTSUP when the controller is not to be had here,
 * EBUSY when others live there who cannot be asked to step aside. One at a time per process. */
int cgroup_open(struct cgroup *cgroup, const char *controller);

/* A descriptor to its cgroup.procs for writing: "0" moves whoever writes. -1 with errno set. */
int cgroup_procs(const struct cgroup *cgroup);

/* The number in one of its files; false when there is none. */
bool cgroup_number(const struct cgroup *cgroup, const char *name, uint64_t *number);

/* Removes it, once its processes are dead. When nobody else has a child there, and the controller
 * was enabled by cgroup_open(), it is disabled, and those who stepped aside come back. */
void cgroup_close(struct cgroup *cgroup);

#endif
