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
use Cwd qw(abs_path getcwd);
use FindBin;
use File::Temp qw(tempdir);
use POSIX qw(setsid :sys_wait_h);

# By hand it runs in the build folder.
my $top = $ENV{abs_top_srcdir} // abs_path("$FindBin::Bin/../..");
my $build = $ENV{abs_top_builddir} // getcwd;
my $shim = "$build/tests/faults/.libs/shim.so";
my $bin = "$build/tools/.libs";         # libtool's scripts are no tools
my $all = @ARGV == 1 && $ARGV[0] eq 'all';
my $callers = $all ? 20 : 3;            # that tell a place
my $budget = 2000;                      # runs in `make check'
my $patience = 20;                      # seconds
my $dir = tempdir(CLEANUP => 1);
my $tests = 0;

sub skip {
    print "1..0 # SKIP $_[0]\n";
    exit 0;
}

skip('the tools were not linked by libtool') unless -x "$bin/asc-predict";
skip('not the GNU C library') unless -e $shim;
chdir $dir or die "$dir: $!\n";
$ENV{LD_LIBRARY_PATH} =
    join ':', "$build/.libs", $ENV{LD_LIBRARY_PATH} ? $ENV{LD_LIBRARY_PATH} : ();
$ENV{PATH} = "$bin:$ENV{PATH}";
$ENV{ASCRIBE_PLOTS} = "$top/plots";
$ENV{TMPDIR} = "$dir/tmp";
$ENV{LC_ALL} = 'C';
mkdir 'tmp';
mkdir 'out.d';

# ---- one run ----

sub slurp {
    my ($path) = @_;
    open my $f, '<:raw', $path or return undef;
    local $/;
    return <$f> // '';
}

sub spill {
    my ($path, $text) = @_;
    open my $f, '>:raw', $path or die "$path: $!\n";
    print $f $text;
    close $f or die "$path: $!\n";
}

# The processes of a session that are not dead.
sub left {
    my ($session) = @_;
    my @pids;
    for my $path (glob '/proc/[0-9]*/stat') {
        my $text = slurp($path) // next;
        push @pids, $1 if $text =~ /^(\d+) \(.*\) ([^ZX]) \d+ \d+ (\d+) /s
            && $3 == $session;
    }
    return @pids;
}

# Runs it in a session of its own.
sub run {
    my ($run, $fault) = @_;
    my %got;

    spill('out.d/out', "old\n");
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setsid();
        open STDIN, '<', $run->{in} // '/dev/null';
        open STDOUT, '>', 'stdout';
        open STDERR, '>', 'stderr';
        open my $said, '>', 'said';
        POSIX::dup2(fileno $said, 9);
        if ($fault) {
            $ENV{ASCRIBE_FAULT} = $fault;
            $ENV{ASCRIBE_FAULT_FD} = 9;
            $ENV{LD_PRELOAD} = $shim;
        }
        exec @{ $run->{command} } or POSIX::_exit(127);
    }
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $patience;
        waitpid $pid, 0;
        alarm 0;
    };
    if ($@) {
        $got{late} = 1;
        kill 'KILL', left($pid);
        waitpid $pid, 0;
    }
    $got{signal} = $? & 127;
    $got{status} = $? >> 8;
    # What has lost its pipes may take a moment to see it.
    my @left;
    for (my $i = 0; $run->{starts} && $i < 20; $i++) {
        last unless @left = left($pid);
        select undef, undef, undef, 0.02;
    }
    $got{left} = scalar @left;
    kill 'KILL', @left if @left;
    $got{err} = slurp('stderr');
    $got{stdout} = slurp('stdout');
    $got{said} = slurp('said');
    $got{out} = slurp('out.d/out');
    my @new = grep { $_ ne 'out.d/out' } glob 'out.d/* out.d/.[!.]* tmp/*';
    $got{files} = "@new";
    system 'rm', '-rf', @new if @new;
    return \%got;
}

# What is wrong with it, or undef.
sub judge {
    my ($run, $got, $how) = @_;
    my $good = $run->{unhurt};
    my $name = $run->{command}[0];
    my $harmless = $how =~ /^(EINTR|short|EAGAIN)$/;
    my $deadly = { TERM => 15, INT => 2 }->{$how};

    return 'hangs' if $got->{late};
    return "left behind: $got->{files}" if $got->{files} ne '';
    return "$got->{left} processes left behind" if $got->{left};
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

sub report {
    my ($name, @wrong) = @_;
    $tests++;
    print @wrong ? 'not ok' : 'ok', " $tests - $name\n";
    print map { s/\n(?=.)/\n#   /gr } map { "#   $_\n" }
        @wrong > 20 ? (@wrong[0 .. 19], @wrong - 20 . ' more') : @wrong;
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

# 8 rows of each class, 4 fields.
sub make_tables {
    my (%rows, @table);
    open my $f, '<', "$top/tests/data/mortgage.tsv" or die "$!\n";
    while (<$f>) {
        chomp;
        my @v = split /\t/;
        push @{ $rows{ $v[1] } }, join("\t", @v[0 .. 2, 4, 5, 9]) . "\n";
    }
    my $head = $rows{denied}[0];
    my @data = map { ($rows{yes}[$_], $rows{no}[$_]) } 0 .. 7;
    spill('data.tsv', join '', $head, @data);
    spill('few.tsv', join '', $head, @data[0 .. 3]);
    spill('back.tsv', join '', $head, @data[ 4 .. 9 ]);
    spill('group.tsv', join '', "row\tsex\n",
        map { /^(\d+)/; "$1\t" . ($1 % 2 ? 'f' : 'm') . "\n" } @data);
    spill('letters.tsv', "row\ta\tb\n1\t0.5\ta\n2\t2\tb\n3\t\td\n");
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
    my (@models, @attributions);

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
    for my $path (glob "$top/tests/fuzz/corpus/{xgboost,lightgbm,catboost}/*") {
        my ($format, $name) = $path =~ m{([^/]+)/([^/]+)$};
        add("predict $format/$name", 'asc-predict', '-m', $path, @one,
            'letters.tsv');
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
                'back.tsv');
            works("@command -q -o $name.tsv few.tsv") or next;
            add("attribute $name", @command, @one, 'few.tsv');
            push @attributions, "$name.tsv";
            last;
        }
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
    add('plot a figure', 'asc-plot', 'bars', @o, 'phi.tsv')
        if works('gnuplot -V');
}

# ---- main ----

spill('works.err', '');
skip('nothing can be preloaded here')
    unless works("env LD_PRELOAD=$shim ASCRIBE_FAULT=trace:6 "
        . "ASCRIBE_FAULT_FD=1 asc-predict -V") && slurp('works.out') =~ /^alloc/m;
$| = 1;
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
print "1..$tests\n";
