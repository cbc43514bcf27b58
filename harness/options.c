/* Command lines by getopt_long(), whose tables are made from the settings. */
#include "options.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64 };

/* getopt's tables, and the setting behind each of its rows. */
struct parser {
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 4];
    const struct setting *settings[OPTIONS_MAX];
    size_t count;
};

static void parser_add(struct parser *parser, const struct setting *setting)
{
    if (parser->count == OPTIONS_MAX)
        abort();
    int has_value = setting->kind == SETTING_FLAG ? no_argument : required_argument;
    parser->longs[parser->count] = (struct option){.name = setting->name, .has_arg = has_value};
    parser->settings[parser->count++] = setting;
    if (setting->letter) {
        char text[3] = {setting->letter, has_value ? ':' : '\0', '\0'};
        strcat(parser->shorts, text);
    }
}

static void parser_make(struct parser *parser, const struct setting *const *tables)
{
    memset(parser, 0, sizeof *parser);
    strcpy(parser->shorts, ":h");
    for (; *tables; tables++)
        for (const struct setting *setting = *tables; setting->name; setting++)
            parser_add(parser, setting);
    parser->longs[parser->count] = (struct option){.name = "help", .val = 'h'};
}

static const struct setting *by_letter(const struct parser *parser, int letter)
{
    for (size_t i = 0; i < parser->count; i++)
        if (parser->settings[i]->letter == letter)
            return parser->settings[i];
    return NULL;
}

_Noreturn static void wrong(const struct command_line *line, const char *what, const char *which)
{
    int words = (int)strcspn(line->usage, "[");
    while (words > 0 && line->usage[words - 1] == ' ')
        words--;
    errx(EXIT_USAGE, "%s '%s'; see %.*s --help", what, which, words, line->usage);
}

void options_help(const struct command_line *line)
{
    printf("usage: %s\n\n%s\n", line->usage, line->summary);
    if (line->details)
        printf("\n%s\n", line->details);
    printf("\n");
    for (const struct setting *const *table = line->tables; *table; table++) {
        for (const struct setting *setting = *table; setting->name; setting++) {
            char left[64], letter[8] = "    ";
            if (setting->letter)
                snprintf(letter, sizeof letter, "-%c, ", setting->letter);
            snprintf(left, sizeof left, "%s--%s %s", letter, setting->name,
                     setting->value ? setting->value : "");
            printf("  %-28s %s", left, setting->help);
            if (setting->initial)
                printf(" [%s]", setting->initial);
            printf("\n");
        }
    }
    printf("  %-28s %s\n", "-h, --help", "this text");
}

/* getopt_long() takes abbreviations as well, which options_peek() cannot know. */
static void refuse_abbreviations(const struct parser *parser, char **argv,
                                 const struct command_line *line)
{
    for (char **word = argv + 1; *word && strcmp(*word, "--") != 0; word++) {
        if (strncmp(*word, "--", 2) != 0)
            continue;
        const char *name = *word + 2;
        size_t length = strcspn(name, "="), i = 0;
        while (i <= parser->count && (strncmp(parser->longs[i].name, name, length) != 0 ||
                                      parser->longs[i].name[length] != '\0'))
            i++;
        if (i > parser->count)
            wrong(line, "unknown option", *word);
    }
}

int options_parse(int argc, char **argv, const struct command_line *line)
{
    struct parser parser;
    parser_make(&parser, line->tables);
    for (const struct setting *const *table = line->tables; *table; table++)
        settings_reset(*table);

    refuse_abbreviations(&parser, argv, line);
    optind = 0; /* glibc and musl: start over */
    opterr = 0;
    for (;;) {
        int index = -1;
        int at = optind > 0 ? optind : 1; /* the word being read, for messages */
        int letter = getopt_long(argc, argv, parser.shorts, parser.longs, &index);
        if (letter == -1)
            break;
        if (letter == 'h') {
            options_help(line);
            exit(0);
        }
        if (letter == '?' || letter == ':') {
            const char *word = optind > at ? argv[optind - 1] : argv[at];
            wrong(line, letter == ':' ? "no value for option" : "unknown option", word);
        }
        const struct setting *setting =
            letter ? by_letter(&parser, letter) : parser.settings[index];
        char why[256];
        if (setting_parse(setting, optarg, why, sizeof why) != 0)
            errx(EXIT_USAGE, "%s", why);
    }

    int operands = argc - optind;
    if (operands < line->least)
        errx(EXIT_USAGE, "too few operands; usage: %s", line->usage);
    if (operands > line->most)
        wrong(line, "unexpected operand", argv[optind + line->most]);
    return optind;
}

const char *options_peek(int argc, char **argv, const char *name, char letter)
{
    const char *value = NULL;
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0)
            break;
        if (word[0] == '-' && word[1] == '-' && strncmp(word + 2, name, length) == 0) {
            if (word[2 + length] == '=')
                value = word + 2 + length + 1;
            else if (word[2 + length] == '\0' && i + 1 < argc)
                value = argv[++i];
        } else if (letter && word[0] == '-' && word[1] == letter) {
            if (word[2])
                value = word + 2;
            else if (i + 1 < argc)
                value = argv[++i];
        }
    }
    return value;
}
