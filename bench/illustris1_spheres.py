#!/usr/bin/python3
"""Illustris-1: spheres of 15 Mpc as zooms, the whole periodic box as the parent.

For each of several choices of ten spheres over the range of overdensity: train on the galaxies in
the spheres, apply to the whole box, and compare mass function, P(k) and xi(r) of M* > 10^10.7 Msun
with the truth: the draws with scatter beside the mean. Prints mean and spread over the choices.

With --params params/illustris1_environment.yml the features also tell the environment, traced by
centrals of more than 10^12.25 Msun of dark matter; with params/illustris1_history.yml also the largest
dark-matter mass of a galaxy over four snapshots.

    bench/illustris1_spheres.py [--choices 6] [--spheres 10] [--radius 15]
"""

import argparse

import h5py
import numpy as np

from common import SOURCE, halograft, need_data, table
from halograft_tools import statistics

BOX = 106.53409090909091
GAP = 1.0
LIMIT = 10**10.7  # Msun; the table itself ends at 1.51e10, so lower bins are not complete


def periodic_distance(a, b):
    d = np.abs(a - b)
    return np.sqrt((np.minimum(d, BOX - d) ** 2).sum(axis=-1))


def choose(position, radius, n_sphere, seed):
    """Centres at equal steps of overdensity between the extremes, spheres apart from each other."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0, BOX, (4000, 3))
    count = np.array([(periodic_distance(position, c) < radius).sum() for c in centres])
    mean = len(position) * 4 / 3 * np.pi * radius**3 / BOX**3
    delta = count / mean - 1
    levels = np.linspace(np.quantile(delta, 0.02), np.quantile(delta, 0.98), n_sphere)
    edges = np.concatenate([[-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]])
    chosen = []
    for i in random.permutation(n_sphere):
        order = np.argsort(np.abs(delta - levels[i]) + 0.02 * random.uniform(size=len(delta)))
        for c in order:
            if all(periodic_distance(centres[c], centres[o]) > 2 * radius + GAP for o, _ in chosen):
                share = np.mean((delta >= edges[i]) & (delta < edges[i + 1]))
                chosen.append((c, share))
                break
    total = sum(share for _, share in chosen)
    return [(centres[c], delta[c], share / total) for c, share in chosen]


def write_regions(path, regions, radius, file):
    lines = ["region,run,hydro,dmo,x,y,z,radius,weight,delta,redshift"]
    for i, (centre, delta, weight) in enumerate(regions):
        x, y, z = centre
        lines.append(f"{i},Illustris-1,{file},,{x:.6f},{y:.6f},{z:.6f},{radius},{weight:.6g},{delta:.5f},0")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_tracers(path, snap, attributes):
    """The most massive object of each group, where complete, as a file like that of the galaxies."""
    mass, group = snap["DarkMatterMass"][()], snap["HaloNumber"][()]
    order = np.argsort(-mass, kind="stable")
    central = np.zeros(len(mass), bool)
    central[order[np.unique(group[order], return_index=True)[1]]] = True
    chosen = central & (mass * 1e10 > 10**12.25)
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in snap.items():
            file[f"snap_135/{name}"] = values[()][chosen]


def write_tracks(path, data):
    """Masses at four snapshots of what becomes the same galaxy at z = 0, the most massive where there are two.

    Only the order of the scale factors means something: the table does not tell redshifts."""
    rows = {}
    for snap in (111, 119, 127, 135):
        group = data[f"snap_{snap}"]
        name = "SubhaloNumber" if snap == 135 else "SubhaloNumber_z0desc"
        for z0, mass in zip(group[name][()].tolist(), group["DarkMatterMass"][()].tolist()):
            if z0 >= 0:
                rows[z0, snap] = max(rows.get((z0, snap), 0), mass)
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,scale,m_dm\n")
        for (z0, snap), mass in rows.items():
            file.write(f"{z0},{1 - (135 - snap) / 100},{mass * 1e10:.9g}\n")


def ratios(folder):
    """Curves of draws and mean over those of the truth, by statistic."""
    found = statistics.read(folder / "statistics.hdf5")
    result = {}
    for key, family in found.families().items():
        if "truth" not in family or key[0] not in ("mass_function", "power", "xi"):
            continue
        truth = family["truth"]
        for name in ("draw", "draws", "mean"):
            if name in family and len(family[name].y) == len(truth.y):
                with np.errstate(all="ignore"):
                    result[(key[0], key[1], key[2], name)] = (truth.x, family[name].y / truth.y,
                                                                truth.count if truth.count is not None else truth.y)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choices", type=int, default=6)
    parser.add_argument("--spheres", type=int, default=10)
    parser.add_argument("--radius", type=float, default=15)
    parser.add_argument("--keep", action="store_true", help="use results that are there")
    parser.add_argument("--params", default=str(SOURCE / "params" / "illustris1_spheres.yml"))
    options = parser.parse_args()
    file = need_data("illustris1_galaxies") / "illustris1_galaxies.h5"
    with h5py.File(file) as data:
        snap = data["snap_135"]
        (SOURCE / "out").mkdir(exist_ok=True)
        write_tracers(SOURCE / "out" / "illustris1_tracers.h5", snap, data.attrs)
        write_tracks(SOURCE / "out" / "illustris1_tracks.csv", data)
        position = np.stack([snap[f"Pos{c}"][()] for c in "XYZ"], axis=1) / 1000 % BOX
    collected = {}
    for choice in range(options.choices):
        folder = SOURCE / "out" / f"illustris1_{choice}"
        folder.mkdir(parents=True, exist_ok=True)
        regions = choose(position, options.radius, options.spheres, choice + 1)
        write_regions(folder / "regions.csv", regions, options.radius, file)
        inside = sum((periodic_distance(position, c) < options.radius).sum() for c, _, _ in regions)
        if not (options.keep and (folder / "statistics.hdf5").exists()):
            halograft("run", options.params, "--overwrite", "--set", f"Output.folder={folder}",
                      "--set", f"Zooms.regions={folder}/regions.csv", "--set", "Output.report=false",
                      "--set", f"Measure.catalogues=[\"truth={file}\", \"draw={folder}/galaxies.hdf5@draws\", "
                      f"\"mean={folder}/galaxies.hdf5@mean\"]", log=folder / "log.txt")
        print(f"choice {choice}: {len(regions)} spheres, delta {min(d for _, d, _ in regions):+.2f} to "
              f"{max(d for _, d, _ in regions):+.2f}, {inside} of {len(position)} galaxies")
        for key, value in ratios(folder).items():
            collected.setdefault(key, []).append(value)
    for statistic in sorted({(k[0], k[1], k[2]) for k in collected}):
        names = [n for n in ("draw", "draws", "mean") if (*statistic, n) in collected]
        if not names:
            continue
        print(f"\n{statistic[0]} {statistic[1]} {statistic[2]}: ratio to the truth, mean +- spread over choices")
        truth_count = {float(f"{v:.6g}"): c for one in collected[(*statistic, names[0])] for v, c in zip(one[0], one[2])}
        # bins are the same grid in every run, but its ends follow the data
        grid = sorted({float(f"{v:.6g}") for n in names for one in collected[(*statistic, n)] for v in one[0]})
        if statistic[0] == "mass_function":
            grid = [v for v in grid if v > LIMIT]
        stacks = {n: np.full((options.choices, len(grid)), np.nan) for n in names}
        for n in names:
            for k, one in enumerate(collected[(*statistic, n)]):
                for v, r in zip(one[0], one[1]):
                    if float(f"{v:.6g}") in grid:
                        stacks[n][k, grid.index(float(f"{v:.6g}"))] = r
        x = grid
        rows = []
        for i, value in enumerate(x):
            if all(np.isfinite(s[:, i]).any() for s in stacks.values()):
                with np.errstate(all="ignore"):
                    rows.append([float(value)] + [f"{np.nanmean(s[:, i]):.3f} +- {np.nanstd(s[:, i]):.3f}"
                                                  for s in stacks.values()])
        table(["x", *names], rows)
        # the bins with enough true objects to judge by; all bins of the other statistics
        judged = [i for i, v in enumerate(x) if statistic[0] != "mass_function" or truth_count[v] >= 20]
        for n, s in stacks.items():
            deviation = np.sqrt(np.nanmean((s[:, judged] - 1) ** 2, axis=1))
            print(f"  {n}: rms deviation of the ratio from 1 over {len(judged)} bins "
                  f"{deviation.mean():.3f} +- {deviation.std():.3f} over choices")


if __name__ == "__main__":
    main()
