#!/bin/sh
# model.sh -- what asc-model says of methods against what asc-attribute does:
# all of them are there, those that it says can explain a model do, and the
# others refuse for the reason that it gives.
#
# Wants the tools in PATH and abs_top_srcdir, as `make check' sets them.

top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
cp "$top"/tests/tools/files/* "$tmp" && cd "$tmp" || exit 99
n=0

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

asc-attribute -l | cut -d ' ' -f 1 > methods

# try NAME SCALE OPTION... -- a model, with the options that it needs.
try() {
    name=$1 scale=$2
    shift 2
    # shellcheck disable=SC2086 # an option or nothing
    asc-model $scale "$@" 2> why | grep '^method' > said
    cut -f 2 said > found
    diff methods found > why 2>&1
    result $? "$name $scale: all methods"
    : > why
    while IFS='	' read -r part method serves note; do
        case $method in
        owen) also='--coalition one=age' ;;
        *) also= ;;
        esac
        # shellcheck disable=SC2086 # options or nothing
        asc-attribute -q -b back.tsv -M "$method" $also $scale "$@" shop.tsv \
            > out 2> err < /dev/null
        status=$?
        case "$serves $status" in
        'yes 0') continue ;;
        'no 2')
            note=$(printf %s "$note" | sed 's/	*$//')
            grep -qF "$method $note;" err && continue ;;
        esac
        echo "$part $method $serves $note: status $status: $(cat err)" >> why
    done < said
    [ ! -s why ]
    result $? "$name $scale: methods work as it says"
}

for scale in '--scale=raw' '--scale=response'; do
    for model in shop trees net; do
        try $model.pmml $scale -m $model.pmml
    done
    asc-fit gbm:trees=3 -y buys shop.tsv > gbm.pmml
    try 'boosted trees' $scale -m gbm.pmml
    try 'a command' $scale -m 'cmd:cut -f 1' --fields age
done

echo "1..$n"
