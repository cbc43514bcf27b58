# Prepares switches: a row per cell, a panel each for the switches between tasks, the voluntary and
# the involuntary ones of the kernel. Three numbers that are never added, on one logarithmic scale
# that has a place for zero. A page has two halves side by side when one column does not hold all.

BEGIN {
    split("task_switches voluntary_switches involuntary_switches", METRIC, " ")
    split("between tasks;voluntary;involuntary", HEADING, ";")
    split("in user space;to wait;the core was taken", MEANING, ";")
    ZERO = -0.55 # where zero stands among the powers of ten
    SPACE = 24   # between panels, in pixels
    HALVES = 60  # between the halves of a page
    OWN = 1.2    # what a block takes besides its rows, in rows: its title and a gap

    highest = 1
    read_summary()
    put_firm_ones_first()
    blocks = choose_groups()
    for (g = 1; g <= blocks; g++) {
        collect(shown_group[g])
        block_lines[g] = lines + OWN
        all_lines += lines + OWN
        for (i = 1; i <= lines; i++)
            for (k = 1; k <= 3; k++)
                highest = max(highest, max(median(line_row[i], METRIC[k]) + 0, \
                                           S[line_row[i], METRIC[k] "_high"] + 0))
    }
    if (blocks) pages()
}

# The rows of a group into line_row[]: those that were counted, and those that did not run.
function collect(group,    i, k, row, any)
{
    lines = 0
    for (i = 1; i <= group_rows[group]; i++) {
        row = group_row[group, i]
        any = S[row, "status"] != "ok"
        for (k = 1; k <= 3; k++) if (median(row, METRIC[k]) != "") any = 1
        if (any) line_row[++lines] = row
    }
}

# Blocks are kept whole; the columns, a half of a page or a page, are filled about evenly.
function pages(    space, each, halves, planned, n, i, first, last, sum)
{
    space = PAGE_H - 242 - (environment["stamp"] != "" ? 68 : 0)
    halves = all_lines * 20.5 > space ? 2 : 1
    planned = halves * ceil(all_lines * 20.5 / space / halves)
    for (first = 1; first <= blocks; first = last + 1) {
        each = all_lines / max(planned - n, 1) # of what is left
        sum = block_lines[first]
        for (last = first; last < blocks; last++) {
            if (sum + block_lines[last + 1] / 2 > each) break
            if ((sum + block_lines[last + 1]) * 19 > space) break
            sum += block_lines[last + 1]
        }
        column_first[++n] = first
        column_last[n] = last
        column_lines[n] = sum
        all_lines -= sum
    }
    for (i = 1; i <= n; i += halves)
        one_page("switches" (i > 1 ? "-" (i + halves - 1) / halves : ""), \
                 n > halves ? sprintf(" (%d of %d)", (i + halves - 1) / halves, ceil(n / halves)) : "", \
                 i, min(i + halves - 1, n), halves)
}

# Columns first .. last; there is room for `halves`.
function one_page(name, part, first, last, halves,    c, b, i, used, count_used, longest)
{
    names_w = 0
    for (c = first; c <= last; c++) {
        longest = max(longest, column_lines[c])
        for (b = column_first[c]; b <= column_last[c]; b++) {
            collect(shown_group[b])
            for (i = 1; i <= lines; i++) {
                used[++count_used] = line_row[i]
                names_w = max(names_w, width(S[line_row[i], "strategy"], "body"))
            }
        }
    }
    page_begin(name, "switches", "Switches of each strategy" part, \
               "three kinds, each counted by itself; medians on a log scale, zero apart" \
               left_out_words(), \
               statistics_note(METRIC[2], used, count_used) reasons_note(used, count_used))
    printf "panels = %d\n", 3 * (last - first + 1) > page
    panel_top = page_top + 56
    row_h = min(34, (page_bottom - 32 - panel_top) / longest)
    kind = row_h >= 23 ? "body" : "small"
    names_w = min(names_w * size[kind] / size["body"], 230)
    half_w = (PAGE_W - 2 * MARGIN - (halves - 1) * HALVES) / halves
    column_w = (half_w - names_w - 14) / 3 - SPACE
    axis_low = ZERO - 0.2
    axis_high = axis_low + (log10(highest) + 0.02 - axis_low) * column_w / \
                           (column_w - width("99999", kind) - 14)
    for (c = first; c <= last; c++)
        one_column(name, c, MARGIN + (c - first) * (half_w + HALVES), 3 * (c - first))
    close(page)
}

# A column of blocks from `left`, in three panels after the first `panels`.
function one_column(name, c, left, panels,    k, b, i, y)
{
    half_left = left
    columns_left = left + names_w + 14
    panel_bottom = panel_top + column_lines[c] * row_h
    for (k = 1; k <= 3; k++) {
        label(column_left(k), panel_top - 44, "strong", "left", "ink", \
              fit(HEADING[k], "strong", column_w + SPACE - 6))
        label(column_left(k), panel_top - 20, "body", "left", "dim", \
              fit(MEANING[k], "body", column_w + 10))
        axis_file(name "." panels + k, column_left(k))
        dots[k] = table_begin(name "." panels + k, "dots")
        intervals[k] = table_begin(name "." panels + k, "intervals")
    }
    y = panel_top + row_h * 0.7
    for (b = column_first[c]; b <= column_last[c]; b++) {
        collect(shown_group[b])
        rectangle(left, y - row_h * 0.5, left + half_w, y + row_h * 0.5, "panel")
        label(left + 6, y, row_h >= 19 ? "strong" : "small", "left", "ink", \
              fit(group_title(line_row[1]), "strong", half_w - 12))
        for (i = 1; i <= lines; i++) {
            y += row_h
            label(columns_left - 14, y, kind, "right", "ink", \
                  fit(S[line_row[i], "strategy"], kind, names_w))
            draw_row(line_row[i], y)
        }
        y += row_h * OWN
    }
    for (k = 1; k <= 3; k++) { close(dots[k]); close(intervals[k]) }
}

function column_left(k) { return columns_left + (k - 1) * (column_w + SPACE) }

function axis_file(name, left,    path, e, step, tics)
{
    path = work "/" name ".axis"
    tics = "'0' " ZERO
    step = max(1, ceil((axis_high - axis_low) * 46 / column_w))
    e = -ZERO / (axis_high - axis_low) * column_w < 24 ? step : 0 # not on top of zero
    for (; e <= log10(highest) + 0.3; e += step)
        tics = tics ", " quoted(tic_count(power10(e))) " " e
    printf "panel_left = %g; panel_right = %g; panel_top = %g; panel_bottom = %g\n", \
        left, left + column_w, panel_top, panel_bottom > path
    printf "axis_low = %.6g; axis_high = %.6g; axis_tics = \"(%s)\"\n", \
        axis_low, axis_high, tics > path
    close(path)
}

function position(n) { return n < 1 ? ZERO : log10(n) }

function draw_row(row, y,    k, n, low, high, x)
{
    if (S[row, "status"] != "ok") {
        label(columns_left + 8, y, kind, "left", "dim", \
              fit(status_text(row), kind, half_left + half_w - columns_left - 8))
        return
    }
    for (k = 1; k <= 3; k++) {
        n = median(row, METRIC[k])
        if (n == "") {
            label(column_left(k) + 8, y, kind, "left", "dim", "not counted")
            continue
        }
        low = S[row, METRIC[k] "_low"]
        high = S[row, METRIC[k] "_high"]
        if (low == "" || high == "") low = high = n
        printf "%.6g\t%.2f\t%d\t%d\n", \
            position(n), y, rank_of(S[row, "strategy"]), (n < 1 ? 6 : 7) > dots[k]
        if (position(high) - position(low) > 0.01)
            printf "%.6g\t%.6g\t%.2f\n", position(low), position(high), y > intervals[k]
        x = (position(max(n, high)) - axis_low) / (axis_high - axis_low) * column_w
        label(column_left(k) + x + 12, y, kind, "left", n ? "ink" : "dim", \
              n > 0 && n < 1 ? three(n) : count(n))
    }
}
