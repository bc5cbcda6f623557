#!/usr/bin/python3
"""Scatter on real tables: TNG100-1 centrals, and The Three Hundred by region in both codes.

Rows that were held out (whole regions of The Three Hundred, the same in both codes): KS statistic of
the randomised PIT and its limit at 5 %, coverage, Pearson correlation and R^2 of the mean and of one draw.

    bench/scatter_real.py [--seeds 3] [--quick]
"""

import argparse

import h5py
import numpy as np

import scores
from common import SOURCE, halograft, need_data, table

DRAWS = 40
SETS = {
    "TNG100-1": ("tng100_centrals.yml", {"stellar_mass": "log10", "gas_mass": "log10 | floor 1e8 Msun",
                                         "sfr": "log10 | floor 1e-3 Msun/yr"}),
    "300 GadgetX": ("the300_gadgetx.yml", {"stellar_mass_30kpc": "log10", "stellar_mass_50kpc": "log10",
                                           "gas_mass": "log10 | floor 1e11 Msun"}),
    "300 GIZMO-SIMBA": ("the300_gadgetx.yml", {"stellar_mass_30kpc": "log10", "stellar_mass_50kpc": "log10",
                                               "gas_mass": "log10 | floor 1e11 Msun"}),
}
FLOORS = {"gas_mass": {"TNG100-1": 1e8, "300 GadgetX": 1e11, "300 GIZMO-SIMBA": 1e11}, "sfr": {"TNG100-1": 1e-3}}


def write_params(name, folder):
    file, targets = SETS[name]
    text = (SOURCE / "params" / file).read_text(encoding="utf-8")
    lines, inside = [], False
    for line in text.splitlines():
        inside = (inside or line.startswith("Targets:")) and not (line and line[0].isalpha()
                                                                   and not line.startswith("Targets:"))
        if line.startswith("Targets:"):
            lines += [line, *(f"  {t}: {recipe}" for t, recipe in targets.items()), ""]
        elif not inside:
            lines.append(line)
    text = "\n".join(lines)
    if "GIZMO" in name:
        text = text.replace("mappings/the300_gadgetx.yml", "mappings/the300_gizmo-simba.yml")
    (folder / "params.yml").write_text(text, encoding="utf-8")
    return folder / "params.yml", list(targets)


def run(name, seed):
    """Truth (n, targets), mean and draws of the held-out rows, in dex."""
    folder = SOURCE / "out" / ("scatter_" + name.replace(" ", "_"))
    folder.mkdir(parents=True, exist_ok=True)
    params, targets = write_params(name, folder)
    settings = [params, "--overwrite", "--seed", seed, "--set", f"Output.folder={folder}", "--set",
                f"Scatter.draws={DRAWS}", "--set", "Parent.keep=[" + ", ".join(targets) + "]"]
    where = " && ".join(f"{t} > 0" for t in targets if t not in FLOORS)
    settings += ["--set", f"Selection.train={where}", "--set", f"Selection.apply={where}"]
    halograft("train", *settings)
    halograft("apply", *settings)
    with h5py.File(folder / "galaxies.hdf5") as file:
        new = file["SOAP/Domain/Origin"][()] == 0
        column = lambda group, t: file[f"SOAP/{group}/{t}"][()].astype(float)[new]
        with np.errstate(all="ignore"):
            truth = np.stack([np.log10(np.maximum(column("Catalogue", t), FLOORS.get(t, {}).get(name, 0)))
                              for t in targets], axis=1)
            mean = np.log10(np.stack([column("Predicted", t) for t in targets], axis=1))
            draw = np.log10(np.stack([np.stack([column("Drawn" if d == 0 else f"Drawn{d + 1}", t) for t in targets],
                                               axis=1) for d in range(DRAWS)]))
    return targets, truth, mean, draw


def quality(truth, predicted):
    error = predicted - truth
    return np.corrcoef(truth, predicted)[0, 1], 1 - (error**2).mean() / truth.var()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed")
    options = parser.parse_args()
    need_data("tng100-1_z0_tables")
    need_data("the300_zoom")
    rows, worst = [], 0.0
    for name in SETS:
        found = {}
        for seed in range(1, (1 if options.quick else options.seeds) + 1):
            targets, truth, mean, draw = run(name, seed)
            for t, target in enumerate(targets):
                value = scores.pit(truth[:, t], draw[:, :, t], seed)
                found.setdefault(target, []).append([len(truth), scores.ks_uniform(value), 1.36 / np.sqrt(len(truth)),
                                                     *scores.coverage(value), *quality(truth[:, t], mean[:, t]),
                                                     *quality(truth[:, t], draw[0, :, t])])
        for target, values in found.items():
            m = np.mean(values, axis=0)
            worst = max(worst, m[1] / m[2])
            rows.append([name, target, int(m[0]), *(f"{v:.3f}" for v in m[1:])])
    table(["set", "target", "rows", "PIT KS", "its 5 % limit", "68 %", "95 %", "Pearson mean", "R2 mean", "Pearson draw",
           "R2 draw"], rows)
    print(f"scatter_real ratio={worst:.2f} target=2 (largest KS statistic over its 5 % limit for independent rows)")


if __name__ == "__main__":
    main()
