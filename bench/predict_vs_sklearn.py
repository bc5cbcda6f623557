#!/usr/bin/python3
"""Prediction time per row, tree and core: the same trees in scikit-learn and in halograft.

Forests fitted by scikit-learn are converted to model files (tools/halograft_tools), so both sides walk equal
trees; the sums of their predictions are compared. Both run in turns with one thread and are timed in seconds
of processor time; the median of the ratios of turns is what counts.

    predict_vs_sklearn.py [--quick] [--bench PATH/bench_predict] [--rows N]

The last line is `predict_vs_sklearn ratio=R target=T` of the case that is nearest to missing its target.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import common
from sklearn.ensemble import ExtraTreesRegressor
from train_vs_sklearn import make_rows

from halograft_tools import interchange, model_file

# training rows, min_leaf, trees, target: 1e5, 1.6e4 and 1e6 leaves per tree
CASES = ((100000, 1, 32, 5.5), (100000, 5, 32, 5.5), (1000000, 1, 8, 7.0))


def time_ours(bench, model, rows, n):
    env = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    run = subprocess.run([bench, model, rows, str(n), "0", "1"], env=env, check=True, stdout=subprocess.PIPE)
    return json.loads(run.stdout)


def compare(case, test, bench, folder, turns):
    """Ratio of one case."""
    n, min_leaf, trees, target = case
    x, y = make_rows(n)
    other = ExtraTreesRegressor(trees, min_samples_leaf=min_leaf, random_state=1, n_jobs=1).fit(x, y)
    model, rows = os.path.join(folder, "model.hdf5"), os.path.join(folder, "rows.raw")
    model_file.save(interchange.from_sklearn(other), model, overwrite=True)
    test.tofile(rows)
    a, b = [], []
    for _ in range(turns):
        start = time.process_time()
        total = other.predict(test).sum()
        a.append(1e9 * (time.process_time() - start) / (len(test) * trees))
        ours = time_ours(bench, model, rows, len(test))
        b.append(ours["cpu_ns_per_row_tree"])
        if abs(ours["sum"] - total) > 1e-5 * len(test):
            sys.exit(f"the predictions differ: sums {total} and {ours['sum']}")
    ratio = statistics.median(x / y for x, y in zip(a, b))
    print(f"{ours['leaves_per_tree']:.0f} leaves: scikit-learn {statistics.median(a):.1f} ns per row and tree "
          f"(best {min(a):.1f}), halograft {statistics.median(b):.1f} (best {min(b):.1f}), "
          f"ratio {ratio:.2f} target {target}", flush=True)
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without the trees of 1e6 leaves, and fewer turns")
    parser.add_argument("--bench", default=str(common.SOURCE / "build" / "release" / "bench" / "bench_predict"))
    parser.add_argument("--rows", type=int, default=100000, help="rows to predict")
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_predict")
    test = make_rows(1000000 + args.rows)[0][1000000:]
    with tempfile.TemporaryDirectory() as folder:
        ratios = [(compare(case, test, args.bench, folder, 3 if args.quick else 7), case[-1])
                  for case in (CASES[:2] if args.quick else CASES)]
    ratio, target = min(ratios, key=lambda r: r[0] / r[1])
    print(f"predict_vs_sklearn ratio={ratio:.2f} target={target}")


if __name__ == "__main__":
    main()
