# The lanes of a timeline: what a task's states look like, wherever they are drawn. A chart opens the
# tables boxes, hatches, outlines and ends (see timeline.gp), and sets `pixel`: how much x a pixel is.

# Reads the trial of a row of T into E[1.., column]; returns how many.
function read_trial(row,    n)
{
    split("", E)
    n = csv_read(dir "/timelines/" T[row, "file"], E)
    if (n < 0) die("cannot read timelines/" T[row, "file"])
    return n
}

# What a state looks like between x0 and x1: in a bar from `top` to `foot`; the ideal in a slim lane
# of its own, from there to `ghost`. States differ in height, too, for print in grey.
function shape(state, x0, x1, top, foot, ghost,    middle, half, slim)
{
    middle = (top + foot) / 2
    half = (foot - top) / 2
    slim = max((ghost - foot) * 0.68, 2)
    if (state == "running") box(x0, x1, top, foot, "running")
    else if (state == "waiting") box(x0, x1, middle - half * 0.22, middle + half * 0.22, "waiting")
    else if (state == "creating") box(x0, x1, middle - half * 0.5, middle + half * 0.5, "creating")
    else if (state == "ready") {
        box(x0, x1, middle - half * 0.75, middle + half * 0.75, "ready_fill")
        edge(x0, x1, middle - half * 0.75, middle + half * 0.75, "ready")
    } else if (state == "ready-preempted") {
        box(x0, x1, middle - half * 0.75, middle + half * 0.75, "preempted_fill")
        hatch(x0, x1, middle - half * 0.75, middle + half * 0.75, "preempted")
        edge(x0, x1, middle - half * 0.75, middle + half * 0.75, "preempted")
    } else if (state == "ready-lock") {
        box(x0, x1, middle - half * 0.75, middle + half * 0.75, "lock_fill")
        uprights(x0, x1, middle - half * 0.75, middle + half * 0.75, "lock")
        edge(x0, x1, middle - half * 0.75, middle + half * 0.75, "lock")
    } else if (state == "ideal-running") {
        box(x0, x1, ghost - slim, ghost, "ideal_fill")
        edge(x0, x1, ghost - slim, ghost, "ideal")
    } else if (state == "ideal-waiting") {
        half = min(0.6, slim * 0.12)
        box(x0, x1, ghost - slim / 2 - half, ghost - slim / 2 + half, "ideal")
    }
}

# The shapes go to the tables of the lanes, or straight onto the page for the legend. `pixel` is how
# much x a pixel is.
function box(x0, x1, y0, y1, colour)
{
    if (on_page) rectangle(x0, y0, x1, y1, colour)
    else printf "%.8g\t%.8g\t%.2f\t%.2f\t%s\n", x0, x1, y0, y1, colour > boxes
}

# An outline, where there is room for one.
function edge(x0, x1, y0, y1, colour)
{
    if (on_page) outline(x0, y0, x1, y1, colour)
    else if (x1 - x0 < 3 * pixel) box(x0, x1, y0, y1, colour)
    else
        printf "%.8g\t%.8g\t%.2f\t%.2f\t%s\n", \
            x0 + 0.75 * pixel, x1 - 0.75 * pixel, y0 + 0.75, y1 - 0.75, colour > outlines
}

# Diagonal strokes, for the patterns of gnuplot's terminals differ.
function hatch(x0, x1, y0, y1, colour,    high, wide, s, from, to)
{
    high = y1 - y0
    wide = (x1 - x0) / pixel
    for (s = 7 - high; s < wide; s += 7) {
        from = max(s, 0)
        to = min(s + high, wide)
        if (to > from)
            stroke(x0 + from * pixel, y1 - (from - s), x0 + to * pixel, y1 - (to - s), colour)
    }
}

# Upright strokes.
function uprights(x0, x1, y0, y1, colour,    x)
{
    for (x = x0 + 6 * pixel; x < x1 - 2 * pixel; x += 6 * pixel) stroke(x, y0, x, y1, colour)
}

function stroke(x0, y0, x1, y1, colour)
{
    if (on_page) segment(x0, y0, x1, y1, colour, 1.5)
    else printf "%.8g\t%.2f\t%.8g\t%.2f\t%s\n", x0, y0, x1, y1, colour > hatches
}

# The shapes of the lanes, as far as they occur: on one line about y, or, where `room` is too small,
# on two, the second one for what is no state.
function lanes_legend(y, room,    n, i, list, words, x, used, row_y)
{
    if (room == "") room = PAGE_W - 2 * MARGIN
    n = split("running|running;ready|ready: awaits its turn;ready-lock|ready: awaits the lock;" \
              "ready-preempted|ready: pre-empted;waiting|waiting;creating|being created;" \
              "ideal-running|ideal (computed);ideal-end|end of the ideal (computed);" \
              "cores|which task a core ran", list, ";")
    for (i = 1; i <= n; i++) {
        split(list[i], words, "|")
        if (words[1] in state_seen) used += legend_width(words)
    }
    row_y = used - 24 <= room ? y : y - 14
    x = MARGIN
    on_page = pixel = 1
    for (i = 1; i <= n; i++) {
        split(list[i], words, "|")
        if (!(words[1] in state_seen)) continue
        if (row_y < y && (words[1] ~ /^(ideal|cores)/ || x + legend_width(words) - 24 > MARGIN + room)) {
            x = MARGIN
            row_y = y + 14
        }
        legend_shape(words[1], x, row_y, row_y == y ? 12 : 10)
        label(x + 50, row_y, "body", "left", "ink", words[2])
        x += legend_width(words)
    }
    on_page = 0
}

function legend_width(words) { return 50 + width(words[2], "body") + 24 }

# What stands for a state in the legend: 40 pixels from x on, and up to `half` above and below y.
function legend_shape(state, x, y, half,    i)
{
    if (state == "ideal-running") {
        shape("ideal-running", x, x + 16, 0, y - 7, y + 4)
        shape("ideal-waiting", x + 16, x + 26, 0, y - 7, y + 4)
        shape("ideal-running", x + 26, x + 40, 0, y - 7, y + 4)
    } else if (state == "ideal-end") {
        box(x + 18.5, x + 21.5, y - half, y + half, "ideal")
    } else if (state == "cores") {
        for (i = 0; i < 3; i++) {
            box(x + i * 13.5, x + i * 13.5 + 13, y - 9, y + 9, core_shade(i))
            label(x + i * 13.5 + 6.5, y, "small", "center", "on_" core_shade(i), i + 1)
        }
    } else
        shape(state, x, x + 40, y - half, y + half, 0)
}

# --- Lanes per core ----------------------------------------------------------------------------

# The cores of a list such as 0-1+4, into core[1..]; returns how many.
function core_numbers(list, core,    part, bounds, n, i, c, found)
{
    split("", core)
    n = split(list, part, /[+,]/)
    for (i = 1; i <= n; i++) {
        if (part[i] !~ /^[0-9]+(-[0-9]+)?$/) return 0
        if (split(part[i], bounds, "-") < 2) bounds[2] = bounds[1]
        for (c = bounds[1] + 0; c <= bounds[2] + 0; c++) core[++found] = c
    }
    return found + 0
}

# The shade of a task, which differs from those before and after it.
function core_shade(task) { return "core_" substr("abcd", task % 4 + 1, 1) }

# Adds to used[] the cores that the trial in E[1..n] ran on; returns whether all of them are known.
function cores_used(n, used,    i, known)
{
    known = 1
    for (i = 1; i <= n; i++) {
        if (E[i, "state"] != "running") continue
        if (E[i, "cpu"] == "") known = 0
        else used[E[i, "cpu"]] = 1
    }
    return known
}

# Which tasks of the trial in E[1..n] ran on core `cpu`, in a lane from y to `foot`, whose x begins at
# page pixel `left`. Pieces that less than a pixel parts are one. x is in units of `axis` ns.
function core_lane(n, cpu, y, foot, left, axis,    i, task, from, to)
{
    task = ""
    for (i = 1; i <= n; i++) {
        if (E[i, "state"] != "running" || E[i, "cpu"] != cpu) continue
        if (E[i, "task"] != task || E[i, "start_ns"] / axis - to > pixel) {
            if (task != "") core_piece(task, from, to, y, foot, left)
            task = E[i, "task"]
            from = E[i, "start_ns"] / axis
        }
        to = E[i, "end_ns"] / axis
    }
    if (task != "") core_piece(task, from, to, y, foot, left)
}

# A piece of a task on a core, with its number where that fits.
function core_piece(task, from, to, y, foot, left,    kind)
{
    to = max(to, from + pixel) # a hair at least
    box(from, to > from + 3 * pixel ? to - 0.75 * pixel : to, y, foot, core_shade(task))
    kind = "strong"
    if (foot - y < size[kind] || width(task + 1, kind) > (to - from) / pixel - 3) kind = "small"
    if (foot - y >= size[kind] && width(task + 1, kind) <= (to - from) / pixel - 3)
        label(left + (from + to) / 2 / pixel, (y + foot) / 2, kind, "center", "on_" core_shade(task), \
              task + 1)
}

# --- How it was traced -------------------------------------------------------------------------

# How the trials in block_row[1..blocks] were traced, and what that costs (the worst ratio, unless the
# chart itself shows them all); then the numbers of their cells, summary_row[1..shown].
function tracing_note(shows_ratios)
{
    return tracing_words(shows_ratios) " · " statistics_note("wall_ns", summary_row, shown) \
           " · max stretch: a task's time ÷ its time alone"
}

function tracing_words(shows_ratios,    i, row, few, many, n, dropped, cost, price, worst, note)
{
    few = 1e9
    for (i = 1; i <= blocks; i++) {
        row = block_row[i]
        n = trials_traced(row)
        few = min(few, n)
        many = max(many, n)
        dropped += T[row, "trace_dropped"]
        cost = max(cost, T[row, "trace_event_ns"])
        if (T[row, "traced_ratio"] != "" && (!worst || \
            absolute(T[row, "traced_ratio"] - 1) > absolute(T[worst, "traced_ratio"] - 1)))
            worst = row
    }
    note = "drawn: the median of " (few == many ? plural(few, "traced trial") : few "–" many " traced trials") " · "
    note = note (inferred() == "" ? "kernel switch records" : inferred())
    price = "tracing: " (cost == "" ? "?" : cost) " ns per event, " (dropped + 0) " dropped"
    gsub(/ /, "\302\240", price) # stays on one line
    note = note " · " price
    if (worst && !shows_ratios)
        note = note ", traced ÷ untraced wall time: " (blocks > 1 ? "worst " : "") \
               traced_ratio(worst) ", " T[worst, "strategy"]
    return note
}

# Says which of the drawn trials lack the kernel's records; "" when none does.
function inferred(    i, n, names)
{
    for (i = 1; i <= blocks; i++)
        if (T[block_row[i], "switch_source"] ~ /gaps/) {
            n++
            names = names (names == "" ? "" : ", ") T[block_row[i], "strategy"]
        }
    if (!n) return ""
    return "without perf" (n < blocks ? " (" names ")" : "") \
           ": pre-emption and cores inferred from checkpoints"
}

# How much longer a cell's trials take when they are traced, with its interval or why there is none.
function traced_ratio(row,    n)
{
    if (T[row, "traced_ratio"] == "") return "?"
    if (T[row, "traced_ratio_low"] != "")
        return sprintf("%.3f (%.3f–%.3f)", T[row, "traced_ratio"], T[row, "traced_ratio_low"], \
                       T[row, "traced_ratio_high"])
    return sprintf("%.3f, no interval: %s", T[row, "traced_ratio"], \
                   plural(trials_traced(row), "traced trial"))
}

# How many trials of a row's cell were traced: those whose files stand beside it.
function trials_traced(row,    stem, path, round, line, found)
{
    stem = dir "/timelines/" T[row, "file"]
    sub(/[0-9]+\.csv$/, "", stem)
    for (round = 0; round <= 99; round++) {
        path = stem round ".csv"
        if ((getline line < path) <= 0) continue
        found++
        close(path)
    }
    return found + 0
}
