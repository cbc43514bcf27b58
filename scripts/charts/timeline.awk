# Prepares the timelines: one figure per group that has traced trials, from timelines/index.csv and
# the trials that it names.

BEGIN {
    LEFT = 268; RIGHT = 1140 # of the lanes, in pixels
    HEAD = 54                # above them: the legend, the heads of the columns
    AXIS = 58                # below them
    GAP = 16; ABSENT = 32    # between blocks of lanes; the height of a cell that did not run
    COLUMN["ideal"] = 1188; COLUMN["task"] = 1260; COLUMN["voluntary"] = 1343
    COLUMN["involuntary"] = 1451; COLUMN["stretch"] = 1546

    read_summary()
    traced = csv_read(dir "/timelines/index.csv", T)
    for (i = 1; i <= traced; i++) claim_name(i)
    for (i = 1; i <= traced; i++) {
        if (T[i, "group"] in drawn) continue
        drawn[T[i, "group"]] = 1
        timeline(T[i, "group"], figure_name(i))
    }
}

# "timeline-mixed-one" belongs to the group nearest to the talk's four tasks; others with the same
# workload and cores are named with their number of tasks.
function short_name(row,    name)
{
    name = T[row, "group"]
    sub("-" T[row, "tasks"] "-", "-", name)
    return name
}

function claim_name(row,    name, far)
{
    name = short_name(row)
    far = absolute(log(T[row, "tasks"] / 4))
    if (name in owner && far >= distance[name]) return
    owner[name] = T[row, "group"]
    distance[name] = far
}

function figure_name(row,    name)
{
    name = T[row, "group"]
    if (owner[short_name(row)] == name) name = short_name(row)
    gsub(/[^A-Za-z0-9_+.-]/, "_", name)
    return "timeline-" name
}

function timeline(group, name,    i, y, height, title, subtitle)
{
    collect(group)
    group_parts(group, T[block_row[1], "workload"], tasks)
    title = title_text(block_row[1])
    subtitle = plan_text(block_row[1])
    page_begin(name, "timeline", title, subtitle, tracing_note())

    lanes_top = page_top + HEAD
    height = page_bottom - AXIS - (absent ? 12 + absent * ABSENT : 0) - lanes_top
    height = min((height + GAP) / blocks - GAP, 72 * lanes)
    lanes_bottom = lanes_top + blocks * (height + GAP) - GAP
    time_axis()

    split("", state_seen)
    boxes = table_begin(name, "boxes")
    hatches = table_begin(name, "hatches")
    outlines = table_begin(name, "outlines")
    ends = table_begin(name, "ends")
    y = lanes_top
    for (i = 1; i <= blocks; i++) {
        block(block_row[i], y, height)
        y += height + GAP
    }
    y = lanes_bottom + AXIS + 28
    for (i = 1; i <= absent; i++) {
        strategy_name(S[absent_row[i], "strategy"], y, 0)
        label(LEFT, y, "body", "left", "dim", \
              fit(status_text(absent_row[i]), "body", PAGE_W - MARGIN - LEFT))
        y += ABSENT
    }
    legend(page_top + 20)
    column_heads(page_top + 20)
    close(boxes); close(hatches); close(outlines); close(ends); close(page)
}

# What a group's figure shows: its traced cells in block_row[], in the order of the strategies, and
# those that did not run in absent_row[]; how many tasks, and how many of them have a lane.
function collect(group,    i, j)
{
    blocks = absent = shown = 0
    for (i = 1; i <= traced; i++) {
        if (T[i, "group"] != group) continue
        for (j = ++blocks; j > 1; j--) {
            if (rank_of(T[block_row[j - 1], "strategy"]) <= rank_of(T[i, "strategy"])) break
            block_row[j] = block_row[j - 1]
        }
        block_row[j] = i
    }
    for (i = 1; i <= group_rows[group]; i++) {
        summary_row[++shown] = group_row[group, i]
        if (S[group_row[group, i], "status"] != "ok") absent_row[++absent] = group_row[group, i]
    }
    tasks = T[block_row[1], "tasks"]
    lanes = min(tasks, max(1, int(64 / blocks)))
}

# --- What is said in words ---------------------------------------------------------------------

function title_text(row,    words)
{
    words = (tasks > 1 ? "The same " tasks " tasks on " : "One task on ") \
            cores(group_cores, T[row, "cpus"])
    if (tasks > 1 && group_cores == "one") words = words ": concurrency"
    if (tasks > 1 && group_cores == "all" && cpu_count(T[row, "cpus"]) > 1)
        words = words ": parallelism"
    return words
}

# The workload, its label, and "each task computes 12 ms, waits 30, ..." when the ideal schedule
# shows all tasks alike.
function plan_text(row,    n, i, k, task, steps, kind, span, mean, most, unit, pieces, words)
{
    words = T[row, "workload"] (group_label == "" ? "" : " (" group_label ")")
    n = read_trial(row)
    for (i = 1; i <= n; i++) {
        if (E[i, "state"] !~ /^ideal-/) continue
        task = E[i, "task"]
        if (kind[task, steps[task] + 0] != E[i, "state"]) kind[task, ++steps[task]] = E[i, "state"]
        span[task, steps[task]] += E[i, "end_ns"] - E[i, "start_ns"]
    }
    if (!steps[0]) return words
    for (k = 1; k <= steps[0]; k++) {
        for (task = 0; task < tasks; task++) mean[k] += span[task, k] / tasks
        most = max(most, mean[k])
    }
    unit = " " time_unit(most)
    words = words ": each task "
    for (k = 1; k <= steps[0]; k++) {
        if (mean[k] < most / 200) continue # next to nothing
        for (task = 0; task < tasks; task++)
            if (++pieces > 9 * tasks || steps[task] != steps[0] || kind[task, k] != kind[0, k] || \
                absolute(span[task, k] / mean[k] - 1) > 0.15)
                return T[row, "workload"] ": tasks of different lengths"
        words = words (kind[0, k] == "ideal-running" ? "computes " : "waits ") \
                short(mean[k] / unit_ns) unit ", "
        unit = ""
    }
    return substr(words, 1, length(words) - 2)
}

# Measured, so a whole number is one that it comes close to.
function short(x,    whole)
{
    whole = int(x + 0.5)
    return sprintf(x >= 9.95 || absolute(x - whole) < 0.03 * x ? "%.0f" : "%.1f", x)
}

# How the drawn trials were traced, and what that costs.
function tracing_note(    i, row, few, many, n, dropped, cost, sources, worst, note)
{
    few = 1e9
    for (i = 1; i <= blocks; i++) {
        row = block_row[i]
        n = trials_traced(row)
        few = min(few, n)
        many = max(many, n)
        dropped += T[row, "trace_dropped"]
        cost = max(cost, T[row, "trace_event_ns"])
        sources = sources " " T[row, "switch_source"]
        if (T[row, "traced_ratio"] != "" && (!worst || \
            absolute(T[row, "traced_ratio"] - 1) > absolute(T[worst, "traced_ratio"] - 1)))
            worst = row
    }
    note = "drawn: the median of " (few == many ? few : few "–" many) " traced trials · "
    if (sources !~ /gaps/) note = note "kernel switch records"
    else if (sources !~ /perf/) note = note "pre-emption inferred from gaps"
    else note = note "kernel switch records, some pre-emption inferred from gaps"
    note = note " · tracing: " (cost == "" ? "?" : cost) " ns per event, " (dropped + 0) " dropped"
    if (worst) {
        note = note ", traced ÷ untraced wall time: " (blocks > 1 ? "worst " : "")
        note = note sprintf("%.3f", T[worst, "traced_ratio"])
        if (T[worst, "traced_ratio_low"] != "")
            note = note sprintf(" (%.3f–%.3f)", T[worst, "traced_ratio_low"], \
                                T[worst, "traced_ratio_high"])
        note = note ", " T[worst, "strategy"]
    }
    return note " · " statistics_note("wall_ns", summary_row, shown) \
           " · max stretch: a task's time ÷ its time alone"
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

# --- The lanes ---------------------------------------------------------------------------------

# The axis: so long that the wall time, written beside its line, always fits.
function time_axis(    i, wall, unit)
{
    time_max = 0
    for (i = 1; i <= blocks; i++) {
        wall = T[block_row[i], "wall_ns"]
        time_max = max(time_max, wall * (RIGHT - LEFT) / \
                                 (RIGHT - LEFT - 14 - width(duration(wall), "head")))
    }
    unit = time_unit(time_max)
    axis_ns = unit_ns
    time_max /= axis_ns
    printf "lanes_left = %g; lanes_right = %g; lanes_top = %g; lanes_bottom = %g\n", \
        LEFT, RIGHT, lanes_top, lanes_bottom > page
    printf "time_max = %.6g; time_tics = \"(%s)\"\n", \
        time_max, linear_tics(time_max, RIGHT - LEFT) > page
    label(RIGHT, lanes_bottom + 52, "body", "right", "dim", "time since the trial began (" unit ")")
    if (lanes < tasks)
        label(LEFT, lanes_bottom + 52, "body", "left", "dim", \
              "the first " plural(lanes, "task") " of " tasks)
}

# A strategy's name centred on y, with what it is below it when there is room for two lines.
function strategy_name(strategy, y, two_lines,    room, kind, half)
{
    room = LEFT - MARGIN - 44
    kind = width(strategy, "head") <= room ? "head" : "strong"
    two_lines = two_lines && strategy in caption
    half = two_lines ? 24 : 12
    rectangle(MARGIN, y - half, MARGIN + 7, y + half, strategy_colour(strategy))
    label(MARGIN + 18, y - (two_lines ? 12 : 0), kind, "left", "ink", fit(strategy, kind, room))
    if (two_lines)
        label(MARGIN + 18, y + 14, "body", "left", "dim", fit(caption[strategy], "body", room))
}

# One strategy's lanes from y downwards, its name and its numbers.
function block(row, y, height,    n, i, lane, top, wall)
{
    rectangle(LEFT, y - 4, RIGHT, y + height + 4, "panel")
    strategy_name(T[row, "strategy"], y + height / 2, height >= 50)
    lane = height / lanes
    pixel = time_max / (RIGHT - LEFT)
    n = read_trial(row)
    for (i = 1; i <= n; i++) {
        if (E[i, "task"] >= lanes) continue
        top = y + E[i, "task"] * lane
        shape(E[i, "state"], E[i, "start_ns"] / axis_ns, E[i, "end_ns"] / axis_ns, \
              top, top + lane * 0.64, top + lane * 0.96)
        state_seen[E[i, "state"]] = 1
    }
    if (lane >= 17)
        for (i = 0; i < lanes; i++)
            label(LEFT - 8, y + (i + 0.32) * lane, "small", "right", "dim", i + 1)
    wall = T[row, "wall_ns"] / axis_ns
    printf "%.6g\t%.1f\t%.6g\t%.1f\tink\n", wall, y - 4, wall, y + height + 4 > ends
    label(LEFT + wall / pixel + 8, y + height / 2, "head", "left", "ink", duration(T[row, "wall_ns"]))
    column_values(row, y + height / 2)
}

# --- Around the lanes --------------------------------------------------------------------------

function column_heads(y)
{
    label(COLUMN["ideal"], y - 14, "body", "center", "dim", "wall")
    label(COLUMN["ideal"], y + 14, "body", "center", "dim", "÷ ideal")
    label(COLUMN["voluntary"] + 29, y - 14, "body", "center", "dim", "switches")
    segment(COLUMN["task"] - 24, y, COLUMN["involuntary"] + 57, y, "dim", 1)
    label(COLUMN["task"], y + 14, "body", "center", "dim", "task")
    label(COLUMN["voluntary"], y + 14, "body", "center", "dim", "voluntary")
    label(COLUMN["involuntary"], y + 14, "body", "center", "dim", "involuntary")
    label(COLUMN["stretch"], y - 14, "body", "center", "dim", "max")
    label(COLUMN["stretch"], y + 14, "body", "center", "dim", "stretch")
}

function column_values(row, y)
{
    if (T[row, "ideal_ns"] > 0)
        label(COLUMN["ideal"], y, "head", "center", "ink", \
              "×" three(T[row, "wall_ns"] / T[row, "ideal_ns"]))
    switch_count(row, "task", y)
    switch_count(row, "voluntary", y)
    switch_count(row, "involuntary", y)
    if (T[row, "stretch_max"] != "")
        label(COLUMN["stretch"], y, "head", "center", "ink", "×" three(T[row, "stretch_max"]))
}

function switch_count(row, name, y,    n)
{
    n = T[row, name "_switches"]
    label(COLUMN[name], y, n < 1000 ? "head" : "strong", "center", n == 0 ? "dim" : "ink", \
          n == "" ? "?" : count(n))
}
