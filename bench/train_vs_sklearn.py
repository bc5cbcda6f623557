#!/usr/bin/python3
"""Training time per tree and core: bench_train against scikit-learn's ExtraTreesRegressor.

Same rows, all features tried at each node, no bag, scaled targets, one thread each. Both are run in
turns and timed in seconds of processor time, so that a busy machine slows both; the ratio of the
medians is what counts. Needs numpy and
scikit-learn of the system's Python.

    train_vs_sklearn.py [--quick] [--bench PATH/bench_train] [--rows N] [--min-leaf M ...]

The last line is `train_vs_sklearn ratio=R target=5`, R the smallest ratio over the values of min_leaf.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

FEATURES, TARGETS = 20, 4


def make_rows(n):
    """Correlated features; targets with scatter from 0.15 to 0.4, one of them bimodal."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, FEATURES)).astype(np.float32)
    x[:, 1] += x[:, 0]
    x[:, 2] = 0.3 * x[:, 2] + x[:, 0]
    noise = rng.normal(size=(n, TARGETS))
    y = np.stack(
        [
            x[:, 0] + 0.3 * np.sin(2 * x[:, 1]) + 0.15 * noise[:, 0],
            0.3 * x[:, 0] * x[:, 3] + x[:, 4] + 0.25 * noise[:, 1],
            x[:, 2] + 0.5 * x[:, 5] + 0.2 * noise[:, 2],
            (x[:, 0] > 0) + 0.4 * noise[:, 3],
        ],
        axis=1,
    )
    return x, y / y.std(axis=0)


def time_sklearn(x, y, trees, min_leaf):
    start = time.process_time()
    ExtraTreesRegressor(trees, min_samples_leaf=min_leaf, max_features=1.0, n_jobs=1).fit(x, y)
    return (time.process_time() - start) / trees


def time_ours(bench, path, n, trees, min_leaf):
    shape = [str(v) for v in (n, FEATURES, TARGETS, trees, min_leaf)]
    env = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    run = subprocess.run([bench, path, *shape, "none", "1"], env=env, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(run.stdout)["cpu_s_per_tree"]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer trees and turns")
    parser.add_argument("--bench", default=f"{here}/../build/release/bench/bench_train")
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--min-leaf", type=int, nargs="+", default=[1, 5])
    args = parser.parse_args()
    turns, trees = (3, 2) if args.quick else (7, 4)
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_train")
    x, y = make_rows(args.rows)
    worst = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.raw")
        with open(path, "wb") as file:
            file.write(x.tobytes() + y.tobytes())
        for min_leaf in args.min_leaf:
            a, b = [], []
            for _ in range(turns):
                a.append(time_sklearn(x, y, trees, min_leaf))
                b.append(time_ours(args.bench, path, args.rows, 16 * trees, min_leaf))
            ratio = statistics.median(a) / statistics.median(b)
            worst = min(worst, ratio)
            print(f"min_leaf {min_leaf}: scikit-learn {1e3 * statistics.median(a):.1f} ms/tree "
                  f"(best {1e3 * min(a):.1f}), halograft {1e3 * statistics.median(b):.1f} "
                  f"(best {1e3 * min(b):.1f}), ratio {ratio:.2f}", flush=True)
    print(f"train_vs_sklearn ratio={worst:.2f} target=5")


if __name__ == "__main__":
    main()
