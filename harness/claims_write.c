/* What is shown of the claims: tables for people, JSON for programs. */
#include "array.h"
#include "claims.h"
#include "table.h"

#include <jansson.h>
#include <string.h>

/* ---- Tables; the caller ends them with table_clear() ---- */

/* A bound tells one end alone. */
static void measured_text(const struct claim_comparison *comparison, char *text, size_t bytes)
{
    const struct stats_ratio *measured = &comparison->measured;
    char number[FORMAT_BYTES];
    comparison->format(number, sizeof number, measured->median);
    snprintf(text, bytes, "%s%s",
             isinf(measured->high)  ? "≥ "
             : isinf(measured->low) ? "≤ "
                                    : "",
             comparison->found ? comparison->found : number);
}

static void interval_text(const struct claim_comparison *comparison, char *text, size_t bytes)
{
    const struct stats_ratio *measured = &comparison->measured;
    char number[FORMAT_BYTES];
    if (isinf(measured->high))
        snprintf(text, bytes, "≥ %s", comparison->format(number, sizeof number, measured->low));
    else if (isinf(measured->low))
        snprintf(text, bytes, "≤ %s", comparison->format(number, sizeof number, measured->high));
    else
        format_interval(text, bytes, measured->low, measured->high, comparison->format);
}

static void add_number(struct table *table, unsigned number)
{
    char text[FORMAT_BYTES];
    snprintf(text, sizeof text, "%u", number);
    table_add(table, text);
}

static struct table make_verdicts(const struct claims *claims)
{
    struct table table = {.align = "rll"};
    table_add(&table, "claim");
    table_add(&table, "verdict");
    table_add(&table, "what it says");
    for (const struct claim *claim = claims->claims; claim < claims->claims + claims->count;
         claim++) {
        add_number(&table, claim->number);
        table_add(&table, claim_verdict_names[claim->verdict]);
        table_add(&table, claim->says);
    }
    return table;
}

static struct table make_comparisons(const struct claims *claims)
{
    static const char *const headers[] = {
        "claim", "comparison", "measured", "95 % interval", "noise", "expected", "verdict", "why",
    };
    struct table table = {.align = "rlrrrlll"};
    char text[4 * FORMAT_BYTES];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        table_add(&table, headers[i]);
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->claims[i];
        for (size_t k = 0; k < claim->count; k++) {
            const struct claim_comparison *comparison = &claim->comparisons[k];
            add_number(&table, claim->number);
            table_add(&table, comparison->text);
            measured_text(comparison, text, sizeof text);
            table_add(&table, text);
            interval_text(comparison, text, sizeof text);
            table_add(&table, text);
            format_percent(text, sizeof text, comparison->noise_floor);
            table_add(&table, comparison->noise_floor > 0 ? text : "");
            table_add(&table, comparison->expected);
            table_add(&table, claim_verdict_names[comparison->verdict]);
            table_add(&table, comparison->reason);
        }
    }
    return table;
}

/* ---- What is said beside them ---- */

static const char explanation[] =
    "A claim holds when each of its comparisons does. A comparison holds when its whole interval "
    "lies in the expected range, and does not hold when its whole interval lies outside. What "
    "rests "
    "on wall time has its interval widened by the noise floor of its cells first (noise).";

static void print_notes(const struct claims *claims, FILE *file, const char *mark)
{
    for (size_t i = 0; i < claims->count; i++)
        if (claims->claims[i].note)
            fprintf(file, "%sclaim %u: %s\n", mark, claims->claims[i].number,
                    claims->claims[i].note);
}

void claims_print_markdown(const struct claims *claims, FILE *file)
{
    struct table verdicts = make_verdicts(claims), comparisons = make_comparisons(claims);
    fprintf(file, "\n## Claims\n\nWhat talks claim, tested against this run. %s\n\n", explanation);
    table_print_markdown(&verdicts, file);
    putc('\n', file);
    table_print_markdown(&comparisons, file);
    putc('\n', file);
    print_notes(claims, file, "- ");
    table_clear(&verdicts);
    table_clear(&comparisons);
}

void claims_print(const struct claims *claims, FILE *file)
{
    struct table verdicts = make_verdicts(claims), comparisons = make_comparisons(claims);
    table_print(&verdicts, file);
    putc('\n', file);
    table_print(&comparisons, file);
    fprintf(file, "\n%s\n\n", explanation);
    print_notes(claims, file, "");
    table_clear(&verdicts);
    table_clear(&comparisons);
}

/* ---- JSON ---- */

/* What is unknown or infinite is left out. */
static json_t *comparison_json(const struct claim_comparison *comparison)
{
    const struct stats_ratio *measured = &comparison->measured;
    json_t *cells = json_array();
    json_array_append_new(cells, json_string(comparison->value.cell));
    if (comparison->base.cell && strcmp(comparison->base.cell, comparison->value.cell) != 0)
        json_array_append_new(cells, json_string(comparison->base.cell));
    return json_pack(
        "{s:s, s:o, s:s, s:s*, s:o*, s:o*, s:o*, s:i, s:b, s:o*, s:s, s:s*}", "comparison",
        comparison->text, "cells", cells, "expected", comparison->expected, "status",
        comparison->found, "measured", json_real(measured->median), "low", json_real(measured->low),
        "high", json_real(measured->high), "rounds", (int)measured->count, "paired",
        comparison->paired, "noise_floor", json_real(comparison->noise_floor), "verdict",
        claim_verdict_names[comparison->verdict], "reason", comparison->reason);
}

static void print_json(const struct claims *claims, const struct summary *summary, FILE *file)
{
    json_t *list = json_array();
    for (const struct claim *claim = claims->claims; claim < claims->claims + claims->count;
         claim++) {
        json_t *comparisons = json_array();
        for (size_t i = 0; i < claim->count; i++)
            json_array_append_new(comparisons, comparison_json(&claim->comparisons[i]));
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s*, s:o}", "claim",
                                              (int)claim->number, "says", claim->says, "verdict",
                                              claim_verdict_names[claim->verdict], "note",
                                              claim->note, "comparisons", comparisons));
    }
    json_t *document = json_pack("{s:s, s:o}", "stamp", summary->stamp, "claims", list);
    if (json_dumpf(document, file, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) != 0)
        err(EXIT_UNABLE, "cannot write the claims as JSON");
    putc('\n', file);
    json_decref(document);
}

/* ---- The subcommand ---- */

int claims_main(int argc, char **argv)
{
    static const char *rules;
    static bool json;
    static const struct setting settings[] = {
        {"rules", 0, SETTING_TEXT, NULL, "FILE",
         "claims and how to test them (default: those of the talk)", &rules, 0, 0},
        {"json", 0, SETTING_FLAG, NULL, NULL, "print JSON", &json, 0, 0},
        {0},
    };
    const struct setting *const tables[] = {settings, NULL};
    int operand =
        options_parse(argc, argv,
                      &(struct command_line){
                          .usage = "overlap claims [OPTIONS] DIR",
                          .summary = "Tests what talks claim against the trials of a bench.",
                          .tables = tables,
                          .least = 1,
                          .most = 1,
                      });
    char why[1024];
    struct claims *claims = claims_read(rules, why, sizeof why);
    if (!claims)
        errx(EXIT_USAGE, "%s",
             *why ? why : "the rules that come with overlap are missing; name some by --rules");
    struct summary *summary = summary_read(argv[operand], NULL, why, sizeof why);
    if (!summary)
        errx(EXIT_USAGE, "%s", why);
    claims_judge(claims, summary);
    if (json) {
        print_json(claims, summary, stdout);
    } else {
        claims_print(claims, stdout);
        if (summary->stamp[0])
            printf("\n%s\n", summary->stamp);
    }
    claims_free(claims);
    summary_free(summary);
    return 0;
}
