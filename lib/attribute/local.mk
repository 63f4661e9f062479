# A method is its file here and one line in methods.def.
lib_libcore_la_SOURCES += \
	%reldir%/banzhaf.c \
	%reldir%/coalition.c \
	%reldir%/coalition.h \
	%reldir%/designs.c \
	%reldir%/designs.h \
	%reldir%/exact_shapley.c \
	%reldir%/explainer.c \
	%reldir%/forest.c \
	%reldir%/forest.h \
	%reldir%/game.c \
	%reldir%/game.h \
	%reldir%/game_forest.c \
	%reldir%/game_linear.c \
	%reldir%/game_network.c \
	%reldir%/game_rows.c \
	%reldir%/gradient.c \
	%reldir%/integral.c \
	%reldir%/integral.h \
	%reldir%/integrated_gradients.c \
	%reldir%/internal.h \
	%reldir%/kernel_design.c \
	%reldir%/kernel_design.h \
	%reldir%/kernel_shap.c \
	%reldir%/kernel_solve.c \
	%reldir%/lime.c \
	%reldir%/lime.h \
	%reldir%/lime_near.c \
	%reldir%/linear_shap.c \
	%reldir%/need.c \
	%reldir%/occlusion.c \
	%reldir%/owen.c \
	%reldir%/path.c \
	%reldir%/path.h \
	%reldir%/permutation_shap.c \
	%reldir%/probe.c \
	%reldir%/probe.h \
	%reldir%/registry.c \
	%reldir%/ridge.c \
	%reldir%/ridge.h \
	%reldir%/tree_shap.c \
	%reldir%/tree_shap.h \
	%reldir%/tree_shap_quadrature.c \
	%reldir%/tree_shap_table.c \
	%reldir%/tree_shap_walk.c
EXTRA_DIST += %reldir%/methods.def
