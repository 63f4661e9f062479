#!/usr/bin/perl
# Runs the tools as a user does and compares every byte that matters.
#
# Each *.cases file beside this script is a list of cases:
#
#     ## name of the case
#     $ commands for /bin/sh (several lines: one script)
#     > line of standard output (none: not compared; `>' alone: empty)
#     ! line of standard error (always compared; none: empty)
#     = exit status (default 0)
#
# A case runs in a new folder that holds copies of the files in tests/data and
# tests/tools/files.  A file called `out' must not be there afterwards unless
# the status is 0 or 3: nothing half-made under a final name; nor may any
# other new file, unless the script begins with `:'.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);

my $top = $ENV{abs_top_srcdir} // getcwd;
my @files = @ARGV ? @ARGV : sort glob "$top/tests/tools/*.cases";
my @cases;

for my $file (@files) {
    open my $f, '<', $file or die "$file: $!\n";
    my $case;
    while (my $line = <$f>) {
        chomp $line;
        if ($line =~ /^## (.*)/) {
            $case = { name => $1, script => '', err => '', status => 0 };
            push @cases, $case;
        } elsif ($line =~ /^\$ (.*)/) {
            $case->{script} .= "$1\n";
        } elsif ($line =~ /^> ?(.*)/) {
            $case->{out} //= '';
            $case->{out} .= "$1\n" if length($line) > 1;
        } elsif ($line =~ /^! (.*)/) {
            $case->{err} .= "$1\n";
        } elsif ($line =~ /^= (\d+)$/) {
            $case->{status} = $1;
        } elsif ($line =~ /\S/ && $line !~ /^#/) {
            die "$file:$.: not a line of a case: $line\n";
        }
    }
}

sub slurp {
    my ($path) = @_;
    open my $f, '<:raw', $path or return '';
    local $/;
    return <$f> // '';
}

sub show {
    my ($title, $text) = @_;
    return join '', map { "#   $title $_\n" } split /\n/, $text;
}

$| = 1;
print '1..', scalar @cases, "\n";
my $n = 0;
for my $c (@cases) {
    my $dir = tempdir(CLEANUP => 1);
    system("cp -r $top/tests/data/. $top/tests/tools/files/. $dir 2>/dev/null");
    my %before = map { $_ => 1 } map { s{.*/}{}r } glob "$dir/* $dir/.*";
    open my $s, '>', "$dir/.script" or die "$dir: $!\n";
    print $s $c->{script};
    close $s;
    my $status = system("cd $dir && timeout 60 /bin/sh .script > .stdout "
        . "2> .stderr < /dev/null");
    $status = $status & 127 ? 128 + ($status & 127) : $status >> 8;
    my ($out, $err) = (slurp("$dir/.stdout"), slurp("$dir/.stderr"));
    my $wrong = '';
    $wrong .= "#   status $status, not $c->{status}\n"
        if $status != $c->{status};
    $wrong .= show('stderr is', $err) . show('stderr ought', $c->{err})
        if $err ne $c->{err};
    $wrong .= show('stdout is', $out) . show('stdout ought', $c->{out})
        if defined $c->{out} && $out ne $c->{out};
    if ($c->{script} !~ /^:/) {
        for (map { s{.*/}{}r } glob "$dir/* $dir/.*") {
            next if $before{$_} || /^\.(script|stdout|stderr)$/
                || ($_ eq 'out' && ($status == 0 || $status == 3));
            $wrong .= "#   left behind: $_\n";
        }
    }
    $n++;
    print $wrong ? "not ok $n - $c->{name}\n$wrong" : "ok $n - $c->{name}\n";
}
