lib_libcore_la_SOURCES += \
	%reldir%/adjust.c \
	%reldir%/agreement.c \
	%reldir%/agreement.def \
	%reldir%/bootstrap.c \
	%reldir%/comprehensiveness.c \
	%reldir%/deletion.c \
	%reldir%/disparity.c \
	%reldir%/fidelity.def \
	%reldir%/fidelity.h \
	%reldir%/lime_fidelity.c \
	%reldir%/pgi.c \
	%reldir%/registry.c \
	%reldir%/removal.c \
	%reldir%/stat.h \
	%reldir%/summary.c
