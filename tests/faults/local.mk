# Tools on a machine that fails.

check_LTLIBRARIES += %reldir%/shim.la
%canon_reldir%_shim_la_SOURCES = %reldir%/shim.c
%canon_reldir%_shim_la_LIBADD = -ldl
# A module that is not installed is only made as one if it had a place.
%canon_reldir%_shim_la_LDFLAGS = -module -avoid-version -shared \
	-rpath /nowhere

TESTS += %reldir%/ends.pl %reldir%/faults.pl
EXTRA_DIST += %reldir%/common.pl %reldir%/ends.pl %reldir%/faults.pl
