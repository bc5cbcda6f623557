#!/usr/bin/python3
"""halograft validate beside scikit-learn on the same folds, on real data.

TNG100-1 (centrals, folds of rows: one box has no regions) and The Three Hundred (GadgetX, 243 regions in ten
folds). scikit-learn's extremely randomised trees (no bag) are trained on the folds that validate wrote down;
R^2 and rms of all held-out rows together.

    bench/validate_vs_sklearn.py [--data tng|the300]
"""

import argparse
import csv

import h5py
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from common import SOURCE, halograft, need_data, table
from tng_vs_sklearn import load, scores


def tng():
    _, x, y = load(need_data("tng100-1_z0_tables") / "centrals_Mstar_gt_0.1.h5")
    return "tng100_validate.yml", x, {"stellar_mass": np.log10(y["stellar_mass"])}, 3


def the300():
    h = 0.678
    with h5py.File(need_data("the300_zoom") / "the300_haloes_z0.h5") as data:
        code = {name: data[f"GadgetX/{name}"][()].astype(float) for name in ("Mvir", "M500", "cNFW", "Mstar30", "Mgas200")}
    x = np.stack([np.log10(code["Mvir"] / h), np.log10(code["M500"] * 1e10 / h), code["cNFW"]], axis=1)
    return "the300_validate.yml", x.astype(np.float32), {
        "stellar_mass_30kpc": np.log10(code["Mstar30"] / h),
        "gas_mass": np.log10(np.maximum(code["Mgas200"] / h, 1e11))}, 5


def folds_of(rows, x, truth):
    """Fold of each row of the catalogue: rows of the table are found by mass (the first feature) and truth."""
    mine = np.stack([rows["mass"], rows["truth"]], axis=1)
    a, b = np.lexsort(np.round(np.stack([x[:, 0], truth], axis=1), 4).T), np.lexsort(np.round(mine, 4).T)
    assert np.allclose(truth[a], rows["truth"][b], atol=2e-4)
    fold = np.empty(len(truth), int)
    fold[a] = rows["fold"][b]
    return fold


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("tng", "the300"), action="append")
    lines = []
    for name in parser.parse_args().data or ("tng", "the300"):
        params, x, targets, min_leaf = {"tng": tng, "the300": the300}[name]()
        folder = SOURCE / "out" / f"validate_{name}"
        halograft("validate", f"params/{params}", "--overwrite", "--set", f"Output.folder={folder}", "--set",
                  "Model.bag=none", "--set", "Validate.draws=0")
        with open(folder / "validation_rows.csv", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        for target, truth in targets.items():
            rows = {k: np.array([float(r[c]) for r in found])
                    for k, c in (("mass", "mass"), ("truth", target), ("fold", "fold"), ("mean", f"{target}_mean"))}
            fold, guess = folds_of(rows, x, truth), np.empty(len(truth))
            for k in np.unique(fold):
                model = ExtraTreesRegressor(200, min_samples_leaf=min_leaf, random_state=1, n_jobs=2)
                guess[fold == k] = model.fit(x[fold != k], truth[fold != k]).predict(x[fold == k])
            ours, theirs = scores(rows["truth"], rows["mean"]), scores(truth, guess)
            lines.append([name, target, len(truth), *(f"{v:.4f}" for v in (*ours, *theirs))])
    table(["data", "target", "rows", "R2 ours", "rms ours", "R2 sklearn", "rms sklearn"], lines)


if __name__ == "__main__":
    main()
