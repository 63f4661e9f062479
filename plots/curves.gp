# curves.gp -- mean curves with bands.

set label 901 XLABEL at screen CENTRE, screen BOTTOM[N] - down(2.2) center
set label 905 YLABEL at screen right(0.8), screen (TOP[1] + BOTTOM[N])/2 center rotate by 90
set ytics offset 0.3,0
do for [k = 1:KEYS] {
    if (!DUMB) { set arrow 3000 + k from screen KEYX[k], screen KEYY[k] to screen KEYX[k] + KEYSAMPLE, screen KEYY[k] nohead lt k }
    set label 3000 + k '' at screen KEYX[k] + KEYSAMPLE/2, screen KEYY[k] point lt k ps POINT
    set label 4000 + k KEY[k] at screen KEYX[k] + 1.3*KEYSAMPLE, screen KEYY[k] left
}
BANDS = !DUMB && TERM ne 'eps'
do for [p = 1:N] {
    eval panel(p)
    set xrange [XLO[p]:XHI[p]]
    set yrange [YLO[p]:YHI[p]]
    set xtics XSTEP[p] offset 0,0.4
    set ytics YSTEP[p]
    set format x XFORMAT[p]
    set format y YFORMAT[p]
    set label 902 PANEL[p] at screen (LEFT[p] + RIGHT[p])/2, screen TOP[p] + down(0.6) center
    if (BANDS) {
        plot for [i = 1:M] $curves index (p - 1)*M + i - 1 using 1:3:4 with filledcurves lt i fs transparent solid 0.2 noborder, \
             for [i = 1:M] '' index (p - 1)*M + i - 1 using 1:2 with linespoints lt i ps POINT
    } else {
        if (DUMB) {
            plot for [i = 1:M] $curves index (p - 1)*M + i - 1 using 1:2 with linespoints lt i ps POINT
        } else {
            plot for [i = 1:M] $curves index (p - 1)*M + i - 1 using 1:2:3:4 with yerrorbars lt i dt 1 pt 0 lw 1, \
                 for [i = 1:M] '' index (p - 1)*M + i - 1 using 1:2 with linespoints lt i ps POINT
        }
    }
    unset label
    unset arrow
}
unset multiplot
