#!/bin/sh
# options.sh -- each tool's --help against the one table of options: the same
# letter and name mean the same everywhere, what is listed is taken and what is
# not is refused; -l lists the registry and --help=NAME knows each entry.
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
tools='asc-agreement asc-attribute asc-convert asc-disparity asc-fidelity
asc-fit asc-model asc-plot asc-predict asc-summary'

# result STATUS NAME -- the reasons are in `why'.
result() {
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' why
    fi
}

# empty FILE NAME -- its lines are what is wrong.
empty() {
    cp "$1" why
    test ! -s why
    result $? "$2"
}

# same A B NAME
same() {
    diff "$1" "$2" > why 2>&1
    result $? "$3"
}

# ---- the table of tools/tool.c: OPTION LETTER NAME ARGUMENT ----

awk '/^} table\[\] = \{/ { on = 1; next } on && /^};/ { exit }
    on && match($0, /\{ OPT_[A-Z_]*, [^,]*, "[a-z-]*",/) {
        split(substr($0, RSTART + 2, RLENGTH - 3), part, /, */)
        rest = substr($0, RSTART + RLENGTH)
        gsub(/^ */, "", rest)
        letter = part[2] == "0" ? "-" : substr(part[2], 2, 1)
        gsub(/"/, "", part[3])
        argument = "-"
        if (substr(rest, 1, 1) == "\"") {
            argument = substr(rest, 2)
            sub(/".*/, "", argument)
        }
        print part[1], letter, part[3], argument
    }' "$top/tools/tool.c" | sort > table

cut -d ' ' -f 2 table | grep -v '^[-M]$' | sort | uniq -d > found
empty found 'no letter stands for two names in the table, but -M'
cut -d ' ' -f 3 table | sort | uniq -d > found
empty found 'no name is twice in the table'
awk '$2 == "M" { print $3 }' table | sort > found
printf 'method\nmetric\n' > wanted
same found wanted '-M is --method or --metric'

# ---- each tool ----

version=$(sed -n 's/^AC_INIT(\[ascribe\], \[\([^]]*\)\].*/\1/p' \
    "$top/configure.ac")
: > used
for tool in $tools; do
    "$tool" --help > help 2> why && test ! -s why
    result $? "$tool: --help prints on standard output alone"
    "$tool" -h > help.h 2>&1
    same help help.h "$tool: -h is --help"
    "$tool" --no-such-option --help > /dev/null 2>&1
    echo $? > found
    echo 2 > wanted
    same found wanted "$tool: help does not hide a mistake before it"

    # LETTER NAME ARGUMENT of each line, as the table has them
    sed -nE 's/^  (-([A-Za-z]),|   ) --([a-z-]+)(=([^ ]+))?( .*)?$/\2 \3 \5/p' \
        help | awk '{ l = $0 ~ /^ / ? "-" : $1
            name = $0 ~ /^ / ? $1 : $2
            a = $0 ~ /^ / ? $2 : $3
            print l, name, a == "" ? "-" : a }' | sort > listed
    grep -c '^  .*--' help > found
    wc -l < listed | tr -d ' ' > wanted
    same found wanted "$tool: each line of --help can be read"
    cut -d ' ' -f 2- table | sort | comm -23 listed - > found
    empty found "$tool: options are those of the table, with letter and value"
    cut -d ' ' -f 2 listed | sort | uniq -d > found
    empty found "$tool: no option is listed twice"
    cut -d ' ' -f 1 listed | grep -v -- - | sort | uniq -d > found
    empty found "$tool: no letter is listed twice"

    # what the source says that it uses, and what every tool has
    {
        sed -n '/^static const struct tool_use/,/^};/p' "$top/tools/$tool.c"
        sed -n '/^static const struct tool_use everywhere/,/^};/p' \
            "$top/tools/tool.c"
        grep -q '\.takes_model = 1' "$top/tools/$tool.c" &&
            sed -n '/^static const struct tool_use for_models/,/^};/p' \
                "$top/tools/tool.c"
    } | grep -o 'OPT_[A-Z_]*' | grep -v OPT_END | sort -u > uses
    cat uses >> used
    awk 'NR == FNR { row[$1] = $2 " " $3 " " $4; next }
        { print row[$1] }' table uses | sort > wanted
    same listed wanted "$tool: --help lists what the tool uses"

    # What is listed is taken: where a value is missing, or is one too many,
    # something else is said than that the option is not there.
    while read -r letter name argument; do
        case $argument in
        -) out=$("$tool" "--$name=x" 2>&1 < /dev/null) ;;
        *) out=$("$tool" "--$name" 2>&1 < /dev/null) ;;
        esac
        case $out in
        *' takes no value' | *' wants a value; '*) ;;
        *'describes a'* | *"unknown "*) [ "$name" = help ] || echo "$out" ;;
        *) echo "$out" ;;
        esac
        case $letter$argument in
        -* | ?-) continue ;;
        esac
        out=$("$tool" "-$letter" 2>&1 < /dev/null)
        case $out in
        *' wants a value; '*) ;;
        *) echo "$out" ;;
        esac
    done < listed > found
    empty found "$tool: what is listed is taken"
    # refused OPTION WORD -- it is: says so if it is not.
    refused() {
        out=$("$tool" "$1" 2>&1 < /dev/null)
        case "$? $out" in
        "2 $tool: there is no option $2; "*) ;;
        *) echo "$1: $out" ;;
        esac
    }
    # The beginning of a listed name will do as well, so those are left out.
    cut -d ' ' -f 3 table | while read -r name; do
        cut -d ' ' -f 2 listed | grep -q "^$name" ||
            refused "--$name=x" "--$name"
    done > found
    empty found "$tool: what is not listed is refused"
    for letter in $(cut -d ' ' -f 2 table | grep -v -- - | sort -u) z 9; do
        grep -q "^$letter " listed || refused "-$letter" "-$letter"
    done > found
    empty found "$tool: letters that are not listed are refused"

    echo "$tool (ascribe) $version" > wanted
    "$tool" --version > found 2>&1
    same found wanted "$tool: --version"
    "$tool" -V > found 2>&1
    same found wanted "$tool: -V"
done

cut -d ' ' -f 1 table > wanted
sort -u used > found
same found wanted 'each option of the table is some tool'\''s'

# ---- registries ----

# registry TOOL NAMES -- -l lists these names, and --help knows each.
registry() {
    tool=$1
    "$tool" -l > list 2> err
    cut -d ' ' -f 1 list | sort > found
    sort "$2" > wanted
    same found wanted "$tool: -l lists the registry"
    "$tool" --list > found 2>&1
    same found list "$tool: --list is -l"
    grep -vE '^[a-z0-9-]+ +[^ ].*$' list > found
    empty found "$tool: each entry has a line of its own"
    : > found
    while read -r name title; do
        "$tool" "--help=$name" > out 2>> found
        [ $? = 0 ] || echo "--help=$name: status" >> found
        [ "$(head -n 1 out)" = "$name: $title" ] ||
            echo "--help=$name: $(head -n 1 out)" >> found
        [ "$(wc -l < out)" -gt 1 ] || echo "--help=$name: short" >> found
    done < list
    empty found "$tool: --help=NAME describes each"
}

# entries FILE... -- the names in a registry's file.
entries() {
    sed -n 's/^ASC_ENTRY(\([a-z0-9_]*\)).*/\1/p' "$@" | tr _ - > names
}

entries "$top/lib/attribute/methods.def"
registry asc-attribute names
entries "$top/metrics/fidelity.def"
registry asc-fidelity names
entries "$top/metrics/agreement.def"
registry asc-agreement names
entries "$top/lib/fit/trainers.def"
registry asc-fit names
sed -n '/^static const struct convert_format formats/,/^};/s/^    { { "\([a-z]*\)".*/\1/p' \
    "$top/tools/asc-convert.c" > names
registry asc-convert names
ls "$top/plots" | sed -n 's/\.gp$//p' | grep -v '^style$' > names
asc-plot -l | cut -d ' ' -f 1 | sort > found
sort names > wanted
comm -23 found wanted > missing
empty missing 'asc-plot: each kind has its script'
for kind in $(cat found); do
    asc-plot "--help=$kind" > out 2>&1 && [ -s out ]
    result $? "asc-plot: --help=$kind"
done
for tool in asc-model asc-predict asc-summary asc-disparity; do
    "$tool" -l > out 2>&1
    echo "$? $(cat out)" > found
    echo "2 $tool: there is no option -l; see $tool --help" > wanted
    same found wanted "$tool: has nothing to list"
done

echo "1..$n"
