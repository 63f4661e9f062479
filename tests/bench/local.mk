# Speed, as ratios within one run: `make bench` prints and keeps bench.tsv.

bench_programs = \
	%reldir%/bench_base \
	%reldir%/bench_load \
	%reldir%/bench_methods \
	%reldir%/bench_network \
	%reldir%/bench_shap \
	%reldir%/bench_xgboost
EXTRA_PROGRAMS += $(bench_programs) %reldir%/cost

%canon_reldir%_bench_base_SOURCES = %reldir%/bench_base.c %reldir%/bench.h
%canon_reldir%_bench_base_LDADD = lib/libcore.la
%canon_reldir%_bench_load_SOURCES = %reldir%/bench_load.c %reldir%/bench.h
%canon_reldir%_bench_load_LDADD = lib/libcore.la
%canon_reldir%_bench_methods_SOURCES = %reldir%/bench_methods.c \
	%reldir%/bench.h
%canon_reldir%_bench_methods_LDADD = lib/libcore.la
%canon_reldir%_bench_network_SOURCES = %reldir%/bench_network.c \
	%reldir%/bench.h
%canon_reldir%_bench_network_LDADD = lib/libcore.la
%canon_reldir%_bench_shap_SOURCES = %reldir%/bench_shap.c %reldir%/bench.h
%canon_reldir%_bench_shap_LDADD = lib/libcore.la
%canon_reldir%_bench_xgboost_SOURCES = %reldir%/bench_xgboost.c \
	%reldir%/bench.h %reldir%/xgboost.h
%canon_reldir%_bench_xgboost_LDADD = lib/libcore.la $(DL_LIBS)
%canon_reldir%_cost_SOURCES = %reldir%/cost.c
%canon_reldir%_cost_LDADD =

EXTRA_DIST += %reldir%/tools.sh
CLEANFILES += $(EXTRA_PROGRAMS) bench.tsv bench.part

bench: $(bin_PROGRAMS) $(bench_programs) %reldir%/cost
	@printf 'measure\tvalue\tunit\ttarget\t\n' > bench.tsv; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	for run in $(bench_programs) \
	    '$(SHELL) $(top_srcdir)/tests/bench/tools.sh'; do \
	    $$run > bench.part || exit 1; \
	    expand -t 60,70,116,124 bench.part; cat bench.part >> bench.tsv; \
	done; rm bench.part
.PHONY: bench
