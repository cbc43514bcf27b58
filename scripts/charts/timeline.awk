# Prepares the timelines: one figure per group that has traced trials, from timelines/index.csv and
# the trials that it names. A block per strategy: a lane per task, and below them a lane per core.

BEGIN {
    LEFT = 268; RIGHT = 1140 # of the lanes, in pixels
    HEAD = 62                # above them: the legend, the heads of the columns
    AXIS = 40                # below them
    GAP = 14; ABSENT = 32    # between blocks of lanes; the height of a cell that did not run
    CORES = 8; CORE_GAP = 5  # most lanes of cores in a block; between them and those of tasks
    GHOST = 20               # lanes of tasks lower than that have no ideal of their own
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
    choose_cores()
    group_parts(group, T[block_row[1], "workload"], tasks)
    title = title_text(block_row[1])
    subtitle = (inferred() == "" ? "" : inferred() " · ") plan_text(block_row[1])
    page_begin(name, "timeline", title, subtitle, tracing_note(1))

    lanes_top = page_top + HEAD
    height = page_bottom - AXIS - (absent ? 12 + absent * ABSENT : 0) - lanes_top
    height = min((height + GAP) / blocks - GAP, 72 * lanes + 30 * cores_shown)
    core_height = min(24, max(17, height / (lanes + cores_shown)))
    task_height = (height - CORE_GAP - core_height * cores_shown) / lanes
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
    lanes_legend(page_top + 28, COLUMN["ideal"] - 48 - MARGIN)
    column_heads(page_top + 28)
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

# Which cores have lanes: all that the group may use, when they are few, or else those that were used;
# at most CORES, fewer when there are many blocks. cores_known[row]: the trial says where it ran.
function choose_cores(    i, n, most, used, all)
{
    for (i = 1; i <= blocks; i++) {
        n = read_trial(block_row[i])
        cores_known[block_row[i]] = cores_used(n, used)
    }
    most = max(2, min(CORES, int(16 / blocks)))
    n = core_numbers(T[block_row[1], "cpus"], all)
    cores_left_out = cores_shown = 0
    for (i = 1; i <= n; i++) {
        if (n > most && !(all[i] in used)) continue
        if (cores_shown < most) shown_core[cores_shown++] = all[i]
        else cores_left_out++
    }
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
    label(RIGHT + 24, lanes_bottom + 22, "body", "left", "dim", unit " since the trial began")
    if (lanes < tasks)
        label(MARGIN, lanes_bottom + 16, "small", "left", "dim", \
              "the first " lanes " of " plural(tasks, "task"))
    if (cores_left_out)
        label(MARGIN, lanes_bottom + 36, "small", "left", "dim", \
              "the first " cores_shown " of " plural(cores_shown + cores_left_out, "core") " used")
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
function block(row, y, height,    n, i, wall, middle)
{
    rectangle(LEFT, y - 4, RIGHT, y + height + 4, "panel")
    middle = y + (height - core_height * cores_shown) / 2
    strategy_name(T[row, "strategy"], middle, height >= 50)
    pixel = time_max / (RIGHT - LEFT)
    wall = T[row, "wall_ns"] / axis_ns
    n = read_trial(row)
    for (i = 1; i <= n; i++) if (E[i, "task"] < lanes) task_piece(i, y)
    if (task_height >= 13)
        for (i = 0; i < lanes; i++)
            label(LEFT - 8, y + (i + bar_share() / 2) * task_height, "small", "right", "dim", i + 1)
    if (task_height < GHOST && T[row, "ideal_ns"] > 0) {
        i = T[row, "ideal_ns"] / axis_ns
        printf "%.6g\t%.1f\t%.6g\t%.1f\tideal\n", i, y - 4, i, y + lanes * task_height > ends
        state_seen["ideal-end"] = 1
    }
    by_core(row, n, y + height - core_height * cores_shown, wall)
    printf "%.6g\t%.1f\t%.6g\t%.1f\tink\n", wall, y - 4, wall, y + height + 4 > ends
    label(LEFT + wall / pixel + 8, middle, "head", "left", "ink", duration(T[row, "wall_ns"]))
    column_values(row, middle)
}

# How much of a lane the task's own bar takes.
function bar_share() { return task_height < GHOST ? 0.86 : 0.64 }

# Draws row i of the trial in its task's lane.
function task_piece(i, y,    state, top, foot, x0, x1)
{
    state = E[i, "state"]
    if (state ~ /^ideal-/ && task_height < GHOST) return
    top = y + E[i, "task"] * task_height
    foot = top + task_height * bar_share()
    x0 = E[i, "start_ns"] / axis_ns
    x1 = E[i, "end_ns"] / axis_ns
    if (state == "running") x1 = max(x1, x0 + pixel) # a hair at least
    shape(state, x0, x1, top, foot, top + task_height * 0.96)
    if (state ~ /^ideal-/) state_seen["ideal-running"] = 1
    else if (state == "running" || x1 - x0 >= 2 * pixel) state_seen[state] = 1
}

# The lanes of the cores, from y downwards: grey for as long as the trial took, and who ran there.
function by_core(row, n, y, wall,    k, foot)
{
    for (k = 0; k < cores_shown; k++) {
        foot = y + core_height - 2
        rectangle(LEFT, y, LEFT + wall / pixel, foot, "idle")
        if (cores_known[row]) core_lane(n, shown_core[k], y, foot, LEFT, axis_ns)
        else if (k == 0)
            label(LEFT + 6, (y + foot) / 2, "small", "left", "dim", \
                  fit("which core a task ran on is not known", "small", wall / pixel - 10))
        label(LEFT - 8, (y + foot) / 2, "small", "right", "dim", "core " shown_core[k])
        y += core_height
    }
    if (cores_shown && cores_known[row]) state_seen["cores"] = 1
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
    label((COLUMN["task"] + COLUMN["involuntary"]) / 2, y + 32, "small", "center", "dim", \
          "traced ÷ untraced " traced_ratio(row))
}

function switch_count(row, name, y,    n)
{
    n = T[row, name "_switches"]
    label(COLUMN[name], y, n < 1000 ? "head" : "strong", "center", n == 0 ? "dim" : "ink", \
          n == "" ? "?" : count(n))
}
