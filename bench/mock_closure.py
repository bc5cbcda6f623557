#!/usr/bin/python3
"""Closure on the mock universe: grafted galaxies against the truth, beside an oracle redraw.

Four trainings on one universe with environment term off: all zooms (draws and mean), and the
periodic volume only (no zooms); then one universe with the environment term on. Criteria:

  mass function, 0.2 dex, mean of 5 draws: within 5 % where a bin has at least 1,000 training
  galaxies, 10 % for 100 to 1,000, else within 2 sigma of a bootstrap over regions;
  scatter of log M* at fixed M200c of centrals: within 5 % below 1e13 Msun, else 15 % or 2 sigma;
  P(k) of threshold samples: within max(3 %, 3 sigma of the oracle redraws), k > 3 k_f.

The catalogues are read with h5py and counted here, independently of `halograft measure`; P(k) is
that of `measure`.

    bench/mock_closure.py [--folder out/closure] [--bootstrap 12] [--environment 0.02] [--seed 1] [--zooms 40]
"""

import argparse
import csv
from pathlib import Path

import h5py
import numpy as np

from common import SOURCE, halograft, table
from halograft_tools import statistics

BINS = np.arange(8.0, 12.81, 0.2)
HALO = np.arange(11.0, 15.01, 0.25)


def column(path, *names):
    """A column by dataset path, from a master or part file."""
    with h5py.File(path) as file:
        for name in names:
            if name in file:
                return file[name][()]
    raise KeyError(f"none of {names} in {path}")


def draws_of(path, target="stellar_mass"):
    """All draws of a target, shape (draws, rows)."""
    with h5py.File(path) as file:
        names = sorted(n for n in file["SOAP"] if n.startswith("Drawn"))
        return np.array([file[f"SOAP/{n}/{target}"][()] for n in names])


def log_counts(mass, bins=BINS):
    with np.errstate(all="ignore"):
        return np.histogram(np.log10(mass), bins)[0]


def training_counts(folder):
    counts = np.zeros(len(BINS) - 1)
    with open(folder / "regions.csv", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            counts += log_counts(column(folder / row["hydro"], "SOAP/Catalogue/stellar_mass"))
    return counts


def settings(universe, folder, name):
    truth, oracle, out = universe / "truth.hdf5", universe / "oracle.hdf5", folder / "galaxies.hdf5"
    return ["--overwrite", "--set", f"Output.folder={folder}", "--set", "Output.report=false", "--set", "Measure.pairs=false",
            "--set", f"Parent.files=[\"{universe / 'parent.hdf5'}\"]",
            "--set", f"Measure.catalogues=[\"truth={truth}\", \"draw={out}@draws\", \"mean={out}@mean\", "
            f"\"oracle={oracle}@draws\"]", "--set", f"Meta.name={name}"]


def scatter_of(mass, stellar, use):
    """Standard deviation of log M* in the bins of halo mass; NaN where a bin has fewer than 10."""
    found = []
    for low, high in zip(HALO[:-1], HALO[1:]):
        inside = use & (mass >= low) & (mass < high) & np.isfinite(stellar)
        found.append(stellar[inside].std() if inside.sum() >= 10 else np.nan)
    return np.array(found)


def halo_masses(universe):
    central = column(universe / "parent.hdf5", "InputHalos/IsCentral") == 1
    return central, np.log10(column(universe / "parent.hdf5", "SO/200_crit/TotalMass"))


def bootstrap(params, universe, folder, n):
    """What resampled sets of regions give: counts, scatter and P(k) ratios, a row each."""
    with open(universe / "regions.csv", encoding="utf-8") as file:
        head, *lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    at = head.split(",").index("region")
    file_at = head.split(",").index("hydro")
    central, mass = halo_masses(universe)
    found = {"counts": [], "scatter": [], "power": {}}
    for k in range(n):
        random = np.random.default_rng(1000 + k)
        rows = []
        for new, old in enumerate(random.integers(0, len(lines), len(lines))):
            fields = lines[old].split(",")
            fields[at] = str(new)
            fields[file_at] = str((universe / fields[file_at]).resolve())
            rows.append(",".join(fields))
        place = folder / "bootstrap"
        place.mkdir(parents=True, exist_ok=True)
        (place / "regions.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        extra = settings(universe, place, "bootstrap") + ["--set", f"Zooms.regions={place}/regions.csv",
                                                          "--set", "Scatter.draws=2"]
        for command in ("train", "apply", "measure"):
            halograft(command, params, *extra)
        drawn = draws_of(place / "galaxies.hdf5")
        found["counts"].append(np.mean([log_counts(d) for d in drawn], axis=0))
        found["scatter"].append(np.mean([scatter_of(mass, np.log10(d), central) for d in drawn], axis=0))
        for key, family in statistics.read(place / "statistics.hdf5").families().items():
            if key[0] == "power" and {"truth", "draw"} <= set(family):
                with np.errstate(all="ignore"):
                    found["power"].setdefault(key, []).append(family["draw"].y / family["truth"].y)
    return {"counts": np.array(found["counts"]), "scatter": np.array(found["scatter"]),
            "power": {key: np.array(v) for key, v in found["power"].items()}}


def mass_function(universe, folder, spread=None):
    truth = log_counts(column(universe / "truth.hdf5", "SOAP/Catalogue/stellar_mass"))
    drawn = np.array([log_counts(d) for d in draws_of(folder / "galaxies.hdf5")])
    oracle = np.array([log_counts(d) for d in draws_of(universe / "oracle.hdf5")])
    mean = log_counts(column(folder / "galaxies.hdf5", "SOAP/Predicted/stellar_mass"))
    trained = training_counts(universe)
    rows, failed = [], 0
    for i in range(len(truth)):
        if truth[i] == 0 and drawn[:, i].mean() == 0:
            continue
        ratio = drawn[:, i].mean() / max(truth[i], 1)
        sigma = np.nan
        if trained[i] >= 1000:
            limit = 0.05
        elif trained[i] >= 100:
            limit = 0.10
        else:
            poisson = 1 / np.sqrt(max(truth[i], 1))
            boot = spread["counts"][:, i].std() / max(truth[i], 1) if spread else 0
            sigma = np.hypot(poisson, boot)
            limit = 2 * sigma
        good = abs(ratio - 1) <= limit
        failed += not good
        rows.append([f"{BINS[i]:.1f}", int(trained[i]), int(truth[i]), f"{ratio:.3f}",
                     f"{mean[i] / max(truth[i], 1):.3f}", f"{oracle[:, i].mean() / max(truth[i], 1):.3f}",
                     f"{limit:.3f}", "yes" if good else "NO"])
    table(["log M*", "trained", "truth", "draws/truth", "mean/truth", "oracle/truth", "limit", "within"], rows)
    print(f"mass function: {failed} of {len(rows)} bins outside their limit")
    return failed


def shmr_scatter(universe, folder, spread=None):
    central, mass = halo_masses(universe)
    truth = np.log10(column(universe / "truth.hdf5", "SOAP/Catalogue/stellar_mass"))
    true = scatter_of(mass, truth, central)
    drawn = np.mean([scatter_of(mass, np.log10(d), central) for d in draws_of(folder / "galaxies.hdf5")], axis=0)
    mean = scatter_of(mass, np.log10(column(folder / "galaxies.hdf5", "SOAP/Predicted/stellar_mass")), central)
    oracle = np.array([scatter_of(mass, np.log10(d), central) for d in draws_of(universe / "oracle.hdf5")])
    rows, failed = [], 0
    for i, low in enumerate(HALO[:-1]):
        if not np.isfinite(true[i]):
            continue
        n = int((central & (mass >= low) & (mass < HALO[i + 1])).sum())
        training = spread["scatter"][:, i].std() / true[i] if spread else 0
        sigma = np.sqrt(1 / (2 * n) + (oracle[:, i].std() / true[i]) ** 2 + training**2)
        limit = 0.05 if HALO[i + 1] <= 13 else max(0.15, 2 * sigma)
        ratio = drawn[i] / true[i]
        good = abs(ratio - 1) <= limit
        failed += not good
        rows.append([f"{low:.2f}", n, f"{true[i]:.4f}", f"{ratio:.3f}", f"{mean[i] / true[i]:.3f}",
                     f"{oracle[:, i].mean() / true[i]:.3f}", f"{training:.3f}", f"{limit:.3f}", "yes" if good else "NO"])
    table(["log M200c", "centrals", "scatter", "draws/truth", "mean/truth", "oracle/truth", "bootstrap", "limit",
           "within"], rows)
    print(f"scatter at fixed mass: {failed} of {len(rows)} bins outside their limit")
    return failed


def power(folder, box, spread=None):
    """P(k) of threshold samples; returns the number of bins outside max(3 %, 3 sigma of the oracle)."""
    found = statistics.read(folder / "statistics.hdf5")
    fundamental = 2 * np.pi / box
    failed = total = 0
    rows = []
    for key, family in found.families().items():
        if key[0] != "power" or not {"truth", "draw", "mean", "oracle"} <= set(family):
            continue
        truth, draw, mean, oracle = (family[n] for n in ("truth", "draw", "mean", "oracle"))
        use = (truth.x > 3 * fundamental) & np.isfinite(truth.y) & (truth.y > 0)
        # the truth is one draw of the law, the mean of five draws a fifth of its variance
        limit = np.maximum(0.03, 3 * np.sqrt(1 + 1 / 5) * oracle.draw_error / truth.y)
        ratio = draw.y / truth.y
        bad = use & (np.abs(ratio - 1) > limit)
        failed += int(bad.sum())
        total += int(use.sum())
        row = [key[2] or key[1], int(use.sum()), int(bad.sum()), f"{np.nanmedian(ratio[use]):.3f}",
               f"{np.nanmin(ratio[use]):.3f}..{np.nanmax(ratio[use]):.3f}", f"{np.nanmedian((mean.y / truth.y)[use]):.3f}",
               f"{np.nanmedian((oracle.y / truth.y)[use]):.3f}", f"{np.nanmedian(limit[use]):.3f}"]
        if spread:
            training = spread["power"][key].std(axis=0)
            row += [f"{np.nanmedian(training[use]):.3f}",
                    int((use & (np.abs(ratio - 1) > np.hypot(limit, 2 * training))).sum())]
        rows.append(row)
    table(["sample", "bins", "outside", "draws/truth", "range", "mean/truth", "oracle/truth", "median limit"] +
          (["bootstrap", "outside with it"] if spread else []), rows)
    print(f"P(k): {failed} of {total} bins outside their limit")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default=str(SOURCE / "out" / "closure"))
    parser.add_argument("--params", default=str(SOURCE / "params" / "demo.yml"))
    parser.add_argument("--bootstrap", type=int, default=12)
    parser.add_argument("--environment", type=float, default=0.02)
    parser.add_argument("--box", type=float, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zooms", type=int, default=40)
    parser.add_argument("--oracle", type=int, default=20, help="redraws of the true law, which give the sigma of P(k)")
    parser.add_argument("--only-zooms", action="store_true", help="leave out the other two trainings")
    parser.add_argument("--keep", action="store_true", help="use the universe that is there")
    options = parser.parse_args()
    top = Path(options.folder).resolve()
    universe = top / "universe"
    if not (options.keep and (universe / "truth.hdf5").exists()):
        halograft("mock", options.params, "--overwrite", "--seed", options.seed, "--set", f"Output.folder={universe}",
                  "--set", f"Mock.zooms={options.zooms}", "--set", f"Mock.oracle={options.oracle}")
    failed = 0

    print("== all zooms, environment term off")
    zooms = settings(universe, top / "zooms", "zooms") + ["--set", f"Zooms.regions={universe}/regions.csv"]
    for command in ("train", "apply", "measure"):
        halograft(command, options.params, *zooms, log=top / f"zooms_{command}.log" if top.exists() else None)
    spread = bootstrap(options.params, universe, top, options.bootstrap) if options.bootstrap else None
    failed += mass_function(universe, top / "zooms", spread)
    failed += shmr_scatter(universe, top / "zooms", spread)
    failed += power(top / "zooms", options.box, spread)

    if options.only_zooms:
        print(f"mock_closure ratio={failed} target=0 (bins outside their limit, zooms, environment off)")
        return
    print("== periodic volume only: the massive end must fail")
    alone = settings(universe, top / "periodic", "periodic") + ["--set", f"Zooms.files=[\"{universe}/periodic.hdf5\"]",
                                                               "--set", "Zooms.run=periodic"]
    for command in ("train", "apply", "measure"):
        halograft(command, options.params, *alone)
    mass_function(universe, top / "periodic")
    power(top / "periodic", options.box)

    print(f"== environment term {options.environment} dex per sigma: bias of P(k) without environment features")
    dense = top / "environment"
    halograft("run", options.params, "--overwrite", "--set", f"Mock.law_environment={options.environment}",
              "--set", f"Output.folder={dense}", "--set", "Output.report=false", "--set", "Measure.pairs=false", "--set", "Meta.name=environment",
              "--set", f"Measure.catalogues=[\"truth={dense}/truth.hdf5\", \"draw={dense}/galaxies.hdf5@draws\", "
              f"\"mean={dense}/galaxies.hdf5@mean\", \"oracle={dense}/oracle.hdf5@draws\"]")
    power(dense, options.box)
    print(f"mock_closure ratio={failed} target=0 (bins outside their limit, zooms, environment off)")


if __name__ == "__main__":
    main()
