/* A command line in the making: copies of words, ended by NULL as argv is. */
#ifndef OVERLAP_ARGUMENTS_H
#define OVERLAP_ARGUMENTS_H

#include <stddef.h>

/* All zero: empty. */
struct arguments {
    char **words; /* ended by NULL; NULL itself while empty */
    size_t count;
};

/* Adds a copy of each of the words, which are ended by NULL. */
void arguments_add(struct arguments *arguments, const char *const words[]);
void arguments_drop(struct arguments *arguments);

#endif
