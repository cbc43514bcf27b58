/*
 * CSV as RFC 4180 has it. Our own, for no C library for it is packaged by every distribution. The
 * reader keeps the whole file in memory. It takes what editors and spreadsheets leave: a byte order
 * mark, CRLF, quotes where none are needed, empty lines; what else is wrong it names by line.
 */
#ifndef OVERLAP_CSV_H
#define OVERLAP_CSV_H

#include <stddef.h>
#include <stdio.h>

struct csv {
    char **fields; /* of the row just read; valid until csv_close() */
    size_t count;  /* how many: as many as the first row has */
    size_t line;   /* on which it began, from 1 */
    size_t end;    /* bytes of the file up to the end of the last whole row */
    char *text;    /* private, as are the following */
    size_t size, at, next_line;
};

enum csv_status {
    CSV_ROW,
    CSV_END,
    CSV_TORN, /* the last row lacks its end: whoever wrote it was stopped */
    CSV_WRONG,
};

/* Reads the file. Returns 0, or -1 with one line in `why`. */
int csv_open(struct csv *csv, const char *path, char *why, size_t why_bytes);
/* Goes on to the next row. CSV_WRONG leaves what is wrong with the row in `why`. */
enum csv_status csv_read(struct csv *csv, char *why, size_t why_bytes);
void csv_close(struct csv *csv);

/* Write one field, without the comma. A text is quoted where it must be, NULL is empty; a number
 * has 15 significant digits, NaN is empty. */
void csv_text(FILE *file, const char *text);
void csv_number(FILE *file, double number);

#endif
