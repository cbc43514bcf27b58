# Memory: (a) stacked bars, the small ones again in a magnified panel m; (b) lines over the number of
# tasks. Of a and m there are memory.?.axis, memory.?.bars.tsv: x0 x1 y0 y1 colour, and
# memory.?.marks.tsv: x y; of b memory.b.axis and memory.b.points.tsv: tasks bytes low high strategy,
# a block per strategy.
terminal = ARG1; data = ARG2; theme = ARG3
load ARG4."/style.gp"
set multiplot
eval page_behind

do for [name in (magnified ? "a m" : "a")] {
    load data.".".name.".axis"
    eval place(panel_left, panel_right, panel_top, panel_bottom)
    set xrange [0:axis_high]
    set yrange [panel_bottom:panel_top]
    set grid noytics xtics linetype 1 linewidth 1 linecolor rgb faint back
    eval "set xtics ".axis_tics." scale 0 offset 0,0.3 font font_small textcolor rgb dim"
    table = data.".".name."."
    plot table."bars.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
             linecolor rgb variable, \
         table."marks.tsv" using 1:2 with points \
             pointtype 13 pointsize diamond linecolor rgb ink, \
         table."marks.tsv" using 1:2 with points \
             pointtype 12 pointsize diamond linecolor rgb paper
    unset xtics
    unset grid
}

if (curves) {
    load data.".b.axis"
    eval place(panel_left, panel_right, panel_top, panel_bottom)
    set logscale xy
    set xrange [x_low:x_high]
    set yrange [y_low:y_high]
    set grid xtics ytics linetype 1 linewidth 1 linecolor rgb faint back
    eval "set xtics ".x_tics." scale 0 font font_small textcolor rgb dim"
    eval "set ytics ".y_tics." scale 0 font font_body textcolor rgb dim"
    table = data.".b.points.tsv"
    plot for [i = 0:lines - 1] table index i using 1:2:(colour(strcol(5))) with lines \
             linewidth 3 linecolor rgb variable, \
         table using 1:2:3:4:(colour(strcol(5))) with yerrorbars \
             pointtype 7 pointsize 0.75 * dot linewidth 2 linecolor rgb variable
    unset xtics
    unset ytics
    unset grid
    unset logscale
}

eval page_before
unset multiplot
unset output
