# disparity.gp -- group means with intervals, gaps and p values.

set yrange [M + 0.5:0.5]
unset ytics
set label 901 XLABEL at screen 0.5, screen BOTTOM[N] - down(2.2) center
do for [k = 1:KEYS] {
    set label 3000 + k '' at screen KEYX[k] + KEYSAMPLE/2, screen KEYY[k] point lt k ps 1.3*POINT
    set label 4000 + k KEY[k] at screen KEYX[k] + KEYSAMPLE, screen KEYY[k] left
}
place(row, group) = row + DODGE*(group - (GROUPS + 1)/2.0)
do for [p = 1:N] {
    eval panel(p)
    do for [i = 1:M] { set label i + 5000 (first_column(p) ? ROW[i] : '') at screen LEFT[p] - right(0.5), first i right }
    set xrange [LO[p]:HI[p]]
    set xtics STEP[p] offset 0,0.4
    set format x FORMAT[p]
    set label 902 PANEL[p] at screen (LEFT[p] + RIGHT[p])/2, screen TOP[p] + down(0.75) center
    set label 903 GAPHEAD at screen RIGHT[p] + GAPAT, screen TOP[p] + down(0.75) right
    set label 904 PHEAD at screen RIGHT[p] + PAT, screen TOP[p] + down(0.75) right
    do for [i = 1:M] {
        set label 1000 + i GAP[(p - 1)*M + i] at screen RIGHT[p] + GAPAT, first i right
        set label 2000 + i P[(p - 1)*M + i] at screen RIGHT[p] + PAT, first i right
    }
    plot for [k = 1:GROUPS] $dots index (p - 1)*GROUPS + k - 1 using 2:(place($1, k)):3:4 with xerrorbars lt k dt 1 lw 2 ps 1.3*POINT
    unset label
}
unset multiplot
