#!/usr/bin/python3
"""The Three Hundred: what a forest gains over a line in log mass, in both codes, with errors.

`halograft validate` with regions in ten folds; gain = 1 - MSE/MSE_line over all held-out haloes, paired, and its
error from a jackknife over 60 blocks of regions. R^2 are those of the same haloes.

    bench/the300_gain.py
"""

import argparse
import csv

import numpy as np

from common import SOURCE, halograft, need_data, table

TARGETS = ("stellar_mass_30kpc", "stellar_mass_50kpc", "gas_mass")


def jackknife(block, values):
    """A function of sums over rows, over all of them and its error from leaving out each block."""
    def gain(use):
        forest, line = values[use].sum(axis=0)
        return 1 - forest / line
    names = np.unique(block)
    left = np.array([gain(block != b) for b in names])
    return gain(block == block), np.sqrt((len(names) - 1) / len(names) * ((left - left.mean())**2).sum())


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    need_data("the300_zoom")
    lines = []
    for code in ("gadgetx", "gizmo-simba"):
        folder = SOURCE / "out" / f"the300_gain_{code}"
        halograft("validate", "params/the300_validate.yml", "--overwrite", "--set", f"Output.folder={folder}", "--set",
                  f"Zooms.mapping=params/mappings/the300_{code}.yml", "--set",
                  "Targets.stellar_mass_50kpc=log10", "--set", "Validate.draws=0")
        with open(folder / "validation_rows.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        block = np.array([int(row["block"]) for row in rows])
        for target in TARGETS:
            truth, forest, line = (np.array([float(row[name]) for row in rows])
                                   for name in (target, f"{target}_mean", f"{target} line mass"))
            gain, error = jackknife(block, np.stack([(forest - truth)**2, (line - truth)**2], axis=1))
            r2 = [1 - ((p - truth)**2).mean() / truth.var() for p in (forest, line)]
            lines.append([code, target, len(rows), *map(float, r2), float(gain), float(error)])
    table(["code", "target", "haloes", "R2 forest", "R2 line", "gain over the line", "error"], lines)


if __name__ == "__main__":
    main()
