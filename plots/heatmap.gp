# heatmap.gp -- agreement of methods: mean and half width of its interval.

set palette defined (-1 '#D55E00', 0 '#FFFFFF', 1 '#0072B2')
set cbrange [-SCALE:SCALE]
unset colorbox
unset border
set xrange [0.5:M + 0.5]
set yrange [M + 0.5:0.5]
unset xtics
unset ytics
set label 901 XLABEL at screen CENTRE, screen down(0.7) center
last_row(p) = p + COLUMNS > N
small = LATEX ? '' : sprintf('%s,%g', FONT, 0.8*SIZE*(TERM eq 'svg' ? 4.0/3 : 1))
do for [p = 1:N] {
    eval panel(p)
    do for [i = 1:M] {
        set label i + 5000 (first_column(p) ? METHOD[i] : '') at screen LEFT[p] - right(0.4), first i right
        if (LEVEL) {
            set label i + 6000 (last_row(p) ? BELOW[i] : '') at first i, screen BOTTOM[p] - down(0.9) center
        } else {
            set label i + 6000 (last_row(p) ? BELOW[i] : '') at first i, screen BOTTOM[p] - down(0.4) right rotate by 90
        }
    }
    set label 902 PANEL[p] at screen (LEFT[p] + RIGHT[p])/2, screen TOP[p] + down(0.6) center
    if (DUMB) {
        plot $cells index p - 1 using 1:2:(strcol(5)) with labels
    } else {
        plot for [i = 1:M] '+' using (i):(i):(i - 0.48):(i + 0.48):(i - 0.48):(i + 0.48) every ::0::0 with boxxyerror fs solid noborder fc rgb '#EEEEEE', \
             $cells index p - 1 using 1:2:($1 - 0.48):($1 + 0.48):($2 - 0.48):($2 + 0.48):3 with boxxyerror fs solid noborder fc palette, \
             '' index p - 1 using 1:($4 == 0 ? $2 - 0.17 : NaN):(strcol(5)) with labels, \
             '' index p - 1 using 1:($4 == 1 ? $2 - 0.17 : NaN):(strcol(5)) with labels textcolor rgb '#FFFFFF', \
             '' index p - 1 using 1:($4 == 0 ? $2 + 0.24 : NaN):(strcol(6)) with labels font small, \
             '' index p - 1 using 1:($4 == 1 ? $2 + 0.24 : NaN):(strcol(6)) with labels font small textcolor rgb '#FFFFFF'
    }
    unset label 900
    unset label 901
}
unset multiplot
