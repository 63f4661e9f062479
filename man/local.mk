# One page a tool (1), tables and models (5), methods and metrics (7), the
# library (3).
dist_man_MANS += \
	%reldir%/asc-agreement.1 \
	%reldir%/asc-attribute.1 \
	%reldir%/asc-convert.1 \
	%reldir%/asc-disparity.1 \
	%reldir%/asc-fidelity.1 \
	%reldir%/asc-fit.1 \
	%reldir%/asc-model.1 \
	%reldir%/asc-plot.1 \
	%reldir%/asc-predict.1 \
	%reldir%/asc-summary.1 \
	%reldir%/ascribe.3 \
	%reldir%/ascribe-models.5 \
	%reldir%/ascribe-tables.5 \
	%reldir%/ascribe-methods.7 \
	%reldir%/ascribe-metrics.7
