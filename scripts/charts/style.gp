# What all figures share: sizes, fonts, colours, the page. Loaded with
#   terminal  svg | png | pdf
#   data      the figure's name: DATA.gp holds its layout and all its text, DATA.*.tsv what to draw
#   theme     light | dark
# Everything is laid out in pixels of a 1600 x 900 page, x to the right, y downwards.

# Sizes in pixels of the page; the preparation reads them from here to know how wide a text is.
size_title = 30
size_head = 22
size_strong = 18
size_body = 18
size_small = 15

family = "DejaVu Sans"
font_title = family.":Bold,".size_title
font_head = family.":Bold,".size_head
font_strong = family.":Bold,".size_strong
font_body = family.",".size_body
font_small = family.",".size_small

# The hues are Okabe and Ito's, chosen to be told apart by all kinds of colour vision; the states of
# a task differ in lightness, height and hatching as well, for print in grey. A core at work is blue
# as a running task is, in four shades, so that one task ends where the next one begins; on_core_a to
# d are for their numbers. Memory: what the tasks map is blue, what the kernel spends on them is
# orange.
if (theme eq "dark") {
    paper = 0x14171A; panel = 0x1E2226; faint = 0x3A4046; dim = 0xB4BAC0; ink = 0xF2F4F5
    running = 0x56B4E9; ready_fill = 0x4A3710; ready = 0xE69F00; preempted_fill = 0x3A1C08
    preempted = 0xFF7A1A; waiting = 0x3F6076; creating = 0x9A9A9A
    ideal = 0x9BA2A9; ideal_fill = 0x434A51
    stamp = 0xFF5A4F
    code = 0xDCEBF7; heap = 0x9CC7EA; stacks = 0x4F9BD4; other = 0x2B6394
    page_tables = 0xFFC48A; kernel_stacks = 0xE8741A
    lock_fill = 0x35202F; lock = 0xE08FC0
    core_a = 0x3587BF; core_b = 0xB5DFF8; core_c = 0x1F5F8B; core_d = 0x56B4E9; idle = 0x30363B
    on_core_a = ink; on_core_b = paper; on_core_c = ink; on_core_d = paper
    array strategies[17] = [ \
        0xA9A9A9, 0xE8743B, 0x4AA3DF, 0x2FC79A, 0xF0B429, 0x8FD0F5, \
        0xE3A0C4, 0xD9D05A, 0xCC6699, 0xB9B96A, 0x7FD1C7, \
        0x9B8CE0, 0xE8A78F, 0x5FBF6B, 0xD6D6D6, 0x7C93FF, 0xBF7F3F]
} else {
    paper = 0xFFFFFF; panel = 0xF5F6F7; faint = 0xD5D9DC; dim = 0x54595E; ink = 0x16191C
    running = 0x0072B2; ready_fill = 0xFCE5B4; ready = 0xC98A00; preempted_fill = 0xFFF1E6
    preempted = 0xD55E00; waiting = 0xA9CBE3; creating = 0x8A8A8A
    ideal = 0x6F767D; ideal_fill = 0xDDE1E4
    stamp = 0xC1121F
    code = 0x0B2F55; heap = 0x2171B5; stacks = 0x72B2DC; other = 0xC3DCEF
    page_tables = 0xFDAE61; kernel_stacks = 0xB8430B
    lock_fill = 0xF8E9F2; lock = 0xA63E82
    core_a = 0x005F94; core_b = 0x7CC4EE; core_c = 0x00324F; core_d = 0x2F8FC6; idle = 0xDFE3E6
    on_core_a = paper; on_core_b = ink; on_core_c = paper; on_core_d = paper
    array strategies[17] = [ \
        0x555555, 0xD55E00, 0x0072B2, 0x009E73, 0xE69F00, 0x56B4E9, \
        0xCC79A7, 0x9A8A00, 0x882255, 0x7A7A2E, 0x44AA99, \
        0x332288, 0xCC6677, 0x117733, 0x999999, 0x4477AA, 0x774411]
}
# The first twelve in the order of strategies.tsv, the others for strategies that it does not know.
strategy(rank) = strategies[1 + (int(rank) - 1) % |strategies|]
# A colour thinned with the paper's.
channel(rgb, shift) = (rgb >> shift) & 255
mixed(a, b, shift) = ((2 * channel(a, shift) + 3 * channel(b, shift)) / 5) << shift
pale(rgb) = mixed(rgb, paper, 16) + mixed(rgb, paper, 8) + mixed(rgb, paper, 0)
# A colour as the tables give it: a name from above, a strategy's rank, or -rank for its pale form.
colour(c) = c[1:1] eq "-" ? pale(strategy(c[2:])) : \
    strstrt("0123456789", c[1:1]) ? strategy(c) : value(c)

set encoding utf8
set datafile separator "\t"
if (terminal eq "svg") {
    set terminal svg noenhanced size 1600,900 font family.",".size_body background rgb paper
} else { if (terminal eq "png") {
    set terminal pngcairo noenhanced size 3200,1800 fontscale 1.5 linewidth 2 pointscale 2 \
        font family.",".size_body background rgb paper
} else {
    set terminal pdfcairo noenhanced size 16in,9in fontscale 0.54 linewidth 1.44 pointscale 0.65 \
        font family.",".size_body background rgb paper
} }
# The terminals differ in what they call size 1.
dot = terminal eq "svg" ? 0.8 : 1.5
diamond = terminal eq "svg" ? 0.8 : 2.2
set output data.".".terminal

unset key
unset border
unset tics
set style fill solid noborder

# The page as one plot, in pixels: `eval page_plot` draws the labels and objects that are set.
page_plot = "set lmargin at screen 0; set rmargin at screen 1; set tmargin at screen 1; ".\
            "set bmargin at screen 0; set xrange [0:1600]; set yrange [900:0]; plot NaN; "
# What lies below the data, then what lies above: both are in the layout.
page_behind = "load data.'.gp'; unset label; ".page_plot."unset object; unset arrow; "
page_before = "load data.'.gp'; unset object; unset arrow; ".page_plot."unset label; "
# A panel's place, in pixels.
place(l, r, t, b) = sprintf("set lmargin at screen %g; set rmargin at screen %g; " \
    ."set tmargin at screen %g; set bmargin at screen %g;", \
    l / 1600., r / 1600., 1 - t / 900., 1 - b / 900.)
