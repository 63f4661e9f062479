#!/usr/bin/perl
# What the tools do on a machine that fails: shim.c is preloaded into them and
# lets the k-th allocation, read, write, open, ... of a small run fail, or sends
# a signal there.  Afterwards
#
#   - the exit status is 1, or 0 and the output that of the run unhurt (always
#     so where nothing was lost: interrupted calls, short reads and writes,
#     threads that do not start); or the tool died of the signal sent;
#   - standard error is one line that begins with the tool's name (nothing if
#     nobody reads the output, or all is well);
#   - -o FILE holds the old or the whole new file, and there is no other;
#   - no process is left.
#
#     faults.pl                 places in the programs once: `make check'
#     faults.pl all             each call of each run: `make check-long'
#     faults.pl RUN KIND HOW K  one of them, to look at
#
# A place is told by the functions that led to it; k is the first call there.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/common.pl";
our ($top, $bin, $tests);

my $all = @ARGV == 1 && $ARGV[0] eq 'all';
my $callers = $all ? 20 : 3;            # that tell a place
my $budget = 2000;                      # runs in `make check'
my $shim = shim();

skip('not the GNU C library') unless -e $shim;

# What is wrong with it, or undef.
sub judge {
    my ($run, $got, $how) = @_;
    my $good = $run->{unhurt};
    my $name = $run->{command}[0];
    my $harmless = $how =~ /^(EINTR|short|EAGAIN)$/;
    my $deadly = { TERM => 15, INT => 2 }->{$how};

    return 'hangs' if $got->{late};
    return "left behind: $got->{files}" if $got->{files} ne '';
    return "still running: $got->{left}" if $got->{left} ne '';
    return 'the old file is gone' unless defined $got->{out};
    if ($got->{out} ne $good->{out} && $got->{out} ne "old\n") {
        return 'the file is neither the old nor the new one';
    }
    if ($got->{signal}) {
        return $deadly && $got->{signal} == $deadly ? undef
            : "killed by signal $got->{signal}";
    }
    if ($got->{status} == $good->{status} && $got->{err} eq $good->{err}) {
        return 'another output' if $got->{out} ne $good->{out}
            || $got->{stdout} ne $good->{stdout};
        return undef;
    }
    return "status $got->{status}, $got->{err}"
        if $harmless || $deadly || $got->{status} != 1;
    return undef if $how eq 'EPIPE' && $got->{err} eq '';
    return "standard error is $got->{err}"
        unless $got->{err} =~ /\A\Q$name\E: [^\n]+\n\z/;
    return undef;
}

# ---- the faults ----

# What can fail, and how.
my %faults = (
    alloc => [ 'ENOMEM', 'ENOMEM+' ],
    read => [ 'EIO', 'EINTR', 'short', 'TERM' ],
    write => [ 'ENOSPC', 'EPIPE', 'EINTR', 'short', 'TERM' ],
    open => [ 'EMFILE', 'TERM' ],
    close => [ 'EIO', 'TERM' ],
    rename => [ 'EIO', 'TERM' ],
    sync => [ 'EIO' ],
    map => [ 'ENOMEM' ],
    pipe => [ 'EMFILE' ],
    spawn => [ 'ENOMEM', 'TERM' ],
    poll => [ 'ENOMEM', 'EINTR', 'INT' ],
    thread => [ 'EAGAIN' ],
    stat => [ 'EACCES' ],
    seek => [ 'EIO' ],
    control => [ 'EMFILE' ],
    wait => [ 'EINTR', 'TERM' ],
);

# Calls of a run: kind => [place of the first call, of the second, ...]
sub trace {
    my ($run) = @_;
    my %calls;
    my $got = run($run, "trace:$callers");

    for (split /\n/, $got->{said}) {
        my ($kind, $place) = split / /;
        push @{ $calls{$kind} }, $place;
    }
    return \%calls;
}

# What is done to a run: [KIND, HOW, k, k, ...]...  In `make check' a place is
# visited once.
my %seen;

sub plan {
    my ($run) = @_;

    $run->{unhurt} = run($run);
    my $calls = trace($run);
    $run->{starts} = $calls->{spawn} || $run->{starts};
    for my $kind (sort keys %faults) {
        my $places = $calls->{$kind} // next;
        for my $how (@{ $faults{$kind} }) {
            # Those that fail for good are many, and fail alike.
            my $every = !$all || $how =~ /\+/;
            my %own;
            my $seen = $all ? \%own : \%seen;
            my @at = grep {
                !$every || !$seen->{"$how $places->[$_ - 1]"}++
            } 1 .. @$places;
            push @{ $run->{plan} }, [ $kind, $how, @at ] if @at;
        }
    }
}

# Allocations have most of the places: in `make check' some of them will do.
sub thin {
    my @plans = map { @{ $_->{plan} // [] } } @_;
    my ($n, $others) = (0, 0);

    for my $p (@plans) {
        ${ $p->[0] eq 'alloc' ? \$n : \$others } += @$p - 2;
    }
    my $step = $n / ($budget - $others);
    return if $all || $step <= 1;
    my $next = 0;
    my $i = 0;
    for my $p (grep { $_->[0] eq 'alloc' } @plans) {
        my ($kind, $how, @at) = @$p;
        @at = grep {
            my $take = $i++ >= $next;
            $next += $step if $take;
            $take;
        } @at;
        @$p = ($kind, $how, @at);
    }
}

sub rehearse {
    my ($run) = @_;
    my $unhurt = $run->{unhurt};

    # Some of the small models in the corpora are broken.
    if ($unhurt->{signal} || $unhurt->{late}
        || $unhurt->{status} > ($run->{name} =~ m{/} ? 1 : 0)) {
        report("$run->{name}: unhurt", judge($run, $unhurt, '')
            // "status $unhurt->{status}: $unhurt->{err}");
        return;
    }
    for (@{ $run->{plan} }) {
        my ($kind, $how, @at) = @$_;
        my @wrong;
        for my $k (@at) {
            my $fault = "$kind:$how" =~ s/(\+?)$/:$k$1/r;
            my $wrong = judge($run, run($run, $fault), $how);
            push @wrong, "$fault: $wrong" if defined $wrong;
        }
        report("$run->{name}: $kind $how, " . @at . ' times', @wrong) if @at;
    }
}

# ---- the runs ----

my @runs;

sub add {
    my ($name, @command) = @_;
    push @runs, { name => $name, command => [@command] };
}

# Names in a tool's list.
sub list {
    my ($tool) = @_;
    my @names = map { /^(\S+)/ ? $1 : () } `$tool --list`;
    die "$tool --list\n" unless @names;
    return @names;
}

# Runs that are there only if they go well unhurt; 1 if so.
sub works {
    my ($command) = @_;
    return system("$command > works.out 2> works.err < /dev/null") >> 8 == 0;
}

my $answer = 'awk -F "\t" \'NR == 1 { print "p"; next } '
    . '{ print 0.25 * $1 - $2 / 8 }\'';
my $server = 'while IFS= read -r n && IFS= read -r head; do echo p; '
    . 'i=0; while [ $i -lt ${n#?} ]; do read -r row; echo 0.5; i=$((i+1)); '
    . 'done; done';

sub make_runs {
    my @o = ('-q', '-o', 'out.d/out');
    my @one = ('-j', '1', @o);
    my %cheap = (gbm => ':trees=3:depth=2', mlp => ':hidden=4:epochs=2',
        forest => ':trees=3');
    # Options without which a method does nothing.
    my %wants = (owen => [ '--coalition', 'x=payment_income,loan_value' ]);
    my @models;

    make_tables();
    for my $name (list('asc-fit')) {
        my $spec = $name . ($cheap{$name} // '');
        my $y = works("asc-fit -q $spec -y denied -o $name.pmml data.tsv")
            ? 'denied' : 'loan_value';
        works("asc-fit -q $spec -y $y -o $name.pmml data.tsv") or next;
        add("fit $name", 'asc-fit', $spec, '-y', $y, @o, 'data.tsv');
        add("predict $name", 'asc-predict', '-m', "$name.pmml", @one,
            'few.tsv');
        push @models, $name;
    }
    # The fields of the small models of the fuzz targets: b is a text or a
    # number.  Those that need others are only read.
    for my $path (glob "$top/tests/fuzz/corpus/{xgboost,lightgbm,catboost}/*") {
        my ($format, $name) = $path =~ m{([^/]+)/([^/]+)$};
        my ($table) = grep { works("asc-predict -q -m $path $_") }
            'letters.tsv', 'numbers.tsv';
        add("predict $format/$name", 'asc-predict', '-m', $path, @one,
            $table // 'letters.tsv');
    }
    system 'gzip -c data.tsv > data.tsv.gz';
    add('predict gzip', 'asc-predict', '-m', "$models[0].pmml", @one,
        'data.tsv.gz');
    add('predict with threads', 'asc-predict', '-m', "$models[0].pmml", '-j2',
        @o, 'data.tsv');
    my @fields = ('--fields', 'payment_income,loan_value');
    add('predict cmd', 'asc-predict', '-m', "cmd:$answer", @fields, @one,
        'few.tsv');
    add('predict coproc', 'asc-predict', '-m', "coproc:$server", @fields, @one,
        'few.tsv');
    for my $name (list('asc-attribute')) {
        for my $m (@models) {
            my @command = ('asc-attribute', '-m', "$m.pmml", '-M', $name, '-b',
                'back.tsv', @{ $wants{$name} // [] });
            works("@command -q -o $name.tsv few.tsv") or next;
            add("attribute $name", @command, @one, 'few.tsv');
            last;
        }
        report("attribute $name",
            'no run of it goes well: say in %wants what it needs')
            unless grep { $_->{name} eq "attribute $name" } @runs;
    }
    add('attribute, a picked background', 'asc-attribute', '-m',
        "$models[0].pmml", '-M', 'occlusion', '--provenance', '--keep',
        'denied', @one, 'data.tsv');
    add('attribute cmd', 'asc-attribute', '-m', "cmd:$answer", @fields, '-M',
        'occlusion', '-b', 'back.tsv', @one, 'few.tsv');
    add('attribute coproc', 'asc-attribute', '-m', "coproc:$server", @fields,
        '-M', 'occlusion', '-b', 'back.tsv', '-j2', @o, 'few.tsv');
    my $m = 'logistic.pmml';
    system "asc-attribute -q -m $m -M occlusion,gradient-x-input -b back.tsv "
        . '-o phi.tsv data.tsv';
    for my $name (list('asc-fidelity')) {
        add("fidelity $name", 'asc-fidelity', '-m', $m, '-M', $name, '-x',
            'data.tsv', '-b', 'back.tsv', @one, 'phi.tsv');
    }
    system "asc-fidelity -q -m $m -M deletion,pgi -x data.tsv -b back.tsv "
        . '-o score.tsv phi.tsv';
    system "asc-fidelity -q -m $m -M deletion --curve -x data.tsv -b back.tsv "
        . '-o curve.tsv phi.tsv';
    add('agreement', 'asc-agreement', @one, 'phi.tsv');
    system 'asc-agreement -q -o pair.tsv phi.tsv';
    add('agreement of two', 'asc-agreement', @one, 'occlusion.tsv',
        'gradient.tsv');
    add('summary', 'asc-summary', @o, 'score.tsv');
    my @groups = ('-g', 'sex', '-x', 'group.tsv');
    add('disparity', 'asc-disparity', @groups, @o, 'score.tsv');
    system "asc-disparity -q @groups -o disparity.tsv score.tsv";
    for (list('asc-plot')) {
        my %table = (bars => 'phi.tsv', beeswarm => 'phi.tsv',
            heatmap => 'pair.tsv', curves => 'curve.tsv',
            disparity => 'disparity.tsv');
        add("plot $_", 'asc-plot', $_, '--script', @o,
            $table{$_} // 'phi.tsv');
    }
    for my $m (map { "$_.pmml" } @models) {
        add("model $m", 'asc-model', @o, $m);
        add("model $m as PMML", 'asc-model', '--pmml', @o, $m);
    }
    add('model cmd', 'asc-model', '-m', "cmd:$answer", @fields, '-b',
        'back.tsv', @o);
    add('convert to CSV', 'asc-convert', '--to', 'csv', @o, 'data.tsv');
    system 'asc-convert -q --to csv -o data.csv data.tsv';
    add('convert from CSV', 'asc-convert', @o, 'data.csv');
    add('plot a figure', 'asc-plot', 'bars', @o, 'phi.tsv')
        if works('gnuplot -V');
}

# ---- main ----

spill('works.err', '');
skip('nothing can be preloaded here')
    unless works("env LD_PRELOAD=$shim ASCRIBE_FAULT=trace:6 "
        . "ASCRIBE_FAULT_FD=1 asc-predict -V") && slurp('works.out') =~ /^alloc/m;
make_runs();
if (@ARGV == 4) {
    my ($name, $kind, $how, $k) = @ARGV;
    my ($run) = grep { $_->{name} eq $name } @runs
        or die map { "$_->{name}\n" } @runs;
    my $fault = "$kind:$how" =~ s/(\+?)$/:$k$1/r;
    $run->{unhurt} = run($run);
    $run->{starts} = 1;
    my $got = run($run, $fault);
    print "$_: $got->{$_}\n" for grep { defined $got->{$_} } sort keys %$got;
    print judge($run, $got, $how) // 'ok', "\n";
    $ENV{ASCRIBE_FAULT_STOP} = 1;
    open STDIN, '<', '/dev/null';
    system 'gdb', '-q', '-batch', '-ex', 'set startup-with-shell off',
        '-ex', "set env LD_PRELOAD $shim", '-ex',
        "set env ASCRIBE_FAULT $fault", '-ex', 'run', '-ex', 'backtrace',
        '--args', "$bin/$run->{command}[0]",
        @{ $run->{command} }[1 .. $#{ $run->{command} }];
    exit 0;
}
plan($_) for @runs;
thin(@runs);
rehearse($_) for @runs;
for (map { m{([^/]*)$} } glob "$bin/asc-*") {
    my $tool = $_;
    report($tool, grep({ $_->{command}[0] eq $tool } @runs) ? ()
        : 'no run of it is made in faults.pl');
}
print "1..$tests\n";
