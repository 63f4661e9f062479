#!/usr/bin/perl
# asc-convert on what other programs computed: the values of shap, captum and
# XGBoost in the reference data, in the layouts in which those programs are
# saved, become ours with the same bits, and what follows in a pipe takes them.
#
# Wants the tools in PATH.  Skips what needs the reference data, in
# $ASCRIBE_SHARED or ../shared of the source tree, or Python's xgboost, where it
# is not there.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $top = $ENV{abs_top_srcdir} // '.';
my $shared = abs_path($ENV{ASCRIBE_SHARED} // "$top/../shared") // '';
my ($golden, $boosters) = ("$shared/golden", "$shared/data/boosters");
my $dir = tempdir(CLEANUP => 1);
chdir $dir or die "$dir: $!\n";
my $n = 0;

sub result {
    my ($right, $name, $why) = @_;
    $n++;
    print $right ? "ok $n - $name\n" : "not ok $n - $name\n";
    print map { "# $_\n" } split /\n/, $why // '' if !$right;
    return $right;
}

sub finish {
    print "1..$n\n";
    exit 0;
}

if (!-d $golden) {
    result(1, 'reference data # SKIP there is none');
    finish();
}

# A table as its names and rows.
sub table {
    my ($path) = @_;
    open my $f, '<', $path or return;
    chomp(my @lines = <$f>);
    my ($head, @rows) = map { [split /\t/, $_, -1] } @lines;
    return ($head, \@rows);
}

sub write_file {
    my ($path, @lines) = @_;
    open my $f, '>', $path or die "$path: $!\n";
    print $f map { "$_\n" } @lines;
    close $f or die "$path: $!\n";
}

sub run {
    my ($command) = @_;
    my $status = system("$command 2> stderr");
    open my $f, '<', 'stderr';
    return ($status >> 8, join '', <$f>);
}

sub bits { return join ' ', map { /^nan$|^$/ ? '' : sprintf '%.17g', $_ } @_ }

# The numbers of a wide table: phi of each line, and base.
sub ours {
    my ($path, $output) = @_;
    my ($head, $rows) = table($path);
    my @phi = grep { $head->[$_] =~ /^phi\./ } 0 .. $#$head;
    my %at = map { $head->[$_] => $_ } 0 .. $#$head;
    my @lines = grep { !defined $output || $_->[$at{output}] eq $output }
        @$rows;
    return { names => [map { $head->[$_] =~ s/^phi\.//r } @phi],
        phi => [map { my $r = $_; bits(@$r[@phi]) } @lines],
        base => [map { bits($_->[$at{base}]) } @lines],
        value => [map { $_->[$at{value}] } @lines],
        row => [map { $_->[$at{row}] } @lines] };
}

sub same {
    my ($got, $want, $name) = @_;
    my ($i) = grep { ($got->[$_] // 'nothing') ne ($want->[$_] // 'nothing') }
        0 .. ($#$want > $#$got ? $#$want : $#$got);
    return result(!defined $i && @$want > 0, $name,
        defined $i ? "row $i: " . ($got->[$i] // 'nothing') . "\nnot   "
            . ($want->[$i] // 'nothing') : 'no rows');
}

sub near {
    my ($got, $want, $tolerance, $name) = @_;
    my $worst = 0;
    for (0 .. $#$want) {
        my $gap = abs($got->[$_] - $want->[$_]) / (1 + abs $want->[$_]);
        $worst = $gap if $gap > $worst;
    }
    return result(@$got == @$want && @$want && $worst <= $tolerance, $name,
        "differs by $worst");
}

# ---- shap: a data frame with the base in a column, a file for each output ----

for my $path (sort glob "$golden/tree_*/shap_path_dependent.tsv") {
    my ($case) = $path =~ m{/(tree_[^/]*)/};
    my ($head, $rows) = table($path);
    my @names = grep { /^f\d+$/ } @$head;
    my @at = grep { $head->[$_] =~ /^f\d+$/ } 0 .. $#$head;
    my ($o) = grep { $head->[$_] eq 'output' } 0 .. $#$head;
    my (undef, $expected) = table($path =~ s/\.tsv$/.expected.tsv/r);
    my $k = @{$expected->[0]};
    for my $out (0 .. $k - 1) {
        my @of = grep { $_->[$o] == $out } @$rows;
        my $base = $expected->[0][$out];
        my $i = 0;
        write_file('shap.csv', join(',', '', @names, 'base_values'),
            map { join ',', $i++, @$_[@at], $base } @of);
        my ($status, $said) =
            run("asc-convert -q --from shap -c $out shap.csv > phi.tsv");
        my $got = ours('phi.tsv', $out);
        result($status == 0 && !$said && "@{$got->{names}}" eq "@names",
            "$case, output $out: is read", $said);
        same($got->{phi}, [map { bits(@$_[@at]) } @of],
            "$case, output $out: attributions");
        same($got->{base}, [map { bits($base) } @of],
            "$case, output $out: base");
    }
}

# ---- shap: numpy.savetxt without a header, the base told ----

for my $path (sort glob "$golden/kernel_*/shap_kernel_full_identity.tsv") {
    my ($case) = $path =~ m{/(kernel_[^/]*)/};
    my $folder = "$golden/$case";
    my ($head, $rows) = table($path);
    my (undef, $expected) = table($path =~ s/\.tsv$/.expected.tsv/r);
    my $base = $expected->[0][0];
    write_file('kernel.csv', map { join ',', map { sprintf '%.18e', $_ } @$_ }
        @$rows);
    my (undef, $x) = table("$folder/X.tsv");
    write_file('x.tsv', join("\t", @$head), map { join "\t", @$_ }
        @$x[0 .. $#$rows]);
    my ($status, $said) = run("asc-convert -q --from shap --no-header "
        . "--base $base -m $folder/model.pmml -x x.tsv --scale response "
        . "kernel.csv > phi.tsv");
    my $got = ours('phi.tsv');
    result($status == 0 && !$said, "$case: is read, and adds up", $said);
    same($got->{phi}, [map { bits(@$_) } @$rows], "$case: attributions");
    same($got->{base}, [map { bits($base) } @$rows], "$case: base");
    my (undef, $y) = table("$folder/prediction.tsv");
    near($got->{value}, [map { $_->[-1] } @$y[0 .. $#$rows]], 1e-9,
        "$case: value is the model's");
}

# ---- captum: an array, a target for each row ----

for my $path (sort glob "$golden/nn_*/ig_riemann_middle_20.tsv") {
    my ($case) = $path =~ m{/(nn_[^/]*)/};
    my $folder = "$golden/$case";
    my ($head, $rows) = table($path);
    my ($outputs, $y) = table("$folder/output.tsv");
    my (undef, $t) = table("$folder/target.tsv");
    my @target = map { $t ? $t->[$_][0] : 0 } 0 .. $#$rows;
    my $several = @$outputs > 1;
    my (undef, $x) = table("$folder/X.tsv");
    write_file('x.tsv', join("\t", @$head),
        map { join "\t", @$_ } @$x[0 .. $#$rows]);
    write_file('ig.csv', $several ? join(',', @$head, 'output') : (),
        map { join ',', @{$rows->[$_]}, $several ? "c$target[$_]" : () }
        0 .. $#$rows);
    my $header = $several ? '' : '--no-header';
    my ($status, $said) = run("asc-convert -q --from captum $header "
        . "-m $folder/model.pmml -x x.tsv --scale raw ig.csv > phi.tsv");
    my $got = ours('phi.tsv');
    result($status == 0 && !$said, "$case: is read", $said);
    same($got->{phi}, [map { bits(@$_) } @$rows], "$case: attributions");
    near($got->{value}, [map { $y->[$_][$target[$_]] } 0 .. $#$rows], 1e-12,
        "$case: value is the model's");
    ($status, $said) = run("asc-fidelity -q -m $folder/model.pmml -x x.tsv "
        . "-b x.tsv phi.tsv > scores.tsv");
    result($status == 0, "$case: asc-fidelity takes it", $said);
}

# ---- XGBoost: all its layouts ----

# XGBoost's own contributions, "row output FIELD... bias", of CASE and whose
# model and rows they are.
sub xgboost {
    my ($case, $path, $model, $inputs) = @_;
    my ($head, $rows) = table($path) or return;
    @$rows = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @$rows;
    my $d = $#$head - 2;
    my @names = @$head[2 .. $d + 1];
    my %output = map { $_->[1] => 1 } @$rows;
    my $k = keys %output;
    my (undef, $x) = table($inputs);
    my $count = @$rows / $k;
    write_file('x.tsv', join("\t", @names), map { join "\t", @$_ }
        @$x[0 .. $count - 1]);
    my @phi = map { bits(@$_[2 .. $d + 1]) } @$rows;
    my @base = map { bits($_->[-1]) } @$rows;
    my $explained = "-m $model -x x.tsv";
    my $class = $k > 1 ? '-c ' . join ',', 0 .. $k - 1 : '';
    my @lines = map { join ',', map { sprintf '%.18e', $_ } @$_[2 .. $#$_] }
        @$rows;

    # a table with ids and outputs, as it is
    write_file('table.tsv', map { join "\t", @$_ } $head, @$rows);
    my ($status, $said) = run("asc-convert -q --from xgboost --delimiter tab "
        . "--fields " . join(',', @names) . " table.tsv > phi.tsv");
    my $got = ours('phi.tsv');
    result($status == 0 && !$said, "$case: a table is read", $said);
    same($got->{phi}, \@phi, "$case: attributions of a table");
    same($got->{base}, \@base, "$case: base of a table");

    # an array (n, d + 1), or (n, k, d + 1) with the outputs side by side
    write_file('array.csv', map { join ',', @lines[$_ * $k .. $_ * $k + $k
        - 1] } 0 .. $count - 1);
    ($status, $said) = run("asc-convert -q --from xgboost --no-header "
        . "-M xgboost $explained array.csv > phi.tsv");
    $got = ours('phi.tsv');
    result($status == 0 && !$said, "$case: an array is read, and adds up",
        $said);
    same($got->{phi}, \@phi, "$case: attributions of an array");
    same($got->{base}, \@base, "$case: base of an array");

    # the same by pandas, which names the columns 0, 1, 2, and the rows
    my $i = 0;
    write_file('frame.csv', join(',', '', 0 .. $k * ($d + 1) - 1),
        map { join ',', $i++, @lines[$_ * $k .. $_ * $k + $k - 1] }
        0 .. $count - 1);
    ($status, $said) = run("asc-convert -q --from xgboost -M xgboost "
        . "$explained frame.csv | cmp - phi.tsv");
    result($status == 0 && !$said, "$case: a data frame is the same", $said);

    # one output below the other
    write_file('lines.csv', @lines);
    ($status, $said) = run("asc-convert -q --from catboost --no-header "
        . "-M xgboost $class $explained lines.csv | cmp - phi.tsv");
    result($status == 0 && !$said, "$case: an output in each line is the same",
        $said);

    # to the long form and back
    ($status, $said) = run("asc-convert -q --from xgboost --to long "
        . "--no-header -M xgboost $explained array.csv > long.tsv");
    my (undef, $long) = table('long.tsv');
    same([map { bits($_->[-1]) } @$long], [map { split / / } @phi],
        "$case: the long form");
    ($status, $said) = run('asc-convert --to wide long.tsv | cmp - phi.tsv');
    result($status == 0 && !$said, "$case: there and back", $said);

    # against our own, in a pipe
    my $all = $k > 1 ? '-c all' : '';
    ($status, $said) = run("asc-attribute -q -m $model $all -M tree-shap x.tsv"
        . " > ours.tsv && asc-convert -q --from xgboost --no-header "
        . "-M xgboost $explained array.csv | "
        . "asc-agreement -q -M cosine - ours.tsv > pairs.tsv");
    my (undef, $pairs) = table('pairs.tsv');
    # a row without attributions has no direction
    my @cosine = grep { $_ ne '' } map { $_->[-1] } @{$pairs // []};
    near(\@cosine, [map { 1 } @cosine], 1e-9,
        "$case: asc-agreement, with tree-shap");
    ($status, $said) = run("asc-fidelity -q -m $model -x x.tsv -b x.tsv "
        . "phi.tsv > scores.tsv");
    result($status == 0, "$case: asc-fidelity takes it", $said);
}

for my $case (qw(gen-wdbc_logistic gen-iris_softprob gen-calhousing_missing)) {
    xgboost($case, "$boosters/$case.treeshap.tsv", "$boosters/$case.json",
        "$boosters/inputs/$case.tsv");
}
for my $case (map { s{.*/}{}r } sort glob "$golden/tree_xgb_*") {
    xgboost($case, "$golden/$case/xgboost_pred_contribs_float32.tsv",
        "$golden/$case/model.xgb.json", "$golden/$case/X.tsv");
}

# ---- what Python's xgboost saves ----

my ($python) = grep { system("$_ -c 'import numpy, xgboost' 2> /dev/null "
    . '> /dev/null') == 0 } qw(python3 /usr/bin/python3);
if (!$python) {
    result(1, 'contributions saved by Python # SKIP there is no xgboost');
    finish();
}
for my $case (qw(gen-wdbc_logistic gen-iris_softprob)) {
    write_file('save.py', <<"END");
import numpy as np, xgboost as xgb
booster = xgb.Booster(model_file="$boosters/$case.json")
x = np.genfromtxt("$boosters/inputs/$case.tsv", delimiter="\\t", skip_header=1)
names = open("$boosters/inputs/$case.tsv").readline().split()
phi = booster.predict(xgb.DMatrix(x, feature_names=names), pred_contribs=True)
np.savetxt("saved.csv", phi.reshape(len(x), -1), delimiter=",")
if phi.ndim == 2:
    header = ",".join(names + ["bias"])
    np.savetxt("named.csv", phi, delimiter=",", header=header)
END
    my ($status, $said) = run("$python save.py");
    result($status == 0, "$case: Python saves", $said);
    my $explained = "-m $boosters/$case.json -x $boosters/inputs/$case.tsv";
    ($status, $said) = run("asc-convert -q --from xgboost --no-header "
        . "$explained saved.csv > phi.tsv");
    result($status == 0 && !$said, "$case: what Python saved adds up", $said);
    my (undef, $rows) = table("$boosters/$case.treeshap.tsv");
    my $got = ours('phi.tsv');
    near([map { split / / } @{$got->{phi}}],
        [map { @$_[2 .. $#$_ - 1] } @$rows], 1e-6,
        "$case: and is what the reference has");
    next if !-e 'named.csv';
    ($status, $said) = run("asc-convert -q --from xgboost $explained -M saved "
        . 'named.csv | cmp - phi.tsv');
    result($status == 0 && !$said, "$case: with its names, the same", $said);
    unlink 'named.csv';
}
finish();
