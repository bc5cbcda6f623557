#!/usr/bin/python3
"""Pair counts on two ranks of one thread against one: xi(r) of uniform and of clumped points, and of two samples.

Both are run in turns. The ratio is of the least wall times, so it means something only on a machine with two idle
cores; beside it stands that of processor times of the busiest rank, which includes its waiting and so is less than
the wall would show on an idle machine. Counts must be equal. The last line is `pairs_ranks ratio=R target=1.6`, R the
least of the wall ratios; the target is met from there up.

    cmake --build build/release --target bench_pairs
    bench/pairs_ranks.py [--quick]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from common import SOURCE, table

BOX, EDGES = 420.0, [f"{v:.10g}" for v in np.geomspace(0.167536, 23.8755, 15)]


def points(n, kind):
    """Uniform points, or points in 300 clumps that are as large as the separations counted."""
    random = np.random.default_rng(1)
    if kind == "uniform":
        return random.uniform(0, BOX, (n, 3))
    return (random.uniform(0, BOX, (300, 3))[random.integers(0, 300, n)] + random.normal(0, 6, (n, 3))) % BOX


def run(bench, ranks, path, kind):
    """One count on so many ranks, as the JSON it prints."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    line = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", bench, path, str(BOX), "1", kind, "40",
            *EDGES]
    done = subprocess.run(line, env=environment, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(line)} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points, one turn")
    parser.add_argument("--bench", default=str(SOURCE / "build" / "release" / "bench" / "bench_pairs"))
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_pairs")
    turns, scale = (1, 0.1) if args.quick else (3, 1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "points.raw")
        for kind, way, n in (("uniform", "r", 1236000), ("clumped", "r", 200000), ("clumped", "cross", 400000)):
            points(int(n * scale), kind).tofile(path)
            found = {1: [], 2: []}
            for _ in range(turns):
                for ranks, some in found.items():
                    some.append(run(args.bench, ranks, path, way))
            if way == "r" and found[1][0]["counts"] != found[2][0]["counts"]:
                sys.exit(f"the counts of {kind} points differ between one rank and two")
            wall, cpu = (min(r[name] for r in found[1]) / min(r[name] for r in found[2])
                         for name in ("seconds", "cpu_seconds"))
            rows.append([f"{kind}, {way}", min(r["seconds"] for r in found[1]), wall, cpu, found[2][0]["balance"]])
    table(["", "one rank s", "wall ratio", "processor ratio", "balance of 2"], rows)
    print(f"pairs_ranks ratio={min(r[2] for r in rows):.2f} target=1.6")
    return 0


if __name__ == "__main__":
    sys.exit(main())
