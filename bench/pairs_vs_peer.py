#!/usr/bin/python3
"""Pair counts of uniform points: bench_pairs against Corrfunc, both in double precision on one core.

1,236,000 points with six decimals in a periodic box of 420, 14 logarithmic bins from 0.167536 to
23.8755. Both are run in turns, and the least processor time of each counts; all counts must be
equal. The counts of wp(rp) go to pi_max = 40.0000005: coordinates have six decimals, so some pairs are
apart by 40 to the last digit, and which side they fall on is up to how a code rounds differences.
Corrfunc is taken from a Python environment outside the source tree:

    python3 -m venv ~/peer && ~/peer/bin/pip install numpy Corrfunc
    cmake --build build/release --target bench_pairs
    bench/pairs_vs_peer.py --python ~/peer/bin/python [--quick] [--wp]

Without one the script says so and ends with CTest's code for skipped. The last line is
`pairs_vs_peer ratio=R target=1.3`, R our processor time over Corrfunc's.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from common import SOURCE, table

BOX, LOW, HIGH, BINS, PI_MAX = 420.0, 0.167536, 23.8755, 14, 40.0000005
PEER = """
import json, sys, time
import numpy as np
from Corrfunc.theory import wp, xi
path, box, pi_max, kind = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
edges = np.array([float(v) for v in sys.argv[5:]])
x, y, z = np.ascontiguousarray(np.fromfile(path).reshape(-1, 3).T)
start = time.process_time()
found = wp(box, pi_max, 1, edges, x, y, z) if kind == "wp" else xi(box, 1, edges, x, y, z)
print(json.dumps({"cpu_seconds": time.process_time() - start, "counts": [int(n) for n in found["npairs"]]}))
"""


def run(command):
    """Run a program on one core and read the JSON of its last line."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=environment, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def has_peer(python):
    """Whether that Python can import Corrfunc."""
    if not python or not os.path.exists(python):
        return False
    return subprocess.run([python, "-c", "import Corrfunc"], check=False, stderr=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points, one turn")
    parser.add_argument("--wp", action="store_true", help="wp(rp) with pi_max 40.0000005 instead of xi(r)")
    parser.add_argument("--python", help="Python of an environment with Corrfunc, outside the source tree")
    parser.add_argument("--bench", default=str(SOURCE / "build" / "release" / "bench" / "bench_pairs"))
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_pairs")
    if not has_peer(args.python):
        print("skipped: no Corrfunc; make an environment with it and pass --python PATH/bin/python")
        return 77
    points, turns = (123600, 1) if args.quick else (1236000, 3)
    kind = "wp" if args.wp else "r"
    edges = [f"{v:.10g}" for v in np.geomspace(LOW, HIGH, BINS + 1)]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "points.raw")
        np.round(np.random.default_rng(1).uniform(0, BOX, (points, 3)), 6).tofile(path)
        for _ in range(turns):
            ours.append(run([args.bench, path, str(BOX), "1", kind, str(PI_MAX), *edges]))
            theirs.append(run([args.python, "-c", PEER, path, str(BOX), str(PI_MAX), kind, *edges]))
    if any(o["counts"] != theirs[0]["counts"] for o in ours):
        table(["low", "high", "halograft", "Corrfunc"],
              list(zip(edges[:-1], edges[1:], ours[0]["counts"], theirs[0]["counts"])))
        sys.exit("the counts differ")
    best = [min(r["cpu_seconds"] for r in some) for some in (ours, theirs)]
    table(["", "least s", "all s"], [
        ["halograft", best[0], " ".join(f"{r['cpu_seconds']:.2f}" for r in ours)],
        ["Corrfunc", best[1], " ".join(f"{r['cpu_seconds']:.2f}" for r in theirs)]])
    print(f"{points} points, {sum(ours[0]['counts'])} ordered pairs, all {BINS} counts equal")
    print(f"pairs_vs_peer ratio={best[0] / best[1]:.2f} target=1.3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
