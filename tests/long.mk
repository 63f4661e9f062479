# What takes longer than `make check` should: models of other programs, case by
# case; tools on a machine that fails, call by call; other seeds for the tests
# of random models and numbers; sanitizers, in a build of their own; valgrind.

SEEDS = 50
seeded = agreement csv encoder ensemble exact_shapley form_gradient game \
	integrated_gradients kernel_shap lime linear model network number \
	banzhaf linear_shap owen \
	permutation_shap pmml_write spec sum tree_shap

check-long: check
	@$(AM_TESTS_ENVIRONMENT) failed=0; \
	$(top_srcdir)/tests/reference.pl || failed=1; \
	$(top_srcdir)/tests/faults/faults.pl all > faults.out || \
	    failed=1; \
	grep -A 20 '^not ok' faults.out && failed=1; \
	echo "`grep -c '^ok' faults.out` rehearsals of faults went well"; \
	for name in $(seeded); do \
	    ASCRIBE_SEED=1; export ASCRIBE_SEED; \
	    while test $$ASCRIBE_SEED -le $(SEEDS); do \
	        tests/unit/test_$$name > seed.out 2>&1 || { failed=1; \
	            echo "FAIL: ASCRIBE_SEED=$$ASCRIBE_SEED test_$$name"; \
	            grep -A 2 '^not ok' seed.out; }; \
	        ASCRIBE_SEED=`expr $$ASCRIBE_SEED + 1`; \
	    done; \
	    echo "test_$$name: $(SEEDS) seeds"; \
	done; rm -f seed.out faults.out; exit $$failed

check-asan:
	@mkdir -p build-asan && cd build-asan && \
	{ test -f config.status || \
	    $(abs_top_srcdir)/configure -q --enable-sanitizers CFLAGS=-O1; } && \
	$(MAKE) check

# Not test_blas, which starts itself for other kernels, nor test_plot, which
# starts what is not there: valgrind does neither.
check-valgrind: $(check_PROGRAMS)
	@tests=`echo ' $(unit_tests) ' | sed 's, [^ ]*/test_blas , ,; \
	    s, [^ ]*/test_plot , ,'`; \
	$(MAKE) check-TESTS TESTS="$$tests" LOG_COMPILER='$(LOG_COMPILER) \
	    valgrind -q --error-exitcode=1 --leak-check=full \
	    --suppressions=$(abs_top_srcdir)/tests/valgrind.supp'
EXTRA_DIST += %reldir%/reference.pl %reldir%/valgrind.supp

.PHONY: check-long check-asan check-valgrind
