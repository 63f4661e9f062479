#!/bin/sh
# The tools as they are started: how soon, how fast, on how many threads, in
# how much memory.  Lines as in bench.h.  Run by `make bench`, which sets
# abs_top_builddir; needs 200 MB in TMPDIR for a while.
set -eu

build=${abs_top_builddir-.}
cost=$build/tests/bench/cost
# libtool's wrapper scripts take longer to start than the tools.
if [ -d "$build/tools/.libs" ]; then
    bin=$build/tools/.libs
    LD_LIBRARY_PATH=$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
else
    bin=$build/tools
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/ascribe-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
LC_ALL=C
export LC_ALL

# line MEASURE UNIT [">=" or "<=" TARGET] < a number
line() {
    awk -v what="$1" -v unit="$2" -v sign="${3-}" -v target="${4-}" '{
        met = sign == "" ? "" : (sign == "<=" ? $1 <= target + 0 \
            : $1 >= target + 0) ? "met" : "missed"
        printf "%s\t%.3g\t%s\t%s\t%s\n", what, $1, unit,
            sign == "" ? "" : sign " " target, met
    }'
}

# table ROWS -- 14 numbers of two decimals and a class.
table() {
    awk -v n="$1" 'BEGIN {
        srand(1)
        for (j = 1; j <= 14; j++)
            printf "f%d\t", j
        print "y"
        for (i = 0; i < n; i++) {
            s = 0
            for (j = 1; j <= 14; j++) {
                v = int(10000 * rand()) / 100
                s += (j % 3 - 1) * v
                printf "%s\t", v
            }
            print (s + 50 * rand() > 25 ? "yes" : "no")
        }
    }'
}

table 1000000 > "$dir/many.tsv"
head -n 10001 "$dir/many.tsv" > "$dir/some.tsv"
head -n 101 "$dir/many.tsv" > "$dir/few.tsv"
for spec in gbm:trees=500:depth=6:gamma=0:min-child=0 gbm:trees=50:depth=6 \
    mlp:hidden=64:epochs=1 logistic; do
    "$bin/asc-fit" -q "$spec" -y y -o "$dir/$spec.pmml" "$dir/some.tsv"
done
big=$dir/gbm:trees=500:depth=6:gamma=0:min-child=0.pmml
small=$dir/gbm:trees=50:depth=6.pmml
mlp=$dir/mlp:hidden=64:epochs=1.pmml
logistic=$dir/logistic.pmml

for tool in "$bin"/asc-*; do
    "$cost" 51 "$tool" --version > "$dir/cost"
    awk '{ print 1000 * $1 }' "$dir/cost" |
        line "${tool##*/} --version" ms '<=' 10
done

# twice WHAT COMMAND... -- 2 threads against 1.
twice() {
    what=$1
    shift
    "$cost" 3 "$@" -j 1 -- "$@" -j 2 > "$dir/cost"
    awk 'NR == 1 { one = $1 } NR == 2 { print one / $1 }' "$dir/cost" |
        line "$what, 2 threads" 'times as fast as 1 thread' '>=' 1.7
    awk 'NR == 1 { print $2 / $1 }' "$dir/cost" |
        line "$what, 1 thread" 'of a processor (less than 1: a busy machine)'
}

head -n 50001 "$dir/many.tsv" > "$dir/more.tsv"
twice 'asc-attribute, tree-shap, 500 trees of depth 6' \
    "$bin/asc-attribute" -q -m "$big" -M tree-shap "$dir/more.tsv"
twice 'asc-attribute, kernel-shap, 14-64-64-1 network' \
    "$bin/asc-attribute" -q -m "$mlp" -M kernel-shap -b "$dir/few.tsv" \
    "$dir/few.tsv"

head -n 100001 "$dir/many.tsv" > "$dir/wood.tsv"
twice 'asc-fit forest, 100 trees, 100000 rows of 14 fields' \
    "$bin/asc-fit" -q forest:trees=100 -y y -o "$dir/forest.pmml" \
    "$dir/wood.tsv"
twice 'asc-fit tree, to the last row, 1000000 rows of 14 fields' \
    "$bin/asc-fit" -q tree:cp=0:loss=brier:min-split=2:min-leaf=1 -y y \
    -o "$dir/tree.pmml" "$dir/many.tsv"
for spec in tree:cp=0:loss=brier:min-split=2:min-leaf=1 gbm:trees=100; do
    "$cost" 1 "$bin/asc-fit" -q "$spec" -j 1 -y y -o "$dir/tree.pmml" \
        "$dir/many.tsv" > "$dir/cost"
    awk '{ print $2 }' "$dir/cost" |
        line "asc-fit ${spec%%:*}, 1000000 rows of 14 fields" 's of a processor'
    awk '{ print $3 / 1e3 }' "$dir/cost" |
        line "asc-fit ${spec%%:*}, 1000000 rows of 14 fields, peak" MB
done

# speed WHAT FILE COMMAND... -- megabytes of the file a second.
speed() {
    what=$1 file=$2
    shift 2
    "$cost" 1 "$@" "$file" > "$dir/cost"
    awk -v bytes="$(wc -c < "$file")" '{ print bytes / $1 / 1e6 }' \
        "$dir/cost" | line "$what" 'MB/s of its input'
}

speed 'asc-predict, logistic, 1 thread' "$dir/many.tsv" \
    "$bin/asc-predict" -q -j 1 -m "$logistic"
speed 'asc-predict, 50 trees of depth 6, 1 thread' "$dir/many.tsv" \
    "$bin/asc-predict" -q -j 1 -m "$small"
speed 'asc-attribute, tree-shap, 50 trees of depth 6, 1 thread' \
    "$dir/many.tsv" "$bin/asc-attribute" -q -j 1 -m "$small" -M tree-shap

# CSV, as it comes and with half of its fields in quotes, and a table for
# comparison.
tr '\t' , < "$dir/many.tsv" > "$dir/many.csv"
awk -F '\t' -v OFS=, '{
    for (j = 1; j <= NF; j += 2)
        $j = "\"" $j "\""
    print
}' "$dir/many.tsv" > "$dir/quoted.csv"
speed 'asc-convert, CSV to a table' "$dir/many.csv" "$bin/asc-convert" -q
speed 'asc-convert, CSV in quotes to a table' "$dir/quoted.csv" \
    "$bin/asc-convert" -q
speed 'asc-convert, a table to CSV' "$dir/many.tsv" \
    "$bin/asc-convert" -q --to csv
speed 'asc-convert, a table as it is' "$dir/many.tsv" \
    "$bin/asc-convert" -q --from tsv --to tsv
# The numbers of a matrix with all their digits, and its two forms.
awk -F , -v OFS=, 'NR > 1 && NR <= 200001 {
    for (j = 1; j < NF; j++)
        $j /= 7
    $NF = 0.5
    print
}' CONVFMT=%.17g OFMT=%.17g "$dir/many.csv" > "$dir/phi.csv"
columns=$(head -n 1 "$dir/many.csv" | sed 's/,y$//')
speed 'asc-convert, a matrix to attributions' "$dir/phi.csv" \
    "$bin/asc-convert" -q --from xgboost --no-header --columns "$columns"
"$bin/asc-convert" -q --from xgboost --no-header --columns "$columns" \
    "$dir/phi.csv" > "$dir/phi.tsv"
speed 'asc-convert, attributions to the long form' "$dir/phi.tsv" \
    "$bin/asc-convert" -q --to long
rm "$dir/many.csv" "$dir/quoted.csv" "$dir/phi.csv" "$dir/phi.tsv"

# memory WHAT COMMAND... -- what 1,000,000 rows need more than 10,000.
memory() {
    what=$1
    shift
    "$cost" 1 "$@" "$dir/some.tsv" -- "$@" "$dir/many.tsv" > "$dir/cost"
    awk 'NR == 1 { one = $3 } NR == 2 { print $3 / one }' "$dir/cost" |
        line "$what, peak memory for 1000000 rows" \
            'of that for 10000 rows' '<=' 1.1
}

memory 'asc-attribute, tree-shap' \
    "$bin/asc-attribute" -q -j 1 -m "$small" -M tree-shap
memory 'asc-predict' "$bin/asc-predict" -q -j 1 -m "$small"
