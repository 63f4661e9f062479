#!/usr/bin/perl
# Models of other programs with what those programs print, through the tools as
# a user runs them: a table, one line a case, of how far asc-predict (and
# asc-attribute, where the program attributes too) is from them.
#
# The collection is in $ASCRIBE_SHARED, or ../shared of the source tree: see the
# README and the cases.tsv of data/boosters and data/pmml there.
#
# A case agrees if no number differs by more than one unit of the last digit
# that its file is written with, or two of the last bit of the type that the
# program computes in (float or double), relative to the number; the small ones
# among probabilities that are made as complements are measured against 0.01.
# Where a file's numbers are less exact than their digits, the tolerance is in
# %tolerance with the reason.
#
# What cannot agree is in %exceptions with the reason, beforehand.  Then the
# tool must refuse the model in those words; both a case that does not agree
# and an exception that is none end the run with status 1.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;

my $top = $ENV{abs_top_srcdir} // "$FindBin::Bin/..";
my $shared = $ENV{ASCRIBE_SHARED} // "$top/../shared";
my $data = "$shared/data";
my $dir = tempdir(CLEANUP => 1);

my $old_binary = [ 'XGBoost\'s old binary format', 'save it as JSON' ];
my %exceptions = (
    (map { $_ => $old_binary } qw(xgblegacy-BinomialClassificationAudit
        xgblegacy-GammaRegressionVisit xgblegacy-HingeClassificationAudit
        xgblegacy-LogisticRegressionAudit
        xgblegacy-MultinomialClassificationIris
        xgblegacy-PoissonRegressionVisit leaves-xgagaricus
        leaves-xgblin_agaricus leaves-xgdermatology)),
);
my %tolerance;

# ---- tables ----

# ([column names], [rows of texts])
sub table {
    my ($path) = @_;
    open my $f, '<', $path or die "$path: $!\n";
    my @lines = map { s/\r?\n\z//r } <$f>;
    return ([ split /\t/, shift @lines ],
        [ map { [ split /\t/, $_, -1 ] } @lines ]);
}

# The rows of an index, as hashes.
sub cases {
    my ($path) = @_;
    my ($names, $rows) = table($path);
    return map { my $r = $_; +{ map { $names->[$_] => $r->[$_] }
        0 .. $#$names } } @$rows;
}

# A tool's table, or an error message.
sub output {
    my ($tool, @arguments) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$dir/out" or exit 127;
        open STDERR, '>', "$dir/err" or exit 127;
        exec $tool, @arguments or exit 127;
    }
    waitpid $pid, 0;
    if ($?) {
        open my $f, '<', "$dir/err" or die "$!\n";
        my @err = <$f>;
        chomp(my $text = $err[-1] // "status $?");
        return (undef, undef, $text);
    }
    return (table("$dir/out"), undef);
}

# Columns of one or two outputs by name: { name => [texts] }
sub columns {
    my ($names, $rows) = @_;
    my %column;
    for my $j (0 .. $#$names) {
        $column{ $names->[$j] } = [ map { $_->[$j] } @$rows ];
    }
    return \%column;
}

# ---- numbers ----

sub missing { return $_[0] =~ /^(NA|NaN|\?|)$/i }

# Significant digits that a number is written with.
sub digits {
    my ($text) = @_;
    return 0 unless $text =~ /^[-+]?0*\.?0*(\d[\d.]*)?(?:[eE].*)?$/;
    return length(($1 // '') =~ tr/.//dr);
}

# How far x is from the number `want', in units of its size.
sub distance {
    my ($x, $want) = @_;
    return 0 if missing($x) && missing($want);
    return 9e99 if missing($x) || missing($want);
    my $size = abs $want > 0.01 ? abs $want : 0.01;
    return abs($x - $want) / $size;
}

# ---- which column is which ----

# [column of the expected file, how it is to be had]...: a column of
# asc-predict, "1-" for its complement, "raw" in front for --scale raw.
sub match_booster {
    my ($case, $names, $got, $raw) = @_;
    my @classes = grep { /^p\./ } @$got;
    my @values = grep { /^predicted\b/ } @$got;
    my @raws = grep { /^raw\./ } @$raw;
    my @pairs;

    for my $name (@$names) {
        my $to;
        if ($name =~ /^pred_(\d+)$/) {
            $to = @classes == 2 ? $classes[1] : ($classes[$1] // $values[$1]);
        } elsif ($name =~ /^(?:margin_|y)(\d+)$/) {
            $to = 'raw ' . (@classes == 2 ? $raws[1] : $raws[$1]);
        } elsif ($name =~ /^_target(\d+)$/) {
            $to = @values > 1 ? $values[ $1 - 1 ] : undef;
            $to = "label $to" if grep { /^probability\($name,/ } @$names;
        } elsif ($name eq '_target') {
            $to = 'predicted';
        } elsif ($name =~ /^probability\(_target(\d), ([01])\)$/) {
            $to = ($2 ? '' : '1- ') . $values[ $1 - 1 ];
        } elsif ($name =~ /^probability\((\d+)\)$/) {
            $to = $classes[$1];
        }
        push @pairs, [ $name, $to ];
    }
    return @pairs;
}

sub match_pmml {
    my ($case, $names, $got) = @_;
    my %have = map { $_ => 1 } @$got;
    my @pairs;

    for my $name (@$names) {
        $name =~ /^(?:Probability_(.*)
            |(?:probability|confidence)\((.*)\)|P\ \(\w+=(.*)\))$/x or next;
        my $class = $1 // $2 // $3;
        push @pairs, [ $name, "p.$class" ] if $have{"p.$class"};
    }
    # The model's own answer, not the observed one that may be beside it.
    my ($name) = map { my $p = $_; grep { /$p/ } @$names }
        qr/^EM_CLASSIFICATION$/, qr/^Predicted_/, qr/^prediction\(/,
        qr/^predicted\(/, qr/^prediction$/, qr/^predicted/, qr/^output1$/,
        qr/^\w+Prediction$/, qr/^\w+$/;
    push @pairs, [ $name, 'predicted' ] if defined $name;
    return @pairs;
}

# ---- one case ----

# What comes of [texts] for a pair.
sub value {
    my ($to, $response, $raw) = @_;
    return $raw->{$1} if $to =~ /^raw (.*)/;
    return [ map { missing($_) ? $_ : 1 - $_ } @{ $response->{$1} } ]
        if $to =~ /^1- (.*)/;
    return [ map { $_ > 0.5 ? 1 : 0 } @{ $response->{$1} } ]
        if $to =~ /^label (.*)/;
    return $response->{$to};
}

my @lines;                      # of the table
my $surprises = 0;

sub line {
    my ($case, $what, $rows, $worst, $digits, $verdict) = @_;
    push @lines, [ $case, $what, $rows, $worst, $digits, $verdict ];
    print join("\t", @{ $lines[-1] }), "\n";
}

sub surprise {
    my ($case, $what, $text) = @_;
    $surprises++;
    line($case, $what, '', '', '', "NOT AS EXPECTED: $text");
}

# Compares, and says what comes of it.
sub compare {
    my ($case, $what, $pairs, $want, $response, $raw, $float) = @_;
    my ($worst, $at, $digits, $compared, $rows) = (0, '', 0, 0, 0);

    for (@$pairs) {
        my ($name, $to) = @$_;
        my $x = $want->{$name};
        my $y = defined $to ? value($to, $response, $raw) : undef;
        return surprise($case, $what, "no column for $name") unless $y;
        return surprise($case, $what, @$y . ' rows, want ' . @$x)
            unless @$x == @$y;
        $rows = @$x;
        for my $i (0 .. $#$x) {
            next if missing($x->[$i]) && missing($y->[$i]);
            my $number = $x->[$i] =~ /^[-+]?\.?\d/ && $y->[$i] =~ /^-?\.?\d/;
            my $d = $number ? distance($y->[$i], $x->[$i])
                : $x->[$i] eq $y->[$i] ? 0 : 9e99;
            if ($number) {
                my $n = digits($x->[$i]);
                $digits = $n if $n > $digits;
            }
            ($worst, $at) = ($d, sprintf 'row %d, %s: %s, want %s', $i + 1,
                $name, $y->[$i], $x->[$i]) if $d > $worst;
            $compared++;
        }
    }
    return surprise($case, $what, 'nothing to compare') unless $compared;
    my $unit = 10 ** (1 - $digits);
    my $bit = $float ? 2 ** -22 : 2 ** -51;
    my $most = $tolerance{$case} // ($unit > $bit ? $unit : $bit);
    return surprise($case, $what, sprintf '%.2g off (%s)', $worst, $at)
        unless $worst <= $most;
    line($case, $what, $rows, $worst ? sprintf('%.2g', $worst) : '0', $digits,
        'agrees');
}

sub run {
    my ($folder, $case, $match) = @_;
    my $name = $case->{case};
    my $exception = delete $exceptions{$name};
    my $path = "$data/$folder";
    my @arguments = ('-q', '-m', "$path/$case->{model}",
        "$path/$case->{input}");
    my $what = $case->{format} // $case->{family};
    my ($head, $rows, $error) = output('asc-predict', @arguments);

    if ($exception) {
        my ($reason, $text) = @$exception;
        return surprise($name, $what, "$reason, and yet it is read")
            unless defined $error;
        return surprise($name, $what, $error)
            unless index($error, $text) >= 0;
        return line($name, $what, $case->{rows}, '', '', "not read: $reason");
    }
    return surprise($name, $what, $error) if defined $error;
    my ($raw_head, $raw_rows) = output('asc-predict', '--scale', 'raw',
        @arguments);
    my ($names, $want) = table("$path/$case->{expected}");
    my @pairs = $match->($case, $names, $head, $raw_head // []);
    compare($name, $what, \@pairs, columns($names, $want),
        columns($head, $rows), columns($raw_head // [], $raw_rows // []),
        $name =~ /xgb|XGBoost|^gen-/);
}

# ---- main ----

if (!-d "$data/boosters") {
    print "$data is not there: no models of other programs\n";
    exit 0;
}
$| = 1;
print join("\t", qw(case format rows worst digits verdict)), "\n";
run('boosters', $_, \&match_booster) for cases("$data/boosters/cases.tsv");
run('pmml', $_, \&match_pmml) for cases("$data/pmml/cases.tsv");
surprise($_, '', 'there is no such case') for sort keys %exceptions;
exit($surprises ? 1 : 0);
