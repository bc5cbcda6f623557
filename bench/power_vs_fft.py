#!/usr/bin/python3
"""P_0, P_2, P_4 of uniform points against the bare transforms they need, by bench_power.

1,236,000 points, PCS, interlaced, 512^3 float, one core: the time of painting, transforming and
summing over the time of two r2c transforms of the same mesh. Plans are made by FFTW_MEASURE before
the clock starts. Also: the peak memory, and with --ranks 2 the gain of two ranks over one (only
meaningful on an idle machine). Needs

    cmake --build build/release --target bench_power
    bench/power_vs_fft.py [--quick] [--turns N] [--ranks N] [--backend slab|pencil|exact]

--quick takes a 128^3 mesh with the same number of points per cell, where the sums weigh more. The
last line is `power_vs_fft ratio=R target=3`.
"""
import argparse
import json
import os
import subprocess
import sys

from common import SOURCE, table


def run(bench, ranks, arguments):
    """One run of bench_power on one core per rank; the JSON of its last line."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    line = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", bench, *arguments]
    done = subprocess.run(line, env=environment, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(line)} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="128^3 and a 64th of the points, one turn")
    parser.add_argument("--turns", type=int, default=3, help="runs of each, taken in turn; best counts")
    parser.add_argument("--ranks", type=int, default=1, help="also this many ranks, for the gain")
    parser.add_argument("--backend", default="slab", choices=["slab", "pencil", "exact"])
    parser.add_argument("--bench", default=str(SOURCE / "build" / "release" / "bench" / "bench_power"))
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_power")
    size = ["19312", "128"] if args.quick else ["1236000", "512"]
    sizes = sorted({1, args.ranks})
    runs = {n: [] for n in sizes}
    for _ in range(1 if args.quick else args.turns):
        for n in sizes:
            runs[n].append(run(args.bench, n, [*size, "float", args.backend, "measure"]))
    best = {n: min(runs[n], key=lambda r: r["power_over_two_transforms"]) for n in sizes}
    names = ["plan", "transform", "paint", "density", "modes", "power_over_two_transforms", "peak_bytes"]
    table(["ranks", *names], [[n, *(best[n].get(k, 0) for k in names)] for n in sizes])
    if args.ranks > 1:
        times = [min(r["density"] + r["modes"] for r in runs[n]) for n in sizes]
        print(f"{args.ranks} ranks against one: {times[0] / times[1]:.2f} times faster")
    print(f"power_vs_fft ratio={best[1]['power_over_two_transforms']:.2f} target=3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
