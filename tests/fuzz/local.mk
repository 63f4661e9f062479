# A target is fuzz_NAME.c, with its inputs in corpus/NAME.  `make check` runs
# the inputs; `make fuzz` looks for more with libFuzzer, for FUZZ_SECONDS each,
# in a build of its own.  What it finds it leaves in build-fuzz.

fuzz_names = bind catboost csv lightgbm number pmml spec table xgboost
FUZZ_SECONDS = 60
fuzz_flags = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer

replays = \
	%reldir%/replay_bind \
	%reldir%/replay_catboost \
	%reldir%/replay_csv \
	%reldir%/replay_lightgbm \
	%reldir%/replay_number \
	%reldir%/replay_pmml \
	%reldir%/replay_spec \
	%reldir%/replay_table \
	%reldir%/replay_xgboost
fuzzers = \
	%reldir%/fuzz_bind \
	%reldir%/fuzz_catboost \
	%reldir%/fuzz_csv \
	%reldir%/fuzz_lightgbm \
	%reldir%/fuzz_number \
	%reldir%/fuzz_pmml \
	%reldir%/fuzz_spec \
	%reldir%/fuzz_table \
	%reldir%/fuzz_xgboost
replay_sources = %reldir%/replay.c %reldir%/fuzz.h %reldir%/model.h

%canon_reldir%_replay_bind_SOURCES = %reldir%/fuzz_bind.c $(replay_sources)
%canon_reldir%_replay_catboost_SOURCES = %reldir%/fuzz_catboost.c $(replay_sources)
%canon_reldir%_replay_csv_SOURCES = %reldir%/fuzz_csv.c $(replay_sources)
%canon_reldir%_replay_lightgbm_SOURCES = %reldir%/fuzz_lightgbm.c $(replay_sources)
%canon_reldir%_replay_number_SOURCES = %reldir%/fuzz_number.c $(replay_sources)
%canon_reldir%_replay_pmml_SOURCES = %reldir%/fuzz_pmml.c $(replay_sources)
%canon_reldir%_replay_spec_SOURCES = %reldir%/fuzz_spec.c $(replay_sources)
%canon_reldir%_replay_table_SOURCES = %reldir%/fuzz_table.c $(replay_sources)
%canon_reldir%_replay_xgboost_SOURCES = %reldir%/fuzz_xgboost.c $(replay_sources)

check_PROGRAMS += $(replays)
TESTS += %reldir%/replay.sh
EXTRA_DIST += %reldir%/replay.sh %reldir%/catboost.dict \
	%reldir%/lightgbm.dict %reldir%/pmml.dict %reldir%/corpus

# Only in build-fuzz, where LDFLAGS brings a main.
EXTRA_PROGRAMS += $(fuzzers)
fuzzers: $(fuzzers)

fuzz:
	@mkdir -p build-fuzz && cd build-fuzz && \
	{ test -f config.status || $(abs_top_srcdir)/configure -q CC=clang \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link $(fuzz_flags)'; } && \
	$(MAKE) fuzzers LDFLAGS=-fsanitize=fuzzer
	@cd build-fuzz && for name in $(fuzz_names); do \
	    dir=$(abs_top_srcdir)/tests/fuzz; \
	    mkdir -p corpus/$$name; set --; \
	    test ! -f $$dir/$$name.dict || set -- -dict=$$dir/$$name.dict; \
	    echo "fuzz_$$name, for $(FUZZ_SECONDS) s"; \
	    tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) "$$@" \
	        corpus/$$name $$dir/corpus/$$name > fuzz_$$name.out 2>&1 || \
	    { tail -n 50 fuzz_$$name.out; exit 1; }; \
	    tail -n 1 fuzz_$$name.out; \
	done
.PHONY: fuzz fuzzers
