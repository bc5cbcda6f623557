"""Catalogues of HBT-HERONS as the code writes them, and what halograft must make of them."""

import os
import shutil
import sys

import h5py
import numpy as np

H, A, LENGTH, MASS = 0.7, 0.5, 1e-3, 1e10  # kpc/h and 1e10 Msun/h at z = 1
N, CUT = 24, [0, 9, 9, 24]                 # rows; files 0 to 2, the second is empty

SUBHALO = np.dtype([
    ("TrackId", "i8"), ("Nbound", "i8"), ("Mbound", "f4"), ("NboundType", "i8", (6,)),
    ("MboundType", "f4", (6,)), ("HostHaloId", "i8"), ("Rank", "i8"), ("Depth", "i4"),
    ("LastMaxMass", "f4"), ("SnapshotIndexOfLastMaxMass", "i4"), ("RmaxComoving", "f4"),
    ("RmaxComovingOfLastMaxVmax", "f4"), ("VmaxPhysical", "f4"), ("LastMaxVmaxPhysical", "f4"),
    ("RHalfComoving", "f4"), ("BoundR200CritComoving", "f4"), ("BoundM200Crit", "f4"),
    ("SpecificAngularMomentum", "f4", (3,)), ("InertialTensor", "f4", (6,)),
    ("ComovingMostBoundPosition", "f8", (3,)), ("PhysicalAverageVelocity", "f8", (3,)),
    ("NestedParentTrackId", "i8")])


def rows():
    """Haloes 40, 41, ... with a central that is not their first row; every fifth is an orphan."""
    s = np.zeros(N, SUBHALO)
    i = np.arange(N)
    s["TrackId"] = 500 - 3 * i
    s["Nbound"] = np.where(i % 5 == 4, i % 2, 100 + i)
    s["Mbound"] = np.where(s["Nbound"] > 1, 1 + i, 0)
    s["MboundType"] = np.arange(6)[None, :] + i[:, None]
    s["HostHaloId"] = 40 + i // 3
    s["Rank"] = (i + 1) % 3
    s["HostHaloId"][7] = -1  # outside all haloes
    s["Rank"][7] = 2
    s["LastMaxMass"] = 50 + i
    s["SnapshotIndexOfLastMaxMass"] = i
    s["RmaxComoving"] = 10 + i
    s["RmaxComovingOfLastMaxVmax"] = 20 + i
    s["VmaxPhysical"] = 100 + i
    s["LastMaxVmaxPhysical"] = 200 + i
    s["RHalfComoving"] = 5 + i
    s["SpecificAngularMomentum"] = 30 + i[:, None]
    s["ComovingMostBoundPosition"] = 1000 * i[:, None] + [1, 2, 3]
    s["PhysicalAverageVelocity"] = i[:, None] - [10, 20, 30]
    return s


def head(f, n_file, snapshot=63, units=True):
    f["NumberOfFiles"] = [n_file]
    f["NumberOfSubhalosInAllFiles"] = [N]
    f["SnapshotId"] = [snapshot]
    f["Cosmology/OmegaM0"] = [0.3]
    f["Cosmology/OmegaLambda0"] = [0.7]
    f["Cosmology/HubbleParam"] = [0.1761]  # H(z) in units of the code
    f["Cosmology/ScaleFactor"] = [A]
    if units:
        f["Units/LengthInMpch"] = [LENGTH]
        f["Units/MassInMsunh"] = [MASS]
        f["Units/VelInKmS"] = [1.0]


def write(folder):
    s = rows()
    for name, units in (("new", True), ("old", False)):
        os.makedirs(f"{folder}/{name}/063")
        for k in range(3):
            with h5py.File(f"{folder}/{name}/063/SubSnap_063.{k}.hdf5", "w") as f:
                head(f, 3, units=units)
                f["Subhalos"] = s[CUT[k]:CUT[k + 1]]
    with open(f"{folder}/old/Parameters.log", "w") as f:
        f.write("#VER 1.16\nSnapshotPath /some where/else\nBoxSize 70000\nMassInMsunh 1e+10\n"
                "LengthInMpch 0.001\nVelInKmS 1\n")
    with h5py.File(f"{folder}/sorted.hdf5", "w") as f:
        head(f, 1)
        order = np.argsort(s["TrackId"])
        for name in SUBHALO.names:
            f[f"Subhalos/{name}"] = s[name][order]
    for k in range(2):
        os.makedirs(f"{folder}/mixed", exist_ok=True)
        with h5py.File(f"{folder}/mixed/SubSnap_063.{k}.hdf5", "w") as f:
            head(f, 2, snapshot=63 + k)
            f["Subhalos"] = s[CUT[k]:CUT[k + 1]]
    write_runs(folder)


def write_runs(folder):
    """Two runs of one region: other tracks in another order, a fifth of the particles exchanged."""
    rng = np.random.default_rng(3)
    lists = [np.arange(60, dtype="u8") + np.uint64(2**63 + 1000 * i) for i in range(N)]
    for run, shift in (("hydro", 0), ("dmo", 10000)):
        s = rows()
        s["TrackId"] += shift
        order = np.arange(N) if shift == 0 else rng.permutation(N)
        os.makedirs(f"{folder}/{run}")
        for k in range(3):
            mine = order[CUT[k]:CUT[k + 1]]
            with h5py.File(f"{folder}/{run}/SubSnap_063.{k}.hdf5", "w") as f:
                head(f, 3)
                f["Subhalos"] = s[mine]
                d = f.create_dataset("SubhaloParticles", (len(mine),), h5py.vlen_dtype(np.dtype("u8")))
                for j, i in enumerate(mine):
                    ids = lists[i].copy()
                    ids[rng.permutation(60)[:12]] += np.uint64(500)
                    d[j] = ids if s["Nbound"][i] > 1 else ids[:0]
    name = "SubSnap_063.{file}.hdf5"
    shutil.copytree(f"{folder}/hydro", f"{folder}/cut")
    with h5py.File(f"{folder}/cut/SubSnap_063.2.hdf5", "a") as f:
        lists = f["SubhaloParticles"][:-1]
        del f["SubhaloParticles"]
        f.create_dataset("SubhaloParticles", (len(lists),), h5py.vlen_dtype(np.dtype("u8")))[:] = lists
    for table, ids in (("regions", "hydro"), ("cut", "cut")):
        with open(f"{folder}/{table}.csv", "w") as f:
            f.write("region,hydro,dmo,hydro_ids,dmo_ids\n"
                    f"0,hydro/{name},dmo/{name},{ids}/{name},dmo/{name}\n")


def check_pairs(path):
    s = rows()
    want = {(t, t + 10000) for t in s["TrackId"][s["Nbound"] > 1]}
    got = np.atleast_2d(np.loadtxt(path, delimiter=",", skiprows=1))
    if {(int(r[0]), int(r[2])) for r in got} != want:
        sys.exit(f"FAIL: pairs are {got[:, [0, 2]]}")


def near(name, got, want):
    if not np.allclose(got, want, rtol=1e-6, atol=0, equal_nan=True):
        sys.exit(f"FAIL: {name} is {got}, not {want}")


def check(path, is_sorted):
    s = rows()
    if is_sorted:
        s = s[np.argsort(s["TrackId"])]
    central = (s["Rank"] == 0) | (s["HostHaloId"] < 0)
    lord = {x["HostHaloId"]: x["TrackId"] for x in s if x["Rank"] == 0}
    host = [-1 if c else lord.get(x, -2) for c, x in zip(central, s["HostHaloId"])]
    with h5py.File(path) as f:
        column = {}

        def visit(_, item):
            if isinstance(item, h5py.Dataset) and "Column" in item.attrs:
                name = item.attrs["Column"]
                column[name.decode() if isinstance(name, bytes) else name] = item[:]

        f.visititems(visit)
        near("a", f["Header"].attrs["Scale-factor"], A)
        near("Omega_m", f["Cosmology"].attrs["Omega_m"], 0.3)
        near("box", f["Header"].attrs["BoxSize"][0], 100)
    near("id", column["id"], s["TrackId"])
    near("central", column["central"], central)
    near("host_id", column["host_id"], host)
    near("group", column["group"], s["HostHaloId"])
    near("n_part", column["n_part"], s["Nbound"])
    near("position", column["position"], s["ComovingMostBoundPosition"] * LENGTH / H)
    near("velocity", column["velocity"], s["PhysicalAverageVelocity"])
    near("m_bound", column["m_bound"],
         np.where(s["Mbound"] > 0, s["Mbound"] * MASS / H, np.nan))
    near("vmax", column["vmax"], s["VmaxPhysical"])
    near("r_vmax", column["r_vmax"], s["RmaxComoving"] * LENGTH / H)
    near("r_half", column["r_half"], s["RHalfComoving"] * LENGTH / H)
    near("m_peak", column["m_peak"], s["LastMaxMass"] * MASS / H)
    near("v_peak", column["v_peak"], s["LastMaxVmaxPhysical"])
    near("spin", column["spin"], s["SpecificAngularMomentum"] * LENGTH / H)
    near("stellar_mass", column["stellar_mass"], s["MboundType"][:, 4] * MASS / H)
    near("RmaxComovingOfLastMaxVmax", column["RmaxComovingOfLastMaxVmax"],
         s["RmaxComovingOfLastMaxVmax"] * LENGTH / H)
    near("SnapshotIndexOfLastMaxMass", column["SnapshotIndexOfLastMaxMass"],
         s["SnapshotIndexOfLastMaxMass"])


if sys.argv[1] == "write":
    write(sys.argv[2])
elif sys.argv[1] == "pairs":
    check_pairs(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3] == "sorted")
