/* Reading and printing the values of options: humane numbers with their units. */
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suffix {
    const char *text;
    double factor;
};

static const struct suffix count_suffixes[] = {{"", 1},    {"k", 1e3}, {"K", 1e3},
                                               {"M", 1e6}, {"G", 1e9}, {0}};
static const struct suffix byte_suffixes[] = {
    {"", 1},        {"B", 1},         {"k", 1024},       {"K", 1024},         {"KiB", 1024},
    {"M", 1048576}, {"MiB", 1048576}, {"G", 1073741824}, {"GiB", 1073741824}, {0},
};
static const struct suffix duration_suffixes[] = {{"", 1e6},   {"ns", 1},  {"us", 1e3}, {"µs", 1e3},
                                                  {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {0}};
static const struct suffix no_suffixes[] = {{"", 1}, {0}};

static const struct suffix *suffixes_of(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_COUNT:
        return count_suffixes;
    case SETTING_BYTES:
        return byte_suffixes;
    case SETTING_DURATION:
        return duration_suffixes;
    default:
        return no_suffixes;
    }
}

static const char *example_of(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_COUNT:
        return "a whole number such as 4, 1000 or 10k";
    case SETTING_BYTES:
        return "a size such as 512, 10KiB or 1MiB";
    case SETTING_DURATION:
        return "a duration such as 50ms, 2s or 100us (a bare number is milliseconds)";
    default:
        return "a number such as 0.5";
    }
}

/* Reads a number and its unit; false when that is not all that the text holds. */
static bool read_number(const char *text, const struct suffix *suffixes, double *number)
{
    /* strtod() would also take hexadecimal numbers, infinity and leading blanks. */
    if (strspn(text, "0123456789.+-eE") == 0)
        return false;
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || errno == ERANGE || !isfinite(value))
        return false;
    for (; suffixes->text; suffixes++) {
        if (strcmp(end, suffixes->text) == 0) {
            *number = value * suffixes->factor;
            return true;
        }
    }
    return false;
}

/* The text of a number in the unit of its kind, exact where the kind has a unit that is. */
static void print_number(char *text, size_t bytes, enum setting_kind kind, double number)
{
    static const struct {
        enum setting_kind kind;
        double factor;
        const char *unit;
    } units[] = {
        {SETTING_DURATION, 1e9, "s"},       {SETTING_DURATION, 1e6, "ms"},
        {SETTING_DURATION, 1e3, "us"},      {SETTING_DURATION, 1, "ns"},
        {SETTING_BYTES, 1073741824, "GiB"}, {SETTING_BYTES, 1048576, "MiB"},
        {SETTING_BYTES, 1024, "KiB"},
    };
    if (number != 0) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (units[i].kind == kind && fmod(number, units[i].factor) == 0) {
                snprintf(text, bytes, "%.0f%s", number / units[i].factor, units[i].unit);
                return;
            }
        }
    }
    snprintf(text, bytes, "%.15g", number);
}

int setting_parse(const struct setting *setting, const char *text, char *why, size_t why_bytes)
{
    if (setting->kind == SETTING_FLAG) {
        *(bool *)setting->where = true;
        return 0;
    }
    if (setting->kind == SETTING_TEXT) {
        if (!*text) {
            snprintf(why, why_bytes, "--%s needs a value", setting->name);
            return -1;
        }
        *(const char **)setting->where = text;
        return 0;
    }

    double number;
    if (!read_number(text, suffixes_of(setting->kind), &number)) {
        snprintf(why, why_bytes, "--%s takes %s, not '%s'", setting->name,
                 example_of(setting->kind), text);
        return -1;
    }
    bool bounded = setting->min != 0 || setting->max != 0;
    double min = bounded ? setting->min : 0, max = bounded ? setting->max : 9e18;
    if (number < min || number > max) {
        char low[32], high[32];
        print_number(low, sizeof low, setting->kind, min);
        print_number(high, sizeof high, setting->kind, max);
        snprintf(why, why_bytes, "--%s must be between %s and %s, not '%s'", setting->name, low,
                 high, text);
        return -1;
    }
    if (setting->kind == SETTING_NUMBER) {
        *(double *)setting->where = number;
        return 0;
    }
    if (number != floor(number)) {
        snprintf(why, why_bytes, "--%s takes %s, not '%s'", setting->name,
                 example_of(setting->kind), text);
        return -1;
    }
    *(uint64_t *)setting->where = (uint64_t)number;
    return 0;
}

void settings_reset(const struct setting *settings)
{
    for (const struct setting *setting = settings; setting && setting->name; setting++) {
        switch (setting->kind) {
        case SETTING_FLAG:
            *(bool *)setting->where = false;
            break;
        case SETTING_TEXT:
            *(const char **)setting->where = setting->initial;
            break;
        case SETTING_NUMBER:
            *(double *)setting->where = (double)NAN;
            break;
        default:
            *(uint64_t *)setting->where = 0;
        }
        if (setting->initial && setting->kind != SETTING_TEXT) {
            char why[256];
            if (setting_parse(setting, setting->initial, why, sizeof why) != 0) {
                fprintf(stderr, "overlap: bug in the default of an option: %s\n", why);
                abort();
            }
        }
    }
}

char *setting_print(const struct setting *setting, char *text, size_t bytes)
{
    switch (setting->kind) {
    case SETTING_FLAG:
        snprintf(text, bytes, "%s", *(bool *)setting->where ? "yes" : "no");
        break;
    case SETTING_TEXT: {
        const char *value = *(const char **)setting->where;
        snprintf(text, bytes, "%s", value ? value : "");
        break;
    }
    case SETTING_NUMBER:
        print_number(text, bytes, setting->kind, *(double *)setting->where);
        break;
    default:
        print_number(text, bytes, setting->kind, (double)*(uint64_t *)setting->where);
    }
    return text;
}
