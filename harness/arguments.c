/* See arguments.h. */
#include "arguments.h"
#include "array.h"

#include <string.h>

void arguments_add(struct arguments *arguments, const char *const words[])
{
    for (size_t i = 0; words[i]; i++) {
        arguments->words =
            array_resize(arguments->words, arguments->count + 2, sizeof *arguments->words);
        char *copy = strdup(words[i]);
        if (!copy)
            err(EXIT_UNABLE, "cannot make a command line");
        arguments->words[arguments->count++] = copy;
        arguments->words[arguments->count] = NULL;
    }
}

void arguments_drop(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->words[i]);
    free(arguments->words);
    *arguments = (struct arguments){0};
}
