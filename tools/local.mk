# One main each; what they share is in tool.c (options, messages, files),
# rows.c, attributions.c and scores.c (the kinds of tables), and views.c (what
# of a model is explained).

bin_PROGRAMS += \
	%reldir%/asc-agreement \
	%reldir%/asc-attribute \
	%reldir%/asc-convert \
	%reldir%/asc-disparity \
	%reldir%/asc-fidelity \
	%reldir%/asc-fit \
	%reldir%/asc-model \
	%reldir%/asc-plot \
	%reldir%/asc-predict \
	%reldir%/asc-summary

tool_base = %reldir%/tool.c %reldir%/tool.h \
	%reldir%/undo.c %reldir%/undo.h
tool_rows = $(tool_base) %reldir%/rows.c %reldir%/rows.h
tool_attributions = $(tool_base) %reldir%/attributions.c \
	%reldir%/attributions.h
tool_views = %reldir%/views.c %reldir%/views.h
tool_scores = $(tool_base) %reldir%/scores.c %reldir%/scores.h

tools_asc_agreement_SOURCES = %reldir%/asc-agreement.c $(tool_attributions)
tools_asc_attribute_SOURCES = %reldir%/asc-attribute.c $(tool_rows) \
	$(tool_views)
tools_asc_convert_SOURCES = %reldir%/asc-convert.c $(tool_attributions) \
	%reldir%/convert.h \
	%reldir%/convert_foreign.c \
	%reldir%/convert_matrix.c \
	%reldir%/convert_ours.c \
	%reldir%/convert_parts.c \
	%reldir%/convert_rows.c \
	%reldir%/convert_sink.c \
	%reldir%/convert_table.c
tools_asc_disparity_SOURCES = %reldir%/asc-disparity.c $(tool_scores)
tools_asc_fidelity_SOURCES = %reldir%/asc-fidelity.c $(tool_attributions) \
	$(tool_views)
tools_asc_fit_SOURCES = %reldir%/asc-fit.c $(tool_base)
tools_asc_model_SOURCES = %reldir%/asc-model.c $(tool_base)
tools_asc_plot_SOURCES = %reldir%/asc-plot.c %reldir%/tool.c %reldir%/tool.h \
	%reldir%/plot_attribution.c \
	%reldir%/plot_curves.c \
	%reldir%/plot_disparity.c \
	%reldir%/plot_kinds.c \
	%reldir%/plot_kinds.h \
	%reldir%/plot_pairs.c
tools_asc_plot_CPPFLAGS = $(AM_CPPFLAGS) -DASC_PLOTS='"$(plotsdir)"'
tools_asc_predict_SOURCES = %reldir%/asc-predict.c $(tool_rows)
tools_asc_summary_SOURCES = %reldir%/asc-summary.c $(tool_scores)

tools_asc_agreement_LDADD = libascribe.la
tools_asc_attribute_LDADD = libascribe.la
tools_asc_convert_LDADD = libascribe.la
tools_asc_disparity_LDADD = libascribe.la
tools_asc_fidelity_LDADD = libascribe.la
tools_asc_fit_LDADD = libascribe.la
tools_asc_model_LDADD = libascribe.la
tools_asc_plot_LDADD = %reldir%/libplot.la libascribe.la
tools_asc_predict_LDADD = libascribe.la
tools_asc_summary_LDADD = libascribe.la

# The parts of asc-plot that compute, which unit tests link too.
noinst_LTLIBRARIES += %reldir%/libplot.la
%canon_reldir%_libplot_la_CPPFLAGS = $(AM_CPPFLAGS)
%canon_reldir%_libplot_la_SOURCES = \
	%reldir%/plot.c \
	%reldir%/plot.h \
	%reldir%/plot_run.c \
	%reldir%/plot_swarm.c \
	%reldir%/undo.c \
	%reldir%/undo.h
