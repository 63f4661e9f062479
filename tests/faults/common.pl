# common.pl -- runs of tools that go wrong, and what is left of them.  See
# faults.pl and ends.pl, which read it.
use strict;
use warnings;
use Cwd qw(abs_path getcwd);
use FindBin;
use File::Temp qw(tempdir);
use POSIX qw(setsid :sys_wait_h);

# By hand they run in the build folder.
our $top = $ENV{abs_top_srcdir} // abs_path("$FindBin::Bin/../..");
our $build = $ENV{abs_top_builddir} // getcwd;
our $bin = "$build/tools/.libs";        # libtool's scripts are no tools
our $dir = tempdir(CLEANUP => 1);
our $patience = 20;                     # seconds
our $tests = 0;

sub skip {
    print "1..0 # SKIP $_[0]\n";
    exit 0;
}

sub shim { return "$build/tests/faults/.libs/shim.so" }

skip('the tools were not linked by libtool') unless -x "$bin/asc-predict";
chdir $dir or die "$dir: $!\n";
$ENV{LD_LIBRARY_PATH} =
    join ':', "$build/.libs", $ENV{LD_LIBRARY_PATH} ? $ENV{LD_LIBRARY_PATH} : ();
$ENV{PATH} = "$bin:$ENV{PATH}";
$ENV{ASCRIBE_PLOTS} = "$top/plots";
$ENV{TMPDIR} = "$dir/tmp";
$ENV{LC_ALL} = 'C';
mkdir 'tmp';
mkdir 'out.d';
$| = 1;

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

# Runs $run->{command} in a session of its own, where out.d/out holds "old".  fault: for shim.c.  {during}: a
# function of the process id, called while it runs.
sub run {
    my ($run, $fault) = @_;
    my %got;

    spill('out.d/out', "old\n");
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setsid();
        # whoever started the tests may have had some of them ignored
        $SIG{$_} = 'DEFAULT' for qw(HUP INT PIPE QUIT TERM);
        open STDIN, '<', $run->{in} // '/dev/null';
        open STDOUT, '>', 'stdout';
        open STDERR, '>', 'stderr';
        open my $said, '>', 'said';
        POSIX::dup2(fileno $said, 9);
        if ($fault) {
            $ENV{ASCRIBE_FAULT} = $fault;
            $ENV{ASCRIBE_FAULT_FD} = 9;
            $ENV{LD_PRELOAD} = shim();
        }
        exec @{ $run->{command} } or POSIX::_exit(127);
    }
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $patience;
        $run->{during}->($pid) if $run->{during};
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
    $got{left} = join ', ', map {
        (slurp("/proc/$_/cmdline") // '') =~ tr/\0/ /r
    } @left;
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

# ---- what the tests share ----

sub report {
    my ($name, @wrong) = @_;
    $tests++;
    print @wrong ? 'not ok' : 'ok', " $tests - $name\n";
    print map { s/\n(?=.)/\n#   /gr } map { "#   $_\n" }
        @wrong > 20 ? (@wrong[0 .. 19], @wrong - 20 . ' more') : @wrong;
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
    spill('letters.tsv', "row\ta\tb\tc\t0\t1\n1\t0.5\ta\tred\t0\t1\n"
        . "2\t2\tb\tblue\t1\t0\n3\t\td\tgreen\t\t\n");
    spill('numbers.tsv', "row\ta\tb\tc\t0\t1\n1\t0.5\t1\tred\t0\t1\n"
        . "2\t2\t70\tblue\t1\t0\n3\t\t\tgreen\t\t\n");
}

1;
