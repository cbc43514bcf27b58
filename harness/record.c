/* See record.h. */
#include "record.h"
#include "array.h"
#include "csv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

enum field_kind { FIELD_IS_TEXT, FIELD_IS_NUMBER, FIELD_IS_RATIO, FIELD_IS_FLAG };

static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
} fields[] = {
#define FIELD_ROW(kind, name) {#name, FIELD_IS_##kind, offsetof(struct record, name)},
    RECORD_FIELDS(FIELD_ROW)
#undef FIELD_ROW
};
enum { FIELDS = sizeof fields / sizeof *fields };

static void *at(const struct record *record, const struct field *field)
{
    return (char *)record + field->offset;
}

static bool is(const struct field *field, const char *name)
{
    return strcmp(field->name, name) == 0;
}

void record_init(struct record *record)
{
    *record = (struct record){0};
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        if (field->kind == FIELD_IS_NUMBER)
            *(uint64_t *)at(record, field) = NO_NUMBER;
        else if (field->kind == FIELD_IS_RATIO)
            *(double *)at(record, field) = NO_RATIO;
    }
    record->schema = RECORD_SCHEMA;
}

void record_drop(struct record *record)
{
    for (const struct field *field = fields; field < fields + FIELDS; field++)
        if (field->kind == FIELD_IS_TEXT)
            free(*(char **)at(record, field));
    record_init(record);
}

void record_set(char **field, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        err(EXIT_UNABLE, "cannot copy a text of %zu bytes", strlen(text));
    free(*field);
    *field = copy;
}

/* What was written by a later version may mean something else. */
static int check_schema(const struct record *record, char *why, size_t why_bytes)
{
    if (record->schema <= RECORD_SCHEMA || record->schema == NO_NUMBER)
        return 0;
    snprintf(why, why_bytes, "schema is %" PRIu64 ", but this overlap knows no later one than %d",
             record->schema, RECORD_SCHEMA);
    return -1;
}

/* ---- JSON ---- */

/* A text of a foreign program may be no UTF-8, which JSON can't hold. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value || !text)
        return value;
    char *plain = NULL;
    record_set(&plain, text);
    for (char *c = plain; *c; c++)
        if (*c & 0x80)
            *c = '?';
    value = json_string(plain);
    free(plain);
    return value;
}

static json_t *value_of(const struct record *record, const struct field *field)
{
    const void *place = at(record, field);
    switch (field->kind) {
    case FIELD_IS_TEXT:
        return json_text(*(char *const *)place);
    case FIELD_IS_NUMBER: {
        uint64_t number = *(const uint64_t *)place;
        return number != NO_NUMBER ? json_integer((json_int_t)number) : NULL;
    }
    case FIELD_IS_RATIO:
        return json_real(*(const double *)place); /* NULL for NaN */
    case FIELD_IS_FLAG:
        break;
    }
    return json_boolean(*(const bool *)place);
}

char *record_to_json(const struct record *record)
{
    json_t *object = json_object();
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        json_t *value = value_of(record, field);
        if (value)
            json_object_set_new(object, field->name, value);
    }
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(object);
    if (!line)
        err(EXIT_UNABLE, "cannot write a record as JSON");
    return line;
}

/* Takes the value of one key; false when it is of another kind than the field. A whole number may
 * come as 3.0 or 3e8, since some languages have no others. */
static bool take_value(struct record *record, const struct field *field, const json_t *value)
{
    void *place = at(record, field);
    bool null = json_is_null(value);
    switch (field->kind) {
    case FIELD_IS_TEXT:
        if (!null && !json_is_string(value))
            return false;
        record_set(place, json_string_value(value));
        return true;
    case FIELD_IS_NUMBER: {
        double number = json_number_value(value);
        if (!null && (!json_is_number(value) || !(number >= 0 && number < 0x1p63) ||
                      number != floor(number)))
            return false;
        *(uint64_t *)place = null                     ? NO_NUMBER
                             : json_is_integer(value) ? (uint64_t)json_integer_value(value)
                                                      : (uint64_t)number;
        return true;
    }
    case FIELD_IS_RATIO:
        if (!null && !json_is_number(value))
            return false;
        *(double *)place = null ? NO_RATIO : json_number_value(value);
        return true;
    case FIELD_IS_FLAG:
        break;
    }
    if (!json_is_boolean(value))
        return false;
    *(bool *)place = json_is_true(value);
    return true;
}

int record_from_json(struct record *record, const char *line, char *why, size_t why_bytes)
{
    static const char *const wanted[] = {
        [FIELD_IS_TEXT] = "a text",
        [FIELD_IS_NUMBER] = "a whole number from 0 on",
        [FIELD_IS_RATIO] = "a number",
        [FIELD_IS_FLAG] = "true or false",
    };
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        snprintf(why, why_bytes, "not JSON: %s", error.text);
        return -1;
    }
    int status = json_is_object(object) ? 0 : -1;
    if (status != 0)
        snprintf(why, why_bytes, "not a JSON object");
    for (const struct field *field = fields; status == 0 && field < fields + FIELDS; field++) {
        const json_t *value = json_object_get(object, field->name);
        if (value && !take_value(record, field, value)) {
            snprintf(why, why_bytes, "%s is not %s", field->name, wanted[field->kind]);
            status = -1;
        }
    }
    json_decref(object);
    return status == 0 ? check_schema(record, why, why_bytes) : status;
}

/* ---- CSV ---- */

void record_csv_header(FILE *file)
{
    for (const struct field *field = fields; field < fields + FIELDS; field++)
        fprintf(file, "%s%s", field > fields ? "," : "", field->name);
    putc('\n', file);
}

void record_csv_row(const struct record *record, FILE *file)
{
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        const void *place = at(record, field);
        if (field > fields)
            putc(',', file);
        switch (field->kind) {
        case FIELD_IS_TEXT:
            csv_text(file, *(char *const *)place);
            break;
        case FIELD_IS_NUMBER:
            if (*(const uint64_t *)place != NO_NUMBER)
                fprintf(file, "%" PRIu64, *(const uint64_t *)place);
            break;
        case FIELD_IS_RATIO:
            csv_number(file, *(const double *)place);
            break;
        case FIELD_IS_FLAG:
            fputs(*(const bool *)place ? "true" : "false", file);
            break;
        }
    }
    putc('\n', file);
}

static bool take_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return strspn(text, "0123456789") > 0 && !*end && !errno && value != NO_NUMBER;
}

static bool take_ratio(const char *text, double *ratio)
{
    char *end;
    *ratio = strtod(text, &end);
    return strspn(text, "0123456789.+-eE") == strlen(text) && !*end && isfinite(*ratio);
}

/* Spreadsheets write TRUE. */
static bool take_flag(const char *text, bool *flag)
{
    *flag = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *flag || strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

/* Takes the text of one column; false when it is not of the field's kind. Empty: unknown. */
static bool take_text(struct record *record, const struct field *field, const char *text)
{
    void *place = at(record, field);
    if (!*text)
        return true;
    switch (field->kind) {
    case FIELD_IS_NUMBER:
        return take_number(text, place);
    case FIELD_IS_RATIO:
        return take_ratio(text, place);
    case FIELD_IS_FLAG:
        return take_flag(text, place);
    case FIELD_IS_TEXT:
        break;
    }
    record_set(place, text);
    return true;
}

/* Without these a row says nothing. */
static bool is_required(const struct field *field)
{
    return is(field, "cell") || is(field, "group") || is(field, "pass") || is(field, "round") ||
           is(field, "strategy") || is(field, "ok");
}

/* Which field each column of the header is; NULL: none that is known. The caller frees it. */
static const struct field **find_columns(const struct csv *csv, char *why, size_t why_bytes)
{
    const struct field **columns = array_resize(NULL, csv->count, sizeof *columns);
    bool found[FIELDS] = {false};
    for (size_t i = 0; i < csv->count; i++) {
        columns[i] = NULL;
        for (const struct field *field = fields; field < fields + FIELDS; field++)
            if (is(field, csv->fields[i]))
                columns[i] = field;
        if (columns[i] && found[columns[i] - fields]) {
            snprintf(why, why_bytes, "two columns are named %s", csv->fields[i]);
            goto wrong;
        }
        if (columns[i])
            found[columns[i] - fields] = true;
    }
    for (const struct field *field = fields; field < fields + FIELDS; field++) {
        if (is_required(field) && !found[field - fields]) {
            snprintf(why, why_bytes, "no column is named %s", field->name);
            goto wrong;
        }
    }
    return columns;
wrong:
    free(columns);
    return NULL;
}

static int read_row(const struct csv *csv, const struct field *const *columns,
                    struct record *record, char *why, size_t why_bytes)
{
    static const char *const wanted[] = {
        [FIELD_IS_NUMBER] = "a whole number",
        [FIELD_IS_RATIO] = "a number",
        [FIELD_IS_FLAG] = "true or false",
    };
    for (size_t i = 0; i < csv->count; i++) {
        if (!columns[i])
            continue;
        if (!*csv->fields[i] && is_required(columns[i])) {
            snprintf(why, why_bytes, "%s is empty", columns[i]->name);
            return -1;
        }
        if (!take_text(record, columns[i], csv->fields[i])) {
            snprintf(why, why_bytes, "%s is '%.64s', not %s", columns[i]->name, csv->fields[i],
                     wanted[columns[i]->kind]);
            return -1;
        }
    }
    return check_schema(record, why, why_bytes);
}

static void drop_all(struct record *records, size_t count)
{
    while (count > 0)
        record_drop(&records[--count]);
    free(records);
}

struct record *records_read(const char *path, size_t *count, size_t *torn, char *why,
                            size_t why_bytes)
{
    struct csv csv;
    *count = *torn = 0;
    if (csv_open(&csv, path, why, why_bytes) != 0)
        return NULL;

    struct record *records = array_resize(NULL, 1, sizeof *records);
    const struct field **columns = NULL;
    size_t room = 1;
    char what[512];
    enum csv_status status = csv_read(&csv, what, sizeof what);
    if (status == CSV_ROW && !(columns = find_columns(&csv, what, sizeof what)))
        status = CSV_WRONG;
    while (status == CSV_ROW && (status = csv_read(&csv, what, sizeof what)) == CSV_ROW) {
        if (*count == room)
            records = array_resize(records, room *= 2, sizeof *records);
        struct record *record = &records[(*count)++];
        record_init(record);
        if (read_row(&csv, columns, record, what, sizeof what) != 0)
            status = CSV_WRONG;
    }
    *torn = status == CSV_TORN;
    if (status == CSV_WRONG) {
        snprintf(why, why_bytes, "%s:%zu: %s", path, csv.line, what);
        drop_all(records, *count);
        records = NULL;
        *count = 0;
    }
    free(columns);
    csv_close(&csv);
    return records;
}

/* Are the columns those that record_csv_row() writes? */
static bool is_our_header(const struct csv *csv)
{
    for (size_t i = 0; i < csv->count && i < FIELDS; i++)
        if (!is(&fields[i], csv->fields[i]))
            return false;
    return csv->count == FIELDS;
}

/* Bytes of the whole rows of a trials.csv that rows of ours can follow; -1 when they can't. */
static off_t whole_rows(const char *path, char *why, size_t why_bytes)
{
    struct csv csv;
    char what[512];
    if (csv_open(&csv, path, why, why_bytes) != 0)
        return -1;
    enum csv_status status = csv_read(&csv, what, sizeof what);
    off_t bytes = 0;
    if (status == CSV_ROW && !is_our_header(&csv)) {
        snprintf(what, sizeof what, "not the columns of this overlap; begin a new folder");
        status = CSV_WRONG;
    }
    while (status == CSV_ROW) {
        bytes = (off_t)csv.end;
        status = csv_read(&csv, what, sizeof what);
    }
    if (status == CSV_WRONG) {
        snprintf(why, why_bytes, "%s:%zu: %s", path, csv.line, what);
        bytes = -1;
    }
    csv_close(&csv);
    return bytes;
}

FILE *records_append(const char *path, char *why, size_t why_bytes)
{
    FILE *file = fopen(path, "ae");
    if (!file) {
        snprintf(why, why_bytes, "cannot write to %s: %s", path, strerror(errno));
        return NULL;
    }
    off_t keep = -1;
    if (flock(fileno(file), LOCK_EX | LOCK_NB) != 0)
        snprintf(why, why_bytes, "another overlap is writing to %s", path);
    else
        keep = whole_rows(path, why, why_bytes);
    if (keep >= 0 && ftruncate(fileno(file), keep) != 0) {
        snprintf(why, why_bytes, "cannot cut the torn last line off %s: %s", path, strerror(errno));
        keep = -1;
    }
    if (keep < 0) {
        fclose(file);
        return NULL;
    }
    if (keep == 0)
        record_csv_header(file);
    return file;
}
