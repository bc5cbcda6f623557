#!/usr/bin/python3
"""The flag of the training domain on the mock universe, with parts of the training held out.

Three models: of all zooms, without the third of the zooms that is densest, and without haloes above 10^12.5
Msun. Each is applied to the whole parent. Per flag and per bin of host mass: share of the haloes that were
no training haloes, RMS error of the mean of log M* against that of the law, which chance does not enter, and
median surroundings. With --check, fails unless the flags do what they are for.

    bench/domain_mock.py [--quick] [--check] [--keep]
"""

import argparse
import csv

import h5py
import numpy as np

from common import SOURCE, halograft, table

FLAGS = ("inside", "edge", "outside")
CUT = 12.5
PARAMS = """Meta: {{name: domain, seed: 1}}
Mock: {{box: {box} Mpc, mesh: 128, mass_min: {mass:g} Msun, zooms: {zooms}, zoom_radius: {radius} Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}}
Parent: {{files: "{folder}/parent.hdf5"}}
Features: {{m200c: log10, m_bound: log10, vmax: log10, r_half: log10, a_half: none, central: none}}
Targets: {{stellar_mass: log10, gas_mass: log10 | floor 1e6 Msun}}
Model: {{trees: 64}}
Scatter: {{method: none}}
Output: {{report: false, folder: "{folder}"}}
"""


def hold_out_dense(folder):
    """A region table without the densest third of the zooms."""
    with open(folder / "regions.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keep = sorted(rows, key=lambda row: float(row["delta"]))[:len(rows) - len(rows) // 3]
    with open(folder / "regions_part.csv", "w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(sorted(keep, key=lambda row: int(row["region"])))


def read(folder, name):
    """Mass, flag, error of the mean, n_eff, n_regions of haloes that were not in the training."""
    with h5py.File(folder / f"{name}.hdf5") as out, h5py.File(folder / "truth.hdf5") as true:
        domain = out["SOAP/Domain"]
        new = domain["Origin"][()] == 0
        value = {"mass": np.log10(true["SO/200_crit/TotalMass"][()]), "flag": domain["Flag"][()].astype(int),
                 "n_eff": domain["EffectiveNumber"][()], "n_regions": domain["Regions"][()],
                 "error": np.log10(out["SOAP/Predicted/stellar_mass"][()].astype(float)
                                   / true["SOAP/Predicted/stellar_mass"][()])}
    return {key: column[new] for key, column in value.items()}


def score(name, v):
    """A row per flag: share, RMS and bias of errors, surroundings."""
    rows = []
    for flag, word in enumerate(FLAGS):
        at = v["flag"] == flag
        if at.any():
            e = v["error"][at]
            rows.append([name, word, int(at.sum()), 100 * at.mean(), float(np.sqrt((e**2).mean())), float(e.mean()),
                         float(np.median(v["n_eff"][at])), float(np.median(v["n_regions"][at]))])
    return rows


def shares(name, v):
    """Percent flagged (edge or outside) in bins of mass."""
    row = [name]
    for low in np.arange(11, 14.1, 0.5):
        at = (v["mass"] >= low) & (v["mass"] < low + 0.5)
        row.append(100 * float((v["flag"][at] > 0).mean()) if at.sum() >= 20 else float("nan"))
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a box of 120 Mpc with 9 zooms")
    parser.add_argument("--check", action="store_true", help="fail when the flags are wrong")
    parser.add_argument("--keep", action="store_true", help="use the universe that is there")
    parser.add_argument("--folder", help="where files go; default: out/domain_mock")
    options = parser.parse_args()
    folder = (SOURCE / "out" / "domain_mock") if options.folder is None else SOURCE / options.folder
    folder.mkdir(parents=True, exist_ok=True)
    box, zooms, radius = (120, 9, 12) if options.quick else (250, 24, 18)
    (folder / "params.yml").write_text(PARAMS.format(folder=folder, box=box, zooms=zooms, radius=radius,
                                                     mass=2e11 if options.quick else 1e11), encoding="utf-8")
    base = [folder / "params.yml", "--overwrite"]
    if not (options.keep and (folder / "truth.hdf5").exists()):
        halograft("mock", *base)
    hold_out_dense(folder)
    cases = {"all": [], "sparse": [f"Zooms.regions={folder}/regions_part.csv"],
             "light": [f"Selection.train=m200c < {10**CUT:g}"]}
    results = {}
    for name, settings in cases.items():
        more = [word for s in (*settings, f"Output.catalogue={name}", f"Model.file={name}_model.hdf5") for word in ("--set", s)]
        halograft("train", *base, *more)
        halograft("apply", *base, *more)
        results[name] = read(folder, name)
    table(["model", "flag", "haloes", "%", "RMS error", "bias", "n_eff", "regions"],
          [row for name, v in results.items() for row in score(name, v)])
    print()
    table(["% flagged, log M200c from", *(f"{low:.1f}" for low in np.arange(11, 14.1, 0.5))],
          [shares(name, v) for name, v in results.items()])
    if options.check:
        check(results)


def check(results):
    """The flags rise where training haloes are missing, and errors with them."""
    rms = lambda v, at: float(np.sqrt((v["error"][at]**2).mean()))
    for v in results.values():
        assert rms(v, v["flag"] == 2) > 1.15 * rms(v, v["flag"] == 0)
    whole, sparse, light = (results[name] for name in ("all", "sparse", "light"))
    assert 0.005 < (whole["flag"] > 0).mean() < 0.08, (whole["flag"] > 0).mean()
    assert (sparse["flag"] > 0).mean() > 2 * (whole["flag"] > 0).mean()
    heavy, other = light["mass"] > CUT + 0.01, light["mass"] < CUT - 0.3
    assert (light["flag"][heavy] == 2).all() and (light["flag"][other] > 0).mean() < 0.08
    assert rms(light, heavy) > 1.3 * rms(whole, whole["mass"] > CUT + 0.01)


if __name__ == "__main__":
    main()
