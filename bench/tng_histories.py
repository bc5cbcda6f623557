#!/usr/bin/python3
"""TNG100-1 centrals with the mass histories of 2,210 of them: what history adds to log M*.

The public table holds the running peak mass over 100 snapshots, without their times: scale factors are those at which
its own column a_1/2 says that half of the mass was reached, between them linear in log a. It is written as a table of
links; `halograft features` makes columns of it. R^2 and rms on the held-out fifth of the haloes with a history, with
the same haloes for all sets of features; mean and standard deviation over seeds. The half-mass times that come out are
compared with the column a_1/2.

    bench/tng_histories.py [--seeds 5]
"""

import argparse

import h5py
import numpy as np

from common import SOURCE, halograft, need_data, table

SETS = {"mass": "m_dm: log10",
        "mass, history": "m_dm: log10, HISTORY",
        "all": "m_dm: log10, vmax: log10, sigma_v: log10, r_half: log10, speed: norm(velocity)",
        "all, history": "m_dm: log10, vmax: log10, sigma_v: log10, r_half: log10, speed: norm(velocity), HISTORY"}
HISTORY = ("peak: m_bound_peak | log10, half: m_bound_half_scale, "
           + ", ".join(f"past_{z}: m_bound_z{z} / m_bound_peak" for z in ("0p5", "1", "2", "3")))


def write_links(path, data):
    """One row per halo and snapshot; an object's progenitor is the one of the snapshot before."""
    share = data["mpeak"]
    half = (share >= 0.5).argmax(axis=1)
    known = np.unique(half)
    log_a = np.log([data["a_1/2"][half == k][0] for k in known])
    assert all((data["a_1/2"][half == k] == data["a_1/2"][half == k][0]).all() for k in known)
    if known[-1] < 99:
        known, log_a = np.append(known, 99), np.append(log_a, 0.0)
    first = known[0]
    scale = np.exp(np.interp(np.arange(first, 100), known, log_a))
    n, m = len(share), 100 - first
    number = np.arange(n * m).reshape(n, m)
    before = np.where(np.arange(m) > 0, number - 1, -1)
    with h5py.File(path, "w") as file:
        file["id"] = number.ravel()
        file["before"] = before.ravel()
        file["halo"] = np.repeat(data["subfind_id"], m)
        file["scale"] = np.tile(scale, n)
        file["mass"] = (share[:, first:] * data["mpeak_pre"][:, None]).ravel()
    return dict(zip(data["subfind_id"], half)), dict(zip(range(first, 100), scale))


def write_params(folder, features):
    """Parameters of the centrals with other features."""
    text = (SOURCE / "params" / "tng100_centrals.yml").read_text(encoding="utf-8")
    head, rest = text.split("Features:\n")
    params = folder / "params.yml"
    params.write_text(head + "Features: {" + features.replace("HISTORY", HISTORY) + "}\n\n"
                      + rest[rest.index("Targets:"):], encoding="utf-8")
    return params


def prepare(folder):
    """Write the links and the columns of histories; (settings of the rows that have them, half, scale)."""
    data = np.load(need_data("tng100-1_mass_histories") / "trees_tng100.npz")
    need_data("tng100-1_z0_tables")
    folder.mkdir(parents=True, exist_ok=True)
    half, scale = write_links(folder / "links.hdf5", data)
    (folder / "links.yml").write_text('Header: {h: 0.6774}\nColumns: {id: id, progenitor_id: before, halo_id: halo, '
                                      'scale: scale, m_bound: "mass, Msun/h"}\n', encoding="utf-8")
    setting = ["--overwrite", "--set", f"Output.folder={folder}", "--set", f"History.files=[{folder}/links.hdf5]",
               "--set", f"History.mapping={folder}/links.yml", "--set", "History.redshifts=[0.5, 1, 2, 3]",
               "--set", "Selection.train=isfinite(m_bound_peak)", "--set", "Selection.apply=isfinite(m_bound_peak)",
               "--set", "Model.bag=none", "--set", "Scatter.method=none"]
    halograft("features", write_params(folder, SETS["all, history"]), *setting)
    return setting, half, scale


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    folder = SOURCE / "out" / "tng_histories"
    setting, half, scale = prepare(folder)
    rows = []
    for name, features in SETS.items():
        params, found = write_params(folder, features), []
        for seed in range(1, seeds + 1):
            halograft("train", params, *setting, "--seed", seed)
            halograft("apply", params, *setting, "--seed", seed)
            with h5py.File(folder / "galaxies.hdf5") as out:
                p = np.log10(out["SOAP/Predicted/stellar_mass"][()].astype(float))
                y = np.log10(out["SOAP/Catalogue/stellar_mass"][()].astype(float))
                held = np.isfinite(p) & (out["SOAP/Domain/Origin"][()] == 0)
            e = (p - y)[held]
            found.append((1 - (e**2).sum() / ((y[held] - y[held].mean())**2).sum(), np.sqrt((e**2).mean()),
                          held.sum()))
        mean, spread = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
        rows.append((name, int(mean[2]), mean[0], spread[0], mean[1], spread[1]))
    with h5py.File(folder / "history" / "parent.hdf5") as side, h5py.File(folder / "galaxies.hdf5") as out:
        found = dict(zip(out["InputHalos/HaloId"][()], side["SOAP/History/m_bound_half_scale"][()]))
    both = [i for i in found if i in half]
    inside = [scale.get(half[i] - 1, 0) * (1 - 1e-6) <= found[i] <= scale[half[i]] * (1 + 1e-6) for i in both]
    print(f"{len(both)} haloes have a history; half-mass times within the snapshots of a_1/2: {sum(inside)}")
    table(("features", "held out", "R^2", "+-", "rms dex", "+-"), rows)


if __name__ == "__main__":
    main()
