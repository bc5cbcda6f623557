#!/usr/bin/python3
"""CAMELS, IllustrisTNG suite: do the parameters of a run help to predict runs that were not seen?

The 25 boxes of the Latin hypercube are dealt into folds, whole runs together. Each fold is predicted
by a model of the other runs: with the features of haloes alone, and with the six parameters of the run
(Omega_m, sigma_8 and four of feedback) as in params/camels_by_run.yml. Scores are those of held-out
runs; errors are the spread of a bootstrap over runs.

    bench/camels_by_run.py [--folds 5] [--seeds 1] [--bag row]
"""

import argparse

import h5py
import numpy as np

from common import SOURCE, halograft, need_data, table

PARAMETERS = ["Omega_m", "sigma_8", "A_SN1", "A_AGN1", "A_SN2", "A_AGN2"]
TARGETS = ["stellar_mass", "sfr"]
FLOOR = {"stellar_mass": 0, "sfr": 1e-3}


def write_run_table(path, folder):
    """Numbers of runs in the table of groups, with the parameters the suite gives for them."""
    with open(folder / "CosmoAstroSeed_IllustrisTNG_L25n256_LH.txt", encoding="ascii") as file:
        given = {words[0]: words[1:7] for words in map(str.split, file) if not words[0].startswith("#")}
    with h5py.File(folder / "camels_fof_groups_M200gt1e11.h5") as file:
        numbers = [(i, n.decode()) for i, (s, n) in enumerate(zip(file["Runs/set"], file["Runs/number"]))
                   if s == b"LH"]
    lines = [f"{i},{','.join(given['LH_' + n])}" for i, n in numbers]
    path.write_text("\n".join([",".join(["run", *PARAMETERS]), *lines]) + "\n", encoding="ascii")
    return [i for i, _ in numbers]


def predict(folder, held, extra, bag):
    """Rows of the held-out runs: run, true and predicted log10 of the targets."""
    train = " && ".join(["run >= 76 && stellar_mass > 0", *(f"run != {r}" for r in held)])
    params = "params/camels_by_run.yml" if extra else "params/camels_lh.yml"
    settings = ["--overwrite", "--set", f"Output.folder={folder}", "--set", f"Selection.train={train}",
                "--set", "Selection.train_fraction=1", "--set", "Parent.keep=[stellar_mass, sfr]",
                "--set", "Scatter.draws=0", "--set", f"Model.bag={bag}"]
    halograft("train", params, *settings)
    halograft("apply", params, *settings)
    with h5py.File(folder / "galaxies.hdf5") as file:
        run, origin = file["SOAP/Zoom/Run"][()], file["SOAP/Domain/Origin"][()]
        found = {k: file[f"SOAP/{k}"][()].astype(float) for t in TARGETS for k in (f"Catalogue/{t}", f"Predicted/{t}")}
    rows = np.isin(run, held) & ((origin != 255))
    result = [run[rows]]
    with np.errstate(all="ignore"):
        for t in TARGETS:
            result.append(np.log10(np.maximum(found[f"Catalogue/{t}"][rows], FLOOR[t])))
            result.append(np.log10(found[f"Predicted/{t}"][rows]))
    return np.stack(result, axis=1)


def r2(truth, predicted):
    return 1 - ((predicted - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()


def scores(rows, runs, target):
    """R2 and rms of some runs together (a run may come several times)."""
    chosen = np.concatenate([rows[rows[:, 0] == r] for r in runs])
    truth, predicted = chosen[:, 1 + 2 * target], chosen[:, 2 + 2 * target]
    return np.array([r2(truth, predicted), np.sqrt(((predicted - truth) ** 2).mean())])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1, help="ways to deal the runs into folds")
    parser.add_argument("--bag", default="row")
    options = parser.parse_args()
    data = need_data("camels_groups")
    folder = SOURCE / "out" / "camels-by-run"
    folder.mkdir(parents=True, exist_ok=True)
    lh = write_run_table(folder / "runs.csv", data)
    random = np.random.default_rng(1)
    collected = {}
    for seed in range(1, options.seeds + 1):
        order = np.random.default_rng(seed).permutation(lh)
        for extra in (False, True):
            rows = np.concatenate([predict(folder, list(held), extra, options.bag)
                                   for held in np.array_split(order, options.folds)])
            collected.setdefault(extra, []).append(rows)
            print(f"seed {seed}, {'with' if extra else 'without'} parameters of the run: "
                  + ", ".join(f"{name} R2 {scores(rows, lh, t)[0]:.3f}" for t, name in enumerate(TARGETS)), flush=True)
    lines = []
    for t, name in enumerate(TARGETS):
        value = {e: np.mean([scores(r, lh, t) for r in collected[e]], axis=0) for e in collected}
        draws = [random.choice(lh, len(lh)) for _ in range(200)]
        boot = {e: np.array([np.mean([scores(r, d, t) for r in collected[e]], axis=0) for d in draws])
                for e in collected}
        for label, v, b in (("without", value[False], boot[False]), ("with", value[True], boot[True]),
                            ("gain", value[True] - value[False], boot[True] - boot[False])):
            lines.append([name, label, *(f"{v[i]:.3f} +- {b[:, i].std():.3f}" for i in range(2))])
    print(f"{len(lh)} runs, {len(collected[True][0])} haloes, {options.folds} folds of runs, {options.seeds} seeds, bag {options.bag}")
    table(["log10 of", "parameters of the run", "R2", "rms [dex]"], lines)


if __name__ == "__main__":
    main()
