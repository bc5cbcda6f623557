#!/usr/bin/python3
"""TNG100-1 group files read directly: learn on 70 % of the groups, score the others.

Whole groups are held out together. Scores of log M* are listed for centrals and satellites apart,
over several seeds of the split (64 groups only, so the spread is the message), beside scikit-learn's
extremely randomised trees on the same rows and with draws beside the mean.

    bench/tng_groups.py [--seeds 5]
"""

import argparse

import h5py
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from common import SOURCE, halograft, need_data, table

KEEP = "[stellar_mass, m200c, m_dm, group, vmax, sigma_v, r_half]"


def scores(truth, predicted):
    error = predicted - truth
    return (1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum(), np.sqrt((error**2).mean()),
            error.mean(), (np.abs(error) < 0.2).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    need_data("tng100-1_z0_groupcat")
    folder = SOURCE / "out" / "tng100-groups"
    collected = {}
    for seed in range(1, options.seeds + 1):
        settings = ["--overwrite", "--seed", seed, "--set", f"Parent.keep={KEEP}", "--set", f"Output.folder={folder}"]
        halograft("train", "params/tng100_groups.yml", *settings)
        halograft("apply", "params/tng100_groups.yml", *settings)
        with h5py.File(folder / "galaxies.hdf5") as file:
            origin = file["SOAP/Domain/Origin"][()]
            central = file["InputHalos/IsCentral"][()] == 1
            group = file["InputHalos/HostGroup"][()]
            with np.errstate(all="ignore"):
                truth = np.log10(file["SOAP/Catalogue/stellar_mass"][()].astype(float))
                mean = np.log10(file["SOAP/Predicted/stellar_mass"][()].astype(float))
                draw = np.log10(file["SOAP/Drawn/stellar_mass"][()].astype(float))
                body = file["BoundSubhalo"]
                x = np.stack([np.log10(np.maximum(body["DarkMatterMass"][()].astype(float), 1e7)),
                              np.log10(body["MaximumCircularVelocity"][()].astype(float)),
                              np.log10(body["VelocityDispersion"][()].astype(float)),
                              np.log10(body["HalfMassRadiusTotal"][()].astype(float)),
                              np.log10(file["SO/200_crit/TotalMass"][()].astype(float)),
                              central.astype(float)], axis=1).astype(np.float32)
        chosen = origin != 255
        train, test = chosen & (origin > 0), chosen & (origin == 0)
        shared = set(group[train]) & set(group[test])
        assert not shared, f"groups {shared} are in training and test"
        model = ExtraTreesRegressor(200, min_samples_leaf=3, random_state=seed, n_jobs=2).fit(x[train], truth[train])
        theirs = np.full(len(truth), np.nan)
        theirs[test] = model.predict(x[test])
        for kind, rows in (("centrals", test & central), ("satellites", test & ~central)):
            for name, values in (("mean", mean), ("draw", draw), ("scikit-learn", theirs)):
                collected.setdefault((kind, name), []).append((*scores(truth[rows], values[rows]), rows.sum()))
    rows = []
    for (kind, name), values in collected.items():
        value = np.array(values)
        rows.append([kind, name, int(value[:, 4].mean())] + [f"{value[:, i].mean():.3f} +- {value[:, i].std():.3f}"
                                                             for i in range(4)])
    table(["rows", "of", "number", "R2", "rms", "bias", "within 0.2"], rows)


if __name__ == "__main__":
    main()
