# What the figures' preparations share: reading results, units, the width of text, the page.
#
# Run with -v dir=RESULTS -v work=FOLDER -v charts=(this folder). For each figure a preparation adds
# a line to work/list (its name, the chart that draws it, its title), and leaves NAME.gp with the
# layout and all text, and NAME.*.tsv with the data. Text reaches gnuplot in single quotes alone,
# where nothing but the quote itself is special. Page coordinates are those of style.gp: pixels of a
# 1600 x 900 page, y downwards.

BEGIN {
    PAGE_W = 1600; PAGE_H = 900; MARGIN = 24
    read_style(charts "/style.gp")
    memory_kinds()
    read_widths()
    read_strategies()
    read_environment(dir "/environment.json")
}

# --- Reading -----------------------------------------------------------------------------------

# size["title"] ... in pixels, from the lines `size_title = 30` of style.gp or another.
function read_style(style,    line, part)
{
    while ((getline line < style) > 0)
        if (split(line, part, /[ =]+/) >= 2 && sub(/^size_/, "", part[1])) size[part[1]] = part[2] + 0
    close(style)
}

# rank[] orders the strategies and gives each its colour; those not listed come after the others.
function read_strategies(    path, line, part)
{
    path = charts "/strategies.tsv"
    while ((getline line < path) > 0)
        if (line !~ /^#/ && split(line, part, "\t") >= 2) {
            rank[part[1]] = ++ranks
            caption[part[1]] = part[2]
        }
    close(path)
}

# The place of a strategy, known or not.
function rank_of(name)
{
    if (!(name in rank)) rank[name] = ++ranks
    return rank[name]
}

# The top-level strings of a JSON object, into environment[].
function read_environment(path,    line, text, depth, token, key, expect)
{
    while ((getline line < path) > 0) text = text line " "
    close(path)
    while (match(text, /"(\\.|[^"\\])*"|[][{}:,]/)) {
        token = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (token ~ /^[[{]$/) depth++
        else if (token ~ /^[]}]$/) depth--
        else if (depth == 1 && token == ",") key = ""
        else if (depth == 1 && token == ":") expect = 1
        else if (depth == 1 && token ~ /^"/) {
            token = json_text(token)
            if (expect) environment[key] = token
            else key = token
        }
        if (token != ":") expect = 0
    }
}

function json_text(token)
{
    token = substr(token, 2, length(token) - 2)
    gsub(/\\[nrtbf]/, " ", token)
    gsub(/\\u00[bB]5/, "µ", token)
    gsub(/\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]/, "?", token)
    gsub(/\\"/, "\"", token)
    gsub(/\\\//, "/", token)
    gsub(/\\\\/, "\\", token)
    return token
}

function die(why)
{
    print why > "/dev/stderr"
    exit 1
}

# Splits one line of RFC 4180 into out[1..]; returns how many.
function csv_split(line, out,    n, field)
{
    n = 0
    split("", out)
    sub(/\r$/, "", line)
    for (;;) {
        if (match(line, /^"([^"]|"")*"/)) {
            field = substr(line, 2, RLENGTH - 2)
            gsub(/""/, "\"", field)
        } else {
            match(line, /^[^,]*/)
            field = substr(line, 1, RLENGTH)
        }
        line = substr(line, RLENGTH + 1)
        out[++n] = field
        if (line !~ /^,/) return n
        line = substr(line, 2)
    }
}

# Reads a CSV into table[row, column name], numbers as such. Returns the number of rows, -1 when it
# cannot be read.
function csv_read(path, table,    line, names, fields, columns, rows, i, n, more, number)
{
    number = "^[-+]?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?$"
    if ((getline line < path) <= 0) return -1
    columns = csv_split(line, names)
    while ((getline line < path) > 0) {
        while (gsub(/"/, "\"", line) % 2 && (getline more < path) > 0) line = line " " more
        if (line ~ /^\r?$/) continue
        n = csv_split(line, fields)
        rows++
        for (i = 1; i <= columns && i <= n; i++)
            table[rows, names[i]] = fields[i] ~ number ? fields[i] + 0 : fields[i]
    }
    close(path)
    return rows + 0
}

# summary.csv into S[row, column]; also which groups there are, and each one's rows in the order of
# the strategies, the control left out.
function read_summary(    i, j, k, group)
{
    rows = csv_read(dir "/summary.csv", S)
    if (rows > 0 && !((1, "group") in S)) die("summary.csv has no column 'group'")
    for (i = 1; i <= rows; i++) {
        group = S[i, "group"]
        if (!(group in group_rows)) { groups[++group_count] = group; group_rows[group] = 0 }
        if (is_true(S[i, "control"])) {
            controls++
            note_control(i)
            continue
        }
        for (j = ++group_rows[group]; j > 1; j--) {
            k = group_row[group, j - 1]
            if (rank_of(S[k, "strategy"]) <= rank_of(S[i, "strategy"])) break
            group_row[group, j] = k
        }
        group_row[group, j] = i
    }
}

# The noise floor of a group is its own, or, where it has no control, the worst of its workload.
function note_control(row,    name)
{
    if (S[row, "ratio_low"] == "" || S[row, "noise_floor"] == "") return
    own_noise[S[row, "group"]] = S[row, "noise_floor"]
    name = S[row, "workload"]
    workload_noise[name] = max(workload_noise[name] + 0, S[row, "noise_floor"])
}

# What noise alone may do to the wall time of a row of S, as a share; "" when nothing tells.
function noise_of(row)
{
    if (S[row, "group"] in own_noise) return own_noise[S[row, "group"]]
    if (S[row, "workload"] in workload_noise) return workload_noise[S[row, "workload"]]
    return S[row, "noise_floor"]
}

# How many trials a metric of a row rests on. Those of memory are rounds of their own.
function trials_of(row, metric)
{
    if (metric !~ /_bytes$/) return S[row, "rounds"]
    read_memory_trials()
    return S[row, "cell"] in memory_trials ? memory_trials[S[row, "cell"]] : S[row, "rounds"]
}

# How many tasks were alive when the memory of a row was read; "" when unknown.
function tasks_held(row)
{
    read_memory_trials()
    return S[row, "cell"] in memory_held ? memory_held[S[row, "cell"]] : ""
}

# What only trials.csv tells of the memory passes: how many there were, and the tasks they attest.
function read_memory_trials(    path, line, n, i, field, at, cell)
{
    if (memory_read++) return
    path = dir "/trials.csv"
    if ((getline line < path) <= 0) return
    n = csv_split(line, field)
    for (i = 1; i <= n; i++) at[field[i]] = i
    while ((getline line < path) > 0) {
        if (!index(line, ",memory,")) continue
        csv_split(line, field)
        if (field[at["pass"]] != "memory" || field[at["round"]] < 1 || field[at["tasks_held"]] == "") continue
        cell = field[at["cell"]]
        memory_held[cell] = memory_trials[cell]++ ? min(memory_held[cell], field[at["tasks_held"]] + 0) : \
                                                    field[at["tasks_held"]] + 0
    }
    close(path)
}

function is_true(text) { return text == "true" || text == "1" || text == "yes" }

# The median of a metric in a row of S; "" when it is unknown.
function median(row, metric) { return S[row, metric "_median"] }

# The lower and the upper end of a metric of a row: those of its interval, or of its trials where
# they were too few for one; "" for a single trial.
function lower(row, metric) { return end_of_interval(row, metric, "_low", "_min") }
function upper(row, metric) { return end_of_interval(row, metric, "_high", "_max") }
function end_of_interval(row, metric, end, last)
{
    if (S[row, metric end] != "") return S[row, metric end]
    return trials_of(row, metric) > 1 ? S[row, metric last] : ""
}

# The wall time of row a by that of row b into `ratio`, with its interval in ratio_low and ratio_high;
# 0 when too few rounds tell one. Within a group the rounds were paired, and the summary has the ratio
# to the baseline; between others the ends of both intervals make the widest there can be.
function wall_ratio(a, b)
{
    if (S[a, "group"] == S[b, "group"] && S[b, "verdict"] == "baseline" && S[a, "ratio_low"] != "") {
        ratio = S[a, "ratio_median"]
        ratio_low = S[a, "ratio_low"]
        ratio_high = S[a, "ratio_high"]
        return 1
    }
    if (S[a, "group"] == S[b, "group"] && S[a, "verdict"] == "baseline" && S[b, "ratio_low"] != "") {
        ratio = 1 / S[b, "ratio_median"]
        ratio_low = 1 / S[b, "ratio_high"]
        ratio_high = 1 / S[b, "ratio_low"]
        return 1
    }
    if (S[a, "wall_ns_low"] == "" || S[b, "wall_ns_low"] == "") return 0
    ratio = median(a, "wall_ns") / median(b, "wall_ns")
    ratio_low = S[a, "wall_ns_low"] / S[b, "wall_ns_high"]
    ratio_high = S[a, "wall_ns_high"] / S[b, "wall_ns_low"]
    return 1
}

# As many decimals, and up to two more when these two numbers would look alike without them.
function telling(low, high, decimals,    most)
{
    for (most = decimals + 2; decimals < most; decimals++)
        if (sprintf("%." decimals "f", low) != sprintf("%." decimals "f", high)) break
    return decimals
}

# "1.96–2.03".
function from_to(low, high, decimals) { return sprintf("%." decimals "f–%." decimals "f", low, high) }

# Why a cell has no numbers.
function status_text(row)
{
    if (S[row, "status"] == "bound")
        return "not run: at least " round_duration(median(row, "bound_ns"))
    return S[row, "status"] (S[row, "reason"] == "" ? "" : ": " S[row, "reason"])
}

# --- Units -------------------------------------------------------------------------------------

# Three significant digits, no exponent.
function three(x) { return sprintf("%." three_decimals(x) "f", x) }
function three_decimals(x) { return x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2 }

# The unit that suits a duration; its length in ns goes to unit_ns.
function time_unit(ns)
{
    if (ns < 999.5)    { unit_ns = 1; return "ns" }
    if (ns < 999.5e3)  { unit_ns = 1e3; return "µs" }
    if (ns < 999.5e6)  { unit_ns = 1e6; return "ms" }
    if (ns < 599.5e9)  { unit_ns = 1e9; return "s" }
    if (ns < 7200e9)   { unit_ns = 60e9; return "min" }
    unit_ns = 3600e9
    return "h"
}

function duration(ns,    unit)
{
    if (ns + 0 == 0) return "0"
    unit = time_unit(ns + 0)
    return (unit == "ns" ? sprintf("%.0f", ns) : three(ns / unit_ns)) " " unit
}

# A bound is given without digits that nobody measured.
function round_duration(ns,    unit)
{
    unit = time_unit(ns + 0)
    return sprintf(ns / unit_ns >= 10 ? "%.0f" : "%.2g", ns / unit_ns) " " unit
}

function byte_unit(bytes)
{
    if (bytes < 999.5)           { unit_bytes = 1; return "B" }
    if (bytes < 999.5 * 1024)    { unit_bytes = 1024; return "KiB" }
    if (bytes < 999.5 * 1048576) { unit_bytes = 1048576; return "MiB" }
    unit_bytes = 1073741824
    return "GiB"
}

function bytes_text(bytes,    unit)
{
    unit = byte_unit(bytes + 0)
    return (unit == "B" ? sprintf("%.0f", bytes) : three(bytes / unit_bytes)) " " unit
}

function count(n)
{
    if (n < 99999.5) return sprintf("%.0f", n)
    if (n < 999.5e3) return sprintf("%.0fk", n / 1e3)
    return n < 999.5e6 ? three(n / 1e6) "M" : three(n / 1e9) "G"
}

# A round number on an axis.
function tic_count(n)
{
    if (n < 9999.5) return sprintf("%.6g", n)
    return n < 999.5e3 ? sprintf("%.6gk", n / 1e3) : sprintf("%.6gM", n / 1e6)
}

function log10(x) { return log(x) / log(10) }
function power10(x) { return exp(x * log(10)) }
function floor(x,    i) { i = int(x); return i > x ? i - 1 : i }
function ceil(x) { return -floor(-x) }
function absolute(x) { return x < 0 ? -x : x }
function min(a, b) { return a < b ? a : b }
function max(a, b) { return a > b ? a : b }

# Puts `value` into the numbers list[1..n] in order, once; returns the new n.
function insert(list, n, value,    j)
{
    for (j = 1; j <= n; j++) if (list[j] + 0 == value + 0) return n
    for (j = ++n; j > 1 && list[j - 1] + 0 > value + 0; j--) list[j] = list[j - 1]
    list[j] = value
    return n
}

# The step of about `wanted` tics over 0 .. range: 1, 2 or 5 times a power of ten.
function nice_step(range, wanted,    raw, power)
{
    raw = range / wanted
    power = power10(floor(log10(raw) + 1e-9))
    raw /= power
    return power * (raw <= 1.001 ? 1 : raw <= 2.001 ? 2 : raw <= 5.001 ? 5 : 10)
}

# Adds a tic to a list of gnuplot's, at a share of an axis `pixels` long, unless its text would
# stick out at either end.
function tic(list, at, share, words, pixels)
{
    if (share < -1e-6 || (1 - share) * pixels < width(words, "small") / 2 - 14) return list
    return list (list == "" ? "" : ", ") quoted(words) sprintf(" %.6g", at)
}

# The tics of an axis from 0 to `range`.
function linear_tics(range, pixels,    step, x, list)
{
    step = nice_step(range, min(8, max(2, pixels / 90)))
    for (x = 0; x <= range * 1.0001; x += step)
        list = tic(list, x, x / range, sprintf("%.6g", x), pixels)
    return list
}

# --- Text --------------------------------------------------------------------------------------

# Advance widths of DejaVu Sans in thousandths of the size, close enough for any grotesque.
function read_widths(    list, n, i)
{
    n = split("a613 b635 c550 d635 e615 f352 g635 h634 i278 j278 k579 l278 m974 n634 o612 p635 " \
              "q635 r411 s521 t392 u634 v592 w818 x592 y592 z525 A684 B686 C698 D770 E632 F575 " \
              "G775 H752 I295 J295 K656 L557 M863 N748 O787 P603 Q787 R695 S635 T611 U732 V684 " \
              "W989 X685 Y611 Z685 .318 ,318 :337 ;337 -361 (390 )390 /337 %950 +838 =838 <838 " \
              ">838 '275 |337 [390 ]390 !401", list, " ")
    for (i = 1; i <= n; i++) char_width[substr(list[i], 1, 1)] = substr(list[i], 2) / 1000
    char_width[" "] = 0.318
    for (i = 128; i < 192; i++) char_width[sprintf("%c", i)] = 0 # the rest of a UTF-8 character
    for (i = 192; i < 256; i++) char_width[sprintf("%c", i)] = 0.8
}

# How many pixels `text` takes; a size is one of style.gp's, BOLD ones are wider.
function width(text, kind,    i, sum, c)
{
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        sum += c in char_width ? char_width[c] : 0.636
    }
    return sum * size[kind] * (kind in bold ? 1.13 : 1.0)
}
BEGIN { bold["title"] = bold["head"] = bold["strong"] = 1 }

# `text`, or as much of its beginning as fits, with an ellipsis.
function fit(text, kind, room)
{
    if (width(text, kind) <= room) return text
    while (text != "" && width(text "…", kind) > room) {
        while (text ~ /[\200-\277]$/) text = substr(text, 1, length(text) - 1)
        text = substr(text, 1, length(text) - 1)
    }
    sub(/[ ,:;(]+$/, "", text)
    return text "…"
}

# Breaks `text` into out[1..] of at most `room` pixels, at most `most` lines; returns how many.
function wrap(text, kind, room, most, out,    words, n, i, k, next_line)
{
    n = split(text, words, " ")
    k = 0
    split("", out)
    for (i = 1; i <= n; i++) {
        if (words[i + 1] == "·") words[++i] = words[i - 1] " ·" # no line begins with one
        next_line = k ? out[k] " " words[i] : words[i]
        if (!k || (width(next_line, kind) > room && k < most)) out[++k] = words[i]
        else out[k] = next_line
    }
    for (i = 1; i <= k; i++) out[i] = fit(out[i], kind, room)
    return k
}

# What a group's name says besides its workload and tasks: group_cores, group_label.
function group_parts(group, workload, tasks)
{
    group_cores = substr(group, length(workload "-" tasks "-") + 1)
    group_label = ""
    if (match(group_cores, /^(one|all|[0-9]+([-+][0-9]+)*)(-|$)/)) {
        group_label = substr(group_cores, RLENGTH + 1)
        group_cores = substr(group_cores, 1, RLENGTH)
        sub(/-$/, "", group_cores)
    }
}

# A human's name for the group of a row of S: "mixed ×4, one core", its label in brackets.
function group_title(row)
{
    group_parts(S[row, "group"], S[row, "workload"], S[row, "tasks"])
    return S[row, "workload"] " ×" S[row, "tasks"] ", " cores(group_cores, S[row, "cpus"]) \
           (group_label == "" ? "" : " (" group_label ")")
}

function cores(where, cpus)
{
    if (where == "one") return "one core"
    if (where == "all") return cpu_count(cpus) > 1 ? "all " cpu_count(cpus) " cores" : "all cores"
    gsub(/[+]/, ",", where)
    return (where ~ /^[0-9]+$/ ? "core " : "cores ") where
}

# How many cores a list such as 0-1+4 names; 0 when it is not such a list.
function cpu_count(list,    part, edge, n, i, sum)
{
    n = split(list, part, /[+,]/)
    for (i = 1; i <= n; i++) {
        if (part[i] !~ /^[0-9]+(-[0-9]+)?$/) return 0
        sum += split(part[i], edge, "-") == 2 ? edge[2] - edge[1] + 1 : 1
    }
    return sum + 0
}

function plural(n, word) { return n " " word (n == 1 ? "" : "s") }

# --- Memory by kind ----------------------------------------------------------------------------

# Their colours (KIND, of style.gp), their columns in summary.csv, and what people call them.
function memory_kinds()
{
    KINDS = split("code heap stacks other page_tables kernel_stacks", KIND, " ")
    split("pss_code_bytes pss_heap_bytes pss_stack_bytes pss_other_bytes page_table_bytes " \
          "kernel_stack_bytes", KIND_METRIC, " ")
    split("code;heap;stacks;other;page tables;kernel stacks", KIND_WORDS, ";")
}

# A kind's part of a row's memory: medians of parts need not add up to the median of the whole, so
# they are given as its shares.
function kind_bytes(row, k,    i, sum)
{
    for (i = 1; i <= KINDS; i++) sum += median(row, KIND_METRIC[i])
    return sum ? median(row, KIND_METRIC[k]) / sum * median(row, "memory_bytes") : 0
}

function kinds_legend(y,    k, x)
{
    x = MARGIN
    for (k = 1; k <= KINDS; k++) {
        rectangle(x, y - 9, x + 28, y + 9, KIND[k])
        label(x + 36, y, "body", "left", "ink", KIND_WORDS[k])
        x += 36 + width(KIND_WORDS[k], "body") + 24
    }
    charge_mark(x + 8, y)
    label(x + 24, y, "body", "left", "ink", "what a memory cgroup was charged")
}

# --- The page ----------------------------------------------------------------------------------

# Starts figure `name`, which chart.gp draws: its title, the stamp of a noisy run, the footer.
# Afterwards page_top and page_bottom bound the space that is left.
function page_begin(name, chart, title, subtitle, notes,    y)
{
    y = page_open(name, chart, title)
    label(MARGIN, y + 36, "title", "left", "ink", fit(title, "title", PAGE_W - 2 * MARGIN))
    label(MARGIN, y + 73, "body", "left", "dim", fit(subtitle, "body", PAGE_W - 2 * MARGIN))
    page_top = y + 92
    page_foot(notes)
}

# An empty page, stamped when the run was noisy; returns where the space below the stamp begins.
function page_open(name, chart, title,    lines, n, i, y, reason)
{
    page = work "/" name ".gp"
    labels = 0; objects = 0
    printf "" > page
    print name "\t" chart "\t" title >> (work "/list")
    if (environment["stamp"] == "") return 0
    reason = environment["stamp"]
    sub(/^noisy: */, "", reason)
    n = wrap("NOISY RUN: " reason, "head", PAGE_W - 2 * MARGIN, 2, lines)
    y = n * (size["head"] + 6) + 12
    rectangle(0, 0, PAGE_W, y, "stamp")
    for (i = 1; i <= n; i++)
        label(PAGE_W / 2, size["head"] - 2 + (size["head"] + 6) * (i - 1), "head", "center", \
              "paper", lines[i])
    return y
}

# The machine, the day and `notes` at the foot of the page; sets page_bottom.
function page_foot(notes,    lines, n, i, foot, day)
{
    foot = environment["fingerprint"] != "" ? environment["fingerprint"] : "machine unknown"
    day = environment["date"] != "" ? substr(environment["date"], 1, 10) : "date unknown"
    foot = foot " · " day (notes == "" ? "" : " · " notes)
    n = wrap(foot, "small", PAGE_W - 2 * MARGIN, 3, lines)
    for (i = 1; i <= n; i++)
        label(MARGIN, PAGE_H - 14 - 1.4 * size["small"] * (n - i), "small", "left", "dim", lines[i])
    page_bottom = PAGE_H - 14 - 1.4 * size["small"] * n - 6
}

# What every figure says of its numbers: those of `metric` over the rows in list[1..n]. The noise
# floor is that of wall times; memory has none, but its trials have a range.
function statistics_note(metric, list, n,    i, row, few, many, noise, quiet, loud, intervals, note)
{
    for (i = 1; i <= n; i++) {
        row = list[i]
        if (S[row, metric "_low"] != "") intervals = 1
        if (S[row, "status"] == "ok") {
            if (median(row, metric) == "") continue
            few = few == "" ? trials_of(row, metric) : min(few, trials_of(row, metric))
            many = max(many + 0, trials_of(row, metric))
        }
        noise = metric ~ /_bytes$/ ? range_of(row, metric) : \
                S[row, metric "_low"] != "" ? noise_of(row) : ""
        if (noise == "") continue
        quiet = quiet == "" ? noise : min(quiet, noise)
        loud = max(loud + 0, noise)
    }
    note = "n = " (few == many ? many + 0 : few "–" many) " round" (many == 1 ? "" : "s")
    gsub(/ /, "\302\240", note) # stays on one line
    if (intervals) note = note " · interval: 95 % bootstrap of the median"
    else note = note " · too few for an interval"
    if (metric ~ /_bytes$/) {
        if (quiet == "") return note " · noise unknown (single trials)"
        return note " · noise: trials within ±" percent(loud) " of their median"
    }
    note = note " · noise floor " (metric ~ /switches/ ? "of wall time " : "")
    if (quiet == "") return note "unknown (" (controls ? "too few rounds" : "no A/A control") ")"
    quiet = percent(quiet)
    loud = percent(loud)
    if (quiet != loud) sub(/ %/, "–" loud, quiet)
    return note "±" quiet " (A/A control)"
}

# A share, such as a noise floor: "1.2 %".
function percent(share) { return sprintf(share < 0.00095 ? "%.2f %%" : "%.1f %%", 100 * share) }

# How far the trials of a row lie from their median, as a share; "" when there is only one.
function range_of(row, metric,    middle, low, high)
{
    middle = median(row, metric)
    low = S[row, metric "_min"]
    high = S[row, metric "_max"]
    if (S[row, "status"] != "ok" || trials_of(row, metric) < 2 || middle == "" || low == "") return ""
    return middle <= 0 ? "" : max(high - middle, middle - low) / middle
}

# For gnuplot, which takes no string that begins with a doubled quote.
function quoted(string)
{
    gsub(/[\001-\037]/, " ", string)
    if (string ~ /^'/) return "\"'\"." quoted(substr(string, 2))
    gsub(/'/, "''", string)
    return "'" string "'"
}

# A text of size `kind` on the page, centred on y; colours are named in style.gp.
function label(x, y, kind, align, colour, string)
{
    if (string != "")
        printf "set label %d %s at %.1f,%.1f %s font font_%s textcolor rgb %s front\n", \
            ++labels, quoted(string), x, y, align, kind, colour > page
}

function rectangle(x0, y0, x1, y1, colour)
{
    printf "set object %d rectangle from %.1f,%.1f to %.1f,%.1f ", ++objects, x0, y0, x1, y1 > page
    printf "fillstyle solid noborder fillcolor rgb %s behind\n", colour > page
}

function outline(x0, y0, x1, y1, colour)
{
    printf "set object %d rectangle from %.1f,%.1f to %.1f,%.1f ", ++objects, x0, y0, x1, y1 > page
    printf "fillstyle empty border rgb %s behind\n", colour > page
}

function segment(x0, y0, x1, y1, colour, wide, dashed)
{
    printf "set arrow %d from %.1f,%.1f to %.1f,%.1f ", ++objects, x0, y0, x1, y1 > page
    printf "nohead linewidth %g linecolor rgb %s %sback\n", \
        wide, colour, (dashed ? "dashtype (2,6) " : "") > page
}

# A symbol of gnuplot's: a dot (type 7), a ring (6), a diamond (13), ...
function point(x, y, type, colour)
{
    printf "set label %d '' at %.1f,%.1f ", ++labels, x, y > page
    printf "point pointtype %d pointsize %s linecolor rgb %s front\n", \
        type, (type ~ /^1[23]$/ ? "diamond" : "dot"), colour > page
}

# What a memory cgroup was charged, to be seen on every colour.
function charge_mark(x, y)
{
    point(x, y, 13, "ink")
    point(x, y, 12, "paper")
}

# A strategy's colour, as style.gp numbers them.
function strategy_colour(name) { return "strategy(" rank_of(name) ")" }

# An empty table of figure `name`; returns its path.
function table_begin(name, kind,    path)
{
    path = work "/" name "." kind ".tsv"
    printf "" > path
    return path
}
