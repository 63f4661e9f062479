# A trainer is its file here and one line in trainers.def.
lib_libcore_la_SOURCES += \
	%reldir%/bins.c \
	%reldir%/cart.h \
	%reldir%/cart_cross.c \
	%reldir%/cart_grow.c \
	%reldir%/cart_model.c \
	%reldir%/cart_prune.c \
	%reldir%/cart_search.c \
	%reldir%/cart_table.c \
	%reldir%/design.c \
	%reldir%/forest.c \
	%reldir%/gbm.c \
	%reldir%/gbm.h \
	%reldir%/gbm_tree.c \
	%reldir%/internal.h \
	%reldir%/linear.c \
	%reldir%/logistic.c \
	%reldir%/mlp.c \
	%reldir%/mlp_pass.c \
	%reldir%/prepare.c \
	%reldir%/registry.c \
	%reldir%/training.c \
	%reldir%/tree.c
EXTRA_DIST += %reldir%/trainers.def
