#!/bin/sh
# demo.sh OUTPUT -- from a table to printed figures, in a minute.  Every step
# is shown as the command that does it; run by ./run demo.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
out=$1
if [ -n "${ASCRIBE_BUILD-}" ]; then
    PATH=$ASCRIBE_BUILD/tools:$PATH
    ASCRIBE_PLOTS=$top/plots
    export ASCRIBE_PLOTS
fi

# step COMMAND -- says it and does it.
step() {
    printf '$ %s\n' "$1"
    eval "$1"
}

say() {
    printf '\n# %s\n' "$*"
}

mkdir -p "$out"
cd "$out"
cp "$top/tests/data/mortgage.tsv" .

say 'Three models of who is refused a mortgage; race and marital status are'
say 'not among their fields, but kept for the comparison of groups.'
step "awk 'NR == 1 || \$1 % 4' mortgage.tsv > train.tsv"
step "awk 'NR == 1 || \$1 % 4 == 0' mortgage.tsv > test.tsv"
step "awk 'NR == 1 || \$1 % 60 == 1' train.tsv > background.tsv"
step "asc-fit gbm:trees=100:depth=4 -y denied --drop black,single train.tsv > gbm.pmml"
step "asc-fit logistic -y denied --drop black,single train.tsv > logistic.pmml"
step "asc-fit mlp -y denied --drop black,single train.tsv > mlp.pmml"
step "asc-predict -m gbm.pmml test.tsv > gbm.predictions.tsv"

say 'Why do they answer as they do?'
step "asc-attribute -m gbm.pmml -M tree-shap,kernel-shap,lime,occlusion -b background.tsv test.tsv > gbm.phi.tsv"
step "asc-attribute -m logistic.pmml -M exact-shapley,lime,occlusion,gradient-x-input,integrated-gradients -b background.tsv test.tsv > logistic.phi.tsv"
step "asc-attribute -m mlp.pmml -M kernel-shap,lime,occlusion,gradient-x-input,integrated-gradients -b background.tsv test.tsv > mlp.phi.tsv"

say 'Can the answers be trusted?'
for m in gbm logistic mlp; do
    step "asc-fidelity -m $m.pmml -x test.tsv -b background.tsv -M comprehensiveness,sufficiency,deletion,lime-fidelity:measure=accuracy $m.phi.tsv > $m.fidelity.tsv"
    step "asc-summary $m.fidelity.tsv > $m.summary.tsv"
done
step "asc-fidelity --curve -m gbm.pmml -x test.tsv -b background.tsv -M deletion,insertion gbm.phi.tsv > gbm.curves.tsv"
step "asc-agreement -M tau-b,rank-correlation,feature-agreement mlp.phi.tsv > mlp.agreement.tsv"
step "asc-summary mlp.agreement.tsv > mlp.agreement.summary.tsv"

say 'Can they be trusted equally for everybody?'
for g in black single; do
    step "asc-disparity --permutations 10000 -g $g -x test.tsv mlp.fidelity.tsv > mlp.disparity.$g.tsv"
done

say 'In one pipe: how often the explanation answers as the model does, by race.'
step "asc-fidelity -m gbm.pmml -x test.tsv -b background.tsv -M lime-fidelity:measure=accuracy gbm.phi.tsv | asc-disparity --permutations 10000 -x test.tsv -g black > gbm.accuracy.black.tsv"
step "asc-plot disparity -o accuracy-by-race.pdf gbm.accuracy.black.tsv"

say 'More figures.'
step "asc-plot bars -o bars.pdf gbm.phi.tsv"
step "asc-plot beeswarm -x test.tsv -o beeswarm.pdf gbm.phi.tsv"
step "asc-plot curves -o curves.pdf gbm.curves.tsv"
step "asc-plot heatmap -o agreement.pdf mlp.agreement.tsv"
step "asc-plot disparity -o disparity-black.pdf mlp.disparity.black.tsv"
step "asc-plot disparity -o disparity-single.pdf mlp.disparity.single.tsv"
printf '\nTables and figures are in %s\n' "$out"
