# bars.gp -- mean absolute attribution of each field, with intervals.

set yrange [M + 0.5:0.5]
unset ytics
set label 901 XLABEL at screen CENTRE, screen down(0.8) center
do for [p = 1:N] {
    eval panel(p)
    do for [i = 1:M] { set label i + 5000 (first_column(p) ? FIELD[i] : '') at screen LEFT[p] - right(0.5), first i right }
    set xrange [LO[p]:HI[p]]
    set xtics STEP[p] offset 0,0.4
    set format x FORMAT[p]
    set label 902 PANEL[p] at screen (LEFT[p] + RIGHT[p])/2, screen TOP[p] + down(0.6) center
    if (DUMB) {
        plot $bars index p - 1 using (0):1:2:(0) with vectors nohead lt 1, \
             '' index p - 1 using 2:1 with points pt 7
    } else {
        plot $bars index p - 1 using 2:1:(0):2:($1 - 0.33):($1 + 0.33) with boxxyerror fs solid noborder fc rgb '#0072B2', \
             '' index p - 1 using 2:1:3:4 with xerrorbars pt 0 dt 1 lw 1.6 lc rgb '#000000'
    }
    unset label 900
    unset label 901
}
unset multiplot
