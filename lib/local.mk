# libascribe: lib/ and metrics/ in one shared library.  Tests link the same
# objects as a convenience library and may reach hidden names; tools link the
# shared library alone.

pkginclude_HEADERS = \
	%reldir%/ascribe/ascribe.h \
	%reldir%/ascribe/base.h \
	%reldir%/ascribe/error.h \
	%reldir%/ascribe/fit.h \
	%reldir%/ascribe/method.h \
	%reldir%/ascribe/metric.h \
	%reldir%/ascribe/model.h \
	%reldir%/ascribe/table.h

noinst_LTLIBRARIES += %reldir%/libcore.la

%canon_reldir%_libcore_la_SOURCES =
%canon_reldir%_libcore_la_CFLAGS = $(AM_CFLAGS) $(BLAS_CFLAGS) $(GSL_CFLAGS) \
	$(XML_CFLAGS) $(ZLIB_CFLAGS)
%canon_reldir%_libcore_la_LIBADD = $(BLAS_LIBS) $(GSL_LIBS) $(XML_LIBS) \
	$(ZLIB_LIBS)

include lib/base/local.mk
include lib/table/local.mk
include lib/model/local.mk
include lib/fit/local.mk
include lib/attribute/local.mk

lib_LTLIBRARIES += libascribe.la
libascribe_la_SOURCES =
libascribe_la_LIBADD = lib/libcore.la
libascribe_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined \
	-version-info $(ASC_LT_VERSION) -export-symbols-regex '^asc_'
