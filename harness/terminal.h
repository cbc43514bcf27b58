/* What needs to know that somebody looks: colours, widths, the timeline drawn in text. */
#ifndef OVERLAP_TERMINAL_H
#define OVERLAP_TERMINAL_H

#include "record.h"

#include <stdbool.h>
#include <stdio.h>

/* May the file be coloured? It is a terminal, and NO_COLOR (no-color.org) is not set. */
bool terminal_colored(FILE *file);

/* Columns of the terminal behind the file; $COLUMNS, or else 80, when there is none. */
int terminal_columns(FILE *file);

/* Draws the timeline CSV of a traced trial on stdout, a lane per task, the ideal's end marked.
 * Complains on stderr when it cannot be read. */
void terminal_timeline(const char *csv_path, const struct record *record);

#endif
