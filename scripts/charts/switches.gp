# Switches: a dot per cell in each of three panels, or of twice three side by side. Of panel k there
# are NAME.k.axis, NAME.k.dots.tsv: x y strategy pointtype, and NAME.k.intervals.tsv: low high y. x in
# powers of ten, y in pixels of the page.
terminal = ARG1; data = ARG2; theme = ARG3
load ARG4."/style.gp"
set multiplot
eval page_behind

do for [k = 1:panels] {
    load sprintf("%s.%d.axis", data, k)
    eval place(panel_left, panel_right, panel_top, panel_bottom)
    set xrange [axis_low:axis_high]
    set yrange [panel_bottom:panel_top]
    set grid noytics xtics linetype 1 linewidth 1 linecolor rgb faint back
    eval "set xtics ".axis_tics." scale 0 offset 0,0.3 font font_small textcolor rgb dim"
    table = sprintf("%s.%d.", data, k)
    plot table."intervals.tsv" using 1:3:($2-$1):(0) with vectors heads size screen 0.003,90 \
             linewidth 1.5 linecolor rgb ink, \
         table."dots.tsv" using 1:2:4:(colour(strcol(3))) with points pointtype variable \
             pointsize dot linecolor rgb variable
    unset xtics
    unset grid
}

eval page_before
unset multiplot
unset output
