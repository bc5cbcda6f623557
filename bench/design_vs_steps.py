#!/usr/bin/python3
"""Zooms that `halograft design` proposes against as many at equal steps of overdensity, on the mock universe.

Per seed: a universe with the environment and the region-coherent term on, and 24 places at equal steps of nu, the rule of
Mock.zooms. Every sixth of them (of all densities) has run at first and trains a model, from which `design` proposes 20
more, instead of the other 20 of the rule. The mock runs all of them. Each set of 20, with the first 4, trains a model
that is applied to the parent. Errors are those of the mean over draws against the mean over redraws of the true law:
rms over bins of ln(ratio) of the mass function from --least on (bins with 20 objects or more), and of P(k) of the
galaxies above --least at k < --k-max. All regions have one radius and the same cost. With --floor a fourth model trains on eight
large spheres with two fifths of the box: the error that is left is not one of too few or the wrong regions.

    bench/design_vs_steps.py [--seeds 3] [--law-region 0] [--floor] [--set Design.power_weight=0.3 ...] [--keep]
"""

import argparse
import csv
import shutil

import numpy as np

from common import SOURCE, halograft, table
from halograft_tools import statistics

PARAMS = """Meta: {{name: design, seed: {seed}}}
Mock: {{box: {box} Mpc, mesh: 128, mass_min: {mass:g} Msun, zooms: {zooms}, zoom_radius: {radius} Mpc, zoom_buffer: 2 Mpc,
       periodic: 0 Mpc, oracle: 0, law_environment: 0.03, law_region: {law_region}}}
Environment: {{select: central == 1, gauss: [6 Mpc, 10 Mpc, 16 Mpc], mesh: 128, particles_min: 100}}
Features: {{m200c: log10, m_bound: log10, vmax: log10, r_half: log10, central: none, delta_gauss_6: none,
           delta_gauss_10: none, delta_gauss_16: none}}
Targets: {{stellar_mass: log10}}
Model: {{trees: 64}}
Scatter: {{draws: 8}}
Measure: {{pairs: false, mesh: 128, zooms: false, hod: false, conditional: [], relations: [], compare: [], slice_depth: 0 Mpc,
          covariance: false, thresholds: [{least:g} Msun]}}
Design: {{regions: {regions}, radii: [{radius} Mpc], gap: 2 Mpc, least: {least:g}, thresholds: [{least:g}]}}
Output: {{report: false, domain: false, folder: "{folder}"}}
"""


def read_table(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_table(path, rows, columns=("x", "y", "z", "radius", "delta")):
    """A region table of these rows; files are those of the folder."""
    with open(path, "w", encoding="utf-8") as file:
        print("region,run,hydro," + ",".join(columns), file=file)
        for i, row in enumerate(rows):
            number = row.get("number", i)
            print(number, "mock", f"zooms/region_{number:02d}.hdf5", *(row[c] for c in columns), sep=",", file=file)


def floor_spheres(box):
    """Eight spheres with two fifths of the box."""
    return [{"x": box * (0.25 + 0.5 * (k >> 2)), "y": box * (0.25 + 0.5 * (k >> 1 & 1)), "z": box * (0.25 + 0.5 * (k & 1)),
             "radius": 0.233 * box, "delta": 0} for k in range(8)]


def errors(path, options):
    """Relative errors of mass function and P(k) of a catalogue, and the number of bins of each."""
    found = statistics.read(path).families()
    result = {}
    for key, family in found.items():
        if key[0] not in ("mass_function", "power") or "oracle" not in family:
            continue
        oracle, draw = family["oracle"], family["draw"]
        if key[0] == "power":
            use = (oracle.x < options.k_max) & (oracle.y > 0)
        else:
            volume = options.box**3 * 0.2
            use = (oracle.x > options.least) & (oracle.y * volume >= 20)
        e = np.log(np.maximum(align(draw, oracle)[use], 0.05))
        result[key[0]] = float(np.sqrt(np.mean(e**2)))
    return result["mass_function"], result["power"]


def align(draw, oracle):
    """Ratio on the bins of the oracle; bins that the draws lack hold none."""
    place = {round(float(np.log10(x)), 3): y for x, y in zip(draw.x, draw.y)}
    with np.errstate(all="ignore"):
        return np.array([place.get(round(float(np.log10(x)), 3), 0.0) for x in oracle.x]) / oracle.y


def one_seed(seed, options):
    folder = options.top / f"seed{seed}"
    start, final = folder / "start", folder / "final"
    if not options.keep and folder.exists():
        shutil.rmtree(folder)
    start.mkdir(parents=True, exist_ok=True)
    settings = [word for s in options.set for word in ("--set", s)]

    def run(command, where, *words):
        params = folder / f"{where.name}.yml"
        params.write_text(PARAMS.format(folder=where, seed=seed, box=options.box, mass=options.mass, least=options.least,
                                        regions=options.regions, zooms=options.start + options.regions,
                                        radius=options.radius, law_region=options.law_region), encoding="utf-8")
        more = [word for s in words for word in ("--set", s)]
        return halograft(command, params, "--overwrite", *settings, *more, ranks=options.ranks)

    # regions at equal steps, a part of which has run
    run("mock", start)
    rule = read_table(start / "regions.csv")
    first = rule[::len(rule) // options.start]
    steps = [row for row in rule if row not in first]
    write_table(folder / "first.csv", first)
    run("mock", start, f"Mock.zoom_table={folder}/first.csv")
    run("features", start)
    for command in ("train", "apply", "design"):
        said = run(command, start)
    print("\n".join(said.strip().splitlines()[-options.regions - 8:]))
    chosen = read_table(start / "design_regions.csv")

    # all of them in one universe
    sets = {"steps": steps, "design": chosen}
    if options.floor:
        sets["floor"] = floor_spheres(options.box)
    rows, at = list(first), {}
    for name, places in sets.items():
        at[name] = range(len(rows), len(rows) + len(places))
        rows += places
    write_table(folder / "all.csv", rows)
    run("mock", final, f"Mock.zoom_table={folder}/all.csv", f"Mock.oracle={options.oracle}")
    run("features", final)
    result = {}
    for name in ("first", *sets):
        members = [*at[name]] if name == "floor" else [*range(len(first)), *at.get(name, ())]
        write_table(final / f"{name}.csv", [dict(rows[i], number=i) for i in members])
        words = [f"Zooms.regions={final}/{name}.csv", f"Model.file={name}_model.hdf5", f"Output.catalogue={name}",
                 f"Measure.file={name}.hdf5_statistics.hdf5",
                 f"Measure.catalogues=[\"draw={final}/{name}.hdf5@draws\", \"oracle={final}/oracle.hdf5@draws\"]"]
        for command in ("train", "apply", "measure"):
            run(command, final, *words)
        result[name] = errors(final / f"{name}.hdf5_statistics.hdf5", options)
    return result


def beyond(error, k):
    """Ratio of the squares of errors above the floor, as a root."""
    over = [max(error[name][k]**2 - error["floor"][k]**2, 0) for name in ("design", "steps")]
    return np.sqrt(over[0] / over[1]) if over[1] > 0 else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=4)
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--box", type=float, default=300)
    parser.add_argument("--radius", type=float, default=12)
    parser.add_argument("--mass", type=float, default=2e11)
    parser.add_argument("--least", type=float, default=1e11)
    parser.add_argument("--k-max", type=float, default=0.5)
    parser.add_argument("--law-region", type=float, default=0.05, help="dex that galaxies of 50 Mpc share beyond their features")
    parser.add_argument("--floor", action="store_true", help="also the errors with two fifths of the box as training")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--oracle", type=int, default=16)
    parser.add_argument("--set", action="append", default=[], help="a setting for all commands")
    parser.add_argument("--keep", action="store_true", help="leave old folders")
    parser.add_argument("--folder", default=str(SOURCE / "out" / "design"))
    options = parser.parse_args()
    options.top = SOURCE / options.folder
    results = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        results.append(one_seed(seed, options))
        table(["seed", "zooms", "mass function", "P(k)"], [[seed, name, *e] for name, e in results[-1].items()])
    names = list(results[0])
    median = {name: np.median([r[name] for r in results], axis=0) for name in names}
    print(f"\nmedian over {len(results)} seeds, rms of ln(draws / oracle)")
    table(["zooms", "mass function", "P(k)"], [[name, *map(float, median[name])] for name in names])
    ratios = np.array([np.array(r["design"]) / np.array(r["steps"]) for r in results])
    for k, what in enumerate(("mass function", "P(k)")):
        print(f"design_vs_steps {what}: ratio={median['design'][k] / median['steps'][k]:.3f} target=0.6 "
              f"(median of ratios {np.median(ratios[:, k]):.3f}, {ratios[:, k].min():.3f} to {ratios[:, k].max():.3f})")
        if options.floor:
            print(f"  beyond the floor, in quadrature: {beyond(median, k):.3f}")


if __name__ == "__main__":
    main()
