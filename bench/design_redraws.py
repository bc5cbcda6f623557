#!/usr/bin/python3
"""Zooms that `halograft design` proposes against as many at equal steps of overdensity, over many redraws of the galaxies.

Haloes are those of a few mock universes with the environment term; the term of 50 Mpc and the noise of the galaxies are drawn anew
for each trial, and so are the model of the first 4 regions and the 20 that `design` proposes from it. Errors are ln of
what 16 draws of a model put into bins of 0.2 dex above 1e11 Msun (20 objects or more) over what the law expects there, and of P(k) of
galaxies above 1e11 Msun at k < 0.5 / Mpc likewise, over pairs of different haloes: little noise of counting is left.
Given are rms over bins and trials. `floor` is a model of eight spheres with two fifths of the box.

    bench/design_redraws.py [--seeds 1 2 4] [--trials 10] [--law-region 0.05] [--floor] [--other PROGRAM] [--set ...]
"""

import argparse
import csv
import math
import os
import shutil

import h5py
import numpy as np

from common import SOURCE, halograft, table

BOX, MESH, LEAST, K_MAX = 300.0, 64, 11.0, 0.5
EDGES = LEAST + 0.2 * np.arange(12)
COMMON = """Features: {{m200c: log10, m_bound: log10, vmax: log10, r_half: log10, central: none, delta_gauss_6: none,
           delta_gauss_10: none, delta_gauss_16: none}}
Targets: {{stellar_mass: log10}}
Model: {{trees: 64}}
Output: {{report: false, domain: false, folder: "{folder}/o"}}
"""
MOCK = """Meta: {{name: design, seed: {seed}}}
Mock: {{box: 300 Mpc, mesh: 128, mass_min: 2e11 Msun, zooms: 24, zoom_radius: 12 Mpc, zoom_buffer: 2 Mpc, periodic: 0 Mpc,
       oracle: 0, law_environment: 0.03, law_region: 0}}
Environment: {{select: central == 1, gauss: [6 Mpc, 10 Mpc, 16 Mpc], mesh: 128, particles_min: 100}}
""" + COMMON
TRIAL = """Meta: {{name: design, seed: {seed}}}
Zooms: {{files: ["{folder}/train.hdf5"], run: mock}}
Parent: {{files: ["{folder}/{parent}.hdf5"], run: parent}}
Scatter: {{draws: {draws}}}
Design: {{regions: 20, radii: [12 Mpc], gap: 2 Mpc, least: 1e11, thresholds: [1e11]}}
""" + COMMON


def upper_tail(z):
    return 0.5 * np.vectorize(math.erfc)(z / math.sqrt(2))


class Universe:
    """Haloes of a mock, and galaxies that are drawn anew."""

    def __init__(self, seed, top):
        self.seed, self.folder = seed, top / f"seed{seed}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        params = self.folder / "mock.yml"
        params.write_text(MOCK.format(seed=seed, folder=self.folder), encoding="utf-8")
        for command in ("mock", "features"):
            halograft(command, params, ranks=1)
        self.part = self.folder / "parent.0.hdf5"
        shutil.move(self.folder / "o" / "parent.0.hdf5", self.part)
        with h5py.File(self.folder / "o" / "truth.0.hdf5") as truth, h5py.File(self.part) as parent:
            self.position = parent["InputHalos/HaloCentre"][:]
            self.id = parent["InputHalos/HaloId"][:]
            self.law = np.log10(truth["SOAP/Predicted/stellar_mass"][:].astype(float))
            self.sigma = truth["SOAP/Catalogue/stellar_mass_sigma"][:].astype(float)
            mass = parent["BoundSubhalo/TotalMass"][:]
        self.environment = {}
        with h5py.File(next((self.folder / "o" / "environment").glob("*parent*.0.hdf5"))) as file:
            file.visititems(lambda name, o: self.environment.update({name.split("/")[-1]: o[:]}) if "delta_gauss" in name else None)
        self.massive = np.where(mass > 10**12.2)[0]  # of which some may be brighter than LEAST
        with open(self.folder / "o" / "regions.csv", encoding="utf-8") as file:
            self.rule = np.array([[float(row[c]) for c in "xyz"] for row in csv.DictReader(file)])
        self.mean = self.law
        self.write("all", np.arange(len(self.id)))
        self.write("massive", self.massive)

    def draw_region_term(self, rng, rms):
        """The term of 50 Mpc of the mock's law, drawn anew: normals on a lattice, interpolated."""
        n = round(BOX / 50)
        lattice, x = rng.normal(size=(n, n, n)), self.position / BOX * n
        low = np.floor(x).astype(int)
        total = norm = 0
        for corner in range(8):
            up = np.array([corner >> a & 1 for a in range(3)])
            weight = np.where(up, x - low, 1 - (x - low)).prod(1)
            total = total + weight * lattice[tuple(((low + up) % n).T)]
            norm = norm + weight**2
        self.mean = self.law + rms * total / np.sqrt(norm)

    def write(self, name, rows, region=None, galaxy=None):
        """Rows of the parent as a catalogue, with their environment and, for training, galaxies."""
        with h5py.File(self.part) as f, h5py.File(self.folder / f"{name}.hdf5", "w") as g:
            def put(path, column, values, like):
                data = g.create_dataset(path, data=values)
                for key, value in f[like].attrs.items():
                    data.attrs[key] = value
                data.attrs["Column"] = np.bytes_(column)

            for group in ("Header", "Cosmology", "Units"):
                f.copy(group, g)
            for key in ("NumSubhalos_ThisFile", "NumSubhalos_Total"):
                if key in g["Header"].attrs:
                    g["Header"].attrs[key] = g["Header"].attrs[key] * 0 + len(rows)
            f.visititems(lambda path, o: put(path, o.attrs["Column"], o[:][rows], path) if isinstance(o, h5py.Dataset) else None)
            for key, value in self.environment.items():
                put("SOAP/Catalogue/" + key, key, value[rows].astype("f4"), "SOAP/Catalogue/concentration")
            if galaxy is not None:
                put("SOAP/Catalogue/stellar_mass", "stellar_mass", (10**galaxy).astype("f4"), "BoundSubhalo/TotalMass")
                put("SOAP/Zoom/Region", "region", region.astype("i4"), "InputHalos/IsCentral")
                put("SOAP/Zoom/ParentId", "parent_id", self.id[rows], "InputHalos/HaloId")

    def train(self, rng, centres, radius, parent="massive", draws=16):
        """Draws of a model of these spheres, shape (draws, haloes), log10."""
        rows, region = [], []
        for k, centre in enumerate(centres):
            d = self.position - centre
            rows.append(np.where(((d - BOX * np.round(d / BOX))**2).sum(1) <= radius**2)[0])
            region.append(np.full(len(rows[-1]), k))
        rows, region = np.concatenate(rows), np.concatenate(region)
        self.write("train", rows, region, self.mean[rows] + self.sigma[rows] * rng.normal(size=len(rows)))
        params = self.folder / "trial.yml"
        params.write_text(TRIAL.format(seed=int(rng.integers(1 << 30)), folder=self.folder, parent=parent, draws=draws), encoding="utf-8")
        shutil.rmtree(self.folder / "o", ignore_errors=True)
        halograft("train", params, ranks=1)
        halograft("apply", params, ranks=1)
        with h5py.File(self.folder / "o" / "galaxies.0.hdf5") as f:
            return np.log10([f[f"SOAP/Drawn{d or ''}/stellar_mass"][:] for d in (0, *range(2, draws + 1))])

    def propose(self, first, settings):
        """What `design` proposes after train(..., parent="all") of the first regions."""
        with open(self.folder / "first.csv", "w", encoding="utf-8") as file:
            print("region,run,hydro,x,y,z,radius", file=file)
            for k, centre in enumerate(first):
                print(k, "mock", self.folder / "train.hdf5", *centre, 12, sep=",", file=file)
        halograft("design", self.folder / "trial.yml", "--overwrite", "--set", f"Zooms.regions={self.folder}/first.csv",
                  *settings, ranks=1)
        with open(self.folder / "o" / "design_regions.csv", encoding="utf-8") as file:
            return np.array([[float(row[c]) for c in "xyz"] for row in csv.DictReader(file)])

    def power(self, share):
        """P(k) of a sample that holds halo i with probability share_i, without pairs of a halo with itself."""
        mesh, x = np.zeros((MESH,) * 3), self.position[self.massive] / BOX * MESH
        low = np.floor(x).astype(int)
        for corner in range(8):
            up = np.array([corner >> a & 1 for a in range(3)])
            np.add.at(mesh, tuple(((low + up) % MESH).T), share * np.where(up, x - low, 1 - (x - low)).prod(1))
        full, half = np.fft.fftfreq(MESH, 1 / MESH), np.arange(MESH // 2 + 1)
        axes = np.meshgrid(full, full, half, indexing="ij")
        window = np.prod([np.sinc(a / MESH) for a in axes], axis=0)**2
        k = 2 * np.pi / BOX * np.sqrt(sum(a**2 for a in axes)).ravel()
        modes = np.where((axes[2] > 0) & (axes[2] < MESH // 2), 2, 1).ravel()
        square = (np.abs(np.fft.rfftn(mesh) / window)**2).ravel() * modes
        edges = [np.pi / BOX]
        while edges[-1] < K_MAX:
            edges.append(max(edges[-1] + 2 * np.pi / BOX, edges[-1] * math.exp(0.2)))
        sums = [np.histogram(k, edges, weights=w)[0] for w in (square, modes)]
        return (sums[0] / sums[1] - (share**2).sum()) / share.sum()**2 * BOX**3

    def errors(self, drawn):
        """Mean square of ln(draws / law) over bins of the mass function and of P(k)."""
        above = upper_tail((EDGES[:, None] - self.mean[self.massive]) / self.sigma[self.massive])
        expected = (above[:-1] - above[1:]).sum(1)
        found = np.mean([np.histogram(d, EDGES)[0] for d in drawn], axis=0)
        use = expected >= 20
        return (np.mean(np.log(np.maximum(found / expected, 0.05)[use])**2),
                np.mean(np.log(self.power((drawn > LEAST).mean(0)) / self.power(above[0]))**2))


def one_trial(universe, trial, options):
    rng = np.random.default_rng([universe.seed, trial])
    universe.draw_region_term(rng, options.law_region)
    first, steps = universe.rule[::6], np.delete(universe.rule, np.s_[::6], axis=0)
    settings = [word for s in options.set for word in ("--set", s)]
    universe.train(rng, first, 12, parent="all", draws=8)
    sets = {"steps": (steps, 12), "design": (universe.propose(first, settings), 12)}
    if options.other:
        own = os.environ.get("HALOGRAFT")
        os.environ["HALOGRAFT"] = options.other
        sets["other"] = (universe.propose(first, []), 12)
        os.environ.pop("HALOGRAFT")
        if own:
            os.environ["HALOGRAFT"] = own
    result = {name: universe.errors(universe.train(rng, np.vstack([first, c]), r)) for name, (c, r) in sets.items()}
    if options.floor:
        corners = BOX * (0.25 + 0.5 * np.indices((2, 2, 2)).reshape(3, 8).T)
        result["floor"] = universe.errors(universe.train(rng, corners, 0.233 * BOX))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--law-region", type=float, default=0.05)
    parser.add_argument("--floor", action="store_true", help="also eight spheres with two fifths of the box")
    parser.add_argument("--other", help="another build of the program, whose proposals are compared")
    parser.add_argument("--set", action="append", default=[], help="a setting for design")
    parser.add_argument("--folder", default=str(SOURCE / "out" / "design_redraws"))
    options = parser.parse_args()
    found = {}  # by set: shape (universes, trials, 2), mean squares
    for seed in options.seeds:
        universe = Universe(seed, SOURCE / options.folder)
        trials = [one_trial(universe, trial, options) for trial in range(options.trials)]
        for name in trials[0]:
            found.setdefault(name, []).append([t[name] for t in trials])
    found = {name: np.array(values) for name, values in found.items()}
    pick = np.random.default_rng(1).integers(options.trials, size=(1000, options.trials))
    rows = []
    for name, squares in found.items():
        ratio = np.sqrt(squares.mean((0, 1)) / found["steps"].mean((0, 1)))
        again = [np.sqrt(squares[:, p].mean((0, 1)) / found["steps"][:, p].mean((0, 1))) for p in pick]
        for k, what in enumerate(("mass function", "P(k)")):
            rows.append([name, what, float(np.sqrt(squares[..., k].mean())), float(ratio[k]), float(np.std(again, axis=0)[k]),
                         " ".join(f"{r:.2f}" for r in np.sqrt(squares[..., k].mean(1) / found["steps"][..., k].mean(1)))])
    table(["zooms", "statistic", "rms", "over steps", "+-", "by universe"], rows)


if __name__ == "__main__":
    main()
