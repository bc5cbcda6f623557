#!/usr/bin/python3
"""Bias of P(k) with and without features of the environment, on mock universes whose galaxies follow it.

Per seed: the universe of --params with the environment term on, and two trainings on its zooms, with all features and
without those of the environment. The bias of a threshold sample is the mean over bins, 3 k_f < k < --k-max, of
P(k) of the mean of draws over that of the truth, minus 1. Its factor is taken of the means over seeds, and of the means
of the absolute values, which hold the noise of one set of zooms.

    bench/environment_bias.py [--seeds 1 2 3] [--folder out/environment_bias] [--set Model.trees=256 ...]

The last line is `environment_bias ratio=R target=5`, R the smallest factor (of the means over seeds) of samples of at least
1e5 objects.
"""

import argparse
from pathlib import Path

import numpy as np

from common import SOURCE, halograft, table
from halograft_tools import statistics
from mock_closure import settings

LARGE = 1e5


def without_environment(path, to):
    """The parameter file without its section Environment and the features made of it."""
    lines, inside = [], False
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        inside = line.startswith("Environment:") or (inside and line.startswith(" "))
        if not inside and not line.strip().startswith("delta_"):
            lines.append(line)
    to.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return to


def biases(path, box, k_max):
    """Per sample: number of objects, bias, bins outside max(3 %, 3 sigma of the redraws), bins."""
    found = {}
    for key, family in statistics.read(path).families().items():
        if key[0] != "power" or not {"truth", "draw", "oracle"} <= set(family):
            continue
        truth, draw, oracle = (family[n] for n in ("truth", "draw", "oracle"))
        use = (truth.x > 6 * np.pi / box) & np.isfinite(truth.y) & (truth.y > 0)
        ratio = draw.y / truth.y
        limit = np.maximum(0.03, 3 * np.sqrt(1 + 1 / 5) * oracle.draw_error / truth.y)
        found[key[2] or key[1]] = (float(truth.attrs["objects"]), float(np.mean(ratio[use & (truth.x < k_max)])) - 1,
                                   int(np.sum(use & (np.abs(ratio - 1) > limit))), int(use.sum()))
    return found


def measure_seed(options, top, more):
    """Biases without and with features of the environment."""
    universe, plain = top / "universe", top / "plain"
    at = settings(universe, universe, "environment")
    own = at.index(f"Parent.files=[\"{universe / 'parent.hdf5'}\"]") - 1  # `run` makes the parent
    del at[own:own + 2]
    halograft("run", options.params, *at, "--set", "Mock.oracle=10", *more)
    params = without_environment(options.params, top / "plain.yml")
    at = settings(universe, plain, "environment") + ["--set", f"Zooms.regions={universe}/regions.csv", *more]
    for command in ("train", "apply", "measure"):
        halograft(command, params, *at)
    return [biases(folder / "statistics.hdf5", options.box, options.k_max) for folder in (plain, universe)]


def report(seeds, found):
    worst, rows = np.inf, []
    for sample, (objects, *_) in found[0][0].items():
        bias = np.array([[kind[sample][1] for kind in one] for one in found])
        for seed, one, pair in zip(seeds, found, bias):
            rows.append([sample, seed, int(one[0][sample][0]), *(f"{b:+.4f}" for b in pair),
                         *(f"{kind[sample][2]} of {kind[sample][3]}" for kind in one), ""])
        factor, absolute = np.abs(bias.mean(axis=0)), np.abs(bias).mean(axis=0)
        rows.append([sample, "mean", "", *(f"{b:+.4f}" for b in bias.mean(axis=0)), "", "",
                     f"{factor[0] / factor[1]:.1f}; of absolute values {absolute[0] / absolute[1]:.1f}"])
        worst = min(worst, factor[0] / factor[1]) if objects >= LARGE else worst
    table(["sample", "seed", "objects", "without", "with", "outside", "outside", "factor"], rows)
    print(f"environment_bias ratio={worst:.2f} target=5")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", default=str(SOURCE / "params" / "environment.yml"))
    parser.add_argument("--folder", default=str(SOURCE / "out" / "environment_bias"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--box", type=float, default=500)
    parser.add_argument("--k-max", type=float, default=0.3)
    parser.add_argument("--set", action="append", default=[], help="further parameters of both trainings")
    options = parser.parse_args()
    more = [word for item in options.set for word in ("--set", item)]
    found = []
    for seed in options.seeds:
        top = Path(options.folder).resolve() / str(seed)
        (top / "plain").mkdir(parents=True, exist_ok=True)
        found.append(measure_seed(options, top, ["--seed", seed, "--set", "Measure.zooms=false", *more]))
    report(options.seeds, found)


if __name__ == "__main__":
    main()
