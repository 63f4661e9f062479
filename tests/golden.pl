#!/usr/bin/perl
# The attributions of other programs, computed again by asc-attribute.
#
# A case is a folder with model.pmml, X.tsv and, where the method wants one,
# background.tsv or baseline.tsv.  Small cases are in tests/golden, where the
# first line of each file of expected values names its source; a larger
# collection is looked for beside the source tree.
use strict;
use warnings;

my $top = $ENV{abs_top_srcdir} // '.';
my $out = "golden-$$.tsv";
my @tests;                      # [name, code]

# Expected file => how to compute it: [options of asc-attribute, tolerance,
# reference file].  Captum rounds the weights of its quadrature to single
# precision, whatever the model's; the sums over its permutations too, so far
# (9e-6 after 40,320 of them) that they are no evidence and are not here.
my %recipes = (
    'shap_path_dependent.tsv' => [ '-M tree-shap', 1e-9 ],
    'shap_linear_independent.tsv' =>
        [ '-M exact-shapley', 1e-9, 'background.tsv' ],
    'shap_exact.tsv' =>
        [ '-M exact-shapley --scale response', 1e-9, 'background.tsv' ],
    'shap_kernel_full_identity.tsv' =>
        [ '-M kernel-shap --scale response', 1e-9, 'background.tsv' ],
    'gradient.tsv' => [ '-M gradient', 1e-9, 'baseline.tsv' ],
    'input_x_gradient.tsv' => [ '-M gradient-x-input', 1e-9 ],
    'ig_gausslegendre_50.tsv' =>
        [ '-M integrated-gradients:steps=50:quadrature=fixed', 1e-6, 'baseline.tsv' ],
    'ig_gausslegendre_5.tsv' =>
        [ '-M integrated-gradients:steps=5:quadrature=fixed', 1e-6, 'baseline.tsv' ],
    'feature_ablation.tsv' => [ '-M occlusion', 1e-9, 'baseline.tsv' ],
);

# ([column names], [rows of values]), without comments.
sub table {
    my ($path) = @_;
    open my $f, '<', $path or die "$path: $!\n";
    my @lines = grep { !/^# / } <$f>;
    chomp @lines;
    return ([ split /\t/, shift @lines ], [ map { [ split /\t/, $_, -1 ] } @lines ]);
}

# The largest difference of two numbers, relative to the larger of the row.
sub distance {
    my ($x, $y) = @_;
    my ($worst, $size) = (0, 1e-300);
    for my $j (0 .. $#$x) {
        return 9e99 if $x->[$j] eq '' || $y->[$j] eq '';
        my $d = abs($x->[$j] - $y->[$j]);
        $worst = $d if $d > $worst;
        $size = abs($x->[$j]) if abs($x->[$j]) > $size;
    }
    return $worst / $size;
}

sub attribute {
    my ($dir, $options) = @_;
    my $status = system("asc-attribute -q -m $dir/model.pmml $options "
        . "$dir/X.tsv > $out 2> $out.err");
    return (undef, `cat $out.err`) if $status;
    return table($out);
}

# undef if it agrees, else what is wrong.
sub compare {
    my ($dir, $file) = @_;
    my ($options, $tolerance, $reference) = @{ $recipes{$file} };
    my ($names, $want) = table("$dir/$file");
    my @fields = grep { /^f\d+$/ } @$names;
    my %want_at = map { $names->[$_] => $_ } 0 .. $#$names;
    my $outputs = 1;
    my @target;

    if ($reference) {
        return "no $reference" unless -e "$dir/$reference";
        $options .= " -b $dir/$reference";
    }
    # The explained class: all of them, the row's target, or the only one.
    if (exists $want_at{output}) {
        my %seen = map { $_->[ $want_at{output} ] => 1 } @$want;
        $outputs = keys %seen;
    }
    @target = map { $_->[0] } @{ (table("$dir/target.tsv"))[1] }
        if -e "$dir/target.tsv" && @{ (table("$dir/output.tsv"))[0] } > 1;
    my ($got_names, $got) = attribute($dir, "$options -c all");
    return $got unless $got_names;
    my %got_at = map { $got_names->[$_] => $_ } 0 .. $#$got_names;
    my %row;                    # row number => lines, in order of outputs
    push @{ $row{ $_->[ $got_at{row} ] } }, $_ for @$got;
    my $i = 0;
    for my $w (@$want) {
        my $r = exists $want_at{row} ? $w->[ $want_at{row} ] : $i;
        my $lines = $row{ $r + 1 } or return "row $r is missing";
        # Of two classes with one margin, the peers explain the second.
        my $k = $outputs > 1 ? $w->[ $want_at{output} ]
            : @target ? $target[$r] : $#$lines;
        my $d = distance(
            [ map { $w->[ $want_at{$_} ] } @fields ],
            [ map { $lines->[$k][ $got_at{"phi.$_"} ] } @fields ]);
        return sprintf 'row %d: relative difference %.2g', $r, $d
            unless $d <= $tolerance;
        $i++;
    }
    return $i ? undef : 'no rows';
}

sub add_folder {
    my ($root, $own) = @_;
    for my $dir (sort glob "$root/*") {
        next unless -e "$dir/model.pmml" && -e "$dir/X.tsv";
        (my $case = $dir) =~ s{.*/}{};
        for my $file (sort keys %recipes) {
            next unless -e "$dir/$file";
            push @tests, [ "$case/$file", sub {
                if ($own) {
                    open my $f, '<', "$dir/$file" or return $!;
                    return 'the first line names no source'
                        unless <$f> =~ /^# source: \S/;
                }
                return compare($dir, $file);
            } ];
        }
    }
}

add_folder("$top/tests/golden", 1);
my $shared = $ENV{ASCRIBE_SHARED} // "$top/../shared";
add_folder("$shared/golden", 0);
print "1..", scalar(@tests) + 1, "\n";
my $n = 0;
for my $t (@tests) {
    my $wrong = $t->[1]->();
    $n++;
    print defined $wrong ? "not ok $n - $t->[0]\n# $wrong\n"
        : "ok $n - $t->[0]\n";
}
$n++;
print "ok $n - larger collection", -d "$shared/golden" ? "\n"
    : " # SKIP not found beside the source tree\n";
unlink $out, "$out.err";
