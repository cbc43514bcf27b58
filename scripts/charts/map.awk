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
               "equal tasks on " cores(where, S[used[1], "cpus"]) " · coloured: the best, and how far the " \
               "next is behind · hatched: no difference shown among these", \
               statistics_note("wall_ns", used, n) memory_words(used, n))
    printf "panels = 0\n" > page
    on_page = pixel = 1
    half = (PAGE_W - 2 * MARGIN) / 2
    field("wall_ns", "the fastest", MARGIN, half - 12)
    field("memory_bytes", "the least memory, all tasks alive", MARGIN + half + 12, half - 12)
    close(page)
}

# What tells memory apart: "; memory: the ranges of 3 trials".
function memory_words(list, n,    i, many)
{
    for (i = 1; i <= n; i++)
        if (median(list[i], "memory_bytes") != "") many = max(many + 0, trials_of(list[i], "memory_bytes"))
    return many ? " · memory: the ranges of " plural(many, "trial") : ""
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
    label(left - 96, top - 16, "body", "left", "dim", "share of its time that a task waits")
}

# The best strategy of a group, in its colour; hatched and without one when it cannot be told from
# some other.
function winner(metric, group, x, y, w, h,    i, row, best, next_best, n, list, ties, names, others, kind)
{
    for (i = 1; i <= group_rows[group]; i++) {
        row = group_row[group, i]
        if (S[row, "status"] != "ok" || median(row, metric) == "" || median(row, metric) <= 0) continue
        # Who has few tasks alive at a time needs memory for few.
        if (metric == "memory_bytes" && tasks_held(row) != "" && tasks_held(row) < S[row, "tasks"]) continue
        list[++n] = row
        if (!best || median(row, metric) < median(best, metric)) {
            next_best = best
            best = row
        } else if (!next_best || median(row, metric) < median(next_best, metric)) next_best = row
    }
    if (!best) {
        rectangle(x, y, x + w, y + h, "panel")
        label(x + w / 2, y + h / 2, "body", "center", "dim", "not measured")
        return
    }
    for (i = 1; i <= n; i++)
        if (list[i] == best || !is_behind(list[i], best, metric)) {
            ties++
            names = names (names == "" ? "" : ", ") S[list[i], "strategy"]
        } else others = others (others == "" ? "" : ", ") S[list[i], "strategy"]
    if (ties > 1) {
        if (others == "") names = "no difference shown"
        else if (n - ties < ties) names = "all but " others
        tie(names, ties " of " n, x, y, w, h)
        return
    }
    rectangle(x, y, x + w, y + h, "pale(" strategy_colour(S[best, "strategy"]) ")")
    rectangle(x, y, x + 8, y + h, strategy_colour(S[best, "strategy"]))
    kind = "strong"
    if (width(S[best, "strategy"], kind) > w - 14) kind = "body"
    label(x + w / 2 + 4, y + h / 2 - 15, kind, "center", "ink", fit(S[best, "strategy"], kind, w - 10))
    label(x + w / 2 + 4, y + h / 2 + 15, "body", "center", "ink", next_best ? \
          "next ×" sprintf("%.2f", median(next_best, metric) / median(best, metric)) : "the only one")
}

# A field of several that noise does not tell apart: their names, or `short` when those do not fit.
function tie(names, short, x, y, w, h,    n, i, lines_of_names)
{
    rectangle(x, y, x + w, y + h, "panel")
    hatch(x, x + w, y, y + h / 7, "dim") # clear of the text
    hatch(x, x + w, y + h * 6 / 7, y + h, "dim")
    n = wrap(names, "body", w - 8, max(1, int(h * 5 / 7 / 26)), lines_of_names)
    for (i = 1; i <= n; i++) if (lines_of_names[i] ~ /…$/) n = wrap(short, "body", w, 1, lines_of_names)
    for (i = 1; i <= n; i++)
        label(x + w / 2, y + h / 2 + 26 * (i - (n + 1) / 2), "body", "center", "ink", lines_of_names[i])
}

# Is a row behind the best one by more than noise may make? Of times the interval of their ratio has to
# lie outside of the noise floor; of memory the intervals, or the ranges of the trials, must not touch.
function is_behind(row, best, metric)
{
    if (metric == "wall_ns")
        return noise_of(best) != "" && wall_ratio(row, best) && ratio_low > 1 + noise_of(best)
    return lower(row, metric) != "" && lower(best, metric) != "" && lower(row, metric) > upper(best, metric)
}
