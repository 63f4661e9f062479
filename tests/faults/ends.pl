#!/usr/bin/perl
# How the tools end where the machine is whole but their surroundings are not:
# models in programs that stall, die, flood or garble; signals; streams that are
# closed, full or not what they ought to be.  Afterwards no process is left, no
# file but the one asked for, and that one old or whole; what was wrong is said
# in one line.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/common.pl";
our ($dir, $tests);

my @o = ('-q', '-j', '1', '-o', 'out.d/out');
my @fields = ('--fields', 'payment_income,loan_value');

# check NAME, { command => [...], status =>, signal =>, err => qr//, ...}
sub check {
    my ($name, $run) = @_;
    my @wrong;

    $run->{starts} = 1;
    my $got = run($run);
    my ($tool) = "@{ $run->{command} }" =~ /(asc-\w+)/;
    my $err = $run->{err} // qr/\A\z/;
    my $signal = $run->{signal} // 0;
    my $status = $run->{status} // 1;
    push @wrong, 'hangs' if $got->{late};
    push @wrong, "left behind: $got->{files}" if $got->{files} ne '';
    push @wrong, "still running: $got->{left}" if $got->{left} ne '';
    push @wrong, "ended by signal $got->{signal}, not $signal"
        if $got->{signal} != $signal;
    push @wrong, "status $got->{status}, not $status: $got->{err}"
        if !$signal && $got->{status} != $status;
    push @wrong, "standard error is $got->{err}" unless $got->{err} =~ $err
        && $got->{err} =~ /\A(?:\Q$tool\E: [^\n]*\n)?\z/;
    push @wrong, 'the old file is gone' unless defined $got->{out}
        && ($got->{out} eq "old\n" || (!$signal && $status == 0));
    report($name, @wrong);
}

make_tables();
system "asc-fit -q logistic -y denied -o logistic.pmml data.tsv";
system "asc-attribute -q -m logistic.pmml -M occlusion -b back.tsv "
    . "-o phi.tsv data.tsv";

# ---- programs as models ----

my @programs = (
    # name, command, what is said; $ is the end of the line
    [ 'stalls', 'sleep 100', 'not done after 0\.3 s' ],
    [ 'stalls in a pipeline', 'sleep 100 | cat', 'not done after 0\.3 s' ],
    [ 'stalls, deaf to signals', 'trap "" TERM HUP INT; sleep 100',
        'not done after 0\.3 s' ],
    [ 'stalls behind a child of its own', 'sleep 100 & wait',
        'not done after 0\.3 s' ],
    [ 'stalls with its output closed', 'exec >&-; sleep 100',
        '(not done after 0\.3 s|closed its standard output)' ],
    [ 'dies at once', 'exit 7', 'exit status 7' ],
    [ 'dies at once, and says why', 'echo no such luck >&2; exit 7',
        'exit status 7( after \d+ of \d+ rows)?: no such luck$' ],
    [ 'is killed', 'kill -9 $$', 'signal 9' ],
    [ 'dies in the midst of its answer',
        'read -r l; echo p; echo 1; printf 0.; exit 3', 'exit status 3' ],
    [ 'ends too early', 'read -r l; echo p; echo 1; cat > /dev/null; exit 0',
        '(of 4 rows|not done after 0\.3 s)' ],
    [ 'says nothing', 'cat > /dev/null',
        '(printed nothing|not done after 0\.3 s)' ],
    [ 'says nothing, and stays', 'exec cat > /dev/null; :',
        '(printed nothing|closed its standard output)' ],
    [ 'floods', 'yes', '(not a finite number|more rows)' ],
    [ 'floods with rows', 'echo p; yes 1', 'more rows of outputs' ],
    [ 'floods without a line end', 'tr "\0" x < /dev/zero',
        'a line of more than' ],
    [ 'floods standard error', 'yes >&2', 'not done after 0\.3 s' ],
    [ 'garbles', 'printf "p\n\001\377\000\n1\n1\n1\n"; sleep 1',
        'not a finite number' ],
    [ 'garbles the header', 'printf "\000\377\t\n1\n1\n1\n1\n"; sleep 1',
        '(has no name|NUL byte)' ],
    [ 'prints html', 'echo "<html>"; echo "<p>sorry"; cat > /dev/null',
        '(not a finite number|printed outputs for|not done)' ],
    [ 'is not there', 'no-such-program', '(exit status 127|not found)' ],
);

for (@programs) {
    my ($name, $command, $said) = @$_;
    for my $way ('cmd', 'coproc') {
        check("$way: $name", {
            command => [ 'asc-predict', '-m', "$way:$command", @fields,
                '--timeout', '0.3', @o, 'few.tsv' ],
            err => qr/\A\Qasc-predict: $way:\E.*$said/,
        });
    }
}

# ---- signals ----

# Waits until the tool with this number has started `sleep'.
sub asleep {
    my ($pid) = @_;
    for (1 .. 1000) {
        return if grep { (slurp("/proc/$_/comm") // '') eq "sleep\n" }
            left($pid);
        select undef, undef, undef, 0.01;
    }
    die "late\n";
}

mkdir 'slow';
spill('slow/gnuplot', "#!/bin/sh\nexec sleep 100\n");
chmod 0755, 'slow/gnuplot';
my @slow = ('env', "PATH=$dir/slow:$ENV{PATH}");
my $second = 'test -e seen && sleep 100; touch seen; '
    . 'sed "1s/.*/p/; s/.*\t//"';
my @sleepers = (
    [ 'cmd', 'asc-predict', '-m', 'cmd:cat > /dev/null; sleep 100', @fields,
        @o, 'few.tsv' ],
    [ 'cmd, the second time', 'asc-predict', '-m', "cmd:$second", @fields,
        '-q', '-j', '2', '-o', 'out.d/out', 'few.tsv' ],
    [ 'coproc', 'asc-predict', '-m', 'coproc:trap "" INT HUP TERM; sleep 100',
        @fields, @o, 'few.tsv' ],
    [ 'a figure', @slow, 'asc-plot', 'bars', '-q', '-o', 'out.d/out',
        'phi.tsv' ],
    [ 'a figure for LaTeX', @slow, 'asc-plot', 'bars', '-q', '-T',
        'cairolatex', '-o', 'out.d/out.tex', 'phi.tsv' ],
);
my %number = (HUP => 1, INT => 2, TERM => 15);
for (@sleepers) {
    my ($name, @command) = @$_;
    for my $signal (sort keys %number) {
        check("$name: SIG$signal", {
            command => \@command, signal => $number{$signal},
            during => sub { asleep($_[0]); kill $signal, $_[0] },
        });
        unlink 'seen';
    }
}

# ---- streams and files ----

my $predict = 'asc-predict -q -m logistic.pmml';
my @streams = (
    # name, command for the shell, status, what is said
    [ 'standard input closed', "$predict -o out.d/out - <&-", 1,
        'standard input: cannot be read: Bad file descriptor' ],
    [ 'standard input closed and not needed',
        "$predict -o out.d/out few.tsv <&-", 0 ],
    [ 'standard output closed and not needed',
        "$predict -o out.d/out few.tsv >&-", 0 ],
    [ 'standard output closed', "$predict few.tsv >&-", 1,
        'standard output: Bad file descriptor' ],
    [ 'standard error closed, and something to say',
        "asc-predict -v -m logistic.pmml -o out.d/out few.tsv 2>&-", 0 ],
    [ 'standard error closed, and an error',
        "$predict -o out.d/out no.tsv 2>&-", 1 ],
    [ 'all closed', "$predict -o out.d/out few.tsv <&- >&- 2>&-", 0 ],
    [ 'all closed, and a command',
        'asc-predict -m "cmd:sed 1s/.*/p/" --fields loan_value -o out.d/out '
            . 'few.tsv <&- >&- 2>&-', 0 ],
    [ 'no room', "$predict few.tsv > /dev/full", 1,
        'standard output: No space left on device' ],
    [ 'a limit on files', 'ulimit -f 1; '
        . 'asc-fit -q gbm -y denied -o out.d/out data.tsv', 1,
        'out.d/out: File too large' ],
    [ 'a folder as the table', "$predict -o out.d/out .", 1, 'Is a directory' ],
    [ 'a folder as the model', 'asc-predict -m . -o out.d/out few.tsv', 1,
        'Is a directory' ],
    [ 'a folder as the background', 'asc-attribute -q -m logistic.pmml '
        . '-M occlusion -b . -o out.d/out few.tsv', 1, 'Is a directory' ],
    [ 'a folder as the other table', 'asc-fidelity -q -m logistic.pmml '
        . '-M deletion -x . -b back.tsv -o out.d/out phi.tsv', 1,
        'Is a directory' ],
);
system "$predict -o whole few.tsv";
system "chmod 0 group.tsv";
push @streams, [ 'a table that may not be read', "$predict group.tsv", 1,
    'Permission denied' ] unless open my $f, '<', 'group.tsv';
for (@streams) {
    my ($name, $command, $status, $said) = @$_;
    check($name, {
        command => [ 'sh', '-c', $command ], status => $status,
        err => defined $said ? qr/$said\n\z/ : qr/\A\z/,
    });
}

print "1..$tests\n";
