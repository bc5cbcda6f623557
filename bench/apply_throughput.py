#!/usr/bin/python3
"""The whole of `halograft apply` against prediction alone on the same rows and model.

A mock parent and a model of 100 trees are made once. Then, in turns and with one rank and one thread: A, the
program from its start to its end (reading, features, prediction, one draw, writing); B, prediction and draw
alone on features that stand in memory (bench_predict). The columns that say how a halo stands to the training
haloes (Output.domain) are left out on both sides. The ratio is the median of A/B over turns: where the speed
of a machine drifts, both of a turn see the same.

    apply_throughput.py [--quick] [--bench PATH/bench_predict] [--box MPC] [--turns N]

The last line is `apply_throughput ratio=R target=1.25`; smaller is better.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

from halograft_tools import recipes, stages

PARAMETERS = """
Meta: {{name: throughput, seed: 1}}
Mock: {{box: {box} Mpc, mesh: {mesh}, mass_min: 1e11 Msun, zooms: 30, zoom_radius: 20 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}}
Features: {{m200c: log10, m_bound: log10, vmax: log10, r_half: log10, a_half: none, central: none}}
Targets: {{stellar_mass: log10, sfr: log10 | floor 1e-4 Msun/yr, gas_mass: log10 | floor 1e6 Msun,
          bh_mass: log10 | floor 1e3 Msun}}
Model: {{trees: 100}}
Scatter: {{draws: 1}}
Output: {{folder: "{folder}", report: false, domain: false}}
"""


def timed(line):
    """Standard output, wall and processor time of a program."""
    env = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(line, env=env, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run.stdout, time.perf_counter() - start, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="9e5 haloes instead of 1e7")
    parser.add_argument("--bench", default=str(common.SOURCE / "build" / "release" / "bench" / "bench_predict"))
    parser.add_argument("--box", type=float, help="side of the mock's box in Mpc")
    parser.add_argument("--turns", type=int, default=3, help="how often each is run")
    args = parser.parse_args()
    if not os.path.exists(args.bench):
        sys.exit(f"'{args.bench}' does not exist: build the target bench_predict")
    box = args.box or (360 if args.quick else 815)
    with tempfile.TemporaryDirectory() as folder:
        parameters = Path(folder) / "p.yml"
        parameters.write_text(PARAMETERS.format(box=box, mesh=128 if box < 400 else 256, folder=folder), encoding="utf-8")
        for command in ("mock", "train"):
            common.halograft(command, parameters)
        columns = recipes.read_columns(Path(folder) / "parent.hdf5")
        model, rows = Path(folder) / "model.hdf5", Path(folder) / "rows.raw"
        x = recipes.features_of(stages.load(model), columns)
        x.tofile(rows)
        n, a, b = len(x), [], []
        for _ in range(args.turns):
            _, wall, cpu = timed([common.program(), "apply", parameters, "--overwrite", "--threads", "1"])
            a.append((wall, cpu))
            ours = json.loads(timed([args.bench, model, rows, str(n), "1", "1"])[0])
            b.append((ours["wall_s"], ours["cpu_s"]))
    for what, k in (("wall", 0), ("processor", 1)):
        whole, alone = statistics.median(v[k] for v in a), statistics.median(v[k] for v in b)
        ratio = statistics.median(v[k] / w[k] for v, w in zip(a, b))
        print(f"{n} haloes, {what} time: apply {whole:.2f} s ({n / whole:.3g} haloes per second and core), "
              f"prediction alone {alone:.2f} s, ratio {ratio:.3f}")
    print(f"apply_throughput ratio={statistics.median(v[0] / w[0] for v, w in zip(a, b)):.3f} target=1.25")


if __name__ == "__main__":
    main()
