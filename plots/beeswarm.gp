# beeswarm.gp -- each row's attribution to each field, a disc a row.

set yrange [M + 0.5:0.5]
unset ytics
set palette defined (0 '#08306B', 0.5 '#8A8A8A', 1 '#F0A000')
set cbrange [0:1]
unset colorbox
set style line 1 pt 7 ps DISC*(TERM eq 'svg' ? 7 : TERM eq 'tikz' ? 19 : 21)
set arrow 1 from 0, graph 0 to 0, graph 1 nohead back lw 1 lc rgb GREY
set label 901 XLABEL at screen CENTRE, screen down(COLOURED && !DUMB ? 2.2 : 0.8) center
if (COLOURED && !DUMB) {
    set colorbox horizontal user origin screen CENTRE - right(3), screen down(0.55) size screen right(6), screen down(0.5) noborder
    unset cbtics
    set label 903 'value of the field: low' at screen CENTRE - right(3.4), screen down(0.8) right
    set label 904 'high' at screen CENTRE + right(3.4), screen down(0.8) left
}
do for [p = 1:N] {
    eval panel(p)
    do for [i = 1:M] { set label i + 5000 (first_column(p) ? FIELD[i] : '') at screen LEFT[p] - right(0.5), first i right }
    set xrange [LO[p]:HI[p]]
    set xtics STEP[p] offset 0,0.4
    set format x FORMAT[p]
    set label 902 PANEL[p] at screen (LEFT[p] + RIGHT[p])/2, screen TOP[p] + down(0.6) center
    if (DUMB) {
        plot $swarm index p - 1 using 1:2 with dots
    } else {
        if (COLOURED) {
            plot $swarm index p - 1 using 1:($3 < 0 ? $2 : NaN) with points ls 1 lc rgb GREY, \
                 '' index p - 1 using 1:($3 < 0 ? NaN : $2):3 with points ls 1 lc palette
        } else {
            plot $swarm index p - 1 using 1:2 with points ls 1 lc rgb '#0072B2'
        }
    }
    unset label 900
    unset label 901
    unset label 903
    unset label 904
    unset colorbox
}
unset multiplot
