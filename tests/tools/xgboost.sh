#!/bin/sh
# asc-predict against XGBoost itself, where Python has it: models of every kind
# trained here, raw scores equal to the bit of float, in JSON and UBJSON.
set -u

for python in python3 /usr/bin/python3 none; do
    "$python" -c 'import numpy, xgboost' 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo '1..0 # SKIP no python3 with xgboost'
    exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$python" -W ignore - "$dir" <<'END'
import math, subprocess, sys
import numpy as np
import xgboost as xgb

xgb.set_config(verbosity=0)
N = 400
rng = np.random.default_rng(1)
X = rng.normal(size=(N, 6))
X[rng.random(X.shape) < 0.1] = np.nan
full = np.nan_to_num(X)
number = full[:, 0] * 2 + full[:, 1] ** 2 + rng.normal(size=N)
two = (number > 1) * 1
four = np.digitize(number, [0, 1, 3])
count = np.floor(np.exp(np.clip(full[:, 0], -2, 2))) + 1
softmax = dict(objective='multi:softprob', num_class=4)
models = [(dict(objective=o, base_score=0.3), number) for o in (
    'reg:squarederror', 'reg:absoluteerror', 'reg:pseudohubererror')]
models += [(dict(objective=o, base_score=0.3), two) for o in (
    'binary:logistic', 'binary:logitraw', 'binary:hinge', 'reg:logistic')]
models += [(dict(objective=o), count) for o in (
    'count:poisson', 'reg:gamma', 'reg:tweedie', 'survival:cox')]
models += [
    (softmax, four),
    (dict(objective='multi:softmax', num_class=4, num_parallel_tree=3,
          subsample=0.5), four),
    (dict(objective='reg:squarederror', booster='dart', rate_drop=0.3),
     number),
    (dict(softmax, booster='dart', rate_drop=0.3), four),
    (dict(objective='reg:squarederror', booster='gblinear', base_score=0.1),
     number),
    (dict(softmax, booster='gblinear'), four),
    (dict(objective='reg:squarederror', gamma=5, max_depth=8), number),
    (dict(objective='reg:squarederror', max_depth=12, min_child_weight=0),
     number),
    (dict(objective='reg:squarederror', tree_method='hist'),
     np.stack([number, count], 1)),
]
table = sys.argv[1] + '/x.tsv'
with open(table, 'w') as f:
    print('\t'.join('f%d' % j for j in range(6)), file=f)
    for row in X:
        print('\t'.join('' if math.isnan(v) else repr(float(v)) for v in row),
              file=f)
data = xgb.DMatrix(X)
print('1..%d' % (2 * len(models)))
for params, y in models:
    booster = xgb.train(dict(params, nthread=1, seed=1),
                        xgb.DMatrix(X, label=y), 15)
    want = booster.predict(data, output_margin=True).reshape(N, -1)
    for ext in 'json', 'ubj':
        model = sys.argv[1] + '/model.' + ext
        booster.save_model(model)
        out = subprocess.run(['asc-predict', '-m', model, '--scale', 'raw',
                              table], capture_output=True, text=True)
        lines = [t.split('\t') for t in out.stdout.split('\n')[:-1]]
        name = '%s %s %s' % (params.get('booster', 'gbtree'),
                             params['objective'], ext)
        raw = [j for j, c in enumerate(lines[0]) if c.startswith('raw.')] \
            if lines else []
        raw = (raw or [1])[-want.shape[1]:]
        ok = out.returncode == 0 and len(lines) == N + 1
        if ok:
            got = np.array([[float(t[j]) for j in raw] for t in lines[1:]])
            ok = got.shape == want.shape and \
                bool((got.astype(np.float32) == want).all())
        print('%sok - %s: raw scores to the bit' % ('' if ok else 'not ',
                                                    name))
        if not ok:
            print('#', out.stderr.strip(), lines[:2], want[:1])
END
