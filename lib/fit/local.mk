# A trainer is its file here and one line in trainers.def.
lib_libcore_la_SOURCES += \
	%reldir%/bins.c \
	%reldir%/design.c \
	%reldir%/gbm.c \
	%reldir%/internal.h \
	%reldir%/linear.c \
	%reldir%/logistic.c \
	%reldir%/mlp.c \
	%reldir%/mlp_pass.c \
	%reldir%/prepare.c \
	%reldir%/registry.c \
	%reldir%/training.c
EXTRA_DIST += %reldir%/trainers.def
