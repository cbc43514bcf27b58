# The story: pages of one or more panels, their text larger than elsewhere, for slides. Of panel k
# there are NAME.k.axis and NAME.k.*.tsv. Three kinds of panel:
#   lanes  boxes, outlines: x0 x1 y0 y1 colour; hatches, ends: x0 y0 x1 y1 colour
#   dots   points: x y colour pointtype low high
#   lines  points: x y low high colour pointtype, a block per line
# y in pixels of the page, but in the unit of its own axis where there are lines.
terminal = ARG1; data = ARG2; theme = ARG3
load ARG4."/style.gp"
size_title = 40
size_head = 26
size_strong = 22
size_body = 22
size_small = 18
font_title = family.":Bold,".size_title
font_head = family.":Bold,".size_head
font_strong = family.":Bold,".size_strong
font_body = family.",".size_body
font_small = family.",".size_small
set multiplot
eval page_behind

do for [k = 1:panels] {
    load sprintf("%s.%d.axis", data, k)
    table = sprintf("%s.%d.", data, k)
    eval place(panel_left, panel_right, panel_top, panel_bottom)
    unset logscale
    if (x_log) { set logscale x }
    if (y_log) { set logscale y }
    set xrange [x_low:x_high]
    set yrange [y_low:y_high]
    set grid xtics linetype 1 linewidth 1 linecolor rgb faint back
    eval "set xtics ".x_tics." scale 0 font font_body textcolor rgb dim"
    if (kind eq "lanes") {
        plot table."boxes.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
                 linecolor rgb variable, \
             table."hatches.tsv" using 1:2:($3-$1):($4-$2):(colour(strcol(5))) with vectors nohead \
                 linewidth 1.5 linecolor rgb variable, \
             table."outlines.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
                 fill empty border linewidth 1.5 linecolor rgb variable, \
             table."ends.tsv" using 1:2:($3-$1):($4-$2):(colour(strcol(5))) with vectors nohead \
                 linewidth 3 linecolor rgb variable
    }
    if (kind eq "dots") {
        plot table."points.tsv" using 5:2:($6-$5):(0) with vectors heads size screen 0.004,90 \
                 linewidth 2 linecolor rgb ink, \
             table."points.tsv" using 1:2:4:(colour(strcol(3))) with points pointtype variable \
                 pointsize 1.4 * dot linecolor rgb variable
    }
    if (kind eq "lines") {
        set grid ytics
        eval "set ytics ".y_tics." scale 0 font font_body textcolor rgb dim"
        plot for [i = 0:lines - 1] table."points.tsv" index i using 1:2:(colour(strcol(5))) \
                 with lines linewidth 4 linecolor rgb variable, \
             table."points.tsv" using 1:3:(0):($4-$3):(colour(strcol(5))) with vectors heads \
                 size screen 0.004,90 linewidth 2 linecolor rgb variable, \
             table."points.tsv" using 1:2:6:(colour(strcol(5))) with points pointtype variable \
                 pointsize 1.4 * dot linewidth 2 linecolor rgb variable
        unset ytics
    }
    unset xtics
    unset grid
}
unset logscale

eval page_before
unset multiplot
unset output
