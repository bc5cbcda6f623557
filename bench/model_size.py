#!/usr/bin/python3
"""Size of a model: 300 trees of 1e5 rows grown to one row per leaf, 20 features, 4 targets, no bag.

bench_rows trains and writes the model; its file is what counts. scikit-learn keeps a node in a record of its
own type (56 bytes in version 1.2) and 8 bytes per target; that size is computed for the same nodes.
Trees are alike to 1e-4 in size, so --quick grows 30 of them and multiplies what belongs to trees by 10.

    model_size.py [--quick] [--bench PATH/bench_rows] [--trees T]

The last line is `model_size ratio=R target=4.1`: scikit-learn's bytes over those of halograft's file, where
4.1 are the 5.3 GB of scikit-learn over 1.3 GB.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import h5py
from sklearn.tree._tree import NODE_DTYPE

ROWS, FEATURES, TARGETS, TREES = 100000, 20, 4, 300


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="30 trees")
    parser.add_argument("--bench", default=f"{here}/../build/release/bench/bench_rows")
    parser.add_argument("--trees", type=int, default=0)
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_rows")
    trees = args.trees or (TREES // 10 if args.quick else TREES)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.hdf5")
        run = subprocess.run([args.bench, "trees", str(ROWS), str(FEATURES), str(TARGETS), str(trees), "1", path,
                              "none"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        leaves = json.loads(run.stdout)["leaves"]
        size, of_trees = os.path.getsize(path), {}
        with h5py.File(path) as file:
            def visit(name, item):
                if isinstance(item, h5py.Dataset) and item.nbytes >= leaves:
                    of_trees[name] = item.nbytes
            file.visititems(visit)
    nodes = 2 * leaves - trees
    for name, count in sorted(of_trees.items()):
        print(f"{name}: {count / leaves:.2f} bytes per leaf")
    size += (TREES / trees - 1) * sum(of_trees.values())
    peer = TREES / trees * nodes * (NODE_DTYPE.itemsize + 8 * TARGETS)
    print(f"{trees} trees of {leaves / trees:.0f} leaves; {TREES} trees: halograft {size / 1e9:.3f} GB, "
          f"scikit-learn {peer / 1e9:.3f} GB")
    print(f"model_size ratio={peer / size:.2f} target=4.1")


if __name__ == "__main__":
    main()
