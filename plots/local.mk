# One script a figure kind, and the look that they share.  asc-plot reads them
# where they are installed, or where ASCRIBE_PLOTS says.
plotsdir = $(pkgdatadir)/plots
dist_plots_DATA = \
	%reldir%/bars.gp \
	%reldir%/beeswarm.gp \
	%reldir%/curves.gp \
	%reldir%/disparity.gp \
	%reldir%/heatmap.gp \
	%reldir%/style.gp
