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
    MEMORY_LEFT = 340
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

# "4.0 times as long (3.9–4.2)" of a cell's wall time against another's, with the interval of their
# ratio, or that noise shows no difference; "" when one is unknown. `as`: "as long" or "as fast", for
# which the other one stands above.
function versus(cell, other, as,    a, b)
{
    if (of(cell, "wall_ns") <= 0 || of(other, "wall_ns") <= 0) return ""
    a = row_of[as == "as long" ? cell : other]
    b = row_of[as == "as long" ? other : cell]
    if (!wall_ratio(a, b))
        return factor(median(a, "wall_ns") / median(b, "wall_ns")) " times " as \
               " (too few rounds for an interval)"
    return as_many_times(ratio, ratio_low, ratio_high, 0, as, max(noise_of(a) + 0, noise_of(b) + 0))
}

# A ratio (or its inverse) with its interval in words, when that lies outside of what noise may do.
function as_many_times(x, low, high, inverse, as, noise,    t)
{
    if (inverse) {
        t = low
        x = 1 / x
        low = 1 / high
        high = 1 / t
    }
    if (low / (1 + noise) <= 1 && high * (1 + noise) >= 1) return "no difference shown"
    t = telling(low, high, decimals(x))
    return sprintf("%." t "f times ", x) as " (" from_to(low, high, t) ")"
}

function decimals(x) { return x < 1.995 ? 2 : x < 9.95 ? 1 : 0 }
function factor(x) { return sprintf("%." decimals(x) "f", x) }

# "112 ms (108–113)" of a time of a cell; the unit is that of the median.
function with_interval(cell, metric,    row)
{
    row = row_of[cell]
    return duration(median(row, metric)) when(lower(row, metric), \
           " " brackets(median(row, metric), lower(row, metric), upper(row, metric)))
}

function brackets(middle, low, high)
{
    time_unit(middle)
    low /= unit_ns
    high /= unit_ns
    return "(" from_to(low, high, telling(low, high, three_decimals(middle / unit_ns))) ")"
}

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
    page_top = y + 94 + 32 * 2 # whatever n is: what follows stays in its place from page to page
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
# ideal computed from it. `ghost`: the ideal as well. `margin`: what stands beside each lane. `room`:
# as many lanes at least.
function strip(cell, seen_by, name, note, ghost, margin, room)
{
    strip_cell[++strips] = cell
    strip_by[strips] = seen_by
    strip_name[strips] = name
    strip_note[strips] = note
    strip_ghost[strips] = ghost
    strip_margin[strips] = margin
    strip_room[strips] = room
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
        strip_lanes[i] = count_lanes(i)
        sum += max(strip_lanes[i], strip_room[i])
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
    step_begin(number, slug, title, words, lanes_note())
    right = margin != "" ? 1440 : PAGE_W - MARGIN - 6
    lanes_top = page_top + LEGEND
    space = page_bottom - AXIS - below - lanes_top - (strips - 1) * GAP
    lane = min(130, space / sum)
    room = width("(999.99–999.99)", "body") + 10
    if (until) # the same scale, whatever stands in the margin
        until *= (right - LEFT - room) / (PAGE_W - MARGIN - 6 - LEFT - room)
    for (i = 1; i <= blocks; i++) until = max(until, T[block_row[i], "wall_ns"])
    until *= (right - LEFT) / (right - LEFT - room)
    time_until = until
    lanes_bottom = lanes_top + lane * sum + (strips - 1) * GAP
    time_panel(LEFT, right, lanes_top, lanes_bottom, 0, until)
    split("", state_seen)
    y = lanes_top
    for (i = 1; i <= strips; i++) {
        space = lane * (max(strip_lanes[i], strip_room[i]) + (strip_by[i] ~ /cores|workers/ ? 0.35 : 0))
        draw_strip(i, y, space, space / max(strip_lanes[i], strip_room[i]))
        y += space + GAP
    }
    panel_end()
    if (margin != "") label((right + PAGE_W) / 2, lanes_top - 24, "body", "center", "dim", margin)
    lanes_legend(page_top + 18)
    strips = 0
    split("", strip_room)
    if (!below) step_end()
    return 1
}

# What stands at the foot: first the numbers, then how the trials came about.
function lanes_note(    i, computed, note)
{
    for (i = 1; i <= strips; i++) computed += strip_by[i] == "ideal" && strip_why[i] == ""
    note = statistics_note("wall_ns", summary_row, shown)
    if (computed == blocks)
        return "computed from how long each piece took in the median of " \
               plural(trials_traced(block_row[1]), "traced trial") " · " note
    sub(/ · interval/, " · in brackets", note)
    return note " · " tracing_words()
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
          from ? words : strip_by[1] == "ideal" ? "computed time (" words ")" : \
          "time since the trial began (" words ")")
}

function axis_time(ns) { return (ns - axis_from) / axis_ns }

# A strip from y downwards, `high` pixels in all.
function draw_strip(i, y, high, lane,    lines, n, k, row, wall, x, middle, core)
{
    rectangle(LEFT, y - 4, panel_right, y + high + 4, "panel")
    n = wrap(strip_note[i], "body", LEFT - MARGIN - (strip_by[i] == "cores" ? 100 : 54), 4, lines)
    n = min(n, max(0, int((high - 26) / 28)))
    middle = y + (strip_room[i] ? lane * strip_lanes[i] : high) / 2
    label(MARGIN + 6, middle - 14 * n, "head", "left", "ink", \
          fit(strip_name[i], "head", LEFT - MARGIN - 40))
    for (k = 1; k <= n; k++)
        label(MARGIN + 6, middle - 14 * n + (strip_name[i] == "" ? 14 : 30 * k), "body", "left", "dim", \
              lines[k])
    if (strip_why[i] != "") {
        label(LEFT + 14, y + high / 2, "body", "left", "dim", \
              fit(strip_why[i], "body", panel_right - LEFT - 28))
        return
    }
    row = trace_of[strip_cell[i]]
    trial_rows = read_trial(row)
    if (strip_by[i] == "tasks") by_tasks(i, y, lane)
    else if (strip_by[i] == "ideal") by_ideal(y, lane)
    else if (strip_by[i] == "cores") by_cores(i, y, lane)
    else by_workers(i, y, lane)
    core_numbers(T[row, "cpus"], core)
    if (lane >= 20)
        for (k = 1; k <= strip_lanes[i]; k++)
            label(LEFT - 8, y + (k - 0.5) * lane, "body", "right", "dim", \
                  strip_by[i] == "cores" ? "core " core[k] : k)
    wall = strip_by[i] == "ideal" ? T[row, "ideal_ns"] : T[row, "wall_ns"]
    printf "%.6g\t%.1f\t%.6g\t%.1f\tink\n", \
        axis_time(wall), y - 4, axis_time(wall), middle * 2 - y + 4 > ends
    if (strip_by[i] == "cores" && i > 1 && strip_cell[i] == strip_cell[i - 1]) return # said above
    x = LEFT + axis_time(wall) / pixel + 10
    row = row_of[strip_cell[i]]
    if (strip_by[i] == "ideal" || S[row, "wall_ns_low"] == "" || high < 60)
        label(x, middle, "head", "left", "ink", duration(wall))
    else {
        label(x, middle - 14, "head", "left", "ink", duration(wall))
        label(x, middle + 16, "body", "left", "dim", \
              brackets(wall, S[row, "wall_ns_low"], S[row, "wall_ns_high"]))
    }
}

# The pieces in which the tasks of the trial ran, in run_task[1..runs] and so on; gaps that are
# narrower than a pixel join them, for they cannot be seen.
function find_runs(by_core,    k, t, j, last)
{
    runs = 0
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] != "running") continue
        t = E[k, "task"]
        j = last[t]
        if (j && axis_time(E[k, "start_ns"]) - run_x1[j] < pixel && \
            (!by_core || run_cpu[j] == E[k, "cpu"])) {
            run_x1[j] = axis_time(E[k, "end_ns"])
            continue
        }
        last[t] = ++runs
        run_task[runs] = t
        run_cpu[runs] = E[k, "cpu"]
        run_x0[runs] = axis_time(E[k, "start_ns"])
        run_x1[runs] = axis_time(E[k, "end_ns"])
    }
}

# Draws a state other than running, unless it is too narrow to be seen.
function draw_state(state, x0, x1, top, foot, ghost)
{
    if (x1 - x0 < pixel) return
    shape(state, x0, x1, top, foot, ghost)
    if (x1 - x0 >= 4 * pixel) state_seen[state] = 1
}

# A hair at least.
function draw_run(k, top, foot)
{
    shape("running", run_x0[k], max(run_x1[k], run_x0[k] + 2 * pixel), top, foot, 0)
    state_seen["running"] = 1
}

# A lane per task; with the ideal in a slim lane below each, where asked for.
function by_tasks(i, y, lane,    k, top, foot)
{
    foot = strip_ghost[i] ? 0.66 : 0.88
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] == "running" || (E[k, "state"] ~ /^ideal/ && !strip_ghost[i])) continue
        top = y + E[k, "task"] * lane
        draw_state(E[k, "state"], axis_time(E[k, "start_ns"]), axis_time(E[k, "end_ns"]), \
                   top + lane * 0.08, top + lane * foot, top + lane * 0.98)
    }
    find_runs(0)
    for (k = 1; k <= runs; k++) {
        top = y + run_task[k] * lane
        draw_run(k, top + lane * 0.08, top + lane * foot)
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
function by_ideal(y, lane,    k, x0, x1, top, foot, middle)
{
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] !~ /^ideal/) continue
        x0 = axis_time(E[k, "start_ns"])
        x1 = axis_time(E[k, "end_ns"])
        top = y + (E[k, "task"] + 0.08) * lane
        foot = top + 0.8 * lane
        middle = (top + foot) / 2
        if (E[k, "state"] == "ideal-waiting") box(x0, x1, middle - 2, middle + 2, "ideal")
        else {
            box(x0, x1, top, foot, "ideal_fill")
            edge(x0, x1, top, foot, "ideal")
        }
        state_seen[E[k, "state"]] = 1
    }
}

# A lane per core: which task it ran.
function by_cores(i, y, lane,    k, n, core, place, top)
{
    n = core_numbers(T[trace_of[strip_cell[i]], "cpus"], core)
    for (k = 1; k <= n; k++) place[core[k]] = k
    find_runs(1)
    for (k = 1; k <= runs; k++) {
        if (!(run_cpu[k] in place) || place[run_cpu[k]] > strip_lanes[i]) continue
        top = y + (place[run_cpu[k]] - 1) * lane
        if (run_x1[k] - run_x0[k] > 6 * pixel) { # a rim, to tell it from the next one
            run_x0[k] += 0.75 * pixel
            run_x1[k] -= 0.75 * pixel
        }
        draw_run(k, top + lane * 0.08, top + lane * 0.88)
        task_number(run_task[k], run_x0[k], run_x1[k], top + lane * 0.48, "paper", lane)
    }
}

# A lane per worker: what it was doing. The number of a task stands in the widest of its pieces.
function by_workers(i, y, lane,    k, t, top, x0, x1, from, to, running)
{
    assign_workers(strip_lanes[i])
    for (k = 1; k <= trial_rows; k++) {
        if (E[k, "state"] !~ /^(ready|waiting)/) continue
        t = E[k, "task"]
        x0 = axis_time(E[k, "start_ns"])
        x1 = axis_time(E[k, "end_ns"])
        top = y + worker[t] * lane
        draw_state(E[k, "state"], x0, x1, top + lane * 0.08, top + lane * 0.88, 0)
        if (E[k, "state"] != "waiting" || x1 - x0 <= to[t] - from[t]) continue
        from[t] = x0
        to[t] = x1
    }
    find_runs(0)
    for (k = 1; k <= runs; k++) {
        t = run_task[k]
        top = y + worker[t] * lane
        draw_run(k, top + lane * 0.08, top + lane * 0.88)
        if (run_x1[k] - run_x0[k] <= to[t] - from[t]) continue
        running[t] = 1
        from[t] = run_x0[k]
        to[t] = run_x1[k]
    }
    for (t in to) {
        top = y + (worker[t] + 0.48) * lane
        if (!running[t]) # the number interrupts the thin line
            box((from[t] + to[t]) / 2 - 16 * pixel, (from[t] + to[t]) / 2 + 16 * pixel, top - 6, top + 6, \
                "panel")
        task_number(t, from[t], to[t], top, running[t] ? "paper" : "ink", lane)
    }
}

# The number of a task amidst x0 .. x1, as large as fits; too little room holds none.
function task_number(task, x0, x1, y, colour, lane,    sizes, n, i)
{
    n = split("head strong small", sizes, " ")
    for (i = 1; i <= n; i++)
        if (size[sizes[i]] < lane && width(task + 1, sizes[i]) + 2 <= (x1 - x0) / pixel) {
            label(LEFT + (x0 + x1) / 2 / pixel, y, sizes[i], "center", colour, task + 1)
            return
        }
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
    strip("cpu-1-one-bars-sequential", "tasks", "one task", "it computes from beginning to end", 0, "", 4)
    lanes_figure("01", "one-task", "One task", \
                 "Time runs from left to right. A bar is a core at work for the task.", bar_ns)
}

function four_tasks(    x)
{
    x = versus("cpu-4-one-bars-sequential", "cpu-1-one-bars-sequential", "as long")
    strip("cpu-4-one-bars-sequential", "tasks", "sequential", "one after another, on one core")
    lanes_figure("02", "four-tasks", "Four tasks, one after another", \
                 when(x, "All of them, against one alone: " x ". ") \
                 "The last one waits most of the time for its turn.", bar_ns)
}

function one_mixed(    a, b)
{
    a = of("mixed-1-one-sequential", "cpu_ns")
    b = of("mixed-1-one-sequential", "wall_ns")
    strip("mixed-1-one-sequential", "tasks", "one task", "it computes, waits, computes, waits, computes", \
          0, "", 4)
    lanes_figure("03", "one-mixed", "A real task is full of gaps", \
                 "Thick: it computes. Thin: it waits for a disk, a server, a user, and needs no " \
                 "core for that." \
                 when(a && b, sprintf(" This one computes for %.0f %% of its time.", 100 * a / (b ? b : 1))), \
                 bar_ns)
}

function four_mixed(    x)
{
    x = versus("mixed-4-one-sequential", "mixed-1-one-sequential", "as long")
    strip("mixed-4-one-sequential", "tasks", "sequential", "one after another, on one core")
    lanes_figure("04", "four-mixed", "Four such tasks, one after another", \
                 "In every gap the core has nothing to do, and nobody makes use of it." \
                 when(x, " All of them, against one alone: " x "."), bar_ns)
}

function ideal(    x)
{
    x = against_ideal("mixed-4-one-sequential", 1)
    strip("mixed-4-one-sequential", "ideal", "ideal", "computed, not measured; the same four tasks, one core")
    lanes_figure("05", "ideal", "What could be: the gaps filled", \
                 "Computed, not measured: whenever a task waits, the next one gets the core, at no " \
                 "cost." when(x, " Against one after another: " x "."), bar_ns)
}

# A cell's wall time against the ideal of the same trials, or the other way round.
function against_ideal(cell, inverse,    row)
{
    if (of(cell, "over_ideal") <= 0) return ""
    row = row_of[cell]
    if (lower(row, "over_ideal") == "") return factor(median(row, "over_ideal") ^ (inverse ? -1 : 1)) \
                                               " times as long (too few rounds for an interval)"
    return as_many_times(median(row, "over_ideal"), lower(row, "over_ideal"), upper(row, "over_ideal"), \
                         inverse, "as long", noise_of(row))
}

function pool(    k, n, w, list, x)
{
    n = split("4 2,4 4,8 2,8 4", list, ",")
    for (k = 1; k <= n; k++) {
        split(list[k], w, " ")
        strip("mixed-" w[1] "-one-" w[2] "-workers-process-pool", "workers", w[2] " workers", w[1] " tasks")
    }
    x = versus("mixed-8-one-2-workers-process-pool", "mixed-8-one-2-workers-coroutine", "as long")
    lanes_figure("06", "pool", "Workers that take one task at a time", \
                 "A lane is a worker process (inferred from the times), the number its task. While that " \
                 "waits (thin), the worker does nothing else." \
                 when(x, " Eight on two workers, against one loop of coroutines: " x "."))
}

# --- D7, D10, D16: memory ----------------------------------------------------------------------

# How far a bar of memory reaches.
function memory_end(cell)
{
    if (missing(cell) != "") return 0
    return max(max(of(cell, "memory_bytes"), upper(row_of[cell], "memory_bytes") + 0), \
               of(cell, "cgroup_bytes"))
}

function memory_scale(wide,    most, n, list, i, cell)
{
    n = split("fork pthreads coroutine", list, " ")
    for (i = 1; i <= n; i++) {
        cell = "sleep-100-one-workers-" list[i]
        most = max(most, memory_end(cell) / \
                         (1 - (width(bytes_text(of(cell, "cgroup_bytes")), "body") + 44) / wide))
    }
    return most
}

function memory_note(cells, n,    i, used)
{
    for (i = 1; i <= n; i++) if (cells[i] in row_of) used[i] = row_of[cells[i]]
    return statistics_note("memory_bytes", used, n) " (drawn: their range) · PSS of the process " \
           "tree by kind (shares of it) and what the kernel spends on it, all tasks alive"
}

# Rows of stacked bars: cells[1..n], named names[], which are `what`; all on the scale of D7.
function memory_rows(number, slug, title, words, cells, names, notes, n, what,
                     i, top, bottom, row_h, high, y, reasons, usable, unit)
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
    high = memory_scale(PAGE_W - MARGIN - 6 - MEMORY_LEFT)
    unit = byte_unit(high)
    axis_ns = unit_bytes
    axis_from = 0
    panel_begin("lanes", MEMORY_LEFT, PAGE_W - MARGIN - 6, top, bottom, 0, high / unit_bytes, \
                linear_tics(high / unit_bytes, PAGE_W - MARGIN - 6 - MEMORY_LEFT))
    pixel = high / unit_bytes / (panel_right - MEMORY_LEFT)
    label(panel_right, bottom + 52, "body", "right", "dim", "memory of the whole process tree (" unit ")")
    label(MARGIN + 6, bottom + 22, "body", "left", "dim", what)
    label(MEMORY_LEFT - 16, bottom + 22, "body", "right", "dim", "in all")
    for (i = 1; i <= n; i++) {
        y = top + (i - 0.5) * row_h
        label(MARGIN + 6, y - (notes[i] != "" ? 14 : 0), "head", "left", "ink", names[i])
        label(MARGIN + 6, y + 16, "body", "left", "dim", notes[i])
        if (missing(cells[i]) != "") {
            label(MEMORY_LEFT + 14, y, "body", "left", "dim", \
                  fit(missing(cells[i]), "body", panel_right - MEMORY_LEFT - 28))
            continue
        }
        label(MEMORY_LEFT - 16, y - (notes[i] != "" ? 14 : 0), "head", "right", "ink", \
              bytes_text(of(cells[i], "memory_bytes")))
        memory_bar(row_of[cells[i]], y, row_h * 0.34)
    }
    panel_end()
    step_end()
}

# The kinds, the range of the trials, and at its place what the cgroup was charged; the number of
# that stands at the mark, or with one more mark right of the bar.
function memory_bar(row, y, half,    k, x, value, charged, low, high)
{
    for (k = 1; k <= KINDS; k++) {
        value = kind_bytes(row, k) / axis_ns
        if (value > 0) box(x, x + value, y - half, y + half, KIND[k])
        x += value
    }
    charged = median(row, "cgroup_bytes")
    if (charged != "") {
        value = MEMORY_LEFT + charged / axis_ns / pixel
        charge_mark(value, y)
        if (charged <= upper(row, "memory_bytes") + 0) {
            value = MEMORY_LEFT + upper(row, "memory_bytes") / axis_ns / pixel + 24
            charge_mark(value, y)
        }
        label(value + 14, y, "body", "left", "dim", bytes_text(charged))
    }
    low = lower(row, "memory_bytes") / axis_ns
    high = upper(row, "memory_bytes") / axis_ns
    if (high - low < 3 * pixel) return
    y -= half * 0.6 # clear of the mark
    stroke(low, y, high, y, "ink")
    stroke(low, y - 6, low, y + 6, "ink")
    stroke(high, y - 6, high, y + 6, "ink")
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

# The same with its interval, for captions.
function slope_words(cell,    row)
{
    row = row_of[cell]
    if (slope(cell) == "" || slope(cell) ~ /^under/ || S[row, "memory_per_task_low"] == "") return slope(cell)
    return slope(cell) " (" bytes_text(S[row, "memory_per_task_low"]) " to " \
           bytes_text(S[row, "memory_per_task_high"]) ")"
}

function memory(number, strategy, slug, title, what,    list, n, i, cells, names, notes, each)
{
    n = split("1 20 40 60 80 100", list, " ")
    for (i = 1; i <= n; i++) {
        cells[i] = "sleep-" list[i] "-one-workers-" strategy
        names[i] = list[i]
    }
    what = what (what ~ /s$/ ? "es" : "s")
    each = slope_words(cells[1])
    memory_rows(number, slug, title, \
                "Blue: what the " what " map. Orange: what the kernel spends on them. All " \
                "of them wait." when(each, " One more takes " each ".") \
                (number == "10" ? " The scale is that of the processes." : ""), \
                cells, names, notes, n, what)
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
                "what one more of them adds stands below its name.", cells, names, notes, n, "")
}

# --- D9, D11 to D13, D15, D17, D19 to D21: who ran when ----------------------------------------

function parallel(    k, x, y)
{
    for (k = 1; k <= 4; k *= 2)
        strip("cpu-4-all-" plural_worker(k) "-process-pool", "cores", k (k == 1 ? " worker" : " workers"), \
              "four tasks that compute")
    x = versus("cpu-4-all-2-workers-process-pool", "cpu-4-all-1-worker-process-pool", "as fast")
    y = versus("cpu-4-all-4-workers-process-pool", "cpu-4-all-2-workers-process-pool", "as fast")
    lanes_figure("09", "parallel", "Processes on several cores", \
                 "A lane is a core, the number is the task that it computes." \
                 when(x, " Two workers, against one: " x ".") when(y, " Four, against two: " y ".") \
                 " More workers than cores have nothing to run on.")
}

function plural_worker(k) { return k (k == 1 ? "-worker" : "-workers") }

function global_lock(    x, y, words)
{
    x = versus("cpu-4-all-bars-gil", "cpu-4-all-bars-sequential", "as fast")
    y = versus("cpu-4-all-bars-pthreads", "cpu-4-all-bars-sequential", "as fast")
    if (x != "" && y != "")
        words = " Computing, against one after another: under the lock " x "; without it " y "."
    strip("mixed-4-all-gil", "tasks", "gil", "tasks that wait")
    strip("cpu-4-all-bars-gil", "tasks", "gil", "tasks that compute")
    strip("cpu-4-all-bars-pthreads", "tasks", "pthreads", "the same, no lock")
    lanes_figure("11", "global-lock", "Threads under a global lock", \
                 "Who holds the lock runs; the others are ready and wait for it, whatever the cores." \
                 words)
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
    strip(list[2], "tasks", "gil", "the others ask for the lock")
    below = 230
    if (!lanes_figure("12", "switches", "Every change of thread, at its time", \
                      "Four tasks that compute, on one core. Ticks: each change from one to another. " \
                      "Below: the median one, magnified until the gap shows in which no task runs.", \
                      0, below)) return
    wide = (PAGE_W - 2 * MARGIN) / n
    y = lanes_bottom + AXIS + 44
    for (i = 1; i <= n; i++) {
        if (missing(list[i], 1) != "") continue
        find_switches(trace_of[list[i]])
        ticks(i, n)
        if (switches) magnify(list[i], median_switch(), MARGIN + 30 + (i - 1) * wide, wide - 60, y)
    }
    step_end()
}

# The switches of strip i of n as ticks above it, on the page.
function ticks(i, n,    k, high, y, x)
{
    high = (lanes_bottom - lanes_top - (n - 1) * GAP) / n
    y = lanes_top + (i - 1) * (high + GAP)
    for (k = 1; k <= switches; k++) {
        x = LEFT + switch_ns[k] / time_until * (right - LEFT)
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
           ", no task runs for " duration(gap_ns[k])
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
    label(left - 8, y + 24 + lane / 2, "body", "right", "dim", from_task[k] + 1)
    label(left - 8, y + 24 + lane * 1.5, "body", "right", "dim", to_task[k] + 1)
    panel_end()
}

function preempted(    x)
{
    x = when(of("mixed-4-one-pthreads", "stretch_max"), stretch_text("mixed-4-one-pthreads"))
    strip("mixed-4-one-pthreads", "tasks", "pthreads", "the kernel shares one core among them", \
          0, "stretch")
    lanes_figure("13", "preempted", "Pre-empted: the kernel decides when to switch", \
                 "Stretch: a task's time from its first moment, divided by its time alone. It lost " \
                 "the core, or had to queue for it" \
                 when(x, "; the worst of four, over all rounds: " x) ".", bar_ns)
}

function stretch_text(cell,    row)
{
    row = row_of[cell]
    return "×" three(median(row, "stretch_max")) \
           when(lower(row, "stretch_max"), \
                " (" from_to(lower(row, "stretch_max"), upper(row, "stretch_max"), \
                          three_decimals(median(row, "stretch_max"))) ")")
}

function cooperative(    a, b)
{
    a = against_ideal("mixed-4-one-coroutine", 0)
    b = versus("mixed-4-one-coroutine", "mixed-4-one-sequential", "as long")
    strip("mixed-4-one-coroutine", "tasks", "coroutine", "each runs until it waits; one thread", 1)
    lanes_figure("15", "cooperative", "Nobody is interrupted: each runs until it waits", \
                 "In grey below each lane: the computed ideal." \
                 when(a, " All of them, against it: " a ".") \
                 when(b, " Against one after another: " b "."), bar_ns)
}

function rude(    a, b)
{
    strip("rude-8-one-coroutine", "tasks", "coroutine", "task 1 never yields", 0, "late by")
    strip("rude-8-one-pthreads", "tasks", "pthreads", "the kernel interrupts it", 0, "late by")
    a = of("rude-8-one-coroutine", "wake_max_ns")
    b = of("rude-8-one-pthreads", "wake_max_ns")
    lanes_figure("17", "rude", "The price: one task without manners", \
                 "Task 1 computes in one piece, the others wait now and then. Late by: how much later " \
                 "each ended than alone." \
                 when(a && b, " Ready after a wait, the unluckiest stood for " \
                      with_interval("rude-8-one-coroutine", "wake_max_ns") " under coroutines, for " \
                      with_interval("rude-8-one-pthreads", "wake_max_ns") " under threads."))
}

function nested(    x)
{
    strip("nested-2-one-sequential", "tasks", "sequential", "two tasks, one core")
    strip("nested-2-one-coroutine", "tasks", "coroutine", "two tasks, one thread")
    x = versus("nested-2-one-coroutine", "nested-2-one-sequential", "as fast")
    lanes_figure("19", "nested", "Calls inside calls, and only the innermost waits", \
                 "Each task is three calls deep; the wait travels out through all of them to the " \
                 "loop, the result travels back in." \
                 when(x, " Both at once, against one after the other: " x "."))
}

function fetch(    x, y)
{
    strip("fetch-5-one-sequential", "tasks", "sequential", "one page after another")
    strip("fetch-5-one-coroutine", "tasks", "coroutine", "all five at once, one thread")
    x = versus("fetch-5-one-coroutine", "fetch-5-one-sequential", "as fast")
    y = versus("fetch-1000-one-coroutine", "fetch-1000-one-pthreads", "as fast")
    lanes_figure("20", "fetch", "Five pages from a server", \
                 "Thin: waiting for the server. Thick: a piece of the page has come and is read." \
                 when(x, " All at once, against one after another: " x ".") \
                 when(y, " A thousand pages, a loop against threads: " y "."))
}

function cores_and_tasks(    all, x, several, below)
{
    all = "mixed-4-all-pthreads"
    x = versus(all, "mixed-4-one-pthreads", "as fast")
    several = missing(all) != "" || cpu_count(S[row_of[all], "cpus"]) > 1
    if (missing(all, 1) == "")
        below = several ? " Below, pieces run at the same time as well." : \
                          " This machine has no second core: below is no parallelism either."
    strip("mixed-4-one-pthreads", "tasks", "one core", "four threads: concurrency")
    strip("mixed-4-one-pthreads", "cores", "", "by core")
    strip(all, "tasks", several ? "all cores" : "the only core", \
          "the same" (several ? ": parallelism" : ""))
    if (missing(all, 1) == "") strip(all, "cores", "", "by core")
    lanes_figure("21", "one-core-all-cores", "Concurrency is not parallelism", \
                 "Above, pieces of four tasks take turns on one core, and their waits overlap all the " \
                 "same." below when(x, " All cores, against one: " x "."))
}

# --- D8, D14, D18, D22: curves and dots --------------------------------------------------------

# What tells lines apart besides their colours: gnuplot's filled symbols, the open ones are one less.
function symbol(strategy)
{
    if (strategy == "fork") return 5         # a square
    if (strategy == "process-pool") return 13
    if (strategy == "pthreads") return 9     # a triangle
    if (strategy == "gil") return 11
    return strategy == "fiber" ? 15 : 7
}

# Adds a point to the line `name` of the next panel; low and high may be "". `single`: of one trial.
function add_point(name, x, y, low, high, single)
{
    if (!(name in line_of)) {
        line_of[name] = ++line_count
        line_name[line_count] = name
    }
    name = line_of[name]
    line_x[name, ++line_n[name]] = x
    line_y[name, line_n[name]] = y
    line_low[name, line_n[name]] = low == "" ? y : low
    line_high[name, line_n[name]] = high == "" ? y : high
    line_single[name, line_n[name]] = single
    if (single) singles++
}

# A metric of a cell as a point, or its share per `each`; nothing when it is unknown. What is zero
# stands at `least`.
function add_cell(cell, x, metric, name, each,    row, low)
{
    if (missing(cell) != "" || median(row_of[cell], metric) == "") return
    row = row_of[cell]
    if (!each) each = 1
    low = lower(row, metric)
    add_point(name, x, max(median(row, metric) / each, least), low == "" ? "" : max(low / each, least), \
              low == "" ? "" : max(upper(row, metric) / each, least), low == "")
}

# Where zero stands for a metric per task of these cells: below all that is not zero.
function place_of_zero(pattern, metric,    i, v, low)
{
    for (i = 1; i <= rows; i++) {
        if (S[i, "group"] !~ pattern || S[i, "status"] != "ok") continue
        v = S[i, metric "_low"] > 0 ? S[i, metric "_low"] : median(i, metric)
        if (v > 0) low = low ? min(low, v / S[i, "tasks"]) : v / S[i, "tasks"]
    }
    return low ? low / 3 : 1
}

# A panel of the lines that were added, both axes logarithmic, the names at their ends. How x and y
# are written: "bytes", "time" or "count".
function lines_panel(left, right, top, bottom, title, x_is, x_title, y_is,
                     i, j, k, x, n, x_low, x_high, y_low, y_high, names, tics)
{
    for (i = 1; i <= line_count; i++) {
        for (j = 1; j <= line_n[i]; j++) {
            x_low = x_low ? min(x_low, line_x[i, j]) : line_x[i, j]
            x_high = max(x_high, line_x[i, j])
            y_low = y_low ? min(y_low, line_low[i, j]) : line_low[i, j]
            y_high = max(y_high, line_high[i, j])
            n = insert(x, n, line_x[i, j])
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
    right -= names + 48
    x_low = log10(x_low) - 0.08
    x_high = log10(x_high) + 0.08
    y_low = log10(y_low) - 0.15
    y_high = log10(y_high) + 0.15
    for (i = 1; i <= n; i++) { # the numbers that were tried, where there is room for them
        k = left + (log10(x[i]) - x_low) / (x_high - x_low) * (right - left)
        if (i > 1 && k - width(axis_text(x_is, x[i]), "body") / 2 < names) continue
        names = k + width(axis_text(x_is, x[i]), "body") / 2 + 10
        tics = log_tic(tics, x_is, x[i])
    }
    panel_begin("lines", left, right, top, bottom, power10(x_low), power10(x_high), tics, 1)
    tics = log_axis(y_is, y_low, y_high, (bottom - top) / 50)
    printf "y_log = 1; y_low = %.8g; y_high = %.8g; lines = %d; y_tics = \"(%s)\"\n", \
        power10(y_low), power10(y_high), line_count, tics > axis_file
    for (i = 1; i <= line_count; i++) {
        for (j = 1; j <= line_n[i]; j++)
            printf "%.8g\t%.8g\t%.8g\t%.8g\t%d\t%d\n", line_x[i, j], line_y[i, j], \
                line_low[i, j], line_high[i, j], rank_of(line_name[i]), \
                symbol(line_name[i]) - line_single[i, j] > points
        printf "\n\n" > points
        end_x[i] = left + (log10(line_x[i, line_n[i]]) - x_low) / (x_high - x_low) * (right - left)
        end_y[i] = bottom - (log10(line_y[i, line_n[i]]) - y_low) / (y_high - y_low) * (bottom - top)
        if (line_name[i] in ended) point(end_x[i] + 16, end_y[i], 2, "ink")
    }
    name_lines(right, top, bottom)
    label((left + right) / 2, bottom + 52, "body", "center", "dim", x_title)
    panel_end()
    split("", line_of); split("", line_n)
    line_count = 0
}

# Says what an open symbol means, where one was drawn; ends the page.
function lines_end()
{
    if (singles) {
        point(PAGE_W - MARGIN - 230, page_top + 20, 6, "dim")
        label(PAGE_W - MARGIN, page_top + 20, "body", "right", "dim", "open: a single trial")
    }
    singles = 0
    step_end()
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
        segment(end_x[j] + (line_name[j] in ended ? 26 : 10), end_y[j], right + 14, y[i], \
                strategy_colour(line_name[j]), 1, 1)
        point(right + 26, y[i], symbol(line_name[j]), strategy_colour(line_name[j]))
        label(right + 42, y[i], "strong", "left", "ink", line_name[j])
    }
}

# The tics of a logarithmic axis between two powers of ten, at most `most` of them.
function log_axis(what, low, high, most,    e, step, base, list, first)
{
    if (what == "count" && least < power10(high) && log10(least) > low) {
        list = log_tic("", "count", 0)
        sub(/0$/, sprintf("%.8g", least), list)
        low = log10(least) + 0.3
    }
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
    if (what == "count") return value < 0.9 ? sprintf("%.4g", value) : tic_count(value)
    if (what == "bytes") {
        unit = byte_unit(value * 1.001)
        return sprintf("%.4g ", value / unit_bytes) unit
    }
    unit = time_unit(min(value * 1.001, 500e9)) # powers of ten are no round minutes
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

function groups_note(pattern, metric,    i, n, list, reasons)
{
    for (i = 1; i <= rows; i++) {
        if (S[i, "group"] !~ pattern || is_true(S[i, "control"])) continue
        list[++n] = i
        if (S[i, "status"] != "ok") reasons = reasons " · " S[i, "cell"] ": " status_text(i)
    }
    return statistics_note(metric, list, n) " · scales are logarithmic" reasons
}

function results(    n, i, list, k, names, m, few, many)
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
    few = versus("payload-1-one-1KiB-fork", "payload-1-one-1KiB-coroutine", "as long")
    many = versus("payload-1-one-64MiB-fork", "payload-1-one-64MiB-coroutine", "as long")
    step_begin("08", "results", "Handing a result back", \
         "One task makes a result and hands it over: a process copies it through a pipe, a thread or a " \
         "coroutine passes a pointer. A process, against a coroutine" \
         when(few, ", 1 KiB: " few) when(many, (few ? ";" : ",") " 64 MiB: " many) ".", \
         groups_note("^payload-1-one-", "wall_ns"))
    lines_panel(MARGIN, PAGE_W - MARGIN, page_top + 12, page_bottom, "wall time", "bytes", \
                "size of the result", "time")
    lines_end()
}

function bytes_of(text) { return text * (text ~ /MiB/ ? 1048576 : 1024) }

function crowds(    n, i, list, m, k, names, c, metric, titles, wide, words)
{
    if (!any_ok("-one-crowd$")) {
        card("14", "crowds", "More tasks at once on one core", why_none("-one-crowd$", "mixed, label crowd"))
        return
    }
    n = split("2 10 100 1000", list, " ")
    m = split("pthreads gil coroutine", names, " ")
    split("involuntary_switches voluntary_switches stretch_max", metric, " ")
    split("core taken away, per task;core given up, per task;worst stretch of a task", titles, ";")
    for (k = 1; k <= m; k++) {
        c = "mixed-1000-one-crowd-" names[k]
        if (of(c, "stretch_max")) words = words (words == "" ? "" : ", ") names[k] " " stretch_text(c)
    }
    step_begin("14", "crowds", "More tasks at once on one core", \
         "The same short tasks, 2 to 1000 of them. A level line: as many switches of the kernel for " \
         "each, however many there are." when(words, " Worst stretch of a thousand: " words "."), \
         groups_note("-one-crowd$", "voluntary_switches"))
    wide = (PAGE_W - 2 * MARGIN) / 3
    for (c = 1; c <= 3; c++) {
        least = c < 3 ? place_of_zero("-one-crowd$", metric[c]) : 1e-9
        for (k = 1; k <= m; k++)
            for (i = 1; i <= n; i++)
                add_cell("mixed-" list[i] "-one-crowd-" names[k], list[i], metric[c], names[k], \
                         c < 3 ? list[i] : 1)
        lines_panel(MARGIN + (c - 1) * wide, MARGIN + c * wide - 14, page_top + 12, page_bottom, \
                    titles[c], "count", "number of tasks", "count")
    }
    lines_end()
}

# Where a strategy ended among more and more tasks, in the words of its limit; "" when it did not.
function end_reason(strategy,    i, text, end)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "strategy"] == strategy && S[i, "group"] ~ /-one-scale$/ && S[i, "status"] != "ok" && \
            !is_true(S[i, "control"]) && (!end || S[i, "tasks"] < S[end, "tasks"])) end = i
    if (!end) return ""
    text = S[end, "status"] == "bound" ? status_text(end) : S[end, "reason"]
    sub(/;.*/, "", text)
    if (S[end, "status"] == "bound" || text == "")
        text = tic_count(S[end, "tasks"]) " " (text == "" ? S[end, "status"] : text)
    return strategy ": " text
}

# The longest sleep of these groups, which no strategy can undercut: "150 ms"; of more than one "".
function longest_sleep(pattern,    i, text, seen)
{
    for (i = 1; i <= rows; i++) {
        if (S[i, "group"] !~ pattern || median(i, "ideal_ns") == "") continue
        text = sprintf("%.2g", median(i, "ideal_ns"))
        if (seen != "" && text != seen) return ""
        seen = text
    }
    return seen == "" ? "" : round_duration(seen)
}

function million(    n, i, list, m, k, names, c, metric, titles, words, reason, half)
{
    if (!any_ok("-one-scale$")) {
        card("22", "million", "How many tasks fit?", why_none("-one-scale$", "sleep, label scale"))
        return
    }
    least = 1
    n = split("10 100 1000 3000 10000 100000 1000000", list, " ")
    m = split("fork pthreads coroutine fiber", names, " ")
    split("", ended)
    for (k = 1; k <= m; k++)
        if ((reason = end_reason(names[k])) != "") {
            ended[names[k]] = 1
            words = words (words == "" ? " ×: " : "; ") reason
        }
    reason = longest_sleep("-one-scale$")
    step_begin("22", "million", "How many tasks fit?", \
         "Tasks that all sleep at once" when(reason, ", the longest for " reason) "." words \
         when(words, ".") " Other lines end where no more was tried.", \
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
    split("", ended)
    lines_end()
}

# --- D18 ---------------------------------------------------------------------------------------

function sleeps(    i, n, list, k, c, metric, titles, is, left, wide, top, row_h, names_w, few, others)
{
    if (!any_ok("^sleep-10(00)?-one$")) {
        card("18", "sleeps", "Ten sleeps, and a thousand", why_none("^sleep-10(00)?-one$", "sleep"))
        return
    }
    few = any_ok("^sleep-1000-one$") # then who was tried with ten alone is left out, for room
    for (i = 1; i <= rows; i++) {
        if (S[i, "group"] !~ /^sleep-10(00)?-one$/ || is_true(S[i, "control"])) continue
        k = S[i, "strategy"]
        if (k in names_w) continue
        names_w[k] = 1
        if (few && !(("sleep-1000-one-" k) in row_of)) {
            others = others (others == "" ? "" : ", ") k
            continue
        }
        for (c = ++n; c > 1 && rank_of(list[c - 1]) > rank_of(k); c--) list[c] = list[c - 1]
        list[c] = k
    }
    split("wall_ns cpu_ns memory_bytes", metric, " ")
    split("units time bytes", is, " ")
    split("wall time, in units;CPU time;memory", titles, ";")
    step_begin("18", "sleeps", "Ten sleeps, and a thousand", \
         "Each task sleeps one to three units" unit_words() " and does nothing else. Who sleeps all of " \
         "them at once is done when the longest is; what differs is what that takes besides.", \
         groups_note("^sleep-10(00)?-one$", "wall_ns") \
         when(others, " · with ten alone, not shown: " others))
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

# How long a unit is: " (20 ms, of a thousand 50 ms)"; "" when no cell tells.
function unit_words(    i, unit)
{
    for (i = 1; i <= rows; i++)
        if (S[i, "group"] ~ /^sleep-10(00)?-one$/ && S[i, "unit_ns"] > 0)
            unit[S[i, "tasks"]] = S[i, "unit_ns"]
    i = unit[10] ? unit[10] : unit[1000]
    if (!i) return ""
    return " (" round_duration(i) \
           (!unit[1000] || i == unit[1000] ? "" : ", of the thousand " round_duration(unit[1000])) ")"
}

# Of a metric of a cell: its median, or an end of its interval, in units where `is` says so.
function dot_value(cell, metric, is, end,    row, v)
{
    if (of(cell, metric) <= 0) return 0
    row = row_of[cell]
    v = end == "low" ? lower(row, metric) : end == "high" ? upper(row, metric) : median(row, metric)
    return is == "units" ? v / (S[row, "unit_ns"] > 0 ? S[row, "unit_ns"] : 1) : v
}

# A column of dots, on a log scale: for each strategy that of 10 tasks and of 1000, with the number.
function dots_panel(left, wide, top, row_h, list, n, metric, is, title,
                    i, k, low, high, cell, v, y, room, text, from, end)
{
    for (i = 1; i <= n; i++)
        for (k = 10; k <= 1000; k *= 100) {
            v = dot_value("sleep-" k "-one-" list[i], metric, is)
            if (v <= 0) continue
            low = low ? min(low, v) : v
            high = max(high, max(v, dot_value("sleep-" k "-one-" list[i], metric, is, "high")))
        }
    label(left, top - 24, "strong", "left", "ink", title)
    if (!high) {
        label(left, top + 20, "body", "left", "dim", "not measured")
        return
    }
    room = width(is == "bytes" ? "9.99 MiB (1 alive)" : "999 MiB", "body") + 30
    low = log10(low) - 0.15
    high = low + (log10(high) + 0.05 - low) * wide / (wide - room)
    panel_begin("dots", left, left + wide, top, top + n * row_h, power10(low), power10(high), \
                log_axis(is == "units" ? "count" : is, low, low + (high - low) * (1 - 40 / wide), \
                         wide / (is == "units" ? 50 : 100)), 1)
    for (i = 1; i <= n; i++) {
        rectangle(left, top + (i - 1) * row_h + 3, left + wide, top + i * row_h - 3, "panel")
        for (k = 10; k <= 1000; k *= 100) {
            cell = "sleep-" k "-one-" list[i]
            y = top + (i - (k == 10 ? 0.73 : 0.27)) * row_h
            v = dot_value(cell, metric, is)
            if (v > 0) {
                from = dot_value(cell, metric, is, "low")
                from = from ? max(from, power10(low)) : v
                end = max(v, dot_value(cell, metric, is, "high"))
                printf "%.8g\t%.2f\t%d\t%d\t%.8g\t%.8g\n", v, y, rank_of(list[i]), (k == 10 ? 6 : 7), \
                    from, end > points
                text = is == "time" ? duration(v) : is == "units" ? three(v) : bytes_text(v)
                if (is == "bytes" && tasks_held(row_of[cell]) != "" && tasks_held(row_of[cell]) < k)
                    text = text " (" tasks_held(row_of[cell]) " alive)"
                label(left + (log10(end) - low) / (high - low) * wide + 14, y, "body", "left", \
                      k == 10 ? "dim" : "ink", text)
            } else if (metric == "wall_ns" && cell in row_of)
                label(left + 10, y, "body", "left", "dim", \
                      fit(status_text(row_of[cell]), "body", wide - 20))
        }
    }
    panel_end()
}
