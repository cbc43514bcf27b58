# Small multiples of horizontal bars: a panel per group of cells, a row per strategy. A linear panel
# holds bars from zero, a logarithmic one dots, for a bar there would start nowhere.
# Of panel k there are NAME.k.axis and, in NAME.k.*.tsv, bars: x0 x1 y0 y1 colour; dots: x y colour
# pointtype; guides: x0 y x1; intervals: x0 x1 y; marks (the ideal): x y0 y1; what was not run:
# hatches x0 y0 x1 y1, bounds x0 x1 y0 y1. y in pixels of the page.
terminal = ARG1; data = ARG2; theme = ARG3
load ARG4."/style.gp"
set multiplot
eval page_behind

do for [k = 1:panels] {
    load sprintf("%s.%d.axis", data, k)
    eval place(panel_left, panel_right, panel_top, panel_bottom)
    if (logarithmic) { set logscale x } else { unset logscale x }
    set xrange [axis_low:axis_high]
    set yrange [panel_bottom:panel_top]
    set grid noytics xtics linetype 1 linewidth 1 linecolor rgb faint back
    eval "set xtics ".axis_tics." scale 0 offset 0,0.3 font font_small textcolor rgb dim"
    table = sprintf("%s.%d.", data, k)
    plot table."guides.tsv" using 1:2:($3-$1):(0) with vectors nohead \
             linewidth 1 dashtype (2,4) linecolor rgb dim, \
         table."bars.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
             linecolor rgb variable, \
         table."hatches.tsv" using 1:2:($3-$1):($4-$2) with vectors nohead \
             linewidth 1 linecolor rgb dim, \
         table."bounds.tsv" using 1:3:1:2:3:4 with boxxyerror \
             fill empty border linewidth 1.5 linecolor rgb dim, \
         table."intervals.tsv" using 1:3:($2-$1):(0) with vectors heads size screen 0.003,90 \
             linewidth 1.5 linecolor rgb ink, \
         table."dots.tsv" using 1:2:4:(colour(strcol(3))) with points pointtype variable \
             pointsize dot linecolor rgb variable, \
         table."marks.tsv" using 1:2:(0):($3-$2) with vectors nohead \
             linewidth 3 linecolor rgb ink
    unset xtics
    unset grid
}
unset logscale x

eval page_before
unset multiplot
unset output
