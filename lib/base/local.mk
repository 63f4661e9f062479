lib_libcore_la_SOURCES += \
	%reldir%/alloc.c \
	%reldir%/blas.c \
	%reldir%/buffer.c \
	%reldir%/digest.c \
	%reldir%/error.c \
	%reldir%/internal.h \
	%reldir%/loop.c \
	%reldir%/nearest.c \
	%reldir%/number.c \
	%reldir%/powers.h \
	%reldir%/spec.c \
	%reldir%/stream.c \
	%reldir%/sum.c \
	%reldir%/text.c \
	%reldir%/version.c
