# Prepares map: which strategy is the fastest, and which takes the least memory, by number of tasks
# (columns) and share of waiting (rows). It takes the groups mixed-TASKS-CORES-waiting-PERCENT of the
# cores that have most of them, and is left out when they make no table.

BEGIN {
    read_style(charts "/story.gp")
    read_summary()
    for (g = 1; g <= group_count; g++) count_group(groups[g])
    for (c in found) if (found[c] > found[where]) where = c
    for (g = 1; g <= group_count; g++) note_group(groups[g])
    if (columns > 1 && lines > 1) map()
}

# The cores, the tasks and the share of waiting that a group's name tells; 0 when it is another.
function parts_of(group,    part)
{
    if (group !~ /^mixed-[0-9]+-[^-]+-waiting-[0-9]+$/) return 0
    split(group, part, "-")
    map_tasks = part[2]
    map_cores = part[3]
    map_share = part[5]
    return 1
}

function count_group(group) { if (parts_of(group)) found[map_cores]++ }

function note_group(group)
{
    if (!parts_of(group) || map_cores != where) return
    at[map_tasks, map_share] = group
    columns = insert(column, columns, map_tasks)
    lines = insert(line, lines, map_share)
}

function map(    i, n, used, half)
{
    for (i = 1; i <= rows; i++)
        if (parts_of(S[i, "group"]) && map_cores == where) used[++n] = i
    page_begin("map", "story", "When does which strategy win?", \
               "tasks of equal length, on " cores(where, S[used[1], "cpus"]) \
               "; in each field the best, and how far the next one is behind; hatched: no difference shown", \
               statistics_note("wall_ns", used, n))
    printf "panels = 0\n" > page
    on_page = pixel = 1
    half = (PAGE_W - 2 * MARGIN) / 2
    field("wall_ns", "the fastest", MARGIN, half - 12)
    field("memory_bytes", "the least memory, of those with all tasks under way", MARGIN + half + 12, half - 12)
    close(page)
}

# One table, for one metric.
function field(metric, title, left, wide,    c, l, x, y, w, h, top, bottom)
{
    label(left, page_top + 22, "head", "left", "ink", title)
    top = page_top + 76
    bottom = page_bottom - 74
    left += 96
    w = (wide - 96) / columns
    h = (bottom - top) / lines
    for (l = 1; l <= lines; l++) {
        y = bottom - l * h
        label(left - 12, y + h / 2, "body", "right", "dim", line[l] " %")
        for (c = 1; c <= columns; c++)
            winner(metric, at[column[c], line[l]], left + (c - 1) * w + 2, y + 2, w - 4, h - 4)
    }
    for (c = 1; c <= columns; c++)
        label(left + (c - 0.5) * w, bottom + 20, "body", "center", "dim", tic_count(column[c]))
    label(left + columns * w / 2, bottom + 54, "body", "center", "dim", "number of tasks")
    label(left - 12, top - 14, "body", "right", "dim", "waiting")
}

# The best strategy of a group, in its colour; hatched when the next one may be as good.
function winner(metric, group, x, y, w, h,    i, row, v, best, next_best)
{
    for (i = 1; i <= group_rows[group]; i++) {
        row = group_row[group, i]
        v = median(row, metric)
        if (S[row, "status"] != "ok" || v == "" || v <= 0) continue
        # Who has few tasks alive at a time needs memory for few.
        if (metric == "memory_bytes" && median(row, "tasks_peak") != "" && \
            median(row, "tasks_peak") < S[row, "tasks"] / 2) continue
        if (!best || v < median(best, metric)) {
            next_best = best
            best = row
        } else if (!next_best || v < median(next_best, metric)) next_best = row
    }
    if (!best) {
        rectangle(x, y, x + w, y + h, "panel")
        label(x + w / 2, y + h / 2, "body", "center", "dim", "not measured")
        return
    }
    rectangle(x, y, x + w, y + h, "pale(" strategy_colour(S[best, "strategy"]) ")")
    if (is_close(best, next_best, metric)) hatch(x, x + w, y, y + h, strategy_colour(S[best, "strategy"]))
    rectangle(x, y, x + 8, y + h, strategy_colour(S[best, "strategy"]))
    label(x + w / 2 + 4, y + h / 2 - 15, "strong", "center", "ink", fit(S[best, "strategy"], "strong", w - 14))
    if (next_best)
        label(x + w / 2 + 4, y + h / 2 + 15, "body", "center", "ink", \
              "next ×" sprintf("%.2f", median(next_best, metric) / median(best, metric)))
}

# Are two medians too near to tell apart: do their intervals touch (their ranges, where there is no
# interval), or is the difference of times within the group's noise?
function is_close(best, other, metric)
{
    if (!other) return 0
    if (upper(best, metric) >= lower(other, metric)) return 1
    return metric == "wall_ns" && S[best, "noise_floor"] != "" && \
           median(other, metric) / median(best, metric) < 1 + S[best, "noise_floor"]
}
