/* See csv.h. */
#include "csv.h"
#include "array.h"

#include <errno.h>
#include <math.h>
#include <string.h>

int csv_open(struct csv *csv, const char *path, char *why, size_t why_bytes)
{
    *csv = (struct csv){.next_line = 1};
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(why, why_bytes, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    size_t room = 0, got;
    do {
        room = room ? 2 * room : 65536;
        csv->text = array_resize(csv->text, room + 1, 1);
        got = fread(csv->text + csv->size, 1, room - csv->size, file);
        csv->size += got;
    } while (csv->size == room);
    if (ferror(file)) {
        snprintf(why, why_bytes, "cannot read %s: %s", path, strerror(errno));
        fclose(file);
        csv_close(csv);
        return -1;
    }
    fclose(file);

    /* What a power cut leaves of blocks that were never written. */
    while (csv->size > 0 && csv->text[csv->size - 1] == '\0')
        csv->size--;
    csv->text[csv->size] = '\0';
    if (strlen(csv->text) != csv->size) {
        snprintf(why, why_bytes, "%s is not a CSV file: it has a NUL byte at offset %zu", path,
                 strlen(csv->text));
        csv_close(csv);
        return -1;
    }
    if (strncmp(csv->text, "\xEF\xBB\xBF", 3) == 0)
        csv->at = csv->end = 3;
    return 0;
}

void csv_close(struct csv *csv)
{
    free(csv->fields);
    free(csv->text);
    *csv = (struct csv){0};
}

/* Finds the end of the row at `at` without touching it, and counts its fields. */
static enum csv_status scan_row(const struct csv *csv, size_t at, size_t *end, size_t *fields,
                                char *why, size_t why_bytes)
{
    const char *text = csv->text;
    for (*fields = 1;; (*fields)++) {
        if (text[at] == '"') {
            do { /* from quote to quote; two in a row are one of the text */
                const char *quote = memchr(text + at + 1, '"', csv->size - at - 1);
                if (!quote)
                    return CSV_TORN;
                at = (size_t)(quote - text) + 1;
            } while (text[at] == '"');
        } else {
            at += strcspn(text + at, ",\"\n");
        }
        if (text[at] == '\r')
            at++;
        if (text[at] == '\n') {
            *end = at + 1;
            return CSV_ROW;
        }
        if (at == csv->size)
            return CSV_TORN;
        if (text[at] != ',') {
            snprintf(why, why_bytes, "field %zu has a quote out of place", *fields);
            return CSV_WRONG;
        }
        at++;
    }
}

/* Is a row that never ends one with a quote too many, rather than the torn last one? It is when
 * whole rows can be read after its first line. */
static bool swallows_rows(const struct csv *csv)
{
    char why[64];
    for (const char *line = strchr(csv->text + csv->at, '\n'); line; line = strchr(line, '\n')) {
        size_t end, fields;
        line++;
        if (csv->count > 1 &&
            scan_row(csv, (size_t)(line - csv->text), &end, &fields, why, sizeof why) == CSV_ROW &&
            fields == csv->count)
            return true;
    }
    return false;
}

/* Cuts the row into fields, in place, their quotes removed. */
static void split_row(struct csv *csv)
{
    char *from = csv->text + csv->at;
    for (size_t i = 0; i < csv->count; i++) {
        char *to = from;
        csv->fields[i] = to;
        if (*from == '"') {
            for (from++; *from != '"' || *++from == '"'; from++)
                *to++ = *from;
        } else {
            from += strcspn(from, ",\n");
            to = from;
        }
        if (i + 1 == csv->count && to > csv->fields[i] && to == from && to[-1] == '\r')
            to--;
        char *rest = from + strcspn(from, ",\n") + 1;
        *to = '\0';
        from = rest;
    }
}

enum csv_status csv_read(struct csv *csv, char *why, size_t why_bytes)
{
    for (;;) { /* empty lines */
        size_t cr = csv->text[csv->at] == '\r';
        if (csv->text[csv->at + cr] != '\n')
            break;
        csv->at = csv->end = csv->at + cr + 1;
        csv->next_line++;
    }
    csv->line = csv->next_line;
    if (csv->at == csv->size)
        return CSV_END;

    size_t end, fields;
    enum csv_status status = scan_row(csv, csv->at, &end, &fields, why, why_bytes);
    if (status == CSV_TORN && swallows_rows(csv)) {
        snprintf(why, why_bytes, "a quote that opens here is never closed");
        return CSV_WRONG;
    }
    if (status != CSV_ROW)
        return status;
    if (csv->count == 0) {
        csv->count = fields;
        csv->fields = array_resize(NULL, fields, sizeof *csv->fields);
    } else if (fields != csv->count) {
        snprintf(why, why_bytes, "%zu fields, but the header has %zu", fields, csv->count);
        return CSV_WRONG;
    }
    for (size_t i = csv->at; i < end; i++)
        csv->next_line += csv->text[i] == '\n';
    split_row(csv);
    csv->at = csv->end = end;
    return CSV_ROW;
}

void csv_text(FILE *file, const char *text)
{
    if (!text)
        return;
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

void csv_number(FILE *file, double number)
{
    if (!isnan(number))
        fprintf(file, "%.15g", number);
}
