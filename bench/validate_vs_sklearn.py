#!/usr/bin/python3
"""halograft validate beside scikit-learn on the same rows, features and folds, on real data.

`validate` writes down truth, features, fold and prediction of every row (Validate.row_features). scikit-learn's extremely
randomised trees (as many trees, the same leaves, all features at every node, no bag) are trained on the rows of the
other folds that are not in the buffer of this one. All rows are used. Per data set and target: R^2 and rms [dex] of all
held-out rows together, and the differences, ours minus theirs, of the same rows. `gain` is 1 - MSE/MSE of the line in log
mass of the same folds, `adds` is 1 - MSE/MSE of the set of features in the lines before. Errors are those of a
jackknife over the folds.

  tng        TNG100-1 centrals, folds of rows: one box without positions
  history    those of them that have a mass history, without and with it, ten folds of rows
  the300     The Three Hundred, both codes, ten folds of regions
  illustris  Illustris-1, ten slabs with a buffer of 8 Mpc: the halo, its environment, its history; also M* > 10^10.7 Msun alone
  camels     CAMELS, 25 runs of the Latin hypercube in five folds of runs, without and with the parameters of the run

    bench/validate_vs_sklearn.py [--data NAME ...] [--trees 200]
"""

import argparse
import csv

import h5py
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

import camels_by_run
import illustris1_spheres
import tng_histories
from common import SOURCE, halograft, need_data, table
from scores import jackknife

TREES = 200


def validate(folder, params, min_leaf, *settings):
    """What `validate` says of every row: {column: array}, with the leaf for scikit-learn."""
    halograft("validate", params, "--overwrite", "--set", f"Output.folder={folder}", "--set", "Model.bag=none", "--set",
              f"Model.trees={TREES}", "--set", f"Model.min_leaf={min_leaf}", "--set", "Validate.draws=0", "--set",
              "Validate.row_features=true", *(word for text in settings for word in ("--set", text)), ranks=1)
    with open(folder / "validation_rows.csv", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    text = ("key", "in_buffer_of")
    rows = {name: np.array([r[name] if name in text else float(r[name] or "nan") for r in found]) for name in found[0]}
    rows["min_leaf"] = min_leaf
    return rows


def beside(rows, targets):
    """Predictions of scikit-learn for the same folds, shape (rows, targets): one forest for all targets, like ours."""
    x = np.stack([rows[name] for name in rows if name.startswith("feature ")], axis=1).astype(np.float32)
    truth, fold = np.stack([rows[t] for t in targets], axis=1), rows["fold"].astype(int)
    near, scale, guess = np.char.split(rows["in_buffer_of"]), truth.std(axis=0), np.empty(truth.shape)
    for k in np.unique(fold):
        train, test = (fold != k) & ~np.array([str(k) in some for some in near]), fold == k
        model = ExtraTreesRegressor(TREES, min_samples_leaf=rows["min_leaf"], random_state=k + 1, n_jobs=1)
        y = truth[train] / scale
        model.fit(x[train], y if len(targets) > 1 else y[:, 0])
        guess[test] = model.predict(x[test]).reshape(-1, len(targets)) * scale
    return guess


def line(name, rows, target, theirs, before, limit=None):
    """One line of the table, with scikit-learn's predictions and the rows with the features before, if any."""
    truth, fold = rows[target], rows["fold"]
    assert np.isfinite(truth).all()
    assert before is None or (rows["key"] == before["key"]).all() and (fold == before["fold"]).all()
    straight = rows[next(c for c in rows if c.startswith(f"{target} line "))]
    use = truth > (-np.inf if limit is None else limit)
    truth, fold = truth[use], fold[use]
    mse = [(guess[use] - truth)**2 for guess in (rows[f"{target}_mean"], theirs, straight,
                                                 (before or rows)[f"{target}_mean"])]
    r2 = [lambda some, e=e: 1 - e[some].mean() / truth[some].var() for e in mse]
    rms = [lambda some, e=e: np.sqrt(e[some].mean()) for e in mse]

    def both(value):
        return "{:+.4f} +- {:.4f}".format(*jackknife(fold, value))

    every = fold == fold
    return [name, target if limit is None else f"{target} > {limit}", len(truth), f"{r2[0](every):.4f}", f"{r2[1](every):.4f}",
            both(lambda some: r2[0](some) - r2[1](some)), f"{rms[0](every):.4f}", f"{rms[1](every):.4f}",
            both(lambda some: rms[0](some) - rms[1](some)), both(lambda some: 1 - mse[0][some].mean() / mse[2][some].mean()),
            both(lambda some: 1 - mse[0][some].mean() / mse[3][some].mean()) if before else ""]


def tng(folder):
    need_data("tng100-1_z0_tables")
    yield "TNG100-1", validate(folder, "params/tng100_validate.yml", 3), ("stellar_mass",), None


def history(folder):
    settings = tng_histories.prepare(folder)[0]
    sets = tng_histories.SETS
    settings = [word for word in settings if word not in ("--overwrite", "--set")]
    for name in ("all", "all, history"):
        rows = validate(folder, tng_histories.write_params(folder, sets[name]), 3, *settings, "Selection.train_fraction=1",
                        "Validate.by=rows", "Validate.folds=10", "Validate.mass=m_dm | log10", "Validate.proxies=[m_dm]")
        yield f"TNG100-1 histories: {name}", rows, ("stellar_mass",), None


def the300(folder):
    need_data("the300_zoom")
    for code in ("gadgetx", "gizmo-simba"):
        rows = validate(folder, "params/the300_validate.yml", 5, f"Zooms.mapping=params/mappings/the300_{code}.yml",
                        "Targets.stellar_mass_50kpc=log10")
        yield f"The Three Hundred: {code}", rows, ("stellar_mass_30kpc", "stellar_mass_50kpc", "gas_mass"), None


def illustris(folder):
    file = need_data("illustris1_galaxies") / "illustris1_galaxies.h5"
    with h5py.File(file) as data:
        illustris1_spheres.write_tracers(SOURCE / "out" / "illustris1_tracers.h5", data["snap_135"], data.attrs)
        illustris1_spheres.write_tracks(SOURCE / "out" / "illustris1_tracks.csv", data)
    text = (SOURCE / "params" / "illustris1_history.yml").read_text(encoding="utf-8")
    text = text.replace("  regions: out/illustris1/regions.csv\n", f'  files: ["{file}"]\n')
    head, rest = text.split("Features:\n")
    features, rest = rest.split("\nTargets:\n")
    params = folder / "params.yml"
    params.write_text(text, encoding="utf-8")
    halograft("features", params, "--overwrite", "--set", f"Output.folder={folder}", ranks=1)
    recipes = features.strip("\n").split("\n")
    for name, some in (("halo", recipes[1:3]), ("environment", recipes[1:]), ("environment, history", recipes)):
        params.write_text("\n".join([head + "Features:", *some, "", "Targets:", rest]), encoding="utf-8")
        rows = validate(folder, params, 5, "Validate.by=slabs", "Validate.folds=10", "Validate.mass=m_dm | log10",
                        "Validate.proxies=[m_dm]")
        yield f"Illustris-1: {name}", rows, ("stellar_mass", "gas_mass"), 10.7


def camels(folder):
    camels_by_run.write_run_table(folder / "runs.csv", need_data("camels_groups"))
    for name, params in (("halo", "camels_lh"), ("halo, run", "camels_by_run")):
        rows = validate(folder, f"params/{params}.yml", 3, f"Zooms.run_table={folder}/runs.csv", "Selection.train_fraction=1",
                        "Validate.by=simulation")
        yield f"CAMELS: {name}", rows, ("stellar_mass", "sfr"), None


def main():
    global TREES
    data = {f.__name__: f for f in (tng, history, the300, illustris, camels)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=data, nargs="+", default=list(data))
    parser.add_argument("--trees", type=int, default=TREES)
    options = parser.parse_args()
    TREES = options.trees
    for name in options.data:
        folder = SOURCE / "out" / f"validate_{name}"
        folder.mkdir(parents=True, exist_ok=True)
        lines, before = [], None
        for label, rows, targets, limit in data[name](folder):
            if before is not None and len(before["key"]) != len(rows["key"]):  # another code
                before = None
            theirs = beside(rows, targets)
            lines += [line(label, rows, target, theirs[:, t], before) for t, target in enumerate(targets)]
            if limit is not None:
                lines.append(line(label, rows, targets[0], theirs[:, 0], before, limit))
            before = rows
        table(["data", "target", "rows", "R2", "R2 sklearn", "difference", "rms", "rms sklearn", "difference", "gain", "adds"],
              lines)
        print(flush=True)


if __name__ == "__main__":
    main()
