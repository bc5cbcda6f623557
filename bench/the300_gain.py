#!/usr/bin/python3
"""The Three Hundred: what a forest gains over a line in log mass, in both codes, with errors.

`halograft validate` with regions in ten folds; gain = 1 - MSE/MSE_line over all held-out haloes, paired, and its
error from a jackknife over 60 blocks of regions. R^2 are those of the same haloes.

--transfer: models of one code shown the regions of the other that none of them trained on (five folds of region numbers, the
same in both codes): R^2 about the truth of that code, mean error, and scatter about it.

    bench/the300_gain.py [--transfer]
"""

import argparse
import csv

import h5py
import numpy as np

from common import SOURCE, halograft, need_data, table
from scores import jackknife

CODES = {"gadgetx": "GadgetX", "gizmo-simba": "GIZMO-SIMBA"}
TARGETS = ("stellar_mass_30kpc", "stellar_mass_50kpc", "gas_mass")


def prepare(data, folder, folds):
    """Catalogues and mappings with the fold of each region."""
    deal = np.random.default_rng(1)
    with h5py.File(data) as file:
        regions = np.unique(np.concatenate([file[f"{name}/RegionID"][()] for name in CODES.values()]))
        fold_of = dict(zip(deal.permutation(regions), np.arange(len(regions)) % folds))
        with h5py.File(folder / "haloes.h5", "w") as out:
            for name in CODES.values():
                file.copy(name, out)
                out[f"{name}/Fold"] = np.array([fold_of[r] for r in file[f"{name}/RegionID"][()]], np.int32)
    for code, name in CODES.items():
        text = (SOURCE / "params" / "mappings" / f"the300_{code}.yml").read_text(encoding="utf-8")
        (folder / f"{code}.yml").write_text(text.rstrip() + f"\n  fold: {name}/Fold\n", encoding="utf-8")


def predict(folder, learned, fold):
    """Train on one code without a fold, predict the fold of both: {code: (region, mvir, truth, prediction)}."""
    base = ["params/the300_validate.yml", "--overwrite", "--set", "Targets.stellar_mass_50kpc=log10", "--set",
            f"Zooms.files=[{folder}/haloes.h5]", "--set", f"Zooms.mapping={folder}/{learned}.yml", "--set",
            f"Selection.train=fold != {fold}", "--set", f"Selection.apply=fold == {fold}", "--set",
            f"Output.folder={folder}", "--set", "Scatter.draws=0", "--set", "Output.domain=false", "--set",
            f"Parent.files=[{folder}/haloes.h5]", "--set", "Parent.format=columns", "--set",
            f"Parent.keep=[{', '.join(TARGETS)}, mvir, region]"]
    halograft("train", *base)
    found = {}
    for code in CODES:
        halograft("apply", *base, "--set", f"Parent.mapping={folder}/{code}.yml")
        with h5py.File(folder / "galaxies.hdf5") as file:
            done = np.isfinite(file[f"SOAP/Predicted/{TARGETS[0]}"][()])
            columns = [file["SOAP/Zoom/Region"][()], np.log10(file["SO/BN98/TotalMass"][()].astype(float))]
            with np.errstate(divide="ignore"):
                columns += [np.log10(file[f"SOAP/{kind}/{t}"][()].astype(float))
                            for kind in ("Catalogue", "Predicted") for t in TARGETS]
        found[code] = np.stack(columns, axis=1)[done]
    return found


def transfer(folds=5):
    """Table of both codes, learned and shown."""
    data = need_data("the300_zoom") / "the300_haloes_z0.h5"
    folder = SOURCE / "out" / "the300_transfer"
    folder.mkdir(parents=True, exist_ok=True)
    prepare(data, folder, folds)
    lines = []
    for learned in CODES:
        parts = [predict(folder, learned, fold) for fold in range(folds)]
        for shown in CODES:
            rows = np.concatenate([part[shown] for part in parts])
            block = rows[:, 0].astype(int) % 60
            for t, target in enumerate(TARGETS):
                y, p = rows[:, 2 + t], rows[:, 5 + t]
                y = np.maximum(y, 11) if target == "gas_mass" else y
                good = np.isfinite(y) & np.isfinite(p)
                e, y, of = (p - y)[good], y[good], block[good]
                r2, r2_error = jackknife(of, lambda use: 1 - (e[use]**2).mean() / y[use].var())
                bias, bias_error = jackknife(of, lambda use: e[use].mean())
                lines.append([learned, shown, target, int(good.sum()), f"{r2:.3f} +- {r2_error:.3f}",
                              f"{bias:+.3f} +- {bias_error:.3f}", f"{e.std():.3f}"])
    table(["learned", "shown", "target", "haloes", "R2", "mean error [dex]", "scatter [dex]"], lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transfer", action="store_true", help="models of one code shown the other")
    if parser.parse_args().transfer:
        transfer()
        return
    need_data("the300_zoom")
    lines = []
    for code in CODES:
        folder = SOURCE / "out" / f"the300_gain_{code}"
        halograft("validate", "params/the300_validate.yml", "--overwrite", "--set", f"Output.folder={folder}", "--set",
                  f"Zooms.mapping=params/mappings/the300_{code}.yml", "--set",
                  "Targets.stellar_mass_50kpc=log10", "--set", "Validate.draws=0")
        with open(folder / "validation_rows.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        block = np.array([int(row["block"]) for row in rows])

        def gain_of(values):
            return lambda use: 1 - np.divide(*values[use].sum(axis=0))

        for target in TARGETS:
            truth, forest, line = (np.array([float(row[name]) for row in rows])
                                   for name in (target, f"{target}_mean", f"{target} line mass"))
            gain, error = jackknife(block, gain_of(np.stack([(forest - truth)**2, (line - truth)**2], axis=1)))
            r2 = [1 - ((p - truth)**2).mean() / truth.var() for p in (forest, line)]
            lines.append([code, target, len(rows), *map(float, r2), float(gain), float(error)])
    table(["code", "target", "haloes", "R2 forest", "R2 line", "gain over the line", "error"], lines)


if __name__ == "__main__":
    main()
