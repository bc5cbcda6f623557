#!/usr/bin/python3
"""Training time per tree and core: bench_train against scikit-learn's forests.

Same rows, all features tried at each node, no bag, scaled targets, one thread each. Both are run in
turns and timed in seconds of processor time, so that a busy machine slows both; the ratio of the
medians is what counts. Needs numpy and scikit-learn of the system's Python.

    train_vs_sklearn.py [--quick] [--bench PATH/bench_train] [--rows N] [--min-leaf M ...] [--turns N]
    train_vs_sklearn.py --splitter best --min-leaf 5 [--quick] ...
    train_vs_sklearn.py --scaling [--quick] [--bench PATH/bench_train] [--rows N] [--min-leaf M ...]

With --splitter best, best splits over 256 bins stand against RandomForestRegressor, which searches all
values: 7 of the 20 features at a node.

The last line is `train_vs_sklearn ratio=R target=12` (15 from 1e6 rows on, 8 with best splits), R the smallest ratio over
the values of min_leaf, each the median of the ratios of turns: where the speed of a machine drifts, both of
a turn see the same. With --scaling, 64 trees are trained by one rank, by two threads and by two ranks
in turns, timed by the clock on the wall: for a machine that is otherwise idle. The last line is then
`train_scaling ratio=R target=1.85`, R the smaller of the two speed-ups.
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
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

FEATURES, TARGETS = 20, 4
CANDIDATES = {"random": 20, "best": 7}


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


def time_sklearn(x, y, splitter, trees, min_leaf):
    given = {"min_samples_leaf": min_leaf, "max_features": CANDIDATES[splitter], "bootstrap": False, "n_jobs": 1}
    kind = RandomForestRegressor if splitter == "best" else ExtraTreesRegressor
    start = time.process_time()
    kind(trees, **given).fit(x, y)
    return (time.process_time() - start) / trees


def run_ours(bench, path, n, splitter, trees, min_leaf, ranks=1, threads=1):
    shape = [str(v) for v in (n, FEATURES, TARGETS, trees, min_leaf)]
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    mpirun = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    run = subprocess.run([*mpirun, bench, path, *shape, "none", str(threads), splitter,
                          str(CANDIDATES[splitter] / FEATURES)], env=env, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(run.stdout)


def compare(args, x, y, path):
    """Ratio of processor time per tree for each min_leaf; the smallest one is the result."""
    turns, trees = (3, 2) if args.quick else (7, 4)
    worst = float("inf")
    for min_leaf in args.min_leaf:
        a, b = [], []
        for _ in range(args.turns or turns):
            a.append(time_sklearn(x, y, args.splitter, trees if args.rows < 1000000 else 1, min_leaf))
            b.append(run_ours(args.bench, path, args.rows, args.splitter, 16 * trees, min_leaf)["cpu_s_per_tree"])
        ratio = statistics.median(x / y for x, y in zip(a, b))
        worst = min(worst, ratio)
        print(f"min_leaf {min_leaf}: scikit-learn {1e3 * statistics.median(a):.1f} ms/tree "
              f"(best {1e3 * min(a):.1f}), halograft {1e3 * statistics.median(b):.1f} "
              f"(best {1e3 * min(b):.1f}), ratio {ratio:.2f}", flush=True)
    target = 8 if args.splitter == "best" else 12 if args.rows < 1000000 else 15
    print(f"train_vs_sklearn ratio={worst:.2f} target={target}")


def scale(args, path):
    """Speed-up of 64 trees by two threads and by two ranks; the hashes must agree."""
    ways = {"one": (1, 1), "two threads": (1, 2), "two ranks": (2, 1)}
    worst = float("inf")
    for min_leaf in args.min_leaf:
        seconds, hashes = {way: [] for way in ways}, set()
        for _ in range(args.turns or (3 if args.quick else 7)):
            for way, (ranks, threads) in ways.items():
                run = run_ours(args.bench, path, args.rows, args.splitter, 64, min_leaf, ranks, threads)
                seconds[way].append(run["train_s"])
                hashes.add(run["hash"])
        if len(hashes) != 1:
            sys.exit(f"the models differ: {sorted(hashes)}")
        median = {way: statistics.median(values) for way, values in seconds.items()}
        speed = {way: statistics.median(a / b for a, b in zip(seconds["one"], seconds[way]))
                 for way in ways if way != "one"}
        worst = min(worst, *speed.values())
        print(f"min_leaf {min_leaf}: 64 trees in {median['one']:.2f} s, "
              + ", ".join(f"{way} {median[way]:.2f} s ({speed[way]:.2f})" for way in speed), flush=True)
    load = os.getloadavg()[0]
    print(f"load of the machine over the last minute: {load:.1f}")
    print(f"train_scaling ratio={worst:.2f} target=1.85")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer trees and turns")
    parser.add_argument("--bench", default=f"{here}/../build/release/bench/bench_train")
    parser.add_argument("--splitter", choices=CANDIDATES, default="random")
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--min-leaf", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--turns", type=int, default=0, help="how often each is run")
    parser.add_argument("--scaling", action="store_true", help="two threads or ranks against one")
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_train")
    x, y = make_rows(args.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.raw")
        with open(path, "wb") as file:
            file.write(x.tobytes() + y.tobytes())
        if args.scaling:
            scale(args, path)
        else:
            compare(args, x, y, path)


if __name__ == "__main__":
    main()
