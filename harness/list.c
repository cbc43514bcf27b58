/* What there is: both registries, sorted by name, as a table or as JSON. */
#include "list.h"
#include "options.h"
#include "strategy.h"
#include "workload.h"

#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A row of either registry. */
struct item {
    const char *name, *summary, *note;
    const struct setting *settings;
};

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct item *)left)->name, ((const struct item *)right)->name);
}

static size_t take_strategies(struct item *items, size_t room)
{
    size_t count = 0;
    REGISTRY_FOR_EACH (strategy, entry) {
        const struct strategy *strategy = *entry;
        const char *why = strategy->unavailable ? strategy->unavailable() : NULL;
        if (count < room)
            items[count++] =
                (struct item){strategy->name, strategy->summary, why, strategy->settings};
    }
    return count;
}

static size_t take_workloads(struct item *items, size_t room)
{
    size_t count = 0;
    REGISTRY_FOR_EACH (workload, entry)
        if (count < room)
            items[count++] =
                (struct item){(*entry)->name, (*entry)->summary, NULL, (*entry)->settings};
    return count;
}

static void print_table(const char *title, const struct item *items, size_t count)
{
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        printf("  %-21s %s\n", items[i].name, items[i].summary);
        if (items[i].note)
            printf("  %-21s not on this machine: %s\n", "", items[i].note);
        for (const struct setting *s = items[i].settings; s && s->name; s++)
            printf("  %-21s   --%s%s%s: %s%s%s%s\n", "", s->name, s->value ? " " : "",
                   s->value ? s->value : "", s->help, s->initial ? " [" : "",
                   s->initial ? s->initial : "", s->initial ? "]" : "");
    }
}

static json_t *to_json(const struct item *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *options = json_array();
        for (const struct setting *s = items[i].settings; s && s->name; s++)
            json_array_append_new(options, json_pack("{s:s, s:s, s:s*}", "name", s->name, "help",
                                                     s->help, "default", s->initial));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:o}", "name", items[i].name,
                                              "summary", items[i].summary, "unavailable",
                                              items[i].note, "options", options));
    }
    return list;
}

int list_main(int argc, char **argv)
{
    enum { ITEMS_MAX = 256 };
    static bool json;
    static const struct setting settings[] = {
        {"json", 0, SETTING_FLAG, NULL, NULL, "print JSON", &json, 0, 0}, {0}};
    const struct setting *const tables[] = {settings, NULL};
    int operand =
        options_parse(argc, argv,
                      &(struct command_line){
                          .usage = "overlap list [strategies|workloads] [--json]",
                          .summary = "Shows what can be run, and how, with the options of each.",
                          .tables = tables,
                          .most = 1,
                      });
    const char *which = operand < argc ? argv[operand] : NULL;
    bool strategies = !which || strcmp(which, "strategies") == 0;
    bool workloads = !which || strcmp(which, "workloads") == 0;
    if (!strategies && !workloads)
        errx(EXIT_USAGE, "there are strategies and workloads to list, not '%s'", which);

    static const struct {
        const char *name, *title;
        size_t (*take)(struct item *items, size_t room);
    } lists[] = {{"strategies", "Strategies: how tasks are run", take_strategies},
                 {"workloads", "Workloads: what tasks do", take_workloads}};
    json_t *document = json_object();
    for (size_t i = 0; i < 2; i++) {
        struct item items[ITEMS_MAX];
        if (!(i ? workloads : strategies))
            continue;
        size_t count = lists[i].take(items, ITEMS_MAX);
        qsort(items, count, sizeof *items, by_name);
        if (json)
            json_object_set_new(document, lists[i].name, to_json(items, count));
        else
            print_table(lists[i].title, items, count);
        if (!json && !which && i == 0)
            printf("\n");
    }
    if (json) {
        json_dumpf(document, stdout, JSON_INDENT(2));
        printf("\n");
    }
    json_decref(document);
    return 0;
}
