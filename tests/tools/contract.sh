#!/bin/sh
# contract.sh -- what comes out for a row depends on that row, the model, the
# background, the options and the seed, on nothing else: with one thread and
# two, the table whole, in 7 pieces and shuffled, each tool gives the same
# bytes; and so it does for gzip input and from a pipe.
#
# Wants the tools in PATH and abs_top_srcdir, as `make check' sets them.

top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
cd "$tmp" || exit 99
n=0

# same NAME A B -- two files of the same bytes, and not empty.
same() {
    n=$((n + 1))
    if [ ! -s "$2" ]; then
        echo "$2 is empty" > why
    elif cmp "$2" "$3" > why 2>&1; then
        echo "ok $n - $1"
        return
    fi
    echo "not ok $n - $1"
    sed 's/^/# /' why
    diff "$2" "$3" | sed -n '1,6s/^/# /p'
}

# Stops at once: nothing that follows would mean anything.
must() {
    "$@" 2> err || {
        echo "Bail out! $* ($(head -n 1 err))"
        exit 99
    }
}

pieces='1 2 3 4 5 6 7'

# compare NAME IN COMMAND... -- runs it on IN.whole, IN.1 to IN.7 and
# IN.shuffled, which makes NAME.whole and so on; with one header and rows in
# order these are all the same.
compare() {
    name=$1
    in=$2
    shift 2
    must "$@" -q -j 1 -o "$name.whole" "$in.whole"
    must "$@" -q -j 2 -o "$name.two" "$in.whole"
    same "$name: two threads" "$name.whole" "$name.two"
    for k in $pieces; do
        must "$@" -q -j 1 -o "$name.$k" "$in.$k"
    done
    awk 'FNR > 1 || NR == 1' "$name".[1-7] > "$name.pieces"
    same "$name: 7 pieces" "$name.whole" "$name.pieces"
    must "$@" -q -j 2 -o "$name.shuffled" "$in.shuffled"
    {
        head -n 1 "$name.shuffled"
        sed 1d "$name.shuffled" | sort -s -n -k 1,1
    } > "$name.back"
    same "$name: shuffled" "$name.whole" "$name.back"
}

# ---- the rows: whole, in uneven pieces, shuffled ----

mortgage=$top/tests/data/mortgage.tsv

# rows NAME EVERY LAST... -- some rows of the table; a piece ends behind each
# of the lines LAST.
rows() {
    awk -v every="$2" 'NR == 1 || $1 % every == 1' "$mortgage" > "$1.whole"
    awk -v name="$1" -v last="$3" 'NR == 1 { head = $0; next }
        { k = 1
          for (i = split(last, end); i; i--)
              k += NR > end[i]
          if (!seen[k]++)
              print head > (name "." k)
          print > (name "." k) }' "$1.whole"
    {
        head -n 1 "$1.whole"
        sed 1d "$1.whole" | awk '{ print ($1 * 7919) % 2381 "\t" $0 }' |
            sort -n | cut -f 2-
    } > "$1.shuffled"
}

# Tools read blocks of 512 rows: the large one has three of them.
rows data 12 '2 5 69 70 134 151'
rows large 2 '2 64 511 514 515 1027'
awk 'NR == 1 || $1 % 240 == 5' "$mortgage" > back.tsv
awk 'NR == 1 || $1 % 3 == 2' "$mortgage" > train.tsv

# ---- models ----

for spec in gbm:trees=15:depth=4 logistic mlp:epochs=5; do
    must asc-fit "$spec" -y denied --drop black,single \
        -o "${spec%%:*}.pmml" train.tsv
done
# Four of the fields, one of them categorical; two classes.
cat > command.awk <<'EOF'
NR == 1 { print "no\tyes"; next }
{
    z = -4 + 3 * $1 + 1.5 * $2 * $2 + 0.2 * $3 + ($4 == "yes")
    p = 1 / (1 + exp(-z))
    printf "%.17g\t%.17g\n", 1 - p, p
}
EOF
fields=payment_income,loan_value,consumer_credit,self_employed

# with MODEL TOOL ARGUMENTS -- the tool with that model.
with() {
    m=$1
    tool=$2
    shift 2
    if [ "$m" = command ]; then
        "$tool" -m "cmd:awk -F '\\t' -f command.awk" --fields $fields "$@"
    else
        "$tool" -m "$m.pmml" "$@"
    fi
}

some=exact-shapley,kernel-shap:samples=100,lime:samples=200,occlusion
slopes=gradient,gradient-x-input,integrated-gradients

methods() {
    case $1 in
    gbm) echo $some,tree-shap ;;
    command) echo $some ;;
    *) echo $some,$slopes ;;
    esac
}

# having TRAIT -- the metrics of asc-fidelity that have it.
having() {
    for i in $(asc-fidelity -l | cut -d ' ' -f 1); do
        asc-fidelity --help="$i" | grep -q -- "$1" && printf ',%s' "$i"
    done | cut -c 2-
}

metrics=$(having .)
curves=$(having '^- gives curves')

# ---- tools whose output has the rows ----

few=kernel-shap:samples=50,lime:samples=50,occlusion
for m in gbm logistic mlp command; do
    compare "asc-predict, $m" large \
        with $m asc-predict -b back.tsv --keep denied,black
    case $m in
    gbm) fast=occlusion,tree-shap ;;
    command) fast=occlusion ;;
    *) fast=occlusion,integrated-gradients,kernel-shap:samples=26 ;;
    esac
    compare "asc-attribute, many rows, $m" large \
        with $m asc-attribute -M $fast -b back.tsv
    compare "asc-attribute, $m" data \
        with $m asc-attribute -M "$(methods $m)" -b back.tsv --std-error
    compare "asc-attribute -c all, $m" data \
        with $m asc-attribute -M $few -b back.tsv -c all --scale response -s 7
    compare "asc-attribute -c predicted, $m" data \
        with $m asc-attribute -M $few -b back.tsv -c predicted --keep single
    compare "asc-attribute --foil, $m" data \
        with $m asc-attribute -M $few -b back.tsv -c predicted --foil rival
    compare "asc-attribute --foil --scale response, $m" data \
        with $m asc-attribute -M $few -b back.tsv -c all --foil yes \
        --scale response --std-error
    compare "asc-fidelity --foil, $m" "asc-attribute --foil, $m" \
        with $m asc-fidelity -x data.whole -b back.tsv
    compare "asc-fidelity, $m" "asc-attribute, $m" \
        with $m asc-fidelity -x data.whole -b back.tsv -M "$metrics"
    compare "asc-fidelity --curve, $m" "asc-attribute -c all, $m" \
        with $m asc-fidelity -x data.shuffled -b back.tsv -M "$curves" --curve
    compare "asc-agreement, $m" "asc-attribute -c all, $m" asc-agreement
done

# ---- tools that sum the rows up: shuffled and backwards ----

# total NAME IN COMMAND...
total() {
    name=$1
    in=$2
    shift 2
    {
        head -n 1 "$in.whole"
        sed 1d "$in.whole" | sed '1!G; h; $!d'
    } > turned
    must "$@" -q -o "$name.whole" "$in.whole"
    must "$@" -q -o "$name.shuffled" "$in.shuffled"
    must "$@" -q -o "$name.turned" turned
    same "$name: shuffled" "$name.whole" "$name.shuffled"
    same "$name: backwards" "$name.whole" "$name.turned"
}

for m in gbm mlp; do
    total "asc-summary, $m" "asc-fidelity, $m" asc-summary --replicates 100
    total "asc-disparity, $m" "asc-fidelity, $m" asc-disparity \
        -g black,single -x data.whole --replicates 50 --permutations 50
done
total 'asc-summary of pairs' 'asc-agreement, mlp' asc-summary \
    --by method_a,method_b,output,metric --replicates 50
total 'asc-disparity of what was kept' 'asc-attribute -c predicted, mlp' \
    asc-disparity -g single --by method --replicates 50 --permutations 50

# ---- models: threads, and the order of lines ----

{
    head -n 1 train.tsv
    sed 1d train.tsv | sed '1!G; h; $!d'
} > turned.tsv
for spec in tree:cp=0:folds=5:seed=3 forest:trees=20 gbm:trees=5:subsample=0.5
do
    must asc-fit -q -j 1 "$spec" -y denied -o one.fitted train.tsv
    must asc-fit -q -j 3 "$spec" -y denied -o three.fitted train.tsv
    must asc-fit -q "$spec" -y denied -o turned.fitted turned.tsv
    same "asc-fit $spec: 3 threads" one.fitted three.fitted
    same "asc-fit $spec: backwards" one.fitted turned.fitted
done

# ---- from a file, from gzip, from a pipe ----

# fed NAME IN COMMAND... -- IN, compressed, and through a pipe.
fed() {
    name=$1
    in=$2
    shift 2
    gzip -c "$in" > packed
    must "$@" -q -o file.out "$in"
    must "$@" -q -o gzip.out packed
    same "$name: gzip" file.out gzip.out
    # shellcheck disable=SC2002 # a pipe it must be
    cat "$in" | must "$@" -q -o pipe.out
    same "$name: a pipe" file.out pipe.out
}

gzip -c back.tsv > back.gz
gzip -c data.whole > data.gz
gzip -c mlp.pmml > packed.pmml
fed asc-fit train.tsv asc-fit mlp:epochs=3 -y denied
fed asc-predict data.whole asc-predict -m packed.pmml
fed asc-attribute data.whole asc-attribute -m mlp.pmml -M $few -b back.gz
fed asc-fidelity 'asc-attribute, mlp.whole' asc-fidelity -m mlp.pmml \
    -x data.gz -b back.gz
fed asc-agreement 'asc-attribute, mlp.whole' asc-agreement -M cosine
fed asc-summary 'asc-fidelity, mlp.whole' asc-summary --replicates 50
fed asc-disparity 'asc-fidelity, mlp.whole' asc-disparity -g black \
    -x data.gz --replicates 50 --permutations 50

echo "1..$n"
