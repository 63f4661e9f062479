#!/bin/sh
# Runs a cmocka program.  cmocka writes a skipped test as "not ok ... # SKIP",
# which the harness would take for a failure.
out=$("$@")
status=$?
printf '%s\n' "$out" | sed 's/^not ok \(.* # SKIP\)/ok \1/'
exit $status
