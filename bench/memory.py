#!/usr/bin/python3
"""Peak memory per rank of runs of about 1 GB against what `--dry-run` says beforehand.

Rows are made up, or those of a small mock. Every run ends with what the program counts and what is resident, which holds
libraries and, under several ranks, all of what ranks share. Nothing is timed, so other work may run. Needs 3 GB of disk.

    bench/memory.py [--only NAME ...] [--folder FOLDER]

The last line is `memory ratio=R target=1.15`: the largest of counted / foreseen and foreseen / counted (of the resident
memory where a run is measured whose meshes FFTW allocates).
"""

import argparse
import re
import shutil
import tempfile
from pathlib import Path

import h5py
import numpy as np

from common import halograft, table

FEATURES = ("m200c", "vmax", "m_bound", "r_half", "r_vmax", "concentration")
TARGETS = ("stellar_mass", "sfr", "gas_mass", "bh_mass")
UNITS = {"m200c": ", Msun", "m_bound": ", Msun", "vmax": ", km/s", "r_half": ", Mpc", "r_vmax": ", Mpc", "sfr": ", Msun/yr"}
TREES = "Model: {{trees: {}, min_leaf: {}, checkpoint: 0 s{}}}\n"
MOCK = """Mock: {{box: {0} Mpc, mesh: {1}, mass_min: {2:g} Msun, zooms: {3}, zoom_radius: 8 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc,
       oracle: 0, subhaloes: 0}}
"""


def rows(folder, name, n, targets=()):
    """A catalogue of n made-up rows and its mapping; what the section that reads it says."""
    rng, path = np.random.default_rng(n), folder / f"{name}.hdf5"
    if not path.exists():
        with h5py.File(path, "w") as file:
            file["id"] = np.arange(n)
            for f in FEATURES:
                file[f] = (10**rng.normal(size=n) if f == "m200c" else rng.uniform(1, 9, n)).astype("f4")
            for k, t in enumerate(targets):
                file[t] = (file["m200c"][:] * file["vmax"][:]**(k - 1) * 10**rng.normal(0, 0.2, n)).astype("f4")
    columns = ", ".join(f'{c}: "{c}{UNITS.get(c, ", Msun" if c in TARGETS else "")}"' for c in (*FEATURES, *targets))
    path.with_suffix(".yml").write_text(f"Header: {{redshift: 0, h: 0.7, omega_m: 0.3}}\nColumns: {{id: id, {columns}}}\n", encoding="utf-8")
    return f'files: ["{path}"], format: columns, mapping: "{path.with_suffix(".yml")}"'


def objects(folder, n, more=""):
    """Parameters that measure n objects spread evenly over a box of 400 Mpc."""
    path = folder / f"objects_{n}.hdf5"
    if not path.exists():
        rng = np.random.default_rng(n)
        with h5py.File(path, "w") as file:
            file["id"] = np.arange(n)
            file["m200c"] = np.full(n, 1e12, "f4")
            file["position"] = rng.uniform(0, 400, (n, 3))
    path.with_suffix(".yml").write_text("Header: {redshift: 0, h: 0.7, omega_m: 0.3, box: 400 Mpc}\n"
                                        "Columns: {id: id, m200c: 'm200c, Msun', position: 'position, Mpc'}\n", encoding="utf-8")
    return (f'Parent: {{files: ["{path}"], format: columns, mapping: "{path.with_suffix(".yml")}"}}\n' + training(folder, 2000, 4, 5) +
            "Samples: {all: m200c > 0}\n"
            f'Measure: {{catalogues: ["haloes={path}"], mass_functions: [], zooms: false, rp_max: 2 Mpc, pi_max: 2 Mpc{more}}}\n')


def learn(features=FEATURES, targets=TARGETS[:1]):
    return (f"Features: {{{', '.join(f + ': log10' for f in features)}}}\n"
            f"Targets: {{{', '.join(t + ': log10' for t in targets)}}}\n")


def training(folder, n, trees, min_leaf, targets=1, more=""):
    """Parameters of a training on n rows."""
    return (f"Zooms: {{{rows(folder, f'train_{n}', n, TARGETS)}}}\n" + learn(targets=TARGETS[:targets]) +
            TREES.format(trees, min_leaf, more))


def parent(folder, n):
    return f"Parent: {{{rows(folder, f'parent_{n}', n)}}}\n"


def cases(folder):
    """By name: parameters, commands that come before, the command, ranks."""
    few = training(folder, 2000, 17000, 1, more=", bag: none") + parent(folder, 3000)
    much = training(folder, 20000, 64, 5, targets=4) + parent(folder, 2600000) + "Scatter: {draws: 5}\n"
    folds = training(folder, 3000000, 10, 50) + "Validate: {by: rows, folds: 2, rows: false}\n"
    made = learn(FEATURES[:2]) + TREES.format(32, 5, "")
    return {
        "mock, mesh 320^3": (MOCK.format(200, 320, 3e12, 0) + made, (), "mock", 1),
        "mock, mesh 288^3": (MOCK.format(200, 288, 3e12, 0) + made, (), "mock", 2),
        "measure, mesh 512^3": (MOCK.format(100, 64, 3e11, 2) + made +
                                "Measure: {mesh: 512, pairs: false, zooms: false}\n", ("mock", "train", "apply"), "measure", 1),
        "measure, pairs of 7e6": (objects(folder, 7000000, ", mesh: 256"), (), "measure", 1),
        "measure, pairs of 12e6": (objects(folder, 12000000, ", mesh: 256"), (), "measure", 2),
        "train by trees, 4e6 rows": (training(folder, 4000000, 2, 50, more=", scheme: trees"), (), "train", 1),
        "train by rows, 8e6 rows": (training(folder, 8000000, 1, 200, more=", scheme: rows"), (), "train", 1),
        "train by rows, 13e6 rows": (training(folder, 13000000, 1, 20, 2, more=", scheme: rows"), (), "train", 2),
        "apply, 2.6e6 haloes": (much + "Output: {rows_per_part: 2600000}\n", ("train",), "apply", 1),
        "apply, two parts": (much + "Output: {rows_per_part: 1300000}\n", ("train",), "apply", 1),
        "train, 17,000 trees": (few, (), "train", 1),
        "train, 17,000 trees, two ranks": (few, (), "train", 2),
        "apply of 17,000 trees": (few, ("train",), "apply", 1),
        "validate, 3e6 rows": (folds, (), "validate", 1),
        "explain, 3e6 rows": (folds, ("train",), "explain", 1),
        "design, 100,500 candidates": (
            MOCK.format(120, 64, 1e11, 6) + made +
            "Design: {candidates: 100000, peaks: 500, mass_width: 0.02, environments: 16, radii: [8 Mpc], gap: 1 Mpc}\n",
            ("mock", "train", "apply"), "design", 1),
    }


def run(folder, params, before, command, ranks):
    """MiB per rank: foreseen, counted, resident."""
    out, file = folder / "out", folder / "p.yml"
    shutil.rmtree(out, ignore_errors=True)
    file.write_text("Meta: {name: memory, seed: 1}\n" + params, encoding="utf-8")
    settings = ("--set", f"Output.folder={out}", "--set", "Output.report=false")
    for step in before:
        halograft(step, file, *settings, ranks=2)
    said = halograft(command, file, *settings, "--dry-run", ranks=ranks)
    foreseen = re.search(rf"^{command} +(\d+)", said, re.M)
    said = halograft(command, file, *settings, "--overwrite", ranks=ranks)
    found = re.search(r"rank ([\d.]+) MiB counted, ([\d.]+) MiB resident", said)
    return float(foreseen[1]), float(found[1]), float(found[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], help="parts of the names of runs")
    parser.add_argument("--folder", help="keeps inputs and outputs in its folder 'memory', and takes inputs that are there")
    options = parser.parse_args()
    head, lines, worst = ["run", "ranks", "foreseen", "counted", "resident", "ratio"], [], 1.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary) / "memory"
        folder.mkdir(parents=True, exist_ok=True)
        for name, case in cases(folder).items():
            if options.only and not any(o in name for o in options.only):
                continue
            foreseen, counted, resident = run(folder, *case)
            ratio = (resident if name.startswith("measure") else counted) / foreseen
            worst = max(worst, ratio, 1 / ratio)
            lines.append([name, case[3], foreseen, counted, resident, ratio])
            table(head, lines[-1:])
    print()
    table(head, lines)
    print(f"memory ratio={worst:.2f} target=1.15")


if __name__ == "__main__":
    main()
