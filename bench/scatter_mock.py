#!/usr/bin/python3
"""Scatter on the mock universe: pairs of targets, and what twin runs say.

Energy distance of (M*, SFR), (M*, Z) and (M*, size) of draws to the truth, in bins of halo mass of
centrals, beside that of independent noise (each target from another realisation), and beside that of
as many draws from the truth itself as there are training haloes in the bin: E|y - y'| / n on average
(Szekely & Rizzo 2013). Scatter is lent across bins, so draws can be closer than that.
The share of the scatter of M* that is chaotic, from zooms run twice, against Mock.chaos.

    bench/scatter_mock.py [--quick] [--keep]
"""

import argparse
import re

import h5py
import numpy as np

import scores
from common import SOURCE, halograft, table

TARGETS = {"stellar_mass": None, "sfr": 1e-4, "z_star": None, "r_star": None}
PAIRS = [("stellar_mass", "sfr"), ("stellar_mass", "z_star"), ("stellar_mass", "r_star")]
BINS = np.arange(11.0, 13.51, 0.5)
CHAOS = 0.7


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--box", type=float, default=400)
    parser.add_argument("--zooms", type=int, default=40)
    parser.add_argument("--most", type=int, default=4000, help="haloes per bin")
    parser.add_argument("--keep", action="store_true", help="use the universe that is there")
    parser.add_argument("--quick", action="store_true", help="a box of 200 Mpc with 16 zooms")
    options = parser.parse_args()
    box, zooms = (200, 16) if options.quick else (options.box, options.zooms)
    folder = SOURCE / "out" / f"scatter_mock_{box:g}"
    folder.mkdir(parents=True, exist_ok=True)
    text = (SOURCE / "params" / "demo.yml").read_text(encoding="utf-8")
    head, rest = text.split("Targets:\n")
    (folder / "params.yml").write_text(
        head + "Targets:\n  stellar_mass: log10\n  sfr: log10 | floor 1e-4 Msun/yr\n  z_star: log10\n  r_star: log10\n\n"
        + rest[rest.index("Model:"):], encoding="utf-8")
    base = [folder / "params.yml", "--overwrite", "--set", f"Output.folder={folder}", "--set", f"Mock.box={box} Mpc",
            "--set", "Mock.mesh=128", "--set", f"Mock.zooms={zooms}", "--set", "Mock.zoom_radius=20 Mpc", "--set",
            "Mock.twins=1", "--set", "Mock.oracle=1", "--set", "Mock.periodic=0 Mpc", "--set", f"Mock.chaos={CHAOS}",
            "--set", "Scatter.draws=2", "--set", f"Parent.files=[\"{folder}/parent.hdf5\"]"]
    if not (options.keep and (folder / "truth.hdf5").exists()):
        halograft("mock", *base)
    log = halograft("train", *base)
    shares = re.findall(r"twins (\w+) +Var\(d\)/2 (\S+) of residual variance (\S+), share (\S+) .*in (\d+) of (\d+)", log)
    table(["target", "Var(d)/2", "residual variance", "share", "bins above", "of"], shares)
    halograft("apply", *base)
    rows, bins = [], []
    with h5py.File(folder / "galaxies.hdf5") as out, h5py.File(folder / "truth.hdf5") as true:
        central, origin = true["InputHalos/IsCentral"][()] == 1, out["SOAP/Domain/Origin"][()]
        use = central & (origin == 0)
        mass = np.log10(true["SO/200_crit/TotalMass"][()])
        random = np.random.default_rng(1)
        for low, high in zip(BINS[:-1], BINS[1:]):
            at = np.flatnonzero(use & (mass >= low) & (mass < high))
            if len(at) < 500:
                continue
            at = np.sort(random.choice(at, min(options.most, len(at)), replace=False))
            trained = np.count_nonzero(central & (origin != 0) & (mass >= low) & (mass < high))
            value = lambda file, group, t: np.log10(np.maximum(file[f"SOAP/{group}/{t}"][()][at].astype(float),
                                                               TARGETS[t] or 0))
            pairs = []
            for a, b in PAIRS:
                y = np.stack([value(true, "Catalogue", a), value(true, "Catalogue", b)], axis=1)
                scale = y.std(axis=0)
                draw = np.stack([value(out, "Drawn", a), value(out, "Drawn", b)], axis=1)
                apart = np.stack([value(out, "Drawn", a), value(out, "Drawn2", b)], axis=1)
                near, far = (scores.energy_distance(d / scale, y / scale) for d in (draw, apart))
                other = random.permutation(len(y))
                sample = np.mean(np.linalg.norm((y - y[other]) / scale, axis=1)) / max(trained, 1)
                pairs.append([near, far, sample])
                rows.append([f"{low:.1f}", len(at), f"{a}, {b}", f"{near:.5f}", f"{far:.5f}", trained, f"{sample:.5f}"])
            if len(at) == options.most:
                bins.append(np.mean(pairs, axis=0))
    table(["log M200c", "haloes", "pair", "draws", "independent noise", "trained on", "as many of the truth"], rows)
    share = float(shares[0][3])
    print(f"scatter_mock chaos share of M* {share:.3f}, truth {CHAOS}, off by {abs(share / CHAOS - 1):.3f} target=0.05")
    near, far, sample = np.mean(bins, axis=0)
    print(f"scatter_mock as many draws of the truth over independent noise {sample / far:.3f}, mean of {len(bins)} full bins")
    print(f"scatter_mock ratio={near / far:.3f} target=0.2 (energy distance of pairs, draws over independent noise, mean of full bins)")


if __name__ == "__main__":
    main()
