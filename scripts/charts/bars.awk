# Prepares duration (wall time) and cpu-time (user and system) from summary.csv: a panel per group,
# on as many pages as it takes. `family` says which.

BEGIN {
    TITLE = 28; AXIS = 36 # of a panel, in pixels
    SPACE = 40            # between two columns of panels
    metric = family == "duration" ? "wall_ns" : "cpu_ns"
    read_summary()
    put_firm_ones_first()
    panels = choose_groups()
    for (g = 1; g <= panels; g++) {
        collect(shown_group[g])
        lines_of[g] = lines
        if (reasons_note(line_row, lines) != "") any_reason = 1
    }
    if (panels) pages()
}

# The rows of a group that a panel shows, into line_row[]. A cell that was only looked at for its
# memory is not among them.
function collect(group,    i, row)
{
    lines = 0
    for (i = 1; i <= group_rows[group]; i++) {
        row = group_row[group, i]
        if (S[row, "status"] != "ok" || median(row, metric) != "") line_row[++lines] = row
    }
}

# As few columns as hold all panels on one page, the rows as high as they can be; when none does,
# three columns with low rows, on as many pages as that takes.
function pages(    space, n, p, last)
{
    space = PAGE_H - 178 - (environment["stamp"] != "" ? 68 : 0) - (any_reason ? 42 : 0)
    for (across = 1; across <= 3; across++)
        for (row_h = 60; row_h >= 30; row_h -= 2)
            if (fill(1, space) == panels) {
                one_page(family, "", 1, panels)
                return
            }
    across = 3
    row_h = 23
    while (last[n + 0] < panels) {
        n++
        last[n] = fill(last[n - 1] + 1, space)
    }
    for (p = 1; p <= n; p++)
        one_page(family (p > 1 ? "-" p : ""), n > 1 ? sprintf(" (%d of %d)", p, n) : "", \
                 last[p - 1] + 1, last[p])
}

# Fills the columns of a page with the panels from `first` on, each where the last one ended; where
# they go is in column_of[], offset[] and row_height[]. Returns the last one that fits.
function fill(first, space,    i, c, y, high)
{
    for (i = first; i <= panels; i++) {
        row_height[i] = min(row_h, (space - TITLE - AXIS) / lines_of[i])
        high = TITLE + AXIS + row_height[i] * lines_of[i]
        if (y > 0 && y + high > space) {
            if (++c == across) break
            y = 0
        }
        column_of[i] = c + 0
        offset[i] = y + 0
        y += high
    }
    return i - 1
}

function one_page(name, part, first, last,    i, j, used, count_used, title, subtitle, wide)
{
    for (i = first; i <= last; i++) {
        collect(shown_group[i])
        for (j = 1; j <= lines; j++) used[++count_used] = line_row[j]
    }
    if (family == "duration") {
        title = "Duration: wall time of each strategy"
        subtitle = "from the first task's creation until the last result is back; medians, " \
                   "shorter is better"
    } else {
        title = "CPU time of each strategy: user and system"
        subtitle = "of all processes and threads of a trial; medians, shorter is better"
    }
    page_begin(name, "bars", title part, subtitle left_out_words(), \
               statistics_note(metric, used, count_used) reasons_note(used, count_used))
    printf "panels = %d\n", last - first + 1 > page
    bars_seen = dots_seen = ideals_seen = intervals_seen = 0
    noises_seen = 0
    alike_to = ""
    outliers_seen = 0
    wide = (PAGE_W - 2 * MARGIN + SPACE) / across
    for (i = first; i <= last; i++) {
        collect(shown_group[i])
        row_h = row_height[i]
        panel(name "." i - first + 1, MARGIN + wide * column_of[i], page_top + 40 + offset[i], wide - SPACE)
    }
    legend(page_top + 12)
    close(page)
}

# One group's panel.
function panel(name, left, top, wide,    i, y, names_w, words)
{
    bar_h = row_h * 0.62
    kind = row_h >= 23 ? "body" : "small"
    for (i = 1; i <= lines; i++) names_w = max(names_w, width(S[line_row[i], "strategy"], kind))
    names_w = min(names_w + 12, wide * 0.42)
    panel_left = left + names_w
    panel_right = left + wide
    panel_top = top + TITLE
    panel_bottom = panel_top + lines * row_h
    panel_w = panel_right - panel_left
    axis()
    axis_file(name)
    words = axis_words noise_words()
    if (words ~ /±/) noises_seen = 1
    label(left, top + 10, "strong", "left", "ink", \
          fit(group_title(line_row[1]), "strong", wide - 14 - width(words, "small")))
    label(panel_right, top + 10, "small", "right", "dim", words)

    guides = table_begin(name, "guides")
    bars = table_begin(name, "bars")
    hatches = table_begin(name, "hatches")
    bounds = table_begin(name, "bounds")
    intervals = table_begin(name, "intervals")
    dots = table_begin(name, "dots")
    marks = table_begin(name, "marks")
    for (i = 1; i <= lines; i++) {
        y = panel_top + (i - 0.5) * row_h
        label(panel_left - 10, y, kind, "right", "ink", \
              fit(S[line_row[i], "strategy"], kind, names_w - 10))
        draw_row(line_row[i], y)
    }
    close(guides); close(bars); close(hatches); close(bounds)
    close(intervals); close(dots); close(marks)
}

# The noise floor of a group, as far as it has intervals.
function noise_words(    i, row)
{
    for (i = 1; i <= lines && family == "duration"; i++) {
        row = line_row[i]
        if (S[row, "wall_ns_low"] != "" && noise_of(row) != "")
            return " · ±" percent(noise_of(row))
    }
    return ""
}

# --- The axis ----------------------------------------------------------------------------------

# What a row's bar or dot stands for, in ns; "" when it has none.
function value_of(row)
{
    if (S[row, "status"] == "bound") return family == "duration" ? median(row, "bound_ns") : ""
    return S[row, "status"] == "ok" && median(row, metric) > 0 ? median(row, metric) : ""
}

# How far its ink reaches.
function end_of(row)
{
    if (S[row, "status"] == "bound") return value_of(row)
    return max(max(value_of(row), S[row, metric "_high"] + 0), ideal_of(row))
}

function ideal_of(row) { return family == "duration" ? median(row, "ideal_ns") + 0 : 0 }

# From where to where the axis goes: axis_low, axis_high, in powers of ten when it is logarithmic. It
# is when values differ more than twentyfold. Every row's text has room after its ink.
function axis(    i, row, v, room, low, high)
{
    low = high = 0
    for (i = 1; i <= lines; i++) {
        v = value_of(line_row[i])
        if (v == "") continue
        low = low ? min(low, v) : v
        high = max(high, v)
    }
    empty = !high
    logarithmic = high > 20 * low
    axis_low = axis_high = 0
    if (logarithmic) {
        for (i = 1; i <= lines; i++) {
            row = line_row[i]
            if (S[row, metric "_low"] > 0) low = min(low, S[row, metric "_low"])
            if (family == "cpu-time" && median(row, "system_ns") > high / 3000)
                low = min(low, median(row, "system_ns"))
        }
        axis_low = log10(low) - 0.15
    }
    for (i = 1; i <= lines; i++) {
        row = line_row[i]
        if (value_of(row) == "") continue
        room = width(line_text(row), kind) + 14
        if (S[row, "status"] == "bound" && room < panel_w * 0.6) room = 4 # it stands in the bar
        v = logarithmic ? log10(end_of(row)) : end_of(row)
        axis_high = max(axis_high, axis_low + (v - axis_low) / (1 - min(room / panel_w, 0.8)))
    }
    if (empty) axis_high = 1
    axis_words = empty ? "" : logarithmic ? "log scale" : time_unit(axis_high)
    axis_ns = empty || logarithmic ? 1 : unit_ns
}

# Nanoseconds to pixels of the page.
function pixels(ns)
{
    return panel_left + ((logarithmic ? log10(ns) : ns) - axis_low) / (axis_high - axis_low) * panel_w
}

# Pixels of the page to the axis.
function unpixel(x)
{
    x = axis_low + (x - panel_left) / panel_w * (axis_high - axis_low)
    return logarithmic ? power10(x) : x / axis_ns
}

function axis_file(name,    path, tics)
{
    path = work "/" name ".axis"
    tics = logarithmic ? log_tics() : empty ? "'' -1" : linear_tics(axis_high / axis_ns, panel_w)
    printf "panel_left = %g; panel_right = %g; panel_top = %g; panel_bottom = %g\n", \
        panel_left, panel_right, panel_top, panel_bottom > path
    printf "logarithmic = %d; axis_low = %.8g; axis_high = %.8g; axis_tics = \"(%s)\"\n", \
        logarithmic, unpixel(panel_left), unpixel(panel_right), tics > path
    close(path)
}

function log_tics(    e, step, thirds, list)
{
    step = max(1, ceil((axis_high - axis_low) * 75 / panel_w))
    thirds = step == 1 && axis_high - axis_low < panel_w / 150
    for (e = floor(axis_low); e <= axis_high; e += step) {
        list = log_tic(list, e)
        if (thirds) list = log_tic(list, e + log10(3))
    }
    return list
}

function log_tic(list, e,    ns, unit)
{
    ns = power10(e)
    unit = ns < 999.5e9 ? time_unit(min(ns, 500e9)) : time_unit(1e9)
    return tic(list, ns, (e - axis_low) / (axis_high - axis_low), \
               sprintf("%.6g ", ns / unit_ns) unit, panel_w)
}

# --- The rows ----------------------------------------------------------------------------------

function line_text(row)
{
    if (S[row, "status"] != "ok") return status_text(row)
    return duration(median(row, metric)) (is_alike(row) ? " ≈" : "") \
           (has_outliers(row) ? " °" S[row, "outliers"] : "")
}

# Outliers are of wall times; they are counted in, and said.
function has_outliers(row) { return family == "duration" && S[row, "outliers"] > 0 }

# Does noise hide whether a row differs from the baseline of its group?
function is_alike(row) { return family == "duration" && S[row, "verdict"] == "no difference shown" }

function draw_row(row, y,    v, low)
{
    v = value_of(row)
    if (v == "") {
        label(panel_left + 8, y, kind, "left", "dim", fit(line_text(row), kind, panel_w - 8))
        return
    }
    if (S[row, "status"] == "bound") {
        bound_bar(row, y, bar_h * 1.25)
        return
    }
    if (has_outliers(row)) outliers_seen = 1
    if (is_alike(row)) alike_to = S[row, "baseline"] != "" ? S[row, "baseline"] : "the baseline"
    if (logarithmic) dot(row, v, y)
    else stack(row, v, y)
    low = S[row, metric "_low"]
    if (low != "") {
        intervals_seen = 1
        printf "%.6g\t%.6g\t%.2f\n", \
            max(low / axis_ns, unpixel(panel_left)), S[row, metric "_high"] / axis_ns, y > intervals
    }
    if (ideal_of(row)) {
        ideals_seen = 1
        printf "%.6g\t%.2f\t%.2f\n", \
            ideal_of(row) / axis_ns, y - bar_h / 2 - 3, y + bar_h / 2 + 3 > marks
    }
    label(pixels(end_of(row)) + 9, y, kind, "left", "ink", line_text(row))
}

# A bar from zero; CPU time in two parts, user before system.
function stack(row, v, y,    user, place)
{
    bars_seen = 1
    user = family == "cpu-time" && median(row, "user_ns") != "" ? min(median(row, "user_ns"), v) : v
    place = sprintf("%.2f\t%.2f", y - bar_h / 2, y + bar_h / 2)
    printf "0\t%.6g\t%s\t%d\n", user / axis_ns, place, rank_of(S[row, "strategy"]) > bars
    if (user < v)
        printf "%.6g\t%.6g\t%s\t-%d\n", \
            user / axis_ns, v / axis_ns, place, rank_of(S[row, "strategy"]) > bars
}

# On a logarithmic axis nothing can be stacked: a dot for the whole, a ring for the system's part.
function dot(row, v, y)
{
    dots_seen = 1
    printf "%.6g\t%.2f\t%.6g\n", unpixel(panel_left), y, v > guides
    printf "%.6g\t%.2f\t%d\t7\n", v, y, rank_of(S[row, "strategy"]) > dots
    if (family == "cpu-time" && median(row, "system_ns") > unpixel(panel_left))
        printf "%.6g\t%.2f\t%d\t6\n", median(row, "system_ns"), y, rank_of(S[row, "strategy"]) > dots
}

# An open, hatched bar as long as the bound that kept the cell from being run; its words stand in it
# where they fit.
function bound_bar(row, y, high,    v, end, words, x, to)
{
    v = value_of(row)
    end = pixels(v)
    words = line_text(row)
    printf "%.6g\t%.6g\t%.2f\t%.2f\n", \
        unpixel(panel_left), v / axis_ns, y - high / 2, y + high / 2 > bounds
    x = panel_left
    if (end - x >= width(words, kind) + 20) {
        label(x + 8, y, kind, "left", "ink", words)
        x += width(words, kind) + 18
    } else
        label(end + 9, y, kind, "left", "ink", fit(words, kind, panel_right - end - 9))
    for (; x < end - 1; x += 8) {
        to = min(x + high, end)
        printf "%.8g\t%.2f\t%.8g\t%.2f\n", \
            unpixel(x), y + high / 2, unpixel(to), y + high / 2 - (to - x) > hatches
    }
}

# --- The legend --------------------------------------------------------------------------------

function legend(y,    x)
{
    x = MARGIN
    if (bars_seen) {
        rectangle(x, y - 8, x + 30, y + 8, "dim")
        x = legend_text(x + 38, y, family == "duration" ? "median" : "user")
    }
    if (bars_seen && family == "cpu-time") {
        rectangle(x, y - 8, x + 30, y + 8, "pale(dim)")
        x = legend_text(x + 38, y, "system")
    }
    if (dots_seen) {
        point(x + 8, y, 7, "dim")
        x = legend_text(x + 22, y, family == "cpu-time" ? "user + system" : \
                                   bars_seen ? "median, on a log scale" : "median")
    }
    if (dots_seen && family == "cpu-time") {
        point(x + 8, y, 6, "dim")
        x = legend_text(x + 22, y, "of which system")
    }
    if (ideals_seen) {
        segment(x + 6, y - 12, x + 6, y + 12, "ink", 3)
        x = legend_text(x + 18, y, "ideal (computed)")
    }
    if (intervals_seen) {
        segment(x, y, x + 30, y, "ink", 1.5)
        segment(x, y - 6, x, y + 6, "ink", 1.5)
        segment(x + 30, y - 6, x + 30, y + 6, "ink", 1.5)
        x = legend_text(x + 40, y, "95 % interval")
    }
    if (noises_seen) x = legend_text(x, y, "±: noise floor")
    if (alike_to != "") x = legend_text(x, y, "≈ no difference to " alike_to " shown")
    if (outliers_seen) legend_text(x, y, "°2: two outliers among them")
}

function legend_text(x, y, words)
{
    label(x, y, "body", "left", "ink", words)
    return x + width(words, "body") + 30
}
