/* Records as JSON and as rows of trials.csv, and what editors and power cuts make of that file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "record.h"

static char path[] = "/tmp/overlap-record.XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int drop_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_bytes(const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

static void drop_records(struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_drop(&records[i]);
    free(records);
}

#define HEADER "cell,group,pass,round,strategy,ok,reason,wall_ns\n"

/* Reads what `text` says, whole, into an array that the caller ends. */
static struct record *read_text(const char *text, size_t *count, size_t *torn)
{
    char why[512] = "";
    write_text(text);
    struct record *records = records_read(path, count, torn, why, sizeof why);
    if (!records)
        fail_msg("%s", why);
    return records;
}

/* Reading `text` must fail with `expected`, a complaint about `line`. */
static void assert_complaint(const char *text, int line, const char *expected)
{
    char why[512] = "", start[128];
    size_t count = 99, torn = 99;
    write_text(text);
    assert_null(records_read(path, &count, &torn, why, sizeof why));
    int length = snprintf(start, sizeof start, "%s:%d: ", path, line);
    assert_memory_equal(why, start, (size_t)length);
    assert_string_equal(why + length, expected);
    assert_int_equal(count, 0);
}

static void fill(struct record *record)
{
    record_init(record);
    record_set(&record->cell, "mixed-4-one-fork");
    record_set(&record->group, "mixed-4-one");
    record_set(&record->pass, "timing");
    record->round = 3;
    record_set(&record->strategy, "fork");
    record->ok = true;
    record->control = true;
    record->tasks = 4;
    record->seed = UINT64_C(1234567890123456789);
    record->work_rate = 0.1;
    record->stretch_max = 1.0 / 3;
    record_set(&record->reason, "a \"quoted\" word, a comma,\r\nand a second line");
    record_set(&record->options, "µ=1");
    record->wall_ns = 301234567;
}

static void assert_filled(const struct record *record)
{
    assert_string_equal(record->cell, "mixed-4-one-fork");
    assert_string_equal(record->reason, "a \"quoted\" word, a comma,\r\nand a second line");
    assert_string_equal(record->options, "µ=1");
    assert_true(record->ok && record->control);
    assert_int_equal(record->seed, UINT64_C(1234567890123456789));
    assert_int_equal(record->wall_ns, 301234567);
    assert_true(record->work_rate == 0.1);
    assert_true(fabs(record->stretch_max - 1.0 / 3) < 1e-15);
    assert_int_equal(record->schema, RECORD_SCHEMA);
    /* What was not said stays unknown. */
    assert_int_equal(record->workers, NO_NUMBER);
    assert_int_equal(record->pss_bytes, NO_NUMBER);
    assert_true(isnan(record->load_1min));
    assert_null(record->digest);
}

/* ---- JSON ---- */

static void test_json_round_trip(void **state)
{
    (void)state;
    struct record record, copy;
    char why[256];
    fill(&record);
    char *line = record_to_json(&record);
    assert_null(strchr(line, '\n'));
    assert_null(strstr(line, "pss_bytes"));
    record_init(&copy);
    assert_int_equal(record_from_json(&copy, line, why, sizeof why), 0);
    assert_filled(&copy);
    free(line);
    record_drop(&record);
    record_drop(&copy);
    record_drop(&copy); /* as after record_init() */
}

static void test_json_over_present_fields(void **state)
{
    (void)state;
    struct record record;
    char why[256];
    fill(&record);
    assert_int_equal(
        record_from_json(&record,
                         "{\"wall_ns\":3.5e8,\"tasks\":5.0,\"unheard_of\":[1,{}],"
                         "\"reason\":null,\"seed\":null,\"work_rate\":2,\"ok\":false}\n",
                         why, sizeof why),
        0);
    assert_int_equal(record.wall_ns, 350000000);
    assert_int_equal(record.tasks, 5);
    assert_int_equal(record.seed, NO_NUMBER);
    assert_null(record.reason);
    assert_true(record.work_rate == 2);
    assert_false(record.ok);
    assert_string_equal(record.cell, "mixed-4-one-fork");
    record_drop(&record);
}

static void test_json_complaints(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"[1]", "not a JSON object"},
        {"{\"wall_ns\":\"12\"}", "wall_ns is not a whole number from 0 on"},
        {"{\"wall_ns\":-1}", "wall_ns is not a whole number from 0 on"},
        {"{\"wall_ns\":1.5}", "wall_ns is not a whole number from 0 on"},
        {"{\"wall_ns\":1e30}", "wall_ns is not a whole number from 0 on"},
        {"{\"cell\":4}", "cell is not a text"},
        {"{\"work_rate\":\"fast\"}", "work_rate is not a number"},
        {"{\"ok\":1}", "ok is not true or false"},
        {"{\"schema\":99}", "schema is 99, but this overlap knows no later one than 1"},
    };
    struct record record;
    char why[256];
    record_init(&record);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(record_from_json(&record, cases[i].line, why, sizeof why), -1);
        assert_string_equal(why, cases[i].why);
    }
    static const char *const broken[] = {"", "{\"wall_ns\":12", "{} {}",
                                         "{\"ok\":true,\"ok\":true}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(record_from_json(&record, broken[i], why, sizeof why), -1);
        assert_memory_equal(why, "not JSON: ", 10);
    }
    record_drop(&record);
}

/* What a foreign program says need not be UTF-8; JSON must be. */
static void test_json_of_foreign_bytes(void **state)
{
    (void)state;
    struct record record;
    record_init(&record);
    record_set(&record.reason, "caf\xE9");
    char *line = record_to_json(&record);
    assert_non_null(strstr(line, "\"caf?\""));
    free(line);
    record_drop(&record);
}

/* ---- CSV ---- */

static void test_csv_round_trip(void **state)
{
    (void)state;
    char why[256];
    struct record record;
    fill(&record);
    unlink(path);
    FILE *file = records_append(path, why, sizeof why);
    assert_non_null(file);
    record_csv_row(&record, file);
    record_csv_row(&record, file);
    fclose(file);
    record_drop(&record);

    size_t count, torn;
    struct record *records = records_read(path, &count, &torn, why, sizeof why);
    assert_non_null(records);
    assert_int_equal(count, 2);
    assert_int_equal(torn, 0);
    assert_filled(&records[0]);
    assert_filled(&records[1]);
    drop_records(records, count);
}

static void test_csv_columns_by_name(void **state)
{
    (void)state;
    size_t count, torn;
    struct record *records = read_text("strategy,weather,ok,round,pass,group,cell\n"
                                       "fork,fine,true,1,timing,g,c\n",
                                       &count, &torn);
    assert_int_equal(count, 1);
    assert_string_equal(records->strategy, "fork");
    assert_string_equal(records->cell, "c");
    assert_true(records->ok);
    assert_int_equal(records->wall_ns, NO_NUMBER);
    drop_records(records, count);
}

static void test_csv_empty(void **state)
{
    (void)state;
    size_t count, torn;
    struct record *records = read_text(HEADER, &count, &torn);
    assert_int_equal(count, 0);
    assert_int_equal(torn, 0);
    free(records);
    records = read_text("", &count, &torn);
    assert_int_equal(count, 0);
    assert_int_equal(torn, 0);
    free(records);
    records = read_text("cell,gro", &count, &torn);
    assert_int_equal(count, 0);
    assert_int_equal(torn, 1);
    free(records);

    char why[256];
    assert_null(records_read("/nonexistent/trials.csv", &count, &torn, why, sizeof why));
    assert_string_equal(why, "cannot open /nonexistent/trials.csv: No such file or directory");
}

/* A byte order mark, CRLF, quotes where none are needed, TRUE, empty lines. */
static void test_csv_from_a_spreadsheet(void **state)
{
    (void)state;
    size_t count, torn;
    struct record *records = read_text("\xEF\xBB\xBF"
                                       "cell,group,pass,round,strategy,ok,reason,wall_ns\r\n"
                                       "\r\n"
                                       "\"c\",g,timing,1,fork,TRUE,\"two\r\nlines\",\"12\"\r\n"
                                       "\n"
                                       "c,g,timing,2,fork,0,,13\r\n"
                                       "c,g,timing,3,fork,1,\"\",\r\n",
                                       &count, &torn);
    assert_int_equal(count, 3);
    assert_int_equal(torn, 0);
    assert_true(records[0].ok);
    assert_string_equal(records[0].reason, "two\r\nlines");
    assert_int_equal(records[0].wall_ns, 12);
    assert_false(records[1].ok);
    assert_int_equal(records[1].wall_ns, 13);
    assert_null(records[2].reason);
    assert_int_equal(records[2].wall_ns, NO_NUMBER);
    drop_records(records, count);
}

static void test_csv_torn(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "c,g,timing,2,fork,true,,3012",            /* no line end */
        "c,g,timing,2,fo",                         /* half a row */
        "c,g,timing,2,fork,true,\"a reas",         /* within quotes */
        "c,g,timing,2,fork,true,\"two\nlines, an", /* and on a second line of them */
        "c,g,timing,2,fork,true,\"a quote \"",     /* after what may be their end */
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[512];
        size_t count, torn;
        snprintf(text, sizeof text, "%sc,g,timing,1,fork,true,,301\n%s", HEADER, ends[i]);
        struct record *records = read_text(text, &count, &torn);
        assert_int_equal(count, 1);
        assert_int_equal(torn, 1);
        assert_int_equal(records->wall_ns, 301);
        drop_records(records, count);
    }

    /* Blocks that a power cut left unwritten. */
    static const char nuls[] = HEADER "c,g,timing,1,fork,true,,301\nc,g,ti\0\0\0\0\0\0\0\0";
    char why[256];
    size_t count, torn;
    write_bytes(nuls, sizeof nuls);
    struct record *records = records_read(path, &count, &torn, why, sizeof why);
    assert_non_null(records);
    assert_int_equal(count, 1);
    assert_int_equal(torn, 1);
    drop_records(records, count);
}

static void test_csv_complaints(void **state)
{
    (void)state;
    assert_complaint("cell,group,pass,round,strategy\nc,g,timing,1,fork\n", 1,
                     "no column is named ok");
    assert_complaint("cell,group,pass,round,strategy,ok,cell\n", 1, "two columns are named cell");
    assert_complaint("cell;group;pass;round;strategy;ok\n", 1, "no column is named cell");
    assert_complaint(HEADER "c,g,timing,1,fork,true,,1\nc,g,timing,2,fork\n", 3,
                     "5 fields, but the header has 8");
    assert_complaint(HEADER "c,g,timing,1,fork,true,,1.2E+9\n", 2,
                     "wall_ns is '1.2E+9', not a whole number");
    assert_complaint(HEADER "c,g,timing,1,fork,true,,99999999999999999999\n", 2,
                     "wall_ns is '99999999999999999999', not a whole number");
    assert_complaint(HEADER "c,g,timing,-1,fork,true,,1\n", 2, "round is '-1', not a whole number");
    assert_complaint(HEADER "c,g,timing,1,fork,yes,,1\n", 2, "ok is 'yes', not true or false");
    assert_complaint(HEADER "c,g,,1,fork,true,,1\n", 2, "pass is empty");
    assert_complaint(HEADER "c,g,timing,1,fork,true,a \"word\",1\n", 2,
                     "field 7 has a quote out of place");
    assert_complaint(HEADER
                     "c,g,timing,1,fork,true,\"two\nlines\",1\n\nc,g,timing,x,fork,true,,1\n",
                     5, "round is 'x', not a whole number");
    /* One quote too many: no reason to take all that follows for a torn last row. */
    assert_complaint(HEADER "c,g,timing,1,fork,true,\"oops,1\nc,g,timing,2,fork,true,,1\n", 2,
                     "a quote that opens here is never closed");

    static const char nul[] = HEADER "c,g,timing,1,fork,true,a\0b,1\n";
    char why[256], expected[256];
    size_t count, torn;
    write_bytes(nul, sizeof nul - 1);
    assert_null(records_read(path, &count, &torn, why, sizeof why));
    snprintf(expected, sizeof expected, "%s is not a CSV file: it has a NUL byte at offset %zu",
             path, strlen(nul));
    assert_string_equal(why, expected);
}

/* ---- Appending ---- */

static void test_append_after_a_torn_row(void **state)
{
    (void)state;
    char why[256];
    struct record record;
    fill(&record);
    unlink(path);
    FILE *file = records_append(path, why, sizeof why);
    record_csv_row(&record, file);
    fputs("mixed-4-one-fork,mixed-4-o", file);
    fclose(file);

    file = records_append(path, why, sizeof why);
    assert_non_null(file);
    record_csv_row(&record, file);
    fclose(file);
    record_drop(&record);
    size_t count, torn;
    struct record *records = records_read(path, &count, &torn, why, sizeof why);
    assert_non_null(records);
    assert_int_equal(count, 2);
    assert_int_equal(torn, 0);
    assert_filled(&records[1]);
    drop_records(records, count);
}

static void test_append_refuses(void **state)
{
    (void)state;
    char why[256], expected[256];
    write_text(HEADER "c,g,timing,1,fork,true,,1\n");
    assert_null(records_append(path, why, sizeof why));
    snprintf(expected, sizeof expected, "%s:1: not the columns of this overlap; begin a new folder",
             path);
    assert_string_equal(why, expected);

    write_text("");
    FILE *first = records_append(path, why, sizeof why);
    assert_non_null(first);
    assert_null(records_append(path, why, sizeof why));
    snprintf(expected, sizeof expected, "another overlap is writing to %s", path);
    assert_string_equal(why, expected);
    fclose(first);
    assert_null(records_append("/nonexistent/trials.csv", why, sizeof why));
    assert_string_equal(why, "cannot write to /nonexistent/trials.csv: No such file or directory");
}

/* Larger than the reader's first buffer, and to the last byte of it. */
static void test_csv_large(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(file, "c,g,timing,%u,fork,true,\"a reason, of some length %u\",%u\n", i, i, 7 * i);
    fclose(file);
    char why[256];
    size_t count, torn;
    struct record *records = records_read(path, &count, &torn, why, sizeof why);
    assert_non_null(records);
    assert_int_equal(count, ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(records[i].wall_ns, 7 * i);
    drop_records(records, count);

    struct csv csv;
    static char text[65536 + 1];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 2] = '\n';
    write_text(text);
    assert_int_equal(csv_open(&csv, path, why, sizeof why), 0);
    assert_int_equal(csv_read(&csv, why, sizeof why), CSV_ROW);
    assert_int_equal(strlen(csv.fields[0]), 65535);
    assert_int_equal(csv_read(&csv, why, sizeof why), CSV_END);
    csv_close(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_round_trip),
        cmocka_unit_test(test_json_over_present_fields),
        cmocka_unit_test(test_json_complaints),
        cmocka_unit_test(test_json_of_foreign_bytes),
        cmocka_unit_test(test_csv_round_trip),
        cmocka_unit_test(test_csv_columns_by_name),
        cmocka_unit_test(test_csv_empty),
        cmocka_unit_test(test_csv_from_a_spreadsheet),
        cmocka_unit_test(test_csv_torn),
        cmocka_unit_test(test_csv_complaints),
        cmocka_unit_test(test_append_after_a_torn_row),
        cmocka_unit_test(test_append_refuses),
        cmocka_unit_test(test_csv_large),
    };
    return cmocka_run_group_tests(tests, make_path, drop_path);
}
