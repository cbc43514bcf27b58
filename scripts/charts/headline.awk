# The numbers that a README shows of a run, as a table in Markdown: a line for each strategy, each
# number as its median with its 95 % interval.

BEGIN {
    read_summary()
    for (i = 1; i <= rows; i++)
        if (!is_true(S[i, "control"])) {
            row_of[S[i, "group"], S[i, "strategy"]] = i
            if (!(S[i, "strategy"] in listed)) {
                listed[S[i, "strategy"]] = 1
                for (j = ++names; j > 1 && rank_of(name[j - 1]) > rank_of(S[i, "strategy"]); j--)
                    name[j] = name[j - 1]
                name[j] = S[i, "strategy"]
            }
        }
    print "| | mixed × 4, one core: wall ÷ ideal | all cores: wall ÷ ideal | sleep × 1000: CPU time | " \
          "fetch × 1000: wall | a switch | memory per task |"
    print "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for (j = 1; j <= names; j++) line(name[j])
}

function line(s,    one, words)
{
    one = ("mixed-4-one", s) in row_of ? "mixed-4-one" : "mixed-4-one-others"
    words = " " field(one, s, "over_ideal", 1, "") "| " field("mixed-4-all", s, "over_ideal", 1, "") \
        "| " field("sleep-1000-one", s, "cpu_ns", 1, "ns") "| " field("fetch-1000-one", s, "wall_ns", 1, "ns") \
        "| " field("yield-100-one", s, "wall_ns", switches(s), "ns") "| " per_task(s) "|"
    if (words ~ /[0-9]/) print "| `" s "` |" words
}

# How many switches the trials of `yield` made: of each task as often as it yields.
function switches(s,    row)
{
    row = row_of["yield-100-one", s]
    if (!row || !match(S[row, "options"], /--yields [0-9]+/)) return 1
    return S[row, "tasks"] * substr(S[row, "options"], RSTART + 9, RLENGTH - 9)
}

function field(group, s, metric, divisor, unit,    row)
{
    row = row_of[group, s]
    if (!row) return ""
    if (metric == "wall_ns" && S[row, "status"] == "bound")
        return "≥ " round_duration(median(row, "bound_ns")) " "
    return value(median(row, metric), S[row, metric "_low"], S[row, metric "_high"], divisor, unit)
}

function per_task(s,    row)
{
    row = row_of["sleep-1000-one-memory", s]
    if (!row) return ""
    return value(S[row, "memory_per_task_bytes"], S[row, "memory_per_task_low"], \
                 S[row, "memory_per_task_high"], 1, "B")
}

# "122 ms (120–124)", the interval in the unit of the median.
function value(middle, low, high, divisor, unit,    scale, words, digits)
{
    if (middle == "") return ""
    middle /= divisor
    if (unit == "ns") { words = time_unit(middle); scale = unit_ns }
    else if (unit == "B") { words = byte_unit(middle); scale = unit_bytes }
    else scale = 1
    digits = unit == "" ? 3 : middle / scale >= 99.5 ? 0 : middle / scale >= 9.95 ? 1 : 2
    return sprintf("%." digits "f", middle / scale) (words == "" ? "" : " " words) \
        (low == "" ? "" : sprintf(" (%." digits "f–%." digits "f)", low / divisor / scale, \
                                  high / divisor / scale)) " "
}
