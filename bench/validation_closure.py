#!/usr/bin/python3
"""What `validate` foretells of the parent against the truth of a mock with hidden terms.

A universe whose galaxies have terms that no feature shows: coherent over 50 Mpc, over a host, and one of the
environment. Validated by region and by rows, with Validate.parent; truth is that of parent haloes in no zoom.

  per bin of mass: mean square error beyond the scatter of the law, and bias, in the parent and as folds say with the weights of
  regions, each with its error: of the parent's from its sample, of folds from a jackknife over Validate.blocks;
  which of them are within 25 per cent, and how many could be told to be with these errors;
  deciles of the distance from the training haloes: expected against true rms error, slope of the line;
  coverage of the intervals of 68 and 95 per cent, overall and by decade of mass; PIT of held-out draws.

With --biased the environment matters so much that the training is biased in the parent by a tenth of a dex, as zooms are too dense:
then there is a bias that folds can foretell. In the other universes it is nearly nil.

    bench/validation_closure.py [--quick | --many | --biased | --coherent] [--regions] [--keep] [--seed 1]
"""

import argparse
import csv

import h5py
import numpy as np

from common import SOURCE, halograft, table

PARAMS = """Meta: {{name: closure, seed: {seed}}}
Mock: {{box: {box} Mpc, mesh: {mesh}, mass_min: {mass:g} Msun, zooms: {zooms}, zoom_radius: {radius} Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0, {law}}}
Features: {{m200c: log10, m_bound: log10, vmax: log10, r_half: log10, a_half: none, central: none}}
Targets: {{stellar_mass: log10}}
Model: {{trees: 64}}
Validate: {{by: region, folds: 8, parent: true, parent_rows: {parent_rows}, blocks: {blocks}}}
Output: {{report: false, folder: "{folder}"}}
"""
# Universes: box and radius of zooms in Mpc, least mass, and what of these changes.
USUAL = {"law": "law_region: 0.1, law_host: 0.08, law_environment: 0.03", "mesh": 128, "parent_rows": 60000, "blocks": 20}
UNIVERSES = {
    "": USUAL | {"box": 250, "zooms": 40, "radius": 14, "mass": 1e11},
    "quick": USUAL | {"box": 150, "zooms": 12, "radius": 12, "mass": 1e11},
    "many": USUAL | {"box": 500, "zooms": 300, "radius": 9, "mass": 1e11, "mesh": 256, "parent_rows": 120000, "blocks": 60},
    "biased": {"box": 700, "zooms": 999, "radius": 14, "mass": 3e11, "mesh": 320, "parent_rows": 200000, "blocks": 60,
               "law": "law_region: 0.03, law_host: 0.05, law_environment: 0.15"},
    "coherent": USUAL | {"box": 200, "zooms": 24, "radius": 12, "mass": 2e11,
                         "law": "law_region: 0.2, law_host: 0.08, law_environment: 0.03"},
}
# With --coherent smoothed fields tell trees where a halo is.
COHERENT = (("Features:", "Environment: {{select: central == 1, gauss: [6 Mpc, 10 Mpc, 16 Mpc], mesh: 128, "
                          "particles_min: 100}}\nFeatures:"),
            ("central: none}}", "central: none, delta_gauss_6: none, delta_gauss_10: none, delta_gauss_16: none}}"))
NAME = "stellar_mass"
EDGES = np.arange(11, 14.6, 0.5)


def rows_of(path):
    """The columns of a CSV of numbers."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key] or "nan") if key != "key" else 0 for row in rows]) for key in rows[0]}


def read_truth(folder, rows):
    """Truth and scatter of the law of these rows of the parent, and whether they are in no zoom."""
    trained = []
    for path in sorted((folder / "zooms").glob("region_*.hdf5")):
        if path.name.count(".") == 1:
            with h5py.File(path) as file:
                trained.append(file["SOAP/Zoom/ParentId"][()])
    with h5py.File(folder / "truth.hdf5") as file:
        sigma = file["SOAP/Catalogue/stellar_mass_sigma"][()][rows]
        return {"truth": np.log10(file["SOAP/Catalogue/stellar_mass"][()][rows]), "sigma": sigma,
                "new": ~np.isin(file["InputHalos/HaloId"][()][rows], np.concatenate(trained))}


def read_scores(path):
    """Value and error of metrics of the forest: {(rows, metric): (value, error)}."""
    with open(path, encoding="utf-8") as file:
        return {(r["rows"], r["metric"]): (float(r["value"]), float(r["error"] or "nan"))
                for r in csv.DictReader(file) if r["method"] == "forest"}


def jackknife(held, here, estimate):
    """An estimate from the held-out rows of a bin, and its error from leaving out blocks of regions."""
    block = held["block"][here]
    left = np.array([estimate(np.flatnonzero(here)[block != b]) for b in np.unique(block)])
    return float(estimate(np.flatnonzero(here))), float(np.sqrt((len(left) - 1) / len(left) * ((left - left.mean())**2).sum()))


def by_mass(held, parent, truth):
    """Per bin of mass, bias and excess mean square error, held out with the weights of regions: [lower edge, haloes held out and in
    the parent, four numbers of each]. Weights stand for the whole parent: its haloes that are in zooms, up to a fifth of the massive
    ones and those in the densest places, have the errors of held-out haloes."""
    rows = []
    sigma2, all_e = truth["sigma"]**2, held[f"{NAME}_mean"] - held[NAME]
    for low in EDGES[:-1]:
        here = (held["mass"] >= low) & (held["mass"] < low + 0.5) & np.isfinite(held[NAME])
        there = truth["new"] & (parent["mass"] >= low) & (parent["mass"] < low + 0.5)
        if here.sum() < 300 or there.sum() < 300:
            continue
        e, floor = (parent[f"{NAME}_mean"] - truth["truth"])[there], sigma2[there].mean()
        inside = (~truth["new"] & (parent["mass"] >= low) & (parent["mass"] < low + 0.5)).sum()
        outside = there.sum() / (there.sum() + inside)
        whole = [(float(outside * x.mean() + (1 - outside) * y.mean()), float(outside * x.std() / np.sqrt(len(x))))
                 for x, y in ((e, all_e[here]), (e**2, all_e[here]**2))]
        bias = jackknife(held, here, lambda k: np.average(all_e[k], weights=held["weight"][k]))
        excess = jackknife(held, here, lambda k: np.average(all_e[k]**2, weights=held["weight"][k]) - floor)
        rows.append([low, int(here.sum()), int(there.sum()), *whole[0], *bias, whole[1][0] - floor, whole[1][1], *excess])
    return rows


def print_masses(rows):
    """The bins, and how the estimates of folds do in all of them."""
    table(["log M from", "held out", "parent", "bias there", "+-", "of folds", "+-", "excess there", "+-", "of folds", "+-",
           "bias ratio", "excess ratio"], [[*r, r[5] / r[3], r[9] / r[7]] for r in rows])
    for name, k in (("bias", 3), ("excess", 7)):
        there, of_there, folds, of_folds = np.array(rows)[:, k:k + 4].T
        off, error = (folds - there) / np.abs(there), np.hypot(of_there, of_folds) / np.abs(there)
        near = [int((np.abs(off) <= 0.25 + k * error).sum()) for k in (0, 2)]
        print(f"{name}: of {len(rows)} bins {near[0]} within 25 %, {near[1]} within 25 % and two errors; errors {error.min():.2f} to "
              f"{error.max():.2f} of the value, rms difference {np.sqrt(((off / error)**2).mean()):.2f} errors")


def over_all(held, parent, truth):
    """Excess mean square error of all haloes: of folds with its jackknife error, and in the parent."""
    here = np.isfinite(held[NAME])
    e2, new = (held[f"{NAME}_mean"] - held[NAME])**2, truth["new"]
    floor = (truth["sigma"][new]**2).mean()
    there = new.mean() * ((parent[f"{NAME}_mean"] - truth["truth"])[new]**2).mean() + (1 - new.mean()) * e2[here].mean() - floor
    return *jackknife(held, here, lambda k: np.average(e2[k], weights=held["weight"][k]) - floor), there


def deciles(parent, truth):
    """Expected and true rms error in deciles of distance, and the slope of true against expected."""
    d, e = parent["distance"][truth["new"]], (parent[f"{NAME}_mean"] - truth["truth"])[truth["new"]]
    expected = parent[f"{NAME}_error"][truth["new"]]
    place = np.searchsorted(np.quantile(d, np.arange(0.1, 0.95, 0.1)), d)
    rows = [[k, float(d[place == k].mean()), float(np.sqrt((expected[place == k]**2).mean())),
             float(np.sqrt((e[place == k]**2).mean()))] for k in range(10)]
    x, y = np.array(rows)[:, 2], np.array(rows)[:, 3]
    return rows, float(np.polyfit(x, y, 1)[0])


def coverage(held, parent, truth):
    """Share of haloes within their intervals, overall and by decade of mass, and what it may be off for too few held-out regions:
    the jackknife error of the weighted share of held-out errors below their own quantile."""
    e, own = np.abs(parent[f"{NAME}_mean"] - truth["truth"]), np.abs(held[f"{NAME}_mean"] - held[NAME])
    rows = []
    for name, low, high in [("all", 0, 99), *((f"{m}-{m + 1}", m, m + 1) for m in range(10, 15))]:
        at = truth["new"] & (parent["mass"] >= low) & (parent["mass"] < high)
        here = (held["mass"] >= low) & (held["mass"] < high) & np.isfinite(own)
        if at.sum() < 1000 or here.sum() < 300:
            continue
        rows.append([name, int(here.sum()), int(at.sum())])
        for level in (68, 95):
            order = np.argsort(own[here])
            below = np.cumsum(held["weight"][here][order])
            within = own <= own[here][order][np.searchsorted(below, level / 100 * below[-1])]
            rows[-1] += [float((e <= parent[f"{NAME}_half{level}"])[at].mean()), jackknife(held, here, lambda k: np.average(within[k], weights=held["weight"][k]))[1]]
    return rows


def report(folder, by):
    """The tables of a validation."""
    held, parent = rows_of(folder / f"by_{by}_rows.csv"), rows_of(folder / f"by_{by}_parent_rows.csv")
    truth = read_truth(folder, parent["row"].astype(int))
    scores = read_scores(folder / f"by_{by}_scores.csv")
    print_masses(by_mass(held, parent, truth))
    print("all masses: excess of folds {:.4f} +- {:.4f}, in the parent {:.4f}".format(*over_all(held, parent, truth)))
    lines, slope = deciles(parent, truth)
    table(["decile", "distance", "expected rms", "true rms"], lines)
    table(["mass", "held out", "parent", "within 68 %", "+-", "within 95 %", "+-"], coverage(held, parent, truth))
    print(f"validation_closure by={by} slope={slope:.3f} pit_ks={scores[('all', 'pit_ks')][0]:.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group()
    for name, says in (("quick", "a box of 150 Mpc with 12 zooms"),
                       ("many", "a box of 500 Mpc with 300 zooms of 9 Mpc, held out by region only"),
                       ("biased", "a box of 700 Mpc with 999 zooms of 14 Mpc and a strong hidden term of the environment, by which "
                                  "the training is biased in the parent; held out by region only"),
                       ("coherent", "a mock of 200 Mpc on which a split by rows is optimistic")):
        which.add_argument(f"--{name}", dest="universe", action="store_const", const=name, default="", help=says)
    parser.add_argument("--keep", action="store_true", help="use the universe that is there")
    parser.add_argument("--regions", action="store_true", help="hold out by region only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    coherent = options.universe == "coherent"
    folder = SOURCE / "out" / "_".join(filter(None, (f"validation_closure{options.seed}", options.universe)))
    folder.mkdir(parents=True, exist_ok=True)
    text = PARAMS
    for old, new in COHERENT * coherent:
        text = text.replace(old, new)
    (folder / "params.yml").write_text(text.format(folder=folder, seed=options.seed, **UNIVERSES[options.universe]), encoding="utf-8")
    base = [folder / "params.yml", "--overwrite"]
    if not (options.keep and (folder / "truth.hdf5").exists()):
        halograft("mock", *base, ranks=options.ranks)
        if coherent:
            halograft("features", *base, ranks=options.ranks)
    for by in ("region",) if options.universe in ("many", "biased") or options.regions else ("region", "rows"):
        bag = "group" if by == "region" else "row"
        said = halograft("validate", *base, "--set", f"Validate.by={by}", "--set", f"Model.bag={bag}", "--set",
                         f"Validate.file={folder}/by_{by}.hdf5", ranks=options.ranks)
        print(f"\nheld out by {by}" + "".join(f"\n  {line}" for line in said.splitlines() if line.startswith("warning")))
        report(folder, by)


if __name__ == "__main__":
    main()
