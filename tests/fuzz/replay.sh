#!/bin/sh
# Every fuzz target on its corpus.
set -u
corpora=$abs_top_srcdir/tests/fuzz/corpus
set -- "$corpora"/*
echo "1..$#"
for dir; do
    name=${dir##*/}
    if out=$("$abs_top_builddir/tests/fuzz/replay_$name" "$dir"/* 2>&1); then
        echo "ok - $name"
    else
        echo "not ok - $name"
        printf '%s\n' "$out" | tail -n 20 | sed 's/^\([^#]\)/# \1/'
    fi
done
