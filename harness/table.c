/* See table.h. */
#include "table.h"
#include "array.h"

#include <stdbool.h>
#include <string.h>

void table_add(struct table *table, const char *text)
{
    table->texts = array_resize(table->texts, table->count + 1, sizeof *table->texts);
    char *copy = strdup(text ? text : "");
    if (!copy)
        err(EXIT_UNABLE, "cannot fill a table");
    table->texts[table->count++] = copy;
}

void table_clear(struct table *table)
{
    while (table->count > 0)
        free(table->texts[--table->count]);
    free(table->texts);
    table->texts = NULL;
}

/* Columns of a terminal that UTF-8 text takes, when no character of it is a wide one. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += (*text & 0xC0) != 0x80;
    return width;
}

/* The widest text of a column, 0 when only its header holds any. */
static size_t column_width(const struct table *table, size_t column)
{
    size_t columns = strlen(table->align), width = 0;
    for (size_t i = column + columns; i < table->count; i += columns) {
        size_t w = text_width(table->texts[i]);
        width = w > width ? w : width;
    }
    size_t header = text_width(table->texts[column]);
    return width > 0 && header > width ? header : width;
}

void table_print(const struct table *table, FILE *file)
{
    size_t columns = strlen(table->align);
    int blanks = 0; /* held back, so that no line ends with any */
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % columns, width = column_width(table, column);
        const char *text = table->texts[i];
        int pad = (int)(width - text_width(text));
        if (width > 0) {
            blanks += 2 + (table->align[column] == 'r' ? pad : 0);
            if (*text) {
                fprintf(file, "%*s%s", blanks, "", text);
                blanks = 0;
            }
            blanks += table->align[column] == 'r' ? 0 : pad;
        }
        if (column == columns - 1) {
            putc('\n', file);
            blanks = 0;
        }
    }
}

/* In Markdown a bar ends the field and a line end the row. */
static void print_escaped(const char *text, FILE *file)
{
    for (; *text; text++) {
        if (*text == '|')
            putc('\\', file);
        putc(*text == '\n' || *text == '\r' ? ' ' : *text, file);
    }
}

static void print_rule(const struct table *table, FILE *file)
{
    for (size_t column = 0; table->align[column]; column++)
        if (column_width(table, column) > 0)
            fprintf(file, "|%s", table->align[column] == 'r' ? "---:" : "---");
    fprintf(file, "|\n");
}

void table_print_markdown(const struct table *table, FILE *file)
{
    size_t columns = strlen(table->align);
    for (size_t i = 0; i < table->count; i++) {
        if (column_width(table, i % columns) > 0) {
            fprintf(file, "| ");
            print_escaped(table->texts[i], file);
            putc(' ', file);
        }
        if (i % columns == columns - 1)
            fprintf(file, "|\n");
        if (i == columns - 1)
            print_rule(table, file);
    }
}
