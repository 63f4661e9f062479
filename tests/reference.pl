#!/usr/bin/perl
# Models of other programs with what those programs print, through the tools as
# a user runs them: a table, one line a case, of how far asc-predict (and
# asc-attribute, where the program attributes too) is from them.
#
# The collection is in $ASCRIBE_SHARED, or ../shared of the source tree: see the
# README and the cases.tsv of data/boosters and data/pmml there.
#
# A case agrees if no number differs by more than one unit of the last digit
# that its file is written with, or four of the last bits of the type that the
# program computes in, relative to the number; a margin in float is the same
# float. Of two probabilities one is made as the complement of the other: both
# are measured against the larger.  Other programs that wrote PMML added in
# another order: 1e-12, of probabilities at least 1e-14.  Files that are less
# exact than that are in %tolerance, with the reason.
#
# What cannot agree is in %exceptions with the reason, beforehand: models that
# must be refused in the words given, and numbers that are no output of a tool.
# A case that does not agree and an exception that is none both end the run with
# status 1.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;

my $top = $ENV{abs_top_srcdir} // "$FindBin::Bin/..";
my $shared = $ENV{ASCRIBE_SHARED} // "$top/../shared";
my $data = "$shared/data";
my $dir = tempdir(CLEANUP => 1);

# Refused: [reason, words]; not compared, for it is another thing: [reason].
my $old_binary = [ q(XGBoost's old binary format), 'save it as JSON' ];
my $text_function = [ 'functions of texts', 'is not supported' ];
my $function = [ 'a function that is not computed', 'is not supported' ];
my $output_field = [ 'the prediction is an expression of an OutputField' ];
my %exceptions = (
    (map { $_ => $old_binary } qw(xgblegacy-BinomialClassificationAudit
        xgblegacy-GammaRegressionVisit xgblegacy-HingeClassificationAudit
        xgblegacy-LogisticRegressionAudit
        xgblegacy-MultinomialClassificationIris
        xgblegacy-PoissonRegressionVisit leaves-xgagaricus
        leaves-xgblin_agaricus leaves-xgdermatology)),
    # see leaves()
    'leaves-lgb_breast_cancer_leaves' => [ 'leaf numbers, which no tool prints' ],
    (map { $_ => $function } qw(cpmml-HousingGBTClassifier
        cpmml-HousingGBTClassifier_PCA cpmml-HousingGBTRegressor_PCA
        cpmml-HousingLinearRegressor_PCA)),
    (map { $_ => $text_function } qw(sk-LinearDiscriminantAnalysisSentiment
        sk-RandomForestSentiment sk-XGBoostSentiment)),
    (map { $_ => $output_field } qw(rattle-GBMAuto sk-IsolationForestAuto)),
    'knime-ModelEnsembleIris' => [ 'a support vector machine among others',
        'element SupportVectorMachineModel is not supported' ],
    'knime-RegressionEnsembleAuto' => [ 'a general regression among others',
        'element GeneralRegressionModel is not supported' ],
    'sas-ProbitRegressionAudit' => [ 'a table of values',
        'element MapValues is not supported' ],
    'dmg-tree_weightedConfidence' => [ 'a strategy for missing values',
        'missingValueStrategy "weightedConfidence" is not supported' ],
);
# Families of PMML that are not read; all of their cases are exceptions.
my %families = map { $_ => [ 'this family is not read',
    "element $_ is not supported" ] } qw(AnomalyDetectionModel ClusteringModel
    GeneralRegressionModel NaiveBayesModel NearestNeighborModel RuleSetModel
    Scorecard SupportVectorMachineModel);

my $rounded = 'the weights in the model are rounded';
my %tolerance = (
    'rattle-NeuralNetworkAuto' => [ 1e-6, $rounded ],
    'rattle-NeuralNetworkIris' => [ 1e-6, $rounded ],
    'rattle41-NeuralNetworkOzone' => [ 1e-8, $rounded ],
    (map { $_ => [ 1e-6, 'computed in float there, in double as PMML' ] }
        qw(sk-XGBoostAudit sk-XGBoostAuditNA sk-XGBoostIris)),
    'rattle-LogisticRegressionAudit' => [ 1e-8, '0 stands for less' ],
);
# Where several classes are equally probable, the other program names any.
my %ties = map { $_ => 1 } qw(rapidminer40-DecisionTreeAudit);

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

# How far x is from the number `want', in units of its size, or of `size'.
sub distance {
    my ($x, $want, $size) = @_;
    return 0 if missing($x) && missing($want);
    return 9e99 if missing($x) || missing($want);
    $size = abs $want unless $size && $size > abs $want;
    return $x == $want ? 0 : abs($x - $want) / ($size || 1e-300);
}

# 1 if both are the same float.
sub same_float {
    my ($x, $y) = @_;
    return pack('f', $x) eq pack('f', $y);
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

my $surprises = 0;

sub line {
    printf "%-38s %-30s %6s %8s %6s  %s\n", @_;
}

sub surprise {
    my ($case, $what, $text) = @_;
    $surprises++;
    line($case, $what, '', '', '', "NOT AS EXPECTED: $text");
}

# The worst distance of one column, and where it is.
sub column_distance {
    my ($name, $to, $x, $y, $least, $float) = @_;
    my ($worst, $at) = (0, '');

    for my $i (0 .. $#$x) {
        my ($want, $got) = ($x->[$i], $y->[$i]);
        my $d;
        if ($want =~ /^[-+]?\.?\d/ && $got =~ /^-?\.?\d/) {
            $d = $float && $to =~ /^raw / ? same_float($got, $want) ? 0 : 1
                : distance($got, $want, $least < 0 ? 1 - $want : $least);
        } elsif (missing($want)) {
            $d = missing($got) ? 0 : 9e99;
        } else {
            $d = $got eq $want ? 0 : 9e99;
        }
        ($worst, $at) = ($d, sprintf 'row %d, %s: %s, want %s', $i + 1, $name,
            $got, $want) if $d > $worst;
    }
    return ($worst, $at);
}

# The labels that were expected where they are as probable as ours.
sub without_ties {
    my ($want, $response) = @_;
    my $ours = $response->{predicted};
    return [ map {
        my $p = $response->{"p.$want->[$_]"};
        $p && $p->[$_] == $response->{"p.$ours->[$_]"}[$_] ? $want->[$_]
            : $ours->[$_];
    } 0 .. $#$want ];
}

# Compares, and returns (rows, worst distance, digits, what is wrong).
sub compare {
    my ($case, $pairs, $want, $response, $raw, $floor, $float) = @_;
    my ($worst, $at, $digits, $rows, $compared) = (0, '', 0, 0, 0);
    my $of_two = grep { defined $_->[1] && $_->[1] =~ /^1- / } @$pairs;
    my $two = $of_two
        || 2 == grep { defined $_->[1] && $_->[1] =~ /^p\./ } @$pairs;

    for (@$pairs) {
        my ($name, $to) = @$_;
        my $x = $want->{$name};
        my $y = defined $to ? value($to, $response, $raw) : undef;
        return (0, 0, 0, "no column for $name") unless $y;
        return (0, 0, 0, @$y . ' rows, want ' . @$x) unless @$x == @$y;
        $y = without_ties($x, $response) if $ties{$case} && $to eq 'predicted';
        my $probability = $name =~ /^(prob|Prob|conf|P )/;
        # -1: of two, the larger
        my $least = !$probability ? 0 : $two ? -1 : $floor;
        my ($d, $where) = column_distance($name, $to, $x, $y, $least, $float);
        ($worst, $at) = ($d, $where) if $d > $worst;
        for (@$x) {
            my $n = digits($_);
            $digits = $n if $n > $digits;
        }
        $rows = @$x;
        $compared += @$x;
    }
    return (0, 0, 0, 'nothing to compare') unless $compared;
    return ($rows, $worst, $digits, $at);
}

sub most {
    my ($case, $folder, $digits, $float) = @_;
    return $tolerance{$case}[0] if $tolerance{$case};
    my $unit = 10 ** (1 - $digits);
    my $bits = $float ? 2 ** -21 : $folder eq 'pmml' ? 1e-12 : 2 ** -50;
    return $unit > $bits ? $unit : $bits;
}

sub run {
    my ($folder, $case, $match) = @_;
    my $name = $case->{case};
    my $exception = delete $exceptions{$name}
        // $families{ $case->{family} // '' };
    my $path = "$data/$folder";
    my @arguments = ('-q', '-m', "$path/$case->{model}",
        "$path/$case->{input}");
    my $what = $case->{format} // $case->{family};
    my $float = $name =~ /xgb|XGBoost|^gen-/;
    my ($head, $rows, $error) = output('asc-predict', @arguments);
    my ($reason, $words) = @{ $exception // [] };

    if (defined $error) {
        return surprise($name, $what, $error)
            unless defined $words && index($error, $words) >= 0;
        return line($name, $what, $case->{rows}, '', '',
            "refused: $reason");
    }
    return surprise($name, $what, "read, and yet an exception: $reason")
        if defined $words;
    my ($raw_head, $raw_rows) = output('asc-predict', '--scale', 'raw',
        @arguments);
    my ($names, $want) = table("$path/$case->{expected}");
    my @pairs = $match->($case, $names, $head, $raw_head // []);
    my ($n, $worst, $digits, $at) = compare($name, \@pairs,
        columns($names, $want), columns($head, $rows),
        columns($raw_head // [], $raw_rows // []),
        $folder eq 'pmml' ? 0.01 : 0, $float);
    my $agrees = $n && $worst <= most($name, $folder, $digits, $float);
    if (defined $reason) {
        return surprise($name, $what, "agrees, and yet an exception: $reason")
            if $agrees;
        return line($name, $what, $case->{rows}, '', $digits || '',
            "not compared: $reason");
    }
    return surprise($name, $what, sprintf '%.2g off: %s', $worst, $at)
        unless $agrees;
    line($name, $what, $n, $worst ? sprintf('%.2g', $worst) : '0', $digits,
        $tolerance{$name} ? "agrees, but $tolerance{$name}[1]" : 'agrees');
}

# ---- attributions ----

# XGBoost's own, with columns row, output, one a field, bias, in float: relative
# to the largest number of their line, as sums of a hundred floats.
sub attributions {
    my ($name, $file, $method) = @_;
    my $path = "$data/boosters";
    my ($names, $want) = table("$path/$name.$file.tsv");
    my @fields = grep { !/^(row|output|bias)$/ } @$names;
    my ($head, $rows, $error) = output('asc-attribute', '-q', '-M', $method,
        '--scale', 'raw', '-c', 'all', '-m', "$path/$name.json",
        "$path/inputs/$name.tsv");
    my $what = "$file as $method";

    return surprise($name, $what, $error) if defined $error;
    my %at = map { $head->[$_] => $_ } 0 .. $#$head;
    my %lines;                  # of a row, in the order of the outputs
    push @{ $lines{ $_->[ $at{row} ] } }, $_ for @$rows;
    my ($worst, $digits) = (0, 0);
    for my $w (@$want) {
        my ($row, $output, @phi) = @$w;
        my $bias = pop @phi;
        my $lines = $lines{ $row + 1 }
            or return surprise($name, $what, "no row $row");
        # One margin of two classes is the second one's.
        my $line = $lines->[ @$lines == 2 ? 1 : $output ];
        my $size = 1e-300;
        for (@phi, $bias) {
            $size = abs $_ if abs $_ > $size;
            my $n = digits($_);
            $digits = $n if $n > $digits;
        }
        for my $j (0 .. $#fields) {
            my $d = abs($line->[ $at{"phi.$fields[$j]"} ] - $phi[$j]) / $size;
            $worst = $d if $d > $worst;
        }
    }
    return surprise($name, $what, sprintf '%.2g off', $worst)
        unless $worst < 5e-6;
    line($name, $what, scalar @$want, sprintf('%.2g', $worst), $digits,
        'agrees');
}

# ---- leaves ----

# The leaf of each tree that LightGBM says a row ends in (columns leaf_0, ...):
# their values, from the model file, add up to what asc-predict makes of it.
sub leaves {
    my ($case) = @_;
    my $path = "$data/boosters";
    my $model = "$path/$case->{model}";
    my @value;                  # of the leaves of each tree
    open my $f, '<', $model or die "$model: $!\n";
    while (<$f>) {
        push @value, [ split / /, $1 ] if /^leaf_value=(.*)/;
    }
    my ($head, $rows, $error) = output('asc-predict', '-q', '--scale', 'raw',
        '-m', $model, "$path/$case->{input}");
    my $what = 'sums of the leaves named';

    return surprise($case->{case}, $what, $error) if defined $error;
    my $raw = columns($head, $rows)->{ (grep { /^raw\./ } @$head)[-1] };
    my (undef, $want) = table("$path/$case->{expected}");
    my $worst = @$want == @$raw ? 0 : 9e99;
    for my $i (0 .. $#$want) {
        my $sum = 0;
        $sum += $value[$_][ $want->[$i][$_] ] for 0 .. $#value;
        my $d = distance($raw->[$i], $sum, 1);
        $worst = $d if $d > $worst;
    }
    return surprise($case->{case}, $what, "$worst off") unless $worst < 1e-14;
    line($case->{case}, $what, scalar @$want, sprintf('%.2g', $worst), '',
        'agrees');
}

# ---- main ----

if (!-d "$data/boosters") {
    print "$data is not there: no models of other programs\n";
    exit 0;
}
$| = 1;
line(qw(case format rows worst digits verdict));
for my $case (cases("$data/boosters/cases.tsv")) {
    run('boosters', $case, \&match_booster);
    run('boosters', { %$case, format => 'XGBoost 1.7.4 UBJSON',
        model => $case->{model} =~ s/json$/ubj/r }, \&match_booster)
        if $case->{case} =~ /^gen-/;
}
leaves($_) for grep { $_->{case} =~ /_leaves$/ }
    cases("$data/boosters/cases.tsv");
attributions($_, 'treeshap', 'tree-shap')
    for qw(gen-wdbc_logistic gen-iris_softprob gen-calhousing_missing);
attributions('gen-wdbc_gblinear', 'linear_contribs', 'gradient-x-input');
run('pmml', $_, \&match_pmml) for cases("$data/pmml/cases.tsv");
surprise($_, '', 'there is no such case') for sort keys %exceptions;
print $surprises ? "$surprises cases are not as expected\n"
    : "all cases are as expected\n";
exit($surprises ? 1 : 0);
