# Which groups of cells a chart of many shows, and in which order.

# The groups of the most rounds come first: what a suite runs most often is what it is about.
function put_firm_ones_first(    g, k, i, group, rounds)
{
    for (g = 1; g <= group_count; g++) {
        group = groups[g]
        for (i = 1; i <= group_rows[group]; i++)
            rounds[group] = max(rounds[group] + 0, S[group_row[group, i], "rounds"] + 0)
        for (k = g; k > 1 && rounds[groups[k - 1]] < rounds[group]; k--) groups[k] = groups[k - 1]
        groups[k] = group
    }
}

# The groups that have something to compare, into shown_group[1..]; returns how many. A cell by itself
# compares nothing, and its numbers are in the summary; but when there is nothing else, it is shown.
# `collect` of a chart says which rows of a group it shows.
function choose_groups(    g, n)
{
    for (g = 1; g <= group_count; g++) {
        collect(groups[g])
        if (lines > 1) shown_group[++n] = groups[g]
        else if (lines) alone[++left_out] = groups[g]
    }
    if (n) return n
    for (g = 1; g <= left_out; g++) shown_group[g] = alone[g]
    n = left_out
    left_out = 0
    return n + 0
}

# What a subtitle says of the groups that are left out.
function left_out_words()
{
    return left_out ? " · groups of a single cell are in summary.md alone" : ""
}

# Why cells of list[1..n] did not run, for the foot of the page: their rows may have no room for it.
function reasons_note(list, n,    i, words)
{
    for (i = 1; i <= n; i++)
        if (S[list[i], "status"] != "ok" && S[list[i], "status"] != "bound")
            words = words " · " S[list[i], "cell"] ": " status_text(list[i])
    return words
}
