#!/bin/sh
# man.sh -- the manual against the tools: pages are clean mdoc, options and
# registries are all described, every example runs, and the program of
# ascribe(3) compiles and explains a row.
#
# Wants the tools in PATH, and abs_top_srcdir, abs_top_builddir and CC set, as
# `make check' does; MAN_LIBS links a library that is elsewhere.

top=${abs_top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${abs_top_builddir:-$top}
man=$top/man
tools='asc-agreement asc-attribute asc-convert asc-disparity asc-fidelity
asc-fit asc-model asc-plot asc-predict asc-summary'
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
n=0

# result STATUS NAME -- what was found is in $tmp/why.
result() {
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' "$tmp/why"
    fi
}

skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

# same A B NAME -- two sorted lists are one.
same() {
    diff "$1" "$2" > "$tmp/why" 2>&1
    result $? "$3"
}

# ---- the form ----

for page in "$man"/*.[1-9]; do
    name=${page##*/}
    if command -v mandoc > /dev/null; then
        mandoc -T lint -W warning "$page" > "$tmp/why" 2>&1
        result $? "$name is clean"
    else
        skip "$name is clean" 'there is no mandoc'
    fi
done

# ---- options ----

for tool in $tools; do
    "$tool" --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z-]+).*/\1\2/p' |
        grep -oE -- '--?[A-Za-z][-a-z]*' | sort -u > "$tmp/help"
    sed -n 's/^\.It Fl //p' "$man/$tool.1" | grep -oE '(^|Fl )[-A-Za-z]+' |
        sed 's/^Fl //; s/^/-/' | sort -u > "$tmp/page"
    same "$tmp/help" "$tmp/page" "$tool: --help and page have the same options"
done

# ---- registries ----

# section PAGE NAME -- the text under .Ss NAME or the item .It Cm NAME.
section() {
    awk -v name="$2" '
        $1 == ".Ss" { on = $2 == name && NF == 2 }
        $1 == ".Sh" { on = 0 }
        $1 == ".It" && $2 == "Cm" && $3 == name && NF == 3 { on = 2 }
        on == 2 && $1 == ".It" && $2 == "Cm" && NF == 3 && $3 != name {
            on = 0
        }
        on { print }
    ' "$1"
}

# params TOOL NAME -- its parameters and their defaults.
params() {
    "$1" --help="$2" | sed -n '
        s/^  \([a-z-]*\)=.* (default \(.*\))$/\1 \2/p; t
        s/^  \([a-z-]*\)=\([^ ]*\) (.*/\1 \2/p'
}

# described PARAM DEFAULT -- $tmp/section names it, with this default if with
# any.
described() {
    awk -v name="$1" -v want="$2" '
        $1 == ".It" && $3 == name && $5 == "=" {
            seen = 1
            if ($NF != want && !(want ~ /^[0-9]/ && $NF + 0 == want + 0))
                other = $NF
        }
        $1 == ".Cm" || $1 == ".It" {
            for (i = 2; i <= NF; i++)
                seen = seen || $i == name
        }
        END {
            if (!seen)
                print "no word on " name
            else if (other != "")
                print name " is " want ", not " other
        }
    ' "$tmp/section"
}

# registry TOOL PAGE -- every entry has its section, every parameter its name
# and default there.
registry() {
    "$1" --list | awk '{ print $1 }' > "$tmp/entries"
    [ -s "$tmp/entries" ]
    result $? "$1: --list has entries"
    while read -r entry; do
        section "$2" "$entry" > "$tmp/section"
        : > "$tmp/why"
        [ -s "$tmp/section" ] || echo "no section $entry in $2" > "$tmp/why"
        params "$1" "$entry" | while read -r param default; do
            described "$param" "$default" >> "$tmp/why"
        done
        [ ! -s "$tmp/why" ]
        result $? "$1: $entry and its parameters are described"
    done < "$tmp/entries"
}

registry asc-attribute "$man/ascribe-methods.7"
registry asc-fidelity "$man/ascribe-metrics.7"
registry asc-agreement "$man/ascribe-metrics.7"
registry asc-convert "$man/asc-convert.1"
registry asc-fit "$man/asc-fit.1"
registry asc-plot "$man/asc-plot.1"

# ---- public names ----

cat "$top"/lib/ascribe/*.h | grep -oE '\basc_[a-z0-9_]+\(' | tr -d '(' |
    sort -u > "$tmp/headers"
grep -oE '^\.Fn asc_[a-z0-9_]+' "$man/ascribe.3" | sed 's/.* //' |
    sort -u > "$tmp/page"
same "$tmp/headers" "$tmp/page" 'ascribe(3) names the functions of the headers'

# ---- examples ----

# plain -- what a reader sees of literal text.
plain() {
    sed 's/\\(aq/'"'"'/g; s/\\(ha/^/g; s/\\(ti/~/g; s/\\&//g; s/\\e/\\/g'
}

# commands PAGE -- the commands after `$ ', one a file in $tmp/commands; a line
# that ends in a backslash or a pipe, or within quotes, goes on.  What is for
# Python or R has their prompt; literal text that begins with none is a file.
commands() {
    rm -rf "$tmp/commands"
    mkdir "$tmp/commands"
    awk '
        $1 == ".Sh" { on = $2 == "EXAMPLES" }
        on && /^\.Bd/ { begins = 1; next }
        /^\.Ed/ { literal = 0 }
        begins { literal = /^(\$|>>>|>) /; begins = 0 }
        on && literal { print }
    ' "$1" | plain | awk -v to="$tmp/commands/" '
        /^(>>>|[>+]) / { next }
        /^\$ / { file = sprintf("%s%03d", to, ++n); sub(/^\$ /, "") }
        file != "" { print > file }
    '
}

# files PAGE -- in the current folder, the files that the page shows: literal
# text behind a line `.Pa NAME :'.
files() {
    awk '
        $1 == ".Sh" { on = $2 == "EXAMPLES" }
        on && $1 == ".Pa" && $3 == ":" { name = $2 }
        on && /^\.Bd/ { file = name; name = ""; next }
        /^\.Ed/ { file = "" }
        on && file != "" { print > (file ".shown") }
    ' "$1"
    for shown in *.shown; do
        [ -f "$shown" ] || continue
        plain < "$shown" > "${shown%.shown}"
        rm "$shown"
    done
}

# lacks COMMAND -- the interpreter that a command runs and that is not here.
lacks() {
    for program in python3 Rscript; do
        if grep -qw "$program" "$1" && ! command -v "$program" > /dev/null
        then
            echo "$program"
        fi
    done
}

copy_data() {
    rm -rf "$tmp/data"
    cp -R "$top/tests/data" "$tmp/data" && chmod -R u+w "$tmp/data"
}

# foreign -- in the data, what other programs might have saved, for
# asc-convert(1): our own numbers stand in for theirs.
foreign() {
    (cd "$tmp/data" &&
        "$1" -q -m mortgage.pmml -M kernel-shap -b mortgage.tsv mortgage.tsv \
            > ours.tsv &&
        cut -f 7- ours.tsv | sed '1s/phi\.//g' | tr '\t' , > values.csv &&
        cut -f 1,5,7- ours.tsv | sed '1s/phi\.//g' | awk -F '\t' -v OFS=, '{
            row = $1; base = NR == 1 ? "base_value" : $2
            sub("^[^\t]*\t[^\t]*\t", ""); gsub("\t", ",")
            print row, $0, base
        }' > shap.csv &&
        sed '1s/^row/""/; 1s/base_value/baseline/' shap.csv > shapviz.csv &&
        tail -n +2 values.csv > ig.csv &&
        cut -d , -f 2- shap.csv | tail -n +2 > xgb.csv &&
        cp xgb.csv lgb.csv && cp xgb.csv cat.csv &&
        tr , '\t' < xgb.csv > LightGBM_predict_result.txt &&
        awk -F , -v OFS='\t' '{
            for (sign = -1; sign <= 1; sign += 2)
                for (j = 1; j <= NF; j++)
                    printf "%.17g%s", sign * $j, j < NF ? OFS : "\n"
        }' xgb.csv > fstr.tsv &&
        awk -F , 'NR == 1 { n = split($0, name) } NR > 1 && NR < 5 {
            if (NR == 2)
                print "row,variable_name,contribution,B,label"
            for (j = 1; j <= n; j++)
                print NR - 1 "," name[j] "," $j / 100 ",0,glm"
        }' values.csv > parts.csv) || return
    rm "$tmp/data/ours.tsv" "$tmp/data/values.csv"
}

# A pipe has the status of its last command: note those of the others.
mkdir "$tmp/bin"
for tool in $tools; do
    {
        echo '#!/bin/sh'
        echo "'$(command -v "$tool")' \"\$@\" || {"
        echo '    status=$?'
        echo "    echo \"$tool: status \$status\" >> '$tmp/failed'"
        echo "    exit \$status"
        echo '}'
    } > "$tmp/bin/$tool"
    chmod +x "$tmp/bin/$tool"
done

for page in "$man"/*.1 "$man/ascribe-models.5"; do
    name=${page##*/}
    commands "$page"
    # A fresh copy of the data for each page.
    copy_data
    (cd "$tmp/data" && files "$page")
    [ "$name" != asc-convert.1 ] || foreign asc-attribute
    if ! ls "$tmp"/commands/* > /dev/null 2>&1; then
        echo 'it has no examples' > "$tmp/why"
        result 1 "$name: examples"
        continue
    fi
    if [ "$name" = asc-plot.1 ] && ! command -v gnuplot > /dev/null; then
        skip "$name: examples" 'there is no gnuplot'
        continue
    fi
    : > "$tmp/why"
    count=0
    for c in "$tmp"/commands/*; do
        lack=$(lacks "$c")
        if [ -n "$lack" ]; then
            skip "$name: an example" "there is no $lack"
            continue
        fi
        count=$((count + 1))
        : > "$tmp/failed"
        (cd "$tmp/data" && PATH=$tmp/bin:$PATH sh "$c") \
            > "$tmp/out" 2> "$tmp/err" < /dev/null
        status=$?
        [ "$status" = 0 ] && [ ! -s "$tmp/failed" ] && continue
        {
            echo "status $status of:"
            cat "$c" "$tmp/failed" "$tmp/err"
        } >> "$tmp/why"
    done
    [ ! -s "$tmp/why" ]
    result $? "$name: $count examples run"
done

# The programs of ascribe-models(5) are one model, in the data of that page.
awk -F '\t' '
    NR == 1 {
        for (j = 1; j <= NF; j++)
            at[$j] = j
        print "row\tpredicted\tp.no\tp.yes"
        next
    }
    {
        u = -4 + 8 * $at["payment_income"] + 1.5 * $at["loan_value"] \
            + ($at["self_employed"] == "yes" ? 0.6 : 0)
        printf "%s\t%s\t%.15g\t%.15g\n", $1, (u > 0 ? "yes" : "no"),
            1 / (1 + exp(u)), 1 / (1 + exp(-u))
    }' "$tmp/data/mortgage.tsv" > "$tmp/wanted"
for answer in awk-cmd awk-coproc python-cmd python-coproc R-cmd R-coproc; do
    if [ ! -f "$tmp/data/$answer.tsv" ]; then
        skip "ascribe-models.5: $answer is right" 'it was not run'
        continue
    fi
    # 1e-12: sums and functions of the last digits in other orders
    paste "$tmp/wanted" "$tmp/data/$answer.tsv" | awk -F '\t' '
        NF != 8 || $1 != $5 || $2 != $6 { print NR ": " $0 }
        NR == 1 { next }
        {
            for (j = 3; j <= 4; j++)
                if (!($j - $(j + 4) <= 1e-12 && $(j + 4) - $j <= 1e-12))
                    print NR ": " $0
        }
        END { if (NR < 1000) print NR " rows" }' | head > "$tmp/why"
    [ ! -s "$tmp/why" ]
    result $? "ascribe-models.5: $answer is right"
done

# ---- the program ----

awk '
    $1 == ".Sh" { on = $2 == "EXAMPLES" }
    on && /^\.Bd/ { literal = 1; next }
    /^\.Ed/ && literal { exit }
    on && literal { print }
' "$man/ascribe.3" | plain > "$tmp/explain.c"
lines=$(wc -l < "$tmp/explain.c")
echo "$lines lines" > "$tmp/why"
[ "$lines" -gt 10 ] && [ "$lines" -lt 30 ]
result $? 'ascribe(3): the program is short'

copy_data
libs=${MAN_LIBS:-$build/.libs/libascribe.so}
# shellcheck disable=SC2086 # a command and flags
set -- ${CC:-cc}
if ! command -v "$1" > /dev/null; then
    skip 'ascribe(3): the program compiles' "there is no $1"
elif [ -z "${MAN_LIBS-}" ] && [ ! -e "$libs" ]; then
    skip 'ascribe(3): the program compiles' 'there is no shared library'
else
    # A library with sanitizers wants them in the program, too.
    sanitize=
    [ -f "$libs" ] && grep -q __asan_init "$libs" &&
        sanitize='-fsanitize=address,undefined'
    # shellcheck disable=SC2086 # flags
    ${CC:-cc} $sanitize -Wall -Wextra -Werror -I "$top/lib" \
        -o "$tmp/explain" "$tmp/explain.c" $libs > "$tmp/why" 2>&1
    result $? 'ascribe(3): the program compiles'
    (cd "$tmp/data" && ASAN_OPTIONS=detect_leaks=0 \
        LD_LIBRARY_PATH=$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        "$tmp/explain") > "$tmp/said" 2> "$tmp/why"
    result $? 'ascribe(3): the program runs'
    # The same numbers as the tool's, to the six digits that it prints.
    (cd "$tmp/data" &&
        asc-attribute -q -m mortgage.pmml -M exact-shapley --digits 6 \
            -b mortgage.tsv mortgage.tsv | awk -F '\t' '
            NR == 1 { for (j = 7; j <= NF; j++) name[j] = substr($j, 5) }
            NR == 2 {
                for (j = 7; j <= NF; j++)
                    printf "%s\t%g\n", name[j], $j
            }') > "$tmp/told" 2> /dev/null
    same "$tmp/told" "$tmp/said" 'ascribe(3): it says what the tool does'
fi

echo "1..$n"
