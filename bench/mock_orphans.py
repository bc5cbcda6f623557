#!/usr/bin/python3
"""Histories and orphans of the mock, from merger trees to wp(rp) of grafted galaxies.

    mock_orphans.py HALOGRAFT FOLDER [BOX_MPC] [SEED] [setting ...]

Galaxies of the mock follow the peak mass (`Mock.law: hidden`). Its haloes get histories here: four objects each, at
scale factors of 0.5, 0.8, 0.9 and 1, the peak mass of the truth among them. A halo finder is imitated that loses 70 per
cent of the subhaloes in the inner half of their hosts after 0.9: they are missing in the parent, and their branches end
in the host's. Trees are a table of links. Grafted are what the finder found, by bound mass and by the peak mass of the
histories, and the same with the orphans of `convert`. Printed are R^2 of log M* of satellites that were found, and numbers and
wp(rp) of galaxies above 10^10 Msun over those of the truth, which has all subhaloes.
"""

import glob
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from halograft_tools import statistics  # noqa: E402

SCALES = (0.5, 0.8, 0.9, 1.0)
NAMES = {"id": "InputHalos/HaloId", "host": "InputHalos/HostHaloId", "central": "InputHalos/IsCentral",
         "x": "InputHalos/HaloCentre", "v": "BoundSubhalo/CentreOfMassVelocity", "m": "BoundSubhalo/TotalMass",
         "m200c": "SO/200_crit/TotalMass", "r200c": "SO/200_crit/SORadius", "peak": "SOAP/History/PeakMass"}


def read(path, name):
    parts = sorted(glob.glob(f"{path}.[0-9]*.hdf5"), key=lambda n: int(n.split(".")[-2]))
    return np.concatenate([h5py.File(part)[name][()] for part in parts])


def write_table(path, columns):
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file["Halos/" + name] = values


def write_histories(folder, box, rng):
    """The parent as the finder has it, and the trees of all; the number of subhaloes that it lost."""
    halo = {key: read(folder / "truth", name) for key, name in NAMES.items()}
    n = len(halo["id"])
    row_of = {i: k for k, i in enumerate(halo["id"])}
    host = np.array([k if h < 0 else row_of[h] for k, h in enumerate(halo["host"])])
    off = halo["x"] - halo["x"][host]
    off -= box * np.round(off / box)
    inner = (host != np.arange(n)) & (np.sqrt((off**2).sum(1)) < 0.5 * halo["r200c"][host])
    lost = inner & (rng.random(n) < 0.7)
    share = {0.5: 0.4 * halo["peak"], 0.8: halo["peak"], 0.9: np.sqrt(halo["peak"] * halo["m"].astype(float)), 1.0: halo["m"]}
    tree = {key: [] for key in ("id", "desc", "scale", "mass", "x", "v")}
    for k, a in enumerate(SCALES):
        today, behind = a == SCALES[-1], halo["id"].max() + 1  # ids of earlier objects stand behind those of today
        use = ~lost if today else np.ones(n, bool)
        own = halo["id"] if today else behind + k * n + np.arange(n)
        after = np.full(n, -1) if today else behind + (k + 1) * n + np.arange(n)
        if SCALES[k + 1:] == SCALES[-1:]:
            after = np.where(lost, halo["id"][host], halo["id"])
        for key, values in (("id", own), ("desc", after), ("scale", np.full(n, a)), ("mass", share[a]), ("x", halo["x"]),
                            ("v", halo["v"])):
            tree[key].append(np.asarray(values)[use])
    tree = {key: np.concatenate(values) for key, values in tree.items()}
    write_table(folder / "trees.hdf5", tree)
    write_table(folder / "found.hdf5", {key: halo[key][~lost] for key in ("id", "host", "central", "x", "v", "m", "m200c")})
    return lost.sum(), inner.sum()


MAPPING = """Header: {box: BOX Mpc, redshift: 0, h: 0.6774, omega_m: 0.3089, dark_matter_only: 1}
Columns:
  id: Halos/id
  position: "Halos/x, Mpc"
  velocity: "Halos/v, km/s"
"""
PARAMS = """Meta: {name: orphans, seed: SEED}
Mock: {box: BOX Mpc, mesh: MESH, mass_min: 1e11 Msun, zooms: 24, zoom_radius: 15 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc,
       oracle: 0, law: hidden, subhaloes: 0.12}
Zooms: {regions: FOLDER/regions.csv}
History: {files: [FOLDER/trees.hdf5], mapping: FOLDER/trees.yml, columns: [m_bound], redshifts: []}
Features: {m_bound_peak: log10}
Targets: {stellar_mass: log10}
Model: {trees: 48, min_leaf: 4}
Scatter: {draws: 3}
Convert: {orphans: true}
Samples: {"m10": stellar_mass > 1e10}
Measure: {mesh: 64, orphans: true, line_of_sight: z, rp_min: 0.05 Mpc, rp_max: 20 Mpc, pi_max: 20 Mpc, mass_functions: [],
          relations: [], compare: [], hod: false}
Output: {folder: FOLDER, report: false}
"""


def report_scatter(folder):
    """R^2 of the mean of log M* of satellites that were found."""
    star = dict(zip(read(folder / "truth", NAMES["id"]), np.log10(read(folder / "truth", "SOAP/Catalogue/stellar_mass"))))
    for name in ("bound", "peak"):
        ids, central = read(folder / name, NAMES["id"]), read(folder / name, NAMES["central"])
        mean = np.log10(read(folder / name, "SOAP/Predicted/stellar_mass"))
        want = np.array([star[i] for i in ids])
        use = (central == 0) & np.isfinite(mean)
        print(f"log M* of {use.sum()} satellites by {name} mass: R^2 "
              f"{1 - np.mean((mean - want)[use] ** 2) / want[use].var():.3f}, rms {np.std((mean - want)[use]):.3f} dex")


def report_pairs(folder, halograft):
    """Numbers and wp(rp) over those of the truth."""
    names = ("bound", "peak", "orphans")
    catalogues = ", ".join(f'"{n}={folder}/{n}.hdf5@draws"' for n in names)
    log = halograft("measure", f'Measure.catalogues=["truth={folder}/truth.hdf5", {catalogues}]')
    print(*(line.split("] ")[-1] for line in log.splitlines() if "without orphans" in line), sep="\n")
    above = {n: (read(folder / n, f"SOAP/{'Catalogue' if n == 'truth' else 'Drawn'}/stellar_mass") > 1e10).sum()
             for n in ("truth", *names)}
    print("galaxies above 10^10 Msun over those of the truth:", *(f"{n} {above[n] / above['truth']:.3f}" for n in names))
    for key, family in statistics.read(folder / "statistics.hdf5").families().items():
        if key[0] == "wp" and {"truth", *names} <= set(family):
            print("rp (Mpc)", *(f"{x:7.3g}" for x in family["truth"].x))
            for n in names:
                with np.errstate(all="ignore"):
                    print(f"{n:8s}", *(f"{r:7.3f}" for r in family[n].y / family["truth"].y))


def main():
    program, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    box = float(sys.argv[3]) if len(sys.argv) > 3 else 150.0
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    folder.mkdir(parents=True, exist_ok=True)

    def write(name, text, more=""):
        for old, new in (("FOLDER", str(folder)), ("BOX", f"{box:g}"), ("SEED", str(seed)), ("MESH", str(int(box / 2.5) // 2 * 2))):
            text = text.replace(old, new)
        (folder / name).write_text(text + more, encoding="utf-8")
        return folder / name

    params = write("p.yml", PARAMS)
    write("trees.yml", MAPPING, "  m_bound: \"Halos/mass, Msun\"\n  descendant_id: Halos/desc\n  scale: Halos/scale\n")
    write("found.yml", MAPPING, "  m_bound: \"Halos/m, Msun\"\n  m200c: \"Halos/m200c, Msun\"\n  host_id: Halos/host\n"
          "  central: Halos/central\n")

    def halograft(command, *settings, out=()):
        arguments = [program, command, str(params), *out, "--overwrite"]
        for setting in (*settings, *sys.argv[5:]):
            arguments += ["--set", setting]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return done.stderr

    halograft("mock")
    n_lost, n_inner = write_histories(folder, box, np.random.default_rng(seed))
    found = (f"Parent.files=[{folder}/found.hdf5]", f"Parent.mapping={folder}/found.yml", f"Zooms.regions={folder}/regions.csv")
    log = halograft("convert", *found, out=("--out", f"{folder}/with"))
    print(f"{n_lost} of {n_inner} subhaloes in the inner half of their hosts are lost to the finder;",
          next(line.split("] ")[-1] for line in log.splitlines() if "would live on" in line))
    halograft("features", *found)
    for feature, name in (("m_bound", "bound"), ("m_bound_peak", "peak")):
        chosen = (f"Features.m_bound_peak={feature} | log10", f"Model.file={name}.model.hdf5")
        halograft("train", *found, *chosen)
        halograft("apply", *found, *chosen, f"Output.catalogue={name}", "Parent.keep=[central]")
    # the converted catalogue has the columns of the histories itself; side-cars say that they follow the model's recipe
    joined = (f"Parent.files=[{folder}/with.hdf5]", f"Zooms.regions={folder}/regions.csv", f"History.folder={folder}/joined")
    halograft("features", *joined)
    halograft("apply", *joined, "Model.file=peak.model.hdf5", "Output.catalogue=orphans", "Parent.keep=[orphan]")
    report_scatter(folder)
    report_pairs(folder, halograft)


if __name__ == "__main__":
    main()
