/* A table of texts: aligned for a terminal, or as Markdown. */
#ifndef OVERLAP_TABLE_H
#define OVERLAP_TABLE_H

#include <stdio.h>

struct table {
    const char *align; /* 'l' or 'r' for each column; as many columns as letters */
    char **texts;      /* row by row, the first row being the header; private */
    size_t count;
};

/* Adds a copy of the text of the next field; NULL is empty. */
void table_add(struct table *table, const char *text);

/* Both leave out columns that are empty in all rows but the header. */
void table_print(const struct table *table, FILE *file);
void table_print_markdown(const struct table *table, FILE *file);

/* Empties it: it can be filled again. */
void table_clear(struct table *table);

#endif
