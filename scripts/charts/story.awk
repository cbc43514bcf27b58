# Prepares the story: a page for each step of the talk, from summary.csv and the timelines. A page is
# a title, what the figure shows, and one or more panels (story.gp). What cannot be drawn for want of
# a cell becomes a card with the reason, and a row or a strip that is missing among others says why.
#
# Titles say what to look at; whether it is so is in the figure, in the numbers and in the captions,
# which are made from the measurements.

BEGIN {
    read_style(charts "/story.gp")
    STEPS = 22
    LEFT = 292    # of panels with names beside them, in pixels
    AXIS = 66     # below a panel
    GAP = 20      # between strips
    LEGEND = 52

    read_summary()
    for (i = 1; i <= rows; i++) row_of[S[i, "cell"]] = i
    traced = csv_read(dir "/timelines/index.csv", T)
    for (i = 1; i <= traced; i++) trace_of[T[i, "cell"]] = i
    bar_ns = longest("cpu-4-one-bars-sequential mixed-4-one-sequential mixed-4-one-coroutine " \
                     "mixed-4-one-pthreads")

    one_task()
    four_tasks()
    one_mixed()
    four_mixed()
    ideal()
    pool()
    memory("07", "fork", "process-memory", "What a worker process costs", "process")
    results()
    parallel()
    memory("10", "pthreads", "thread-memory", "What a thread costs", "thread")
    global_lock()
    real_switches()
    preempted()
    crowds()
    cooperative()
    memory_of_each()
    rude()
    sleeps()
    nested()
    fetch()
    cores_and_tasks()
    million()
}

# --- What there is -----------------------------------------------------------------------------

# Why a cell has no numbers, or, when `timeline`, nothing to draw lanes from; "" when all is there.
function missing(cell, timeline)
{
    if (!(cell in row_of)) return "this run has no cell " cell
    if (S[row_of[cell], "status"] != "ok") return cell ": " status_text(row_of[cell])
    if (timeline && !(cell in trace_of)) return cell ": no timeline was recorded"
    return ""
}

# The median of a metric of a cell, 0 when unknown.
function of(cell, metric) { return missing(cell) == "" ? median(row_of[cell], metric) + 0 : 0 }

# "4.0 times" of the wall times of two cells; "" when one is unknown.
function times(cell, other, metric,    a, b)
{
    if (metric == "") metric = "wall_ns"
    a = of(cell, metric)
    b = of(other, metric)
    return a > 0 && b > 0 ? factor(a / b) : ""
}

function factor(x) { return sprintf(x < 1.995 ? "%.2f" : x < 9.95 ? "%.1f" : "%.0f", x) " times" }

# `words` when `known`, else nothing: for captions.
function when(known, words) { return known != "" && known != 0 ? words : "" }

# The longest wall time of the drawn trials of these cells.
function longest(cells,    list, n, i, most)
{
    n = split(cells, list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] in trace_of) most = max(most, T[trace_of[list[i]], "wall_ns"])
    return most
}

# --- The page ----------------------------------------------------------------------------------

# Begins step `number` ("07"): its title and up to two lines of what is to be seen.
function step_begin(number, slug, title, words, notes,    y, n, i, lines)
{
    figure = number "-" slug
    y = page_open(figure, "story", title)
    label(PAGE_W - MARGIN, y + 44, "body", "right", "dim", number + 0 " / " STEPS)
    label(MARGIN, y + 44, "title", "left", "ink", fit(title, "title", PAGE_W - 2 * MARGIN - 110))
    n = wrap(words, "body", PAGE_W - 2 * MARGIN, 2, lines)
    for (i = 1; i <= n; i++)
        label(MARGIN, y + 94 + 32 * (i - 1), "body", "left", "dim", lines[i])
    page_top = y + 94 + 32 * max(n, 1)
    page_foot(notes)
    panels = 0
}

function step_end()
{
    printf "panels = %d\n", panels > page
    close(page)
}

# A step that cannot be drawn.
function card(number, slug, title, reason,    n, i, lines, middle)
{
    step_begin(number, slug, title, "")
    middle = (page_top + page_bottom) / 2
    rectangle(MARGIN, middle - 130, PAGE_W - MARGIN, middle + 130, "panel")
    label(PAGE_W / 2, middle - 70, "head", "center", "ink", "This step was not measured")
    n = wrap(reason, "body", PAGE_W - 8 * MARGIN, 4, lines)
    for (i = 1; i <= n; i++)
        label(PAGE_W / 2, middle - 18 + 34 * (i - 1), "body", "center", "dim", lines[i])
    step_end()
}

# Opens panel ++panels: where it is, its kind, and the range and tics of x.
function panel_begin(kind, left, right, top, bottom, low, high, tics, is_log)
{
    axis_file = work "/" figure "." ++panels ".axis"
    panel_left = left; panel_right = right; panel_top = top; panel_bottom = bottom
    printf "kind = '%s'; x_log = %d; y_log = 0; lines = 0\n", kind, is_log + 0 > axis_file
    printf "panel_left = %g; panel_right = %g; panel_top = %g; panel_bottom = %g\n", \
        left, right, top, bottom > axis_file
    printf "x_low = %.8g; x_high = %.8g; x_tics = \"(%s)\"\n", low, high, tics > axis_file
    printf "y_low = %g; y_high = %g\n", bottom, top > axis_file
    if (kind == "lanes") {
        boxes = table_begin(figure "." panels, "boxes")
        hatches = table_begin(figure "." panels, "hatches")
        outlines = table_begin(figure "." panels, "outlines")
        ends = table_begin(figure "." panels, "ends")
    } else
        points = table_begin(figure "." panels, "points")
}

function panel_end()
{
    close(axis_file)
    close(boxes); close(hatches); close(outlines); close(ends); close(points)
}

# --- Strips of lanes ---------------------------------------------------------------------------

# Adds a strip to the next figure: the trial of a cell, seen by its tasks, cores or workers, or the
# ideal computed from it. `ghost`: the ideal as well. `margin`: what stands beside each lane.
function strip(cell, seen_by, name, note, ghost, margin)
{
    strip_cell[++strips] = cell
    strip_by[strips] = seen_by
    strip_name[strips] = name
    strip_note[strips] = note
    strip_ghost[strips] = ghost
    strip_margin[strips] = margin
    strip_why[strips] = missing(cell, 1)
}

function count_lanes(i,    n, k, most)
{
    if (strip_why[i] != "") return 0.7
    if (strip_by[i] == "cores") return cpu_count(T[trace_of[strip_cell[i]], "cpus"])
    if (strip_by[i] == "workers") return S[row_of[strip_cell[i]], "workers"]
    return T[trace_of[strip_cell[i]], "tasks"]
}

# Draws the strips that were added. Time goes to `until` ns, or as far as they need. `below`: room
# to leave for other panels, whose drawing then ends the step. Returns 0 when there is only a card.
function lanes_figure(number, slug, title, words, until, below,
                      i, y, lane, sum, space, usable, reasons, margin, room)
{
    blocks = shown = 0
    for (i = 1; i <= strips; i++) {
        sum += strip_lanes[i] = count_lanes(i)
        if (strip_by[i] ~ /cores|workers/) sum += 0.35
        if (strip_margin[i] != "") margin = strip_margin[i]
        if (strip_why[i] != "") {
            reasons = reasons (reasons == "" ? "" : "; ") strip_why[i]
            continue
        }
        usable++
        block_row[++blocks] = trace_of[strip_cell[i]]
        summary_row[++shown] = row_of[strip_cell[i]]
    }
    if (!usable) {
        card(number, slug, title, reasons)
        strips = 0
        return 0
    }
    step_begin(number, slug, title, words, tracing_note())
    right = margin != "" ? 1440 : PAGE_W - MARGIN - 6
    lanes_top = page_top + LEGEND
    space = page_bottom - AXIS - below - lanes_top - (strips - 1) * GAP
    lane = min(130, space / sum)
    if (!until) for (i = 1; i <= blocks; i++) until = max(until, T[block_row[i], "wall_ns"])
    room = width("9999 ms", "head") + 20
    until *= (right - LEFT) / (right - LEFT - room)
    lanes_bottom = lanes_top + lane * sum + (strips - 1) * GAP
    time_panel(LEFT, right, lanes_top, lanes_bottom, 0, until)
    split("", state_seen)
    y = lanes_top
    for (i = 1; i <= strips; i++) {
        space = lane * (strip_lanes[i] + (strip_by[i] ~ /cores|workers/ ? 0.35 : 0))
        draw_strip(i, y, space, space / strip_lanes[i])
        y += space + GAP
    }
    panel_end()
    if (margin != "") label((right + PAGE_W) / 2, lanes_top - 24, "body", "center", "dim", margin)
    lanes_legend(page_top + 18)
    strips = 0
    if (!below) step_end()
    return 1
}

# A panel of lanes whose x is time, from one moment to another, in ns.
function time_panel(left, right, top, bottom, from, to,    words)
{
    words = time_unit(to - from)
    axis_ns = unit_ns
    axis_from = from
    panel_begin("lanes", left, right, top, bottom, 0, (to - from) / axis_ns, \
                linear_tics((to - from) / axis_ns, right - left))
    pixel = (to - from) / axis_ns / (right - left)
    label(right, bottom + 52, "body", "right", "dim", \
          from ? words : "time since the trial began (" words ")")
}

function axis_time(ns) { return (ns - axis_from) / axis_ns }

# A strip from y downwards, `high` pixels in all.
function draw_strip(i, y, high, lane,    lines, n, k, row, wall)
{
    rectangle(LEFT, y - 4, panel_right, y + high + 4, "panel")
    n = wrap(strip_note[i], "body", LEFT - MARGIN - (strip_by[i] == "cores" ? 100 : 54), 4, lines)
    n = min(n, max(0, int((high - 26) / 28)))
    label(MARGIN + 6, y + high / 2 - 14 * n, "head", "left", "ink", \
          fit(strip_name[i], "head", LEFT - MARGIN - 40))
    for (k = 1; k <= n; k++)
        label(MARGIN + 6, y + high / 2 - 14 * n + 30 * k, "body", "left", "dim", lines[k])
    if (strip_why[i] != "") {
        label(LEFT + 14, y + high / 2, "body", "left", "dim", \
              fit(strip_why[i], "body", panel_right - LEFT - 28))
        return
    }
    row = trace_of[strip_cell[i]]
    trial_rows = read_trial(row)
    if (strip_by[i] == "tasks") by_tasks(i, y, lane)
    else if (strip_by[i] == "ideal") by_ideal(y, lane)
    else by_places(i, y, lane)
    if (lane >= 20)
        for (k = 1; k <= strip_lanes[i]; k++)
            label(LEFT - 8, y + (k - 0.5) * lane, "body", "right", "dim", \
                  strip_by[i] == "cores" ? "core " k : k)
    wall = strip_by[i] == "ideal" ? T[row, "ideal_ns"] : T[row, "wall_ns"]
    printf "%.6g\t%.1f\t%.6g\t%.1f\tink\n", \
        axis_time(wall), y - 4, axis_time(wall), y + high + 4 > ends
    label(LEFT + axis_time(wall) / pixel + 10, y + high / 2, "head", "left", "ink", duration(wall))
}

# A lane per task; with the ideal in a slim lane below each, where asked for.
function by_tasks(i, y, lane,    k, top, foot, x0, x1)
{
    foot = strip_ghost[i] ? 0.66 : 0.88
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] ~ /^ideal/ && !strip_ghost[i]) continue
        top = y + E[k, "task"] * lane
        x0 = axis_time(E[k, "start_ns"])
        x1 = axis_time(E[k, "end_ns"])
        if (E[k, "state"] == "running") x1 = max(x1, x0 + 2 * pixel) # a hair at least
        shape(E[k, "state"], x0, x1, top + lane * 0.08, top + lane * foot, top + lane * 0.98)
        state_seen[E[k, "state"]] = 1
    }
    if (strip_margin[i] != "") margins(i, y, lane)
}

# Beside each lane: the task's stretch, or how much later it ended than it would have alone.
function margins(i, y, lane,    k, t, first, last, alone, value)
{
    for (k = 1; k <= trial_rows; k++) {
        t = E[k, "task"]
        if (E[k, "state"] ~ /^ideal/) alone[t] += E[k, "end_ns"] - E[k, "start_ns"]
        else {
            if (E[k, "state"] == "running" && (!(t in first) || E[k, "start_ns"] < first[t]))
                first[t] = E[k, "start_ns"]
            last[t] = max(last[t], E[k, "end_ns"])
        }
    }
    for (t = 0; t < strip_lanes[i]; t++) {
        if (!alone[t]) continue
        value = strip_margin[i] == "stretch" ? "×" three((last[t] - first[t]) / alone[t]) : \
                duration(max(0, last[t] - alone[t]))
        label((panel_right + PAGE_W) / 2, y + (t + 0.5) * lane, lane > 34 ? "head" : "strong", \
              "center", "ink", value)
    }
}

# The computed schedule, as large as a measured one.
function by_ideal(y, lane,    k, top)
{
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] !~ /^ideal/) continue
        top = y + E[k, "task"] * lane
        if (E[k, "state"] == "ideal-running")
            box(axis_time(E[k, "start_ns"]), axis_time(E[k, "end_ns"]), top + lane * 0.08, \
                top + lane * 0.88, "ideal")
        else
            box(axis_time(E[k, "start_ns"]), axis_time(E[k, "end_ns"]), top + lane * 0.45, \
                top + lane * 0.51, "ideal")
        state_seen[E[k, "state"]] = 1
    }
}

# A lane per core, or per worker: what it was doing, with the number of the task.
function by_places(i, y, lane,    k, place, top, x0, x1, named, task, by_worker)
{
    by_worker = strip_by[i] == "workers"
    if (by_worker) assign_workers(strip_lanes[i])
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] !~ (by_worker ? "^(running|ready|waiting)" : "^running$")) continue
        task = E[k, "task"]
        place = by_worker ? worker[task] : core_place(T[trace_of[strip_cell[i]], "cpus"], E[k, "cpu"])
        if (place == "" || place >= strip_lanes[i]) continue
        x0 = axis_time(E[k, "start_ns"])
        x1 = axis_time(E[k, "end_ns"])
        top = y + place * lane
        shape(E[k, "state"], x0, x1, top + lane * 0.08, top + lane * 0.88, 0)
        state_seen[E[k, "state"]] = 1
        if (lane < 22 || (by_worker && task in named) || \
            E[k, "state"] != "running" || (x1 - x0) / pixel < 22) continue
        named[task] = 1
        label(LEFT + (x0 + x1) / 2 / pixel, top + lane * 0.48, \
              lane > 34 ? "head" : "strong", "center", "paper", task + 1)
    }
}

# The place of a core in a list such as 0-3.
function core_place(list, cpu,    part, bounds, n, k, place)
{
    n = split(list, part, /[+,]/)
    for (k = 1; k <= n; k++) {
        if (split(part[k], bounds, "-") < 2) bounds[2] = bounds[1]
        if (cpu >= bounds[1] && cpu <= bounds[2]) return place + cpu - bounds[1]
        place += bounds[2] - bounds[1] + 1
    }
    return ""
}

# Which worker took which task, inferred from when the tasks ran: a worker takes its next one when
# it has ended the last.
function assign_workers(workers,    k, t, n, first, last, free, best, w, order, j)
{
    split("", worker)
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] !~ /^(running|ready|waiting)/) continue
        t = E[k, "task"]
        if (!(t in first)) first[t] = E[k, "start_ns"]
        first[t] = min(first[t], E[k, "start_ns"])
        last[t] = max(last[t], E[k, "end_ns"])
    }
    for (t in first) {
        for (j = ++n; j > 1 && first[order[j - 1]] > first[t]; j--) order[j] = order[j - 1]
        order[j] = t
    }
    for (k = 1; k <= n; k++) {
        t = order[k]
        best = ""
        for (w = 0; w < workers; w++)
            if (free[w] <= first[t] && (best == "" || free[w] > free[best])) best = w
        if (best == "") for (w = best = 0; w < workers; w++) if (free[w] < free[best]) best = w
        if (!free[best]) for (w = 0; w < workers; w++) if (!free[w]) { best = w; break }
        worker[t] = best
        free[best] = last[t]
    }
}

# --- D1 to D6: bars and gaps -------------------------------------------------------------------

function one_task()
{
    strip("cpu-1-one-bars-sequential", "tasks", "one task", "it computes from beginning to end")
    lanes_figure("01", "one-task", "One task", \
                 "Time runs from left to right. A bar is a core at work for the task.", bar_ns)
}

function four_tasks(    x)
{
    x = times("cpu-4-one-bars-sequential", "cpu-1-one-bars-sequential")
    strip("cpu-4-one-bars-sequential", "tasks", "sequential", "one after another, on one core")
    lanes_figure("02", "four-tasks", "Four tasks, one after another", \
                 when(x, "Together they took " x " as long as one of them alone (medians). ") \
                 "Those at the bottom have waited most of the time for their turn.", bar_ns)
}

function one_mixed(    x)
{
    x = times("mixed-1-one-sequential", "cpu-1-one-bars-sequential")
    strip("mixed-1-one-sequential", "tasks", "one task", "it computes, waits, computes, waits, computes")
    lanes_figure("03", "one-mixed", "A real task is full of gaps", \
                 "Thick: it computes. Thin: it waits for a disk, a server, a user, and needs no " \
                 "core for that." when(x, " The whole took " x " as long as the solid bar."), bar_ns)
}

function four_mixed(    x)
{
    x = times("mixed-4-one-sequential", "mixed-1-one-sequential")
    strip("mixed-4-one-sequential", "tasks", "sequential", "one after another, on one core")
    lanes_figure("04", "four-mixed", "Four such tasks, one after another", \
                 "The core has nothing to do in every gap, and nobody makes use of it" \
                 when(x, ": still " x " as long as one of them alone (medians)") ".", bar_ns)
}

function ideal(    a, b)
{
    a = of("mixed-4-one-sequential", "wall_ns")
    b = of("mixed-4-one-sequential", "ideal_ns")
    strip("mixed-4-one-sequential", "ideal", "ideal", "computed, not measured; the same four tasks, one core")
    lanes_figure("05", "ideal", "What could be: the gaps filled", \
                 "Computed, not measured: whenever a task waits, the next one gets the core, at no " \
                 "cost." when(a && b, " It would take " factor(b / (a ? a : 1)) " as long."), bar_ns)
}

function pool(    k, n, w, list, words, a, b)
{
    n = split("4 2,4 4,8 2,8 4", list, ",")
    for (k = 1; k <= n; k++) {
        split(list[k], w, " ")
        strip("mixed-" w[1] "-one-" w[2] "-workers-process-pool", "workers", w[2] " workers", w[1] " tasks")
    }
    a = of("mixed-8-one-2-workers-process-pool", "wall_ns")
    b = of("mixed-8-one-2-workers-coroutine", "wall_ns")
    if (a && b)
        words = " Eight tasks took two workers " factor(a / b) " as long as one loop that takes them all."
    lanes_figure("06", "pool", "Workers that take one task at a time", \
                 "A lane is a worker process (inferred from the times), the number is its task. While " \
                 "that waits (thin), the worker does nothing else." words)
}

# --- D7, D10, D16: memory ----------------------------------------------------------------------

# How far a bar of memory reaches.
function memory_end(cell) { return max(of(cell, "memory_bytes"), of(cell, "cgroup_bytes")) }

function memory_scale(    most, n, list, i)
{
    n = split("fork pthreads coroutine", list, " ")
    for (i = 1; i <= n; i++) most = max(most, memory_end("sleep-100-one-workers-" list[i]))
    return most
}

function memory_note(cells, n,    i, used)
{
    for (i = 1; i <= n; i++) if (cells[i] in row_of) used[i] = row_of[cells[i]]
    return "PSS of the process tree, by kind, and what the kernel spends on it; all tasks alive · " \
           statistics_note("memory_bytes", used, n)
}

# Rows of stacked bars: cells[1..n], named names[]; all on the scale of D7.
function memory_rows(number, slug, title, words, cells, names, notes, n,
                     i, top, bottom, row_h, high, y, reasons, usable, unit, x)
{
    for (i = 1; i <= n; i++) {
        if (missing(cells[i]) == "") usable++
        else reasons = reasons (reasons == "" ? "" : "; ") missing(cells[i])
    }
    if (!usable) {
        card(number, slug, title, reasons)
        return
    }
    step_begin(number, slug, title, words, memory_note(cells, n))
    kinds_legend(page_top + 18)
    top = page_top + LEGEND
    bottom = page_bottom - AXIS
    row_h = min(150, (bottom - top) / n)
    bottom = top + n * row_h
    high = memory_scale() * 1.16
    unit = byte_unit(high)
    axis_ns = unit_bytes
    axis_from = 0
    panel_begin("lanes", LEFT, PAGE_W - MARGIN - 6, top, bottom, 0, high / unit_bytes, \
                linear_tics(high / unit_bytes, PAGE_W - MARGIN - 6 - LEFT))
    pixel = high / unit_bytes / (panel_right - LEFT)
    label(panel_right, bottom + 52, "body", "right", "dim", "memory of the whole process tree (" unit ")")
    for (i = 1; i <= n; i++) {
        y = top + (i - 0.5) * row_h
        label(LEFT - 16, y - (notes[i] != "" ? 14 : 0), "head", "right", "ink", names[i])
        label(LEFT - 16, y + 16, "body", "right", "dim", notes[i])
        if (missing(cells[i]) != "") {
            label(LEFT + 14, y, "body", "left", "dim", \
                  fit(missing(cells[i]), "body", panel_right - LEFT - 28))
            continue
        }
        memory_bar(row_of[cells[i]], y, row_h * 0.34)
        x = LEFT + memory_end(cells[i]) / axis_ns / pixel + 18
        label(x, y, "head", "left", "ink", bytes_text(of(cells[i], "memory_bytes")))
    }
    panel_end()
    step_end()
}

function memory_bar(row, y, half,    k, x, value, charged)
{
    for (k = 1; k <= KINDS; k++) {
        value = median(row, KIND_METRIC[k]) / axis_ns
        if (value > 0) box(x, x + value, y - half, y + half, KIND[k])
        x += value
    }
    charged = median(row, "cgroup_bytes")
    if (charged != "") point(LEFT + charged / axis_ns / pixel, y, 13, "ink")
}

# What one more task takes, as the summary fitted it; "" when unknown.
function slope(cell,    row)
{
    if (missing(cell) != "") return ""
    row = row_of[cell]
    if (S[row, "memory_per_task_bytes"] == "") return ""
    if (S[row, "memory_per_task_low"] != "" && S[row, "memory_per_task_low"] <= 0)
        return "under " bytes_text(S[row, "memory_per_task_high"])
    return bytes_text(max(S[row, "memory_per_task_bytes"], 0))
}

function memory(number, strategy, slug, title, what,    list, n, i, cells, names, notes, each)
{
    n = split("1 20 40 60 80 100", list, " ")
    for (i = 1; i <= n; i++) {
        cells[i] = "sleep-" list[i] "-one-workers-" strategy
        names[i] = list[i]
    }
    names[1] = "1 " what
    each = slope(cells[1])
    memory_rows(number, slug, title, \
                "Memory by kind, while the workers are added and all of them wait." \
                when(each, " One more " what " takes " each ", blue for itself and orange for the " \
                     "kernel's part.") \
                (number == "10" ? " On the scale of the figure for processes." : ""), \
                cells, names, notes, n)
}

function memory_of_each(    n, i, list, cells, names, notes, each)
{
    n = split("fork pthreads coroutine", list, " ")
    for (i = 1; i <= n; i++) {
        cells[i] = "sleep-100-one-workers-" list[i]
        names[i] = list[i]
        each = slope("sleep-1000-one-memory-" list[i])
        if (each == "") each = slope(cells[i])
        notes[i] = when(each, each " each")
    }
    memory_rows("16", "coroutine-memory", "A hundred waiting tasks: processes, threads, coroutines", \
                "The same scale as before. Coroutines share one process, one thread and one stack; " \
                "what one more of them adds stands below its name.", cells, names, notes, n)
}

# --- D9, D11 to D13, D15, D17, D19 to D21: who ran when ----------------------------------------

function parallel(    k, x)
{
    for (k = 1; k <= 4; k *= 2)
        strip("cpu-4-all-" plural_worker(k) "-process-pool", "cores", k (k == 1 ? " worker" : " workers"), \
              "four tasks that compute")
    x = times("cpu-4-all-1-worker-process-pool", "cpu-4-all-2-workers-process-pool")
    lanes_figure("09", "parallel", "Processes on several cores", \
                 "A lane is a core, the number is the task that it computes." \
                 when(x, " A second worker made it " x " as fast (medians).") \
                 " More workers than cores have nothing to run on.")
}

function plural_worker(k) { return k (k == 1 ? "-worker" : "-workers") }

function global_lock(    x, y, words)
{
    x = times("cpu-4-all-bars-sequential", "cpu-4-all-bars-gil")
    y = times("cpu-4-all-bars-sequential", "cpu-4-all-bars-pthreads")
    if (x != "" && y != "")
        words = " Computing under the lock: " x " as fast as one after another; without it: " y "."
    strip("mixed-4-all-gil", "tasks", "gil", "tasks that wait")
    strip("cpu-4-all-bars-gil", "tasks", "gil", "tasks that compute")
    strip("cpu-4-all-bars-pthreads", "tasks", "pthreads", "the same, no lock")
    lanes_figure("11", "global-lock", "Threads under a global lock", \
                 "All cores are there, but who holds the lock runs and the others are ready and " \
                 "wait for it." words)
}

# Every change of the running task on one core, with how long neither ran: switch_ns[], gap_ns[].
function find_switches(row,    k, n, j, at, until, task)
{
    n = read_trial(row)
    switches = j = 0
    for (k = 1; k <= n; k++) {
        if (E[k, "state"] != "running") continue
        at[++j] = k
    }
    n = j
    for (k = 2; k <= n; k++) { # in the order of time
        task = at[k]
        for (j = k; j > 1 && E[at[j - 1], "start_ns"] > E[task, "start_ns"]; j--) at[j] = at[j - 1]
        at[j] = task
    }
    for (k = 2; k <= n; k++) {
        if (E[at[k], "task"] == E[at[k - 1], "task"]) continue
        until = E[at[k], "start_ns"] - E[at[k - 1], "end_ns"]
        if (until < 0 || until > 1e6) continue # two cores, or nobody had anything to do
        switch_ns[++switches] = E[at[k - 1], "end_ns"]
        gap_ns[switches] = until
        from_task[switches] = E[at[k - 1], "task"]
        to_task[switches] = E[at[k], "task"]
    }
}

# The switch whose gap is the median one.
function median_switch(    k, j, order)
{
    for (k = 1; k <= switches; k++) {
        for (j = k; j > 1 && gap_ns[order[j - 1]] > gap_ns[k]; j--) order[j] = order[j - 1]
        order[j] = k
    }
    return order[int((switches + 1) / 2)]
}

function real_switches(    list, k, n, i, y, row, drawn, left, wide, below)
{
    n = split("cpu-4-one-bars-pthreads cpu-4-one-bars-gil", list, " ")
    strip(list[1], "tasks", "pthreads", "the kernel takes the core away")
    strip(list[2], "tasks", "gil", "the lock is asked for every 5 ms")
    below = 230
    if (!lanes_figure("12", "switches", "Every change of thread, at its time", \
                      "Four tasks that compute, on one core. Ticks: each change from one to another. " \
                      "Below: a typical one, magnified until the gap shows in which no task runs.", \
                      0, below)) return
    wide = (PAGE_W - 2 * MARGIN - 60) / n
    y = lanes_bottom + AXIS + 44
    for (i = 1; i <= n; i++) {
        if (missing(list[i], 1) != "") continue
        find_switches(trace_of[list[i]])
        ticks(i, n)
        if (switches) magnify(list[i], median_switch(), MARGIN + (i - 1) * (wide + 60), wide, y)
    }
    step_end()
}

# The switches of strip i of n as ticks above it, on the page.
function ticks(i, n,    k, high, y, x, until)
{
    high = (lanes_bottom - lanes_top - (n - 1) * GAP) / n
    y = lanes_top + (i - 1) * (high + GAP)
    until = 0
    for (k = 1; k <= blocks; k++) until = max(until, T[block_row[k], "wall_ns"])
    until *= (right - LEFT) / (right - LEFT - width("9999 ms", "head") - 20)
    for (k = 1; k <= switches; k++) {
        x = LEFT + switch_ns[k] / until * (right - LEFT)
        segment(x, y - 15, x, y - 3, "ink", 1.5)
    }
    label(PAGE_W - MARGIN - 6, y + high - 16, "body", "right", "dim", plural(switches, "change"))
}

# The neighbourhood of a switch in a panel of its own.
function magnify(cell, k, left, wide, y,    from, to, i, n, lane, name, high, top)
{
    high = page_bottom - 64 - y - 26
    from = switch_ns[k] - max(2 * gap_ns[k], 4e3)
    to = switch_ns[k] + max(3 * gap_ns[k], 6e3)
    name = S[row_of[cell], "strategy"] ": from task " from_task[k] + 1 " to task " to_task[k] + 1 \
           ", nobody runs for " duration(gap_ns[k])
    label(left, y, "strong", "left", "ink", fit(name, "strong", wide))
    rectangle(left, y + 24, left + wide, y + 24 + high, "panel")
    time_panel(left, left + wide, y + 24, y + 24 + high, from, to)
    n = read_trial(trace_of[cell])
    lane = high / 2
    for (i = 1; i <= n; i++) {
        if (E[i, "state"] ~ /^ideal/ || E[i, "end_ns"] < from || E[i, "start_ns"] > to) continue
        if (E[i, "task"] == from_task[k]) top = y + 24
        else if (E[i, "task"] == to_task[k]) top = y + 24 + lane
        else continue
        shape(E[i, "state"], max(0, axis_time(E[i, "start_ns"])), \
              min(axis_time(to), axis_time(E[i, "end_ns"])), top + lane * 0.1, top + lane * 0.9, 0)
    }
    panel_end()
}

function preempted(    x)
{
    x = of("mixed-4-one-pthreads", "stretch_max")
    strip("mixed-4-one-pthreads", "tasks", "pthreads", "the kernel shares one core among them", \
          0, "stretch")
    lanes_figure("13", "preempted", "Pre-empted: the kernel decides when to switch", \
                 "Stretch: a task's time from its first moment, divided by its time alone. It lost " \
                 "the core, or had to queue for it" \
                 when(x, "; the worst of four was stretched " sprintf("×%.2f", x) " (median)") ".", \
                 bar_ns)
}

function cooperative(    a, b)
{
    a = of("mixed-4-one-coroutine", "over_ideal")
    b = times("mixed-4-one-coroutine", "mixed-4-one-sequential")
    strip("mixed-4-one-coroutine", "tasks", "coroutine", "each runs until it waits; one thread", 1)
    lanes_figure("15", "cooperative", "Nobody is interrupted: each runs until it waits", \
                 "In grey below each lane: the computed ideal." \
                 when(a && b, " The whole took " sprintf("%.3f", a) " times the ideal, and " b \
                              " as long as one after another (medians)."), bar_ns)
}

function rude(    a, b)
{
    strip("rude-8-one-coroutine", "tasks", "coroutine", "task 1 never yields", 0, "late by")
    strip("rude-8-one-pthreads", "tasks", "pthreads", "the kernel interrupts it", 0, "late by")
    a = of("rude-8-one-coroutine", "stretch_max")
    b = of("rude-8-one-pthreads", "stretch_max")
    lanes_figure("17", "rude", "The price: one task without manners", \
                 "Task 1 computes in one piece, the other seven work and wait in turn. In the " \
                 "margin: how much later each ended than it would have alone." \
                 when(a && b, " Worst stretch: " sprintf("×%.1f under coroutines, ×%.1f under threads.", a, b)))
}

function nested(    x)
{
    strip("nested-2-one-sequential", "tasks", "sequential", "two tasks, one core")
    strip("nested-2-one-coroutine", "tasks", "coroutine", "two tasks, one thread")
    x = times("nested-2-one-sequential", "nested-2-one-coroutine")
    lanes_figure("19", "nested", "Calls inside calls, and only the innermost waits", \
                 "Each task is three calls deep; the wait travels out through all of them to the " \
                 "loop, the result travels back in." when(x, " Together: " x " as fast."))
}

function fetch(    x)
{
    strip("fetch-5-one-sequential", "tasks", "sequential", "one page after another")
    strip("fetch-5-one-coroutine", "tasks", "coroutine", "all five at once, one thread")
    x = times("fetch-1000-one-pthreads", "fetch-1000-one-coroutine")
    lanes_figure("20", "fetch", "Five pages from a server", \
                 "Thin: waiting for the server. Thick: a piece of the page has come and is read. " \
                 when(of("fetch-1000-one-coroutine", "wall_ns"), "A thousand pages took the loop " \
                      duration(of("fetch-1000-one-coroutine", "wall_ns")) \
                      when(of("fetch-1000-one-pthreads", "wall_ns"), ", a thousand threads " \
                           duration(of("fetch-1000-one-pthreads", "wall_ns"))) "."))
}

function cores_and_tasks()
{
    strip("mixed-4-one-pthreads", "tasks", "one core", "four threads: concurrency")
    strip("mixed-4-one-pthreads", "cores", "", "by core")
    strip("mixed-4-all-pthreads", "tasks", "all cores", "the same: parallelism")
    strip("mixed-4-all-pthreads", "cores", "", "by core")
    lanes_figure("21", "one-core-all-cores", "Concurrency is not parallelism", \
                 "Above, pieces of four tasks take turns on one core, and overlap all the same. " \
                 "Below, the pieces run at the same time as well.")
}

# --- D8, D14, D18, D22: curves and dots --------------------------------------------------------

# Adds a point to the line `name` of the next panel; low and high may be "".
function add_point(name, x, y, low, high, colour)
{
    if (!(name in line_of)) {
        line_of[name] = ++line_count
        line_name[line_count] = name
        line_colour[line_count] = colour
    }
    name = line_of[name]
    line_x[name, ++line_n[name]] = x
    line_y[name, line_n[name]] = y
    line_low[name, line_n[name]] = low == "" ? y : low
    line_high[name, line_n[name]] = high == "" ? y : high
}

# A metric of a cell as a point; nothing when it is unknown.
function add_cell(cell, x, metric, name,    row)
{
    if (missing(cell) != "" || median(row_of[cell], metric) == "") return
    row = row_of[cell]
    add_point(name, x, max(median(row, metric), least), \
              S[row, metric "_low"] == "" ? "" : max(S[row, metric "_low"], least), \
              S[row, metric "_high"], rank_of(S[row, "strategy"]))
}

# A panel of the lines that were added, both axes logarithmic, the names at their ends. How x and y
# are written: "bytes", "time" or "count".
function lines_panel(left, right, top, bottom, title, x_is, x_title, y_is,
                     i, j, x_low, x_high, y_low, y_high, names)
{
    for (i = 1; i <= line_count; i++) {
        for (j = 1; j <= line_n[i]; j++) {
            x_low = x_low ? min(x_low, line_x[i, j]) : line_x[i, j]
            x_high = max(x_high, line_x[i, j])
            y_low = y_low ? min(y_low, line_low[i, j]) : line_low[i, j]
            y_high = max(y_high, line_high[i, j])
        }
        names = max(names, width(line_name[i], "strong"))
    }
    label(left, top + 8, "strong", "left", "ink", title)
    if (!line_count) {
        label(left, top + 50, "body", "left", "dim", "nothing was measured")
        return
    }
    top += 36
    left += y_is == "count" ? 74 : 116
    bottom -= AXIS
    right -= names + 26
    x_low = log10(x_low) - 0.08
    x_high = log10(x_high) + 0.08
    y_low = log10(y_low) - 0.15
    y_high = log10(y_high) + 0.15
    panel_begin("lines", left, right, top, bottom, power10(x_low), power10(x_high), \
                log_axis(x_is, x_low, x_high, (right - left) / (x_is == "bytes" ? 110 : 66)), 1)
    printf "y_log = 1; y_low = %.8g; y_high = %.8g; lines = %d; y_tics = \"(%s)\"\n", \
        power10(y_low), power10(y_high), line_count, \
        log_axis(y_is, y_low, y_high, (bottom - top) / 50) > axis_file
    for (i = 1; i <= line_count; i++) {
        for (j = 1; j <= line_n[i]; j++)
            printf "%.8g\t%.8g\t%.8g\t%.8g\t%d\n", line_x[i, j], line_y[i, j], line_low[i, j], \
                line_high[i, j], line_colour[i] > points
        printf "\n\n" > points
        end_x[i] = left + (log10(line_x[i, line_n[i]]) - x_low) / (x_high - x_low) * (right - left)
        end_y[i] = bottom - (log10(line_y[i, line_n[i]]) - y_low) / (y_high - y_low) * (bottom - top)
    }
    name_lines(right, top, bottom)
    label((left + right) / 2, bottom + 52, "body", "center", "dim", x_title)
    panel_end()
    split("", line_of); split("", line_n)
    line_count = 0
}

# The names of the lines right of the panel, near to their ends but apart from each other.
function name_lines(right, top, bottom,    i, j, order, y, t, apart)
{
    for (i = 1; i <= line_count; i++) {
        for (j = i; j > 1 && end_y[order[j - 1]] > end_y[i]; j--) order[j] = order[j - 1]
        order[j] = i
    }
    for (i = 1; i <= line_count; i++) y[i] = end_y[order[i]]
    for (t = 1; t <= 200; t++)
        for (i = 1; i < line_count; i++) {
            apart = 28 - (y[i + 1] - y[i])
            if (apart <= 0) continue
            y[i] -= apart / 2
            y[i + 1] += apart / 2
        }
    for (i = 1; i <= line_count; i++) y[i] = max(y[i], top + (i - 1) * 28)
    for (i = line_count; i >= 1; i--) y[i] = min(y[i], bottom - (line_count - i) * 28)
    for (i = 1; i <= line_count; i++) {
        j = order[i]
        segment(end_x[j] + 8, end_y[j], right + 14, y[i], "strategy(" line_colour[j] ")", 1, 1)
        label(right + 20, y[i], "strong", "left", "strategy(" line_colour[j] ")", line_name[j])
    }
}

# The tics of a logarithmic axis between two powers of ten, at most `most` of them.
function log_axis(what, low, high, most,    e, step, base, list, first)
{
    base = what == "bytes" ? log10(2) : 1
    step = max(1, ceil((high - low) / base / max(most, 1)))
    if (what == "bytes" && step > 1) step = step <= 2 ? 2 : step <= 5 ? 5 : 10
    first = ceil(low / base / step) * step
    for (e = first; e * base <= high; e += step)
        list = log_tic(list, what, power10(e * base))
    if (base == 1 && high - low < 2.5 && most >= 4 * (high - low) + 1) # few powers of ten: what lies between them, too
        for (e = floor(low); e <= high; e++) {
            if (e + log10(2) >= low && e + log10(2) <= high) list = log_tic(list, what, 2 * power10(e))
            if (e + log10(5) >= low && e + log10(5) <= high) list = log_tic(list, what, 5 * power10(e))
        }
    return list
}

function log_tic(list, what, value)
{
    return list (list == "" ? "" : ", ") quoted(axis_text(what, value)) sprintf(" %.8g", value)
}

function axis_text(what, value,    unit)
{
    if (what == "count") return value < 0.9 ? "0" : tic_count(value)
    if (what == "bytes") {
        unit = byte_unit(value * 1.001)
        return sprintf("%.4g ", value / unit_bytes) unit
    }
    unit = time_unit(value * 1.001)
    return sprintf("%.4g ", value / unit_ns) unit
}

# A page whose panels are curves begins like this: a card when none of `cells` (patterns) has run.
function any_ok(pattern,    i)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "group"] ~ pattern && S[i, "status"] == "ok" && !is_true(S[i, "control"])) return 1
    return 0
}

# Why there is no cell of these groups.
function why_none(pattern, what,    i)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "group"] ~ pattern) return S[i, "cell"] ": " status_text(i)
    return "this run has no cells of " what
}

function groups_note(pattern, metric,    i, n, list)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "group"] ~ pattern && !is_true(S[i, "control"])) list[++n] = i
    return statistics_note(metric, list, n) " · scales are logarithmic"
}

function results(    n, i, list, k, names, m, a, b)
{
    if (!any_ok("^payload-1-one-")) {
        card("08", "results", "Handing a result back", why_none("^payload-1-one-", "payload"))
        return
    }
    least = 1
    n = split("1KiB 16KiB 256KiB 1MiB 4MiB 16MiB 64MiB", list, " ")
    m = split("fork process-pool pthreads coroutine", names, " ")
    for (k = 1; k <= m; k++)
        for (i = 1; i <= n; i++)
            add_cell("payload-1-one-" list[i] "-" names[k], bytes_of(list[i]), "wall_ns", names[k])
    a = of("payload-1-one-64MiB-fork", "wall_ns")
    b = of("payload-1-one-64MiB-coroutine", "wall_ns")
    step_begin("08", "results", "Handing a result back", \
         "Time of one task that makes a result and gives it to the parent. A process has to copy it " \
         "through a pipe; threads and coroutines pass a pointer." \
         when(a && b, " At 64 MiB: " factor(a / (b ? b : 1)) " as long from a process."), \
         groups_note("^payload-1-one-", "wall_ns"))
    lines_panel(MARGIN, PAGE_W - MARGIN, page_top + 12, page_bottom, "wall time", "bytes", \
                "size of the result", "time")
    step_end()
}

function bytes_of(text) { return text * (text ~ /MiB/ ? 1048576 : 1024) }

function crowds(    n, i, list, m, k, names, c, metric, titles, wide)
{
    if (!any_ok("-one-crowd$")) {
        card("14", "crowds", "More threads, more switches", why_none("-one-crowd$", "mixed, label crowd"))
        return
    }
    least = 0.5
    n = split("2 10 100 1000", list, " ")
    m = split("pthreads gil coroutine", names, " ")
    split("involuntary_switches voluntary_switches stretch_max", metric, " ")
    split("the kernel took the core away;a thread gave it up;worst stretch of a task", titles, ";")
    step_begin("14", "crowds", "More tasks at once on one core", \
         "The same short tasks, 2 to 1000 of them: switches of the kernel in a trial, and how much " \
         "the worst task was stretched. A loop of coroutines stands beside the threads.", \
         groups_note("-one-crowd$", "voluntary_switches"))
    wide = (PAGE_W - 2 * MARGIN) / 3
    for (c = 1; c <= 3; c++) {
        for (k = 1; k <= m; k++)
            for (i = 1; i <= n; i++)
                add_cell("mixed-" list[i] "-one-crowd-" names[k], list[i], metric[c], names[k])
        lines_panel(MARGIN + (c - 1) * wide, MARGIN + c * wide - 14, page_top + 12, page_bottom, \
                    titles[c], "count", "number of tasks", "count")
    }
    step_end()
}

# Where a strategy ended among more and more tasks, in the words of its limit; "" when it did not.
function end_reason(strategy,    i, text)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "strategy"] == strategy && S[i, "group"] ~ /-one-scale$/ && \
            S[i, "status"] !~ /ok|bound/) {
            text = S[i, "reason"]
            sub(/;.*/, "", text)
            return strategy ": " text
        }
    return ""
}

function million(    n, i, list, m, k, names, c, metric, titles, words, reason, half)
{
    if (!any_ok("-one-scale$")) {
        card("22", "million", "How many?", why_none("-one-scale$", "sleep, label scale"))
        return
    }
    least = 1
    n = split("10 100 1000 3000 10000 100000 1000000", list, " ")
    m = split("fork pthreads coroutine fiber", names, " ")
    for (k = 1; k <= m; k++) if ((reason = end_reason(names[k])) != "") words = words reason ". "
    step_begin("22", "million", "How many tasks fit?", \
         "Tasks that sleep, ten to a million of them. A line ends where no more was tried, or " \
         "where a limit ends it" (words == "" ? "." : ": " words), \
         groups_note("-one-scale$", "wall_ns"))
    split("wall_ns memory_bytes", metric, " ")
    split("wall time;memory, all of them alive", titles, ";")
    half = (PAGE_W - 2 * MARGIN) / 2
    for (c = 1; c <= 2; c++) {
        for (k = 1; k <= m; k++)
            for (i = 1; i <= n; i++)
                add_cell("sleep-" list[i] "-one-scale-" names[k], list[i], metric[c], names[k])
        lines_panel(MARGIN + (c - 1) * half, MARGIN + c * half - 14, page_top + 12, page_bottom, \
                    titles[c], "count", "number of tasks", c == 1 ? "time" : "bytes")
    }
    step_end()
}

# --- D18 ---------------------------------------------------------------------------------------

function sleeps(    i, n, list, k, c, metric, titles, is, left, wide, top, row_h, names_w)
{
    if (!any_ok("^sleep-1000?-one$")) {
        card("18", "sleeps", "Ten sleeps and a thousand", why_none("^sleep-1000?-one$", "sleep"))
        return
    }
    for (i = 1; i <= rows; i++) {
        if (S[i, "group"] !~ /^sleep-1000?-one$/ || is_true(S[i, "control"])) continue
        k = S[i, "strategy"]
        if (k in names_w) continue
        names_w[k] = 1
        for (c = ++n; c > 1 && rank_of(list[c - 1]) > rank_of(k); c--) list[c] = list[c - 1]
        list[c] = k
    }
    split("wall_ns cpu_ns memory_bytes", metric, " ")
    split("time time bytes", is, " ")
    split("wall time;CPU time;memory", titles, ";")
    step_begin("18", "sleeps", "Ten sleeps, and a thousand", \
         "Each task sleeps one to three units of time and does nothing else. The sleeping is done " \
         "at once by all but the first; what differs is what it takes besides.", \
         groups_note("^sleep-1000?-one$", "wall_ns"))
    point(MARGIN + 10, page_top + 18, 6, "dim")
    label(MARGIN + 30, page_top + 18, "body", "left", "ink", "10 tasks")
    point(MARGIN + 170, page_top + 18, 7, "dim")
    label(MARGIN + 190, page_top + 18, "body", "left", "ink", "1000 tasks")
    top = page_top + LEGEND + 40
    row_h = min(64, (page_bottom - AXIS + 24 - top) / n)
    for (i = 1; i <= n; i++)
        label(MARGIN + 190, top + (i - 0.5) * row_h, "head", "right", "ink", fit(list[i], "head", 190))
    wide = (PAGE_W - 2 * MARGIN - 210) / 3
    for (c = 1; c <= 3; c++)
        dots_panel(MARGIN + 210 + (c - 1) * wide, wide - 24, top, row_h, list, n, metric[c], is[c], \
                   titles[c])
    step_end()
}

# A column of dots, on a log scale: for each strategy that of 10 tasks and of 1000, with the number.
function dots_panel(left, wide, top, row_h, list, n, metric, is, title,
                    i, k, low, high, cell, v, y, room, text)
{
    for (i = 1; i <= n; i++)
        for (k = 10; k <= 1000; k *= 100) {
            v = of("sleep-" k "-one-" list[i], metric)
            if (v <= 0) continue
            low = low ? min(low, v) : v
            high = max(high, v)
        }
    label(left, top - 24, "strong", "left", "ink", title)
    if (!high) {
        label(left, top + 20, "body", "left", "dim", "not measured")
        return
    }
    room = width("999 MiB", "body") + 30
    low = log10(low) - 0.15
    high = low + (log10(high) + 0.05 - low) * wide / (wide - room)
    panel_begin("dots", left, left + wide, top, top + n * row_h, power10(low), power10(high), \
                log_axis(is, low, high, wide / 100), 1)
    for (i = 1; i <= n; i++) {
        rectangle(left, top + (i - 1) * row_h + 3, left + wide, top + i * row_h - 3, "panel")
        for (k = 10; k <= 1000; k *= 100) {
            cell = "sleep-" k "-one-" list[i]
            y = top + (i - (k == 10 ? 0.73 : 0.27)) * row_h
            v = of(cell, metric)
            if (v > 0) {
                printf "%.8g\t%.2f\t%d\t%d\n", v, y, rank_of(list[i]), (k == 10 ? 6 : 7) > points
                text = is == "time" ? duration(v) : bytes_text(v)
                label(left + (log10(v) - low) / (high - low) * wide + 14, y, "body", "left", \
                      k == 10 ? "dim" : "ink", text)
            } else if (metric == "wall_ns" && cell in row_of)
                label(left + 10, y, "body", "left", "dim", \
                      fit(status_text(row_of[cell]), "body", wide - 20))
        }
    }
    panel_end()
}
