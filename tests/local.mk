# Unit tests reach hidden names through the convenience library; what a user
# runs is tested as a user runs it, by scripts.

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh .pl
SH_LOG_DRIVER = $(LOG_DRIVER)
PL_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = LC_ALL=C; export LC_ALL; \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	srcdir='$(top_srcdir)'; export srcdir; \
	ASCRIBE_PLOTS='$(abs_top_srcdir)/plots'; export ASCRIBE_PLOTS; \
	CC='$(CC)'; export CC; \
	PATH='$(abs_top_builddir)/tools':$$PATH; export PATH;

unit_tests = \
	%reldir%/unit/test_agreement \
	%reldir%/unit/test_background \
	%reldir%/unit/test_banzhaf \
	%reldir%/unit/test_blas \
	%reldir%/unit/test_catboost \
	%reldir%/unit/test_command \
	%reldir%/unit/test_contrast \
	%reldir%/unit/test_csv \
	%reldir%/unit/test_describe \
	%reldir%/unit/test_deeplift \
	%reldir%/unit/test_disparity \
	%reldir%/unit/test_encoder \
	%reldir%/unit/test_ensemble \
	%reldir%/unit/test_error \
	%reldir%/unit/test_exact_shapley \
	%reldir%/unit/test_explainer \
	%reldir%/unit/test_fidelity \
	%reldir%/unit/test_field \
	%reldir%/unit/test_fit_forest \
	%reldir%/unit/test_fit_gbm \
	%reldir%/unit/test_fit_linear \
	%reldir%/unit/test_fit_mlp \
	%reldir%/unit/test_fit_training \
	%reldir%/unit/test_fit_tree \
	%reldir%/unit/test_form_gradient \
	%reldir%/unit/test_form_rays \
	%reldir%/unit/test_game \
	%reldir%/unit/test_gradient \
	%reldir%/unit/test_ids \
	%reldir%/unit/test_integrated_gradients \
	%reldir%/unit/test_join \
	%reldir%/unit/test_json \
	%reldir%/unit/test_kernel_shap \
	%reldir%/unit/test_lime \
	%reldir%/unit/test_lightgbm \
	%reldir%/unit/test_lightgbm_broken \
	%reldir%/unit/test_lightgbm_cases \
	%reldir%/unit/test_linear \
	%reldir%/unit/test_linear_shap \
	%reldir%/unit/test_loop \
	%reldir%/unit/test_lrp \
	%reldir%/unit/test_model \
	%reldir%/unit/test_network \
	%reldir%/unit/test_number \
	%reldir%/unit/test_occlusion \
	%reldir%/unit/test_owen \
	%reldir%/unit/test_permutation_shap \
	%reldir%/unit/test_plot \
	%reldir%/unit/test_pmml \
	%reldir%/unit/test_pmml_shared \
	%reldir%/unit/test_pmml_trees \
	%reldir%/unit/test_pmml_write \
	%reldir%/unit/test_reader \
	%reldir%/unit/test_rows \
	%reldir%/unit/test_spec \
	%reldir%/unit/test_stats \
	%reldir%/unit/test_stream \
	%reldir%/unit/test_sum \
	%reldir%/unit/test_tree_shap \
	%reldir%/unit/test_truncated \
	%reldir%/unit/test_writer \
	%reldir%/unit/test_xgboost

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# Every unit test is its one file, linked with the hidden names.
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/tap.sh
LDADD = lib/libcore.la $(CMOCKA_LIBS)
%canon_reldir%_unit_test_plot_LDADD = tools/libplot.la $(LDADD)

scripts = \
	%reldir%/golden.pl \
	%reldir%/man.sh \
	%reldir%/symbols.sh \
	%reldir%/layers.sh \
	%reldir%/tools/cases.pl \
	%reldir%/tools/contract.sh \
	%reldir%/tools/convert.pl \
	%reldir%/tools/model.sh \
	%reldir%/tools/options.sh \
	%reldir%/tools/xgboost.sh
TESTS += $(scripts)

EXTRA_DIST += $(scripts) %reldir%/demo.sh %reldir%/unit/tap.sh \
	%reldir%/unit/attribution.h \
	%reldir%/unit/boosters.h \
	%reldir%/unit/fields.h \
	%reldir%/unit/forests.h \
	%reldir%/unit/games.h \
	%reldir%/unit/growing.h \
	%reldir%/unit/lightgbm.h \
	%reldir%/unit/models.h \
	%reldir%/unit/peers.h \
	%reldir%/unit/pmml.h \
	%reldir%/unit/seed.h \
	%reldir%/unit/shared.h \
	%reldir%/unit/temporary.h \
	%reldir%/unit/training.h \
	%reldir%/unit/tree_game.h
EXTRA_DIST += %reldir%/data %reldir%/golden %reldir%/tools
