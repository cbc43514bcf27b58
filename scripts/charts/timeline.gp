# Who ran when: a lane per task, a block of lanes per strategy, one axis of time for all.
# NAME.boxes.tsv and NAME.outlines.tsv: x0 x1 y0 y1 colour; NAME.hatches.tsv and NAME.ends.tsv, which
# hold lines: x0 y0 x1 y1 colour. x in the axis' unit of time, y in pixels of the page.
terminal = ARG1; data = ARG2; theme = ARG3
load ARG4."/style.gp"
set multiplot
eval page_behind

eval place(lanes_left, lanes_right, lanes_top, lanes_bottom)
set xrange [0:time_max]
set yrange [lanes_bottom:lanes_top]
set grid noytics xtics linetype 1 linewidth 1 linecolor rgb faint back
eval "set xtics ".time_tics." scale 0 font font_body textcolor rgb dim"
plot data.".boxes.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
         linecolor rgb variable, \
     data.".hatches.tsv" using 1:2:($3-$1):($4-$2):(colour(strcol(5))) with vectors nohead \
         linewidth 1.5 linecolor rgb variable, \
     data.".outlines.tsv" using 1:3:1:2:3:4:(colour(strcol(5))) with boxxyerror \
         fill empty border linewidth 1.5 linecolor rgb variable, \
     data.".ends.tsv" using 1:2:($3-$1):($4-$2):(colour(strcol(5))) with vectors nohead \
         linewidth 3 linecolor rgb variable
unset xtics
unset grid

eval page_before
unset multiplot
unset output
