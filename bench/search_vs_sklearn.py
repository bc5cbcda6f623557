#!/usr/bin/python3
"""Search over a grid of 64 points in five folds of TNG100-1: halograft validate beside scikit-learn's GridSearchCV.

Both train extremely randomised trees without a bag on centrals (no regions: folds of rows), on two cores: two ranks
of one thread, and two workers. A and B alternate; times are those of the whole programs, processor time is that of
all their processes. Ends with the ratio of the medians of processor time.

    bench/search_vs_sklearn.py [--turns 1] [--trees 20] [--quick]     (--quick: 8 of the 64 points)
"""

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

from common import SOURCE, halograft, need_data, table

GRID = {"min_leaf": [1, 2, 3, 5, 8, 12, 20, 40], "max_features": [0.3, 0.6], "min_split": [2, 10],
        "max_depth": [12, 0]}
NAMES = {"min_leaf": "min_samples_leaf", "max_features": "max_features", "min_split": "min_samples_split",
         "max_depth": "max_depth"}


def search_ours(grid, trees):
    folder = SOURCE / "out" / "search_tng"
    lists = [word for name, values in grid.items() for word in ("--set", f"Validate.search_{name}={values}")]
    halograft("validate", "params/tng100_validate.yml", "--overwrite", "--set", f"Output.folder={folder}", "--set",
              "Model.bag=none", "--set", "Scatter.method=none", "--set", f"Model.trees={trees}", "--set",
              "Validate.search=grid", *lists)
    with open(folder / "search_points.csv", encoding="utf-8") as file:
        return [[{name: float(row[name]) for name in grid}, float(row["stellar_mass rmse"])]
                for row in csv.DictReader(file)]


def search_theirs(grid, trees):
    """In a process of its own: its time counts when it and its workers have ended."""
    line = [sys.executable, "-B", __file__, "--theirs", json.dumps(grid), "--trees", str(trees)]
    return json.loads(subprocess.run(line, check=True, text=True, stdout=subprocess.PIPE).stdout)


def print_theirs(grid, trees):
    from joblib.externals.loky import get_reusable_executor
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.model_selection import GridSearchCV, KFold

    from tng_vs_sklearn import load

    _, x, y = load(need_data("tng100-1_z0_tables") / "centrals_Mstar_gt_0.1.h5")
    values = {NAMES[name]: [v if v > 0 else None for v in grid[name]] for name in grid}
    search = GridSearchCV(ExtraTreesRegressor(trees, random_state=1), values, scoring="neg_mean_squared_error",
                          cv=KFold(5, shuffle=True, random_state=1), n_jobs=2, refit=False)
    search.fit(x, np.log10(y["stellar_mass"]))
    get_reusable_executor().shutdown(wait=True)
    print(json.dumps([[{name: point[NAMES[name]] or 0 for name in grid}, (-score) ** 0.5] for point, score in
                      zip(search.cv_results_["params"], search.cv_results_["mean_test_score"])]))


def timed(run, grid, trees):
    """Wall and processor time of a search in seconds, and its points with their rms error."""
    def used():
        return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])

    wall, processor = time.perf_counter(), used()
    points = run(grid, trees)
    return time.perf_counter() - wall, used() - processor, points


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.theirs:
        print_theirs(json.loads(options.theirs), options.trees)
        return
    grid = GRID | {"min_leaf": [1, 3, 8, 20], "min_split": [2], "max_depth": [0]} if options.quick else GRID
    need_data("tng100-1_z0_tables")
    programs, times = {"halograft": search_ours, "scikit-learn": search_theirs}, {}
    for _ in range(options.turns):
        for name, run in programs.items():
            wall, processor, points = timed(run, grid, options.trees)
            times.setdefault(name, []).append((wall, processor))
            best, error = min(points, key=lambda point: point[1])
            print(f"{name}: {len(points)} points, best {best}, rms {error:.4f}", flush=True)
    median = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in times.items()}
    table(["program", "wall s", "processor s"], [[name, *values] for name, values in median.items()])
    wall, processor = (theirs / ours for ours, theirs in zip(*median.values()))
    print(f"search_vs_sklearn ratio={processor:.2f} target=5 (processor time; wall time {wall:.2f})")


if __name__ == "__main__":
    main()
