# style.gp -- the look that all figures share.
#
# Colours: Okabe and Ito 2008, "Color Universal Design", told apart with any
# colour vision; dash and point types tell the same things apart in grey.

set encoding utf8
if (TERM eq 'pdf') { set terminal pdfcairo noenhanced size W,H font FONT.','.sprintf('%g', SIZE) fontscale 0.75 linewidth 1 pointscale 0.4 }
if (TERM eq 'eps') { set terminal epscairo noenhanced size W,H font FONT.','.sprintf('%g', SIZE) fontscale 0.75 linewidth 1 pointscale 0.4 }
if (TERM eq 'png') { set terminal pngcairo noenhanced size int(300*W + 0.5),int(300*H + 0.5) font FONT.','.sprintf('%g', SIZE) fontscale 3.125 linewidth 1.8 pointscale 1.6666667 }
if (TERM eq 'svg') { set terminal svg noenhanced size int(96*W + 0.5),int(96*H + 0.5) font FONT.','.sprintf('%g', SIZE*4/3) linewidth 0.6666667 }
if (TERM eq 'tikz') { eval sprintf("set terminal tikz size %gin,%gin font '\\fontsize{%g}{%g}\\selectfont' linewidth 0.8", W, H, SIZE, 1.2*SIZE) }
if (TERM eq 'cairolatex') { eval sprintf("set terminal cairolatex pdf size %gin,%gin fontscale 0.6 linewidth 1 pointscale 0.4 header '\\fontsize{%g}{%g}\\selectfont'", W, H, SIZE, 1.2*SIZE) }
if (TERM eq 'dumb') { set terminal dumb noenhanced size int(24*W + 0.5),int(10*H + 0.5) }
if (exists('OUTPUT')) { set output OUTPUT }
DUMB = TERM eq 'dumb'
# The size of points, which the svg terminal cannot scale as a whole.
POINT = TERM eq 'svg' ? 0.55 : 1

GREY = '#999999'
set linetype 1 lc rgb '#0072B2' dt 1 pt 7 lw 1.8
set linetype 2 lc rgb '#D55E00' dt (8,3) pt 5 lw 1.8
set linetype 3 lc rgb '#009E73' dt (2,2) pt 9 lw 1.8
set linetype 4 lc rgb '#CC79A7' dt (8,3,2,3) pt 13 lw 1.8
set linetype 5 lc rgb '#E69F00' dt (12,3) pt 11 lw 1.8
set linetype 6 lc rgb '#56B4E9' dt (4,3) pt 15 lw 1.8
set linetype 7 lc rgb '#000000' dt (8,3,2,3,2,3) pt 6 lw 1.8
set linetype 8 lc rgb '#777777' dt (1,3) pt 4 lw 1.8
set linetype cycle 8

set datafile separator tab
set datafile missing 'NaN'
set border 3 linewidth 1.2
set tics nomirror out scale 0.4,0.2
set minussign
unset key
set errorbars 0.4
set offsets 0,0,0,0

# The place of panel p on the page.
panel(p) = sprintf('set lmargin at screen %.6f; set rmargin at screen %.6f; set bmargin at screen %.6f; set tmargin at screen %.6f', LEFT[p], RIGHT[p], BOTTOM[p], TOP[p])
# Lines of text, as a fraction of the page's height and width.
down(lines) = lines*LINE/H
right(lines) = lines*LINE/W
first_column(p) = (p - 1) % COLUMNS == 0
CENTRE = (LEFT[1] + RIGHT[COLUMNS < N ? COLUMNS : N])/2

set multiplot
if (TITLE ne '') { set label 900 TITLE at screen 0.5, screen 1 - down(1) center }
