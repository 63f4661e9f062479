#!/bin/sh
# layers.sh -- the layering law of HACKING.md: which room may know of which,
# and what the library may not do.
#
# Reads the sources at abs_top_srcdir; the last two tests look at the objects
# in abs_top_builddir and are skipped where there are none.

top=${abs_top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${abs_top_builddir:-$top}
LC_ALL=C
export LC_ALL
n=0

# none NAME OFFENDERS
none() {
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

cd "$top" || exit 99

# sources FOLDER... -- all C files.
sources() {
    find "$@" -name '*.[ch]' | sort
}

# search PATTERN FOLDER... -- lines with it, comments left out.
search() {
    pattern=$1
    shift
    sources "$@" | xargs grep -HnE "$pattern" |
        grep -vE '^[^:]*:[0-9]*: *(/\*|\*|//)'
}

# ---- what the library does not do ----

# calls NAMES FOLDER... -- of functions, NAMES separated by |.
calls() {
    names=$1
    shift
    search "(^|[^A-Za-z0-9_])($names) *\(" "$@"
}

none 'the library does not print' "$(calls \
    'v?f?printf|dprintf|f?puts|f?putc|putchar|perror|fwrite' lib metrics)"
none 'the library does not touch the standard streams' "$(search \
    '(^|[^A-Za-z0-9_])(stdout|stderr|stdin)([^A-Za-z0-9_]|$)' lib metrics)"
none 'the library does not exit' "$(calls \
    'exit|abort|quick_exit|assert|err|errx|error' lib metrics)"
none 'the library leaves the process as it is' "$(calls \
    '(secure_)?getenv|setenv|putenv|setlocale|umask|chdir|signal' \
    lib metrics)"
none 'nothing depends on the clock or on a hidden stream of numbers' "$(calls \
    's?rand|s?random|[dlm]rand48|time|gettimeofday|strtok' lib metrics)"
none 'nothing takes rubbish for 0' "$(calls \
    'atoi|atof|atol|sscanf|fscanf|scanf|gets|alloca' lib metrics tools)"

# ---- libraries of others ----

# includes NAME FOLDER... -- lines that include what begins so.
includes() {
    pattern=$1
    shift
    sources "$@" | xargs grep -HnE "^ *# *include *[<\"]($pattern)"
}

none 'only lib/base/blas.c includes cblas.h' "$(includes \
    'cblas|lapacke|openblas|gsl/gsl_c?blas' lib metrics tools |
    grep -v '^lib/base/blas\.c:')"
none 'only lib/base/blas.c calls BLAS' "$(calls \
    'cblas_[a-z]*|LAPACKE_[a-z]*' lib metrics tools |
    grep -v '^lib/base/blas\.c:')"
none 'only lib/model/pmml includes libxml2' "$(includes libxml \
    lib metrics tools | grep -v '^lib/model/pmml/')"
none 'public headers include no library of others' "$(includes \
    'gsl|libxml|cblas|lapacke|zlib|Random123' lib/ascribe)"
none 'public headers show no type of others' "$(search \
    'gsl_|xml[A-Z]|z_stream|cblas_|r123' lib/ascribe)"
none 'tools leave arithmetic and formats to the library' "$(includes \
    'gsl|libxml|cblas|lapacke|zlib|Random123' tools)"

# ---- rooms ----

# rooms FOLDER ROOMS HEADERS -- what else it includes than headers of these
# rooms and these public ones.
rooms() {
    sources "$1" | xargs grep -HnE '^ *# *include *("|<ascribe/)' |
        grep -vE "include *(\"($2)/|<ascribe/($3)\.h>)"
}

none 'public headers include public headers' "$(rooms lib/ascribe none \
    '[a-z]*')"
none 'base includes base' "$(rooms lib/base base 'error|base')"
none 'table includes what is below it' "$(rooms lib/table 'base|table' \
    'error|base|table')"
none 'model includes what is below it' "$(rooms lib/model \
    'base|table|model' 'error|base|table|model')"
none 'attribute includes what is below it, not fit' "$(rooms lib/attribute \
    'base|table|model|attribute' 'error|base|table|model|method')"
none 'fit includes what is below it, not attribute' "$(rooms lib/fit \
    'base|table|model|fit' 'error|base|table|model|fit')"
none 'metrics include what is below them' "$(rooms metrics \
    'base|table|model|attribute|metrics' \
    'error|base|table|model|method|metric')"
none 'tools include their own and public headers' "$(rooms tools tools \
    '[a-z]*')"
none 'tools use no hidden name' "$(search '(^|[^A-Za-z0-9_])asci_' tools)"
none 'formats are known in lib/model alone' "$(includes model/pmml \
    lib/base lib/table lib/attribute lib/fit metrics tools)"

# ---- names and state, as compiled ----

core=$build/lib/.libs/libcore.a
if [ -f "$core" ] && command -v objdump > /dev/null; then
    # What begins with two underscores, or has a dot, is the compiler's own.
    none 'what is not static begins with asc_ or asci_' "$(objdump -t "$core" \
        2> /dev/null | awk '$2 == "g" && $0 !~ /\*UND\*/ &&
            $NF !~ /^(asci?_|__)/ && $NF !~ /\./ { print $NF }')"
    none 'nothing at file scope can be written to' "$(objdump -t "$core" \
        2> /dev/null | awk '/ O \.(data|bss|tdata|tbss)[ \t]/ &&
            $NF !~ /^__/ { print $NF }')"
else
    skip 'what is not static begins with asc_ or asci_' "no $core"
    skip 'nothing at file scope can be written to' "no $core"
fi

echo "1..$n"
