/* See terminal.h. */
#include "terminal.h"
#include "format.h"
#include "timeline.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LANES_MAX = 24, COLUMNS_MIN = 40, COLUMNS_MAX = 160, LABEL = 10 };

static const struct {
    const char *mark, *color, *meaning;
} looks[STATES] = {
    [STATE_CREATING] = {"·", "\033[38;5;245m", "creating"},
    [STATE_RUNNING] = {"█", "\033[38;5;32m", "running"},
    [STATE_READY] = {"░", "\033[38;5;214m", "ready"},
    [STATE_READY_PREEMPTED] = {"▒", "\033[38;5;202m", "pre-empted"},
    [STATE_READY_LOCK] = {"▓", "\033[38;5;133m", "awaits the lock"},
    [STATE_WAITING] = {"─", "\033[38;5;250m", "waiting"},
};

bool terminal_colored(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(fileno(file)) && !(no_color && *no_color);
}

int terminal_columns(FILE *file)
{
    struct winsize size;
    if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int number = columns ? atoi(columns) : 0;
    return number > 0 ? number : 80;
}

/* How long each task was in each state within each column. */
struct lanes {
    unsigned count, columns;
    uint64_t span_ns;
    uint64_t (*ns)[STATES]; /* [lane * columns + column] */
};

static void add_interval(struct lanes *lanes, const struct interval *interval)
{
    for (unsigned column = 0; column < lanes->columns; column++) {
        uint64_t from = lanes->span_ns * column / lanes->columns;
        uint64_t to = lanes->span_ns * (column + 1) / lanes->columns;
        uint64_t start = interval->start_ns > from ? interval->start_ns : from;
        uint64_t end = interval->end_ns < to ? interval->end_ns : to;
        if (start < end)
            lanes->ns[interval->task * lanes->columns + column][interval->state] += end - start;
    }
}

static void draw_lane(const struct lanes *lanes, unsigned lane, unsigned ideal_column, bool colored)
{
    const char *color = "";
    printf("  task %-4u ", lane);
    for (unsigned column = 0; column < lanes->columns; column++) {
        const uint64_t *ns = lanes->ns[lane * lanes->columns + column];
        int most = -1;
        for (int state = 0; state < STATES; state++)
            if (looks[state].mark && ns[state] > 0 && (most < 0 || ns[state] > ns[most]))
                most = state;
        const char *mark = most >= 0 ? looks[most].mark : column == ideal_column ? "┊" : " ";
        const char *wanted = colored && most >= 0 ? looks[most].color : "";
        if (colored && strcmp(wanted, color) != 0)
            printf("%s", *wanted ? wanted : "\033[0m");
        color = wanted;
        printf("%s", mark);
    }
    printf("%s\n", colored ? "\033[0m" : "");
}

static void draw_axis(const struct lanes *lanes, const struct record *record, unsigned ideal_column)
{
    char wall[32], ideal[32];
    format_ns(wall, sizeof wall, (double)record->wall_ns);
    int width = (int)lanes->columns - 1;
    printf("  %*s0%*s\n", LABEL - 1, "", width, wall);
    if (record->ideal_ns != NO_NUMBER && ideal_column < lanes->columns)
        printf("  %*s┊ ideal: %s\n", LABEL - 1 + (int)ideal_column, "",
               format_ns(ideal, sizeof ideal, (double)record->ideal_ns));
}

static void draw_legend(const struct record *record, bool colored)
{
    printf("\n  ");
    for (int state = 0; state < STATES; state++)
        if (looks[state].mark)
            printf("%s%s%s %s  ", colored ? looks[state].color : "", looks[state].mark,
                   colored ? "\033[0m" : "", looks[state].meaning);
    bool kernel = record->switch_source && strcmp(record->switch_source, "perf") == 0;
    printf("\n  %s\n", kernel ? "switches as the kernel recorded them"
                              : "pre-emption inferred from gaps between checkpoints");
}

void terminal_timeline(const char *csv_path, const struct record *record)
{
    struct interval *intervals;
    size_t count;
    char why[512];
    if (timeline_csv_read(csv_path, &intervals, &count, why, sizeof why) != 0) {
        warnx("no timeline: %s", why);
        return;
    }
    int columns = terminal_columns(stdout) - LABEL - 4;
    columns = columns < COLUMNS_MIN ? COLUMNS_MIN : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
    struct lanes lanes = {
        .count = record->tasks < LANES_MAX ? (unsigned)record->tasks : LANES_MAX,
        .columns = (unsigned)columns,
        .span_ns = record->wall_ns > 0 ? record->wall_ns : 1,
    };
    lanes.ns = calloc((size_t)lanes.count * lanes.columns, sizeof *lanes.ns);
    if (!lanes.ns)
        err(1, "cannot draw the timeline");
    for (size_t i = 0; i < count; i++)
        if (intervals[i].task < lanes.count && looks[intervals[i].state].mark)
            add_interval(&lanes, &intervals[i]);

    unsigned ideal_column = lanes.columns;
    if (record->ideal_ns < lanes.span_ns)
        ideal_column = (unsigned)((uint64_t)lanes.columns * record->ideal_ns / lanes.span_ns);
    bool colored = terminal_colored(stdout);
    for (unsigned lane = 0; lane < lanes.count; lane++)
        draw_lane(&lanes, lane, ideal_column, colored);
    if (record->tasks > lanes.count)
        printf("  (and %llu more tasks)\n", (unsigned long long)(record->tasks - lanes.count));
    draw_axis(&lanes, record, ideal_column);
    draw_legend(record, colored);
    free(lanes.ns);
    free(intervals);
}
