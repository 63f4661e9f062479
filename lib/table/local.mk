lib_libcore_la_SOURCES += \
	%reldir%/background.c \
	%reldir%/bind.c \
	%reldir%/csv.c \
	%reldir%/ids.c \
	%reldir%/internal.h \
	%reldir%/join.c \
	%reldir%/reader.c \
	%reldir%/rows.c \
	%reldir%/schema.c \
	%reldir%/source.c \
	%reldir%/text.c \
	%reldir%/writer.c
