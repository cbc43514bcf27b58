/* See format.h. */
#include "format.h"

#include <math.h>
#include <stdio.h>

struct unit {
    double factor;
    double limit; /* in this unit; what reaches it is shown in the next one */
    const char *name;
};

/* 999.5 would be rounded to 1000, which is 1 of the next unit. */
static const struct unit ns_units[] = {
    {1, 999.5, " ns"},  {1e3, 999.5, " µs"},   {1e6, 999.5, " ms"},
    {1e9, 599.5, " s"}, {60e9, 119.5, " min"}, {3600e9, INFINITY, " h"},
};
static const struct unit byte_units[] = {
    {1, 1023.5, " B"}, /* whole bytes are shown exactly */
    {1024, 999.5, " KiB"},
    {1048576, 999.5, " MiB"},
    {1073741824, INFINITY, " GiB"},
};
static const struct unit count_units[] = {
    {1, 999.5, ""}, {1e3, 999.5, "k"}, {1e6, 999.5, "M"}, {1e9, INFINITY, "G"}};

/* Without the exponent that "%.3g" uses from 1000 on. */
static char *print_three(char *text, size_t bytes, double value, const char *unit)
{
    snprintf(text, bytes, fabs(value) < 999.5 ? "%.3g%s" : "%.0f%s", value, unit);
    return text;
}

static char *print_in(const struct unit *unit, char *text, size_t bytes, double value)
{
    if (isnan(value)) {
        *text = '\0';
        return text;
    }
    while (fabs(value) / unit->factor >= unit->limit)
        unit++;
    return print_three(text, bytes, value / unit->factor, unit->name);
}

char *format_ns(char *text, size_t bytes, double ns)
{
    return print_in(ns_units, text, bytes, ns);
}

char *format_bytes(char *text, size_t bytes, double value)
{
    return print_in(byte_units, text, bytes, value);
}

char *format_count(char *text, size_t bytes, double value)
{
    return print_in(count_units, text, bytes, value);
}

char *format_ratio(char *text, size_t bytes, double ratio)
{
    static const struct unit plain = {1, INFINITY, ""};
    if (!(fabs(ratio) < 9.9995))
        return print_in(&plain, text, bytes, ratio);
    snprintf(text, bytes, "%.3f", ratio);
    return text;
}

char *format_percent(char *text, size_t bytes, double fraction)
{
    static const struct unit percent = {0.01, INFINITY, " %"};
    return print_in(&percent, text, bytes, fraction);
}

char *format_interval(char *text, size_t bytes, double low, double high, format_function *format)
{
    char from[FORMAT_BYTES], to[FORMAT_BYTES];
    *text = '\0';
    if (!isnan(low))
        snprintf(text, bytes, "%s – %s", format(from, sizeof from, low),
                 format(to, sizeof to, high));
    return text;
}
