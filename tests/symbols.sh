#!/bin/sh
# What the shared library exports and what it binds to.
set -u
lib=$abs_top_builddir/.libs/libascribe.so
echo 1..2
if [ ! -f "$lib" ]; then
    echo 'ok 1 # SKIP no shared library was built'
    echo 'ok 2 # SKIP no shared library was built'
    exit 0
fi

stray=$(nm -D --defined-only "$lib" | awk '$2 ~ /[TDBR]/ && $3 !~ /^asc_/ { print $3 }')
if [ -z "$stray" ]; then
    echo 'ok 1 - only asc_ names are exported'
else
    echo 'not ok 1 - only asc_ names are exported'
    printf '# %s\n' $stray
fi

# GSL's own BLAS is slow and would catch cblas_dgemm if it were linked first.
bound=$(LD_DEBUG=bindings "$abs_top_builddir/tools/asc-attribute" -q \
    -m "$abs_top_srcdir/tests/golden/nn_mlp_relu_tiny/model.pmml" -M gradient \
    -b "$abs_top_srcdir/tests/golden/nn_mlp_relu_tiny/baseline.tsv" \
    "$abs_top_srcdir/tests/golden/nn_mlp_relu_tiny/X.tsv" 2>&1 >/dev/null |
    grep 'symbol .cblas_dgemm' | sed 's/.* to \([^ ]*\) .*/\1/' | sort -u)
case $bound in
*gslcblas*) echo "not ok 2 - cblas_dgemm is GSL's: $bound" ;;
*blas*) echo "ok 2 - cblas_dgemm is OpenBLAS's" ;;
*) echo "not ok 2 - cblas_dgemm was not called: $bound" ;;
esac
