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

function stroke(x0, y0, x1, y1, colour)
{
    if (on_page) segment(x0, y0, x1, y1, colour, 1.5)
    else printf "%.8g\t%.2f\t%.8g\t%.2f\t%s\n", x0, y0, x1, y1, colour > hatches
}

# The shapes of the lanes, as far as they occur.
function legend(y,    n, i, list, words, x)
{
    n = split("running|running;ready|ready, not running;ready-preempted|pre-empted;" \
              "waiting|waiting;creating|being created;ideal-running|ideal (computed)", list, ";")
    x = MARGIN
    on_page = pixel = 1
    for (i = 1; i <= n; i++) {
        split(list[i], words, "|")
        if (!(words[1] in state_seen)) continue
        if (words[1] == "ideal-running") {
            shape("ideal-running", x, x + 16, 0, y - 7, y + 4)
            shape("ideal-waiting", x + 16, x + 26, 0, y - 7, y + 4)
            shape("ideal-running", x + 26, x + 40, 0, y - 7, y + 4)
        } else
            shape(words[1], x, x + 40, y - 12, y + 12, 0)
        label(x + 50, y, "body", "left", "ink", words[2])
        x += 50 + width(words[2], "body") + 24
    }
    on_page = 0
}
