/* Files that come with the command: beside the binary, as built or as installed. */
#ifndef OVERLAP_SHARED_H
#define OVERLAP_SHARED_H

#include <stdio.h>

/* Opens the file of this name ("suites/quick.suite") to be read, and leaves its path in *path,
 * which the caller frees. NULL with errno set and *path NULL when there is none. */
FILE *shared_open(const char *name, char **path);

#endif
