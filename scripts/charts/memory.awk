# Prepares memory. (a) what each strategy takes at one number of tasks, by kind; (b) how that grows
# with the number of tasks. Of several series of cells (same workload, cores and label) it takes the
# one with the most cells that have a memory figure.

BEGIN {
    MAGNIFY = 0.06 # bars below this share of the longest are shown again, magnified
    TITLE = 34; AXIS = 44 # of a panel, in pixels
    A_RIGHT = 790; B_LEFT = 850; B_PANEL_LEFT = 940; B_PANEL_RIGHT = 1340; B_WORDS = 1384

    read_summary()
    choose_series()
    if (series != "") {
        collect()
        memory_figure()
    }
}

# --- What there is -----------------------------------------------------------------------------

function series_of(row)
{
    group_parts(S[row, "group"], S[row, "workload"], S[row, "tasks"])
    return S[row, "workload"] "|" group_cores "|" group_label
}

function memory_of(row) { return median(row, "memory_bytes") }

function choose_series(    i, key, cells, best)
{
    for (i = 1; i <= rows; i++) {
        if (is_true(S[i, "control"]) || memory_of(i) == "") continue
        key = series_of(i)
        if (++cells[key] > best) {
            best = cells[key]
            series = key
        }
    }
}

# Of the series: its strategies and numbers of tasks in order, cell[strategy, tasks], how many of a
# strategy's cells have a figure, and stack_row[strategy] for (a).
function collect(    i, j, s, n, best, here)
{
    for (i = 1; i <= rows; i++) {
        if (is_true(S[i, "control"]) || series_of(i) != series) continue
        s = S[i, "strategy"]
        n = S[i, "tasks"]
        used[++used_count] = i
        cell[s, n] = i
        if (memory_of(i) != "") measured[s]++
        if (!(s in strategy_seen)) {
            strategy_seen[s] = 1
            for (j = ++strategies; j > 1 && rank_of(strategy[j - 1]) > rank_of(s); j--)
                strategy[j] = strategy[j - 1]
            strategy[j] = s
        }
        if (!(n in tasks_seen)) {
            tasks_seen[n] = 1
            for (j = ++sizes; j > 1 && tasks[j - 1] > n; j--) tasks[j] = tasks[j - 1]
            tasks[j] = n
        }
    }
    for (i = 1; i <= strategies; i++) if (measured[strategy[i]] > 1) curves++

    # (a) is at the largest number of tasks for which all strategies that (b) draws have a figure;
    # when there is none, at the one for which most have. Who has none there is shown at another.
    for (j = sizes; j >= 1; j--) {
        here = 0
        for (i = 1; i <= strategies; i++)
            here += has(strategy[i], tasks[j]) && (!curves || measured[strategy[i]] > 1)
        if (here > best) {
            best = here
            common = tasks[j]
        }
    }
    for (i = 1; i <= strategies; i++)
        for (j = 1; j <= sizes; j++)
            if (has(strategy[i], tasks[j]) && (tasks[j] <= common || !(strategy[i] in stack_row)))
                stack_row[strategy[i]] = cell[strategy[i], tasks[j]]
}

function has(s, n) { return (s, n) in cell && memory_of(cell[s, n]) > 0 }

function memory_figure(    i, s, right, top, small, longest, subtitle)
{
    subtitle = group_title(used[1])
    sub(/^[^,]*, /, S[used[1], "workload"] ", ", subtitle)
    subtitle = "while all tasks are alive (a strategy that holds fewer says so); medians · " subtitle
    page_begin("memory", "memory", "Memory of each strategy", subtitle, \
               statistics_note("memory_bytes", used, used_count))
    kinds_legend(page_top + 14)
    for (i = 1; i <= strategies; i++)
        if (strategy[i] in stack_row) longest = max(longest, end_of(stack_row[strategy[i]]))
    for (i = 1; i <= strategies; i++) {
        s = strategy[i]
        if (s in stack_row && end_of(stack_row[s]) < MAGNIFY * longest) small_strategy[++small] = s
    }
    printf "magnified = %d; curves = %d\n", (small > 0), (curves > 0) > page

    right = curves ? A_RIGHT : PAGE_W - MARGIN
    top = page_top + 46
    row_h = page_bottom - top - (TITLE + AXIS) * (small ? 2 : 1)
    row_h = min(80, row_h / (strategies + small))
    top = stack_panel("a", (curves ? "(a) " : "") "at " plural(common, "task") ", by kind", \
                      strategy, strategies, top, right)
    if (small) stack_panel("m", "the small ones again, magnified", small_strategy, small, top, right)
    if (curves) curve_panel(page_top + 46)
    close(page)
}

# --- (a) by kind -------------------------------------------------------------------------------

# How far a row's bar and marker reach, in bytes.
function end_of(row) { return max(memory_of(row), median(row, "cgroup_bytes") + 0) }

# A panel of stacked bars for list[1..n], its title at `top`; returns its lower end. The numbers
# stand left of the bars: right of them they would seem to belong to the marks.
function stack_panel(name, title, list, n, top, right,    i, names_w, text_w, wide, path, row, y, unit)
{
    axis_high = 1
    for (i = 1; i <= n; i++) {
        names_w = max(names_w, width(list[i], "body"))
        if (!(list[i] in stack_row)) continue
        row = stack_row[list[i]]
        axis_high = max(axis_high, end_of(row) * 1.03)
        text_w = max(text_w, width(stack_text(row), "body"))
    }
    names_w = min(names_w + 14, 220)
    panel_left = MARGIN + names_w + text_w + 14
    wide = right - panel_left
    unit = byte_unit(axis_high)
    axis_bytes = unit_bytes
    label(MARGIN, top + 10, "strong", "left", "ink", title)
    label(right, top + 10, "small", "right", "dim", unit)
    top += TITLE
    path = work "/memory." name ".axis"
    printf "panel_left = %g; panel_right = %g; panel_top = %g; panel_bottom = %g\n", \
        panel_left, right, top, top + n * row_h > path
    printf "axis_high = %.8g; axis_tics = \"(%s)\"\n", \
        axis_high / axis_bytes, linear_tics(axis_high / axis_bytes, wide) > path
    close(path)

    bars = table_begin("memory." name, "bars")
    marks = table_begin("memory." name, "marks")
    for (i = 1; i <= n; i++) {
        y = top + (i - 0.5) * row_h
        label(MARGIN + names_w - 10, y, "body", "right", "dim", fit(list[i], "body", names_w - 10))
        if (list[i] in stack_row) {
            stack(stack_row[list[i]], y)
            label(panel_left - 10, y, "body", "right", "ink", stack_text(stack_row[list[i]]))
        } else
            label(panel_left + 8, y, "body", "left", "dim", \
                  fit(missing_text(list[i]), "body", wide - 8))
    }
    close(bars); close(marks)
    return top + n * row_h + AXIS
}

function stack(row, y,    k, x, value)
{
    for (k = 1; k <= KINDS; k++) {
        value = kind_bytes(row, k) / axis_bytes
        if (value > 0)
            printf "%.8g\t%.8g\t%.2f\t%.2f\t%s\n", \
                x, x + value, y - row_h * 0.3, y + row_h * 0.3, KIND[k] > bars
        x += value
    }
    if (median(row, "cgroup_bytes") != "")
        printf "%.8g\t%.2f\n", median(row, "cgroup_bytes") / axis_bytes, y > marks
}

function stack_text(row,    words)
{
    if (S[row, "tasks"] != common) words = "at " plural(S[row, "tasks"], "task")
    if (tasks_held(row) != "" && tasks_held(row) < S[row, "tasks"])
        words = words (words == "" ? "" : ", ") count(tasks_held(row)) " alive"
    return bytes_text(memory_of(row)) (words == "" ? "" : " (" words ")")
}

# Why a strategy has no figure, by its largest cell.
function missing_text(s,    j, row)
{
    for (j = 1; j <= sizes; j++) if ((s, tasks[j]) in cell) row = cell[s, tasks[j]]
    return S[row, "status"] == "ok" ? "no memory figure" : status_text(row)
}

# --- (b) against the number of tasks -----------------------------------------------------------

# A line per strategy that has two points; at its end its name and what one more task costs.
function curve_panel(top,    i, n)
{
    label(B_LEFT, top + 10, "strong", "left", "ink", \
          "(b) against the number of tasks (both scales are logarithmic)")
    panel_top = top + 44
    panel_bottom = page_bottom - 62
    curve_axes()
    points = table_begin("memory.b", "points")
    for (i = 1; i <= strategies; i++)
        if (measured[strategy[i]] > 1) curve(strategy[i], ++n)
    close(points)
    curve_names(n)
}

function log2(x) { return log(x) / log(2) }
# Where a number of tasks and of bytes stand, in pixels of the page.
function curve_x(n)
{
    return B_PANEL_LEFT + (log10(n) - x_low) / x_span * (B_PANEL_RIGHT - B_PANEL_LEFT)
}
function curve_y(bytes)
{
    return panel_bottom - (log2(bytes) - y_low) / y_span * (panel_bottom - panel_top)
}

function curve_axes(    i, j, e, step, low, high, tics, path, words, last)
{
    for (i = 1; i <= strategies; i++)
        for (j = 1; j <= sizes; j++) {
            if (measured[strategy[i]] < 2 || !has(strategy[i], tasks[j])) continue
            e = memory_of(cell[strategy[i], tasks[j]])
            low = low ? min(low, e) : e
            high = max(high, e)
        }
    y_span = log2(high) - log2(low)
    y_low = log2(low) - 0.06 * y_span - 0.3
    y_span = y_span * 1.12 + 0.6
    x_span = log10(tasks[sizes]) - log10(tasks[1])
    x_low = log10(tasks[1]) - 0.04 * x_span
    x_span *= 1.08

    path = work "/memory.b.axis"
    printf "panel_left = %g; panel_right = %g; panel_top = %g; panel_bottom = %g\n", \
        B_PANEL_LEFT, B_PANEL_RIGHT, panel_top, panel_bottom > path
    step = max(1, ceil(y_span / 7))
    for (e = ceil(y_low / step) * step; e <= y_low + y_span; e += step)
        tics = tics (tics == "" ? "" : ", ") quoted(power_text(e)) sprintf(" %.10g", 2 ^ e)
    printf "y_low = %.8g; y_high = %.8g; y_tics = \"(%s)\"\n", \
        2 ^ y_low, 2 ^ (y_low + y_span), tics > path
    tics = ""
    for (j = 1; j <= sizes; j++) {
        words = tic_count(tasks[j])
        if (j > 1 && curve_x(tasks[j]) - last < width(words, "small") + 6) continue
        last = curve_x(tasks[j])
        tics = tics (j > 1 ? ", " : "") quoted(words) sprintf(" %.10g", tasks[j])
    }
    printf "x_low = %.8g; x_high = %.8g; x_tics = \"(%s)\"\n", \
        power10(x_low), power10(x_low + x_span), tics > path
    printf "lines = %d\n", curves > path
    close(path)
    label((B_PANEL_LEFT + B_PANEL_RIGHT) / 2, panel_bottom + 50, "body", "center", "dim", \
          "number of tasks")
}

function power_text(e)
{
    if (e < 10) return 2 ^ e " B"
    return e < 20 ? 2 ^ (e - 10) " KiB" : e < 30 ? 2 ^ (e - 20) " MiB" : 2 ^ (e - 30) " GiB"
}

# Strategy s as the n-th line; its end goes into end_n[], end_y[], and by its height into by_end[].
function curve(s, n,    j, row, bytes, low, high)
{
    for (j = 1; j <= sizes; j++) {
        if (!has(s, tasks[j])) continue
        row = cell[s, tasks[j]]
        bytes = memory_of(row)
        low = lower(row, "memory_bytes")
        high = upper(row, "memory_bytes")
        printf "%.8g\t%.8g\t%.8g\t%.8g\t%d\n", tasks[j], bytes, \
            (low == "" ? bytes : low), (high == "" ? bytes : high), rank_of(s) > points
        end_n[s] = tasks[j]
        end_y[s] = curve_y(bytes)
    }
    printf "\n\n" > points
    for (j = n; j > 1 && end_y[by_end[j - 1]] > end_y[s]; j--) by_end[j] = by_end[j - 1]
    by_end[j] = s
}

# The names stand as near to the ends of their lines as they can without touching each other.
function curve_names(n,    i, t, s, gap, apart, y, early, words, small)
{
    gap = min(46, (panel_bottom - panel_top) / n)
    for (i = 1; i <= n; i++) y[i] = end_y[by_end[i]]
    for (t = 1; t <= 200; t++)
        for (i = 1; i < n; i++) {
            apart = gap - (y[i + 1] - y[i])
            if (apart > 0) {
                y[i] -= apart / 2
                y[i + 1] += apart / 2
            }
        }
    for (i = 1; i <= n; i++) y[i] = max(y[i], panel_top + (i - 1) * gap + 8)
    for (i = n; i >= 1; i--) y[i] = min(y[i], panel_bottom - (n - i) * gap)
    for (i = 1; i <= n; i++) {
        s = by_end[i]
        early = end_n[s] < tasks[sizes]
        segment(curve_x(end_n[s]) + 8, end_y[s], B_WORDS - 22, y[i], strategy_colour(s), 1, early)
        segment(B_WORDS - 22, y[i], B_WORDS - 10, y[i], strategy_colour(s), 4)
        words = slope_text(s) (early ? " to " tic_count(end_n[s]) : "")
        small = gap >= 23 ? "body" : "small"
        if (gap >= 40) {
            label(B_WORDS, y[i] - 10, "strong", "left", "ink", fit(s, "strong", PAGE_W - 8 - B_WORDS))
            label(B_WORDS, y[i] + 12, "body", "left", "ink", fit(words, "body", PAGE_W - 8 - B_WORDS))
        } else
            label(B_WORDS, y[i], small, "left", "ink", fit(s " " words, small, PAGE_W - 8 - B_WORDS))
    }
}

# What one more task costs, as the summary says; when its interval reaches down to nothing, the most
# that it allows. Nothing where there is no line: fewer than two numbers of tasks.
function slope_text(s,    j, row)
{
    for (j = 1; j <= sizes; j++) if (has(s, tasks[j])) row = cell[s, tasks[j]]
    if (S[row, "memory_per_task_bytes"] == "") return ""
    if (S[row, "memory_per_task_low"] != "" && S[row, "memory_per_task_low"] <= 0)
        return "under " bytes_text(S[row, "memory_per_task_high"]) "/task"
    return bytes_text(max(S[row, "memory_per_task_bytes"], 0)) "/task"
}
