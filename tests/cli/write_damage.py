"""Write small files of the formats that other writers of the tests do not cover: SUBFIND groups, Gadget snapshots in HDF5
and in binary blocks, AHF lists, and plain HDF5 tables with their mapping.

    write_damage.py FOLDER
"""
import struct
import sys

import h5py
import numpy as np

folder = sys.argv[1]
rng = np.random.default_rng(4)
N_GROUP, N_SUB = 40, 60
UNITS = {"UnitLength_in_cm": 3.085678e21, "UnitMass_in_g": 1.989e43, "UnitVelocity_in_cm_per_s": 1e5}

first = np.arange(N_GROUP) + np.minimum(np.arange(N_GROUP), 20)  # the first 20 groups have two subhaloes
with h5py.File(f"{folder}/subfind.hdf5", "w") as file:
    header = {"Ngroups_ThisFile": N_GROUP, "Ngroups_Total": N_GROUP, "Nsubgroups_ThisFile": N_SUB, "Nsubgroups_Total": N_SUB,
              "NumFiles": 1, "Time": 0.5, "Redshift": 1.0, "BoxSize": 70e3, "HubbleParam": 0.7, "Omega0": 0.3,
              "OmegaLambda": 0.7}
    file.create_group("Header").attrs.update(header)
    file.create_group("Parameters").attrs.update({**UNITS, "Hubble": 0.1})
    mass = 100.0 * np.arange(1, N_GROUP + 1)
    file["Group/Group_M_Crit200"] = mass
    file["Group/Group_R_Crit200"] = 2e3 * np.cbrt(mass / (200 * 27.7536627 * 3.1 * 4 * np.pi / 3))
    file["Group/GroupNsubs"] = np.where(np.arange(N_GROUP) < 20, 2, 1).astype("i4")
    file["Group/GroupFirstSub"] = first.astype("i4")
    file["Group/GroupVel"] = rng.normal(0, 100, (N_GROUP, 3))
    file["Subhalo/SubhaloPos"] = rng.random((N_SUB, 3)) * 70e3
    file["Subhalo/SubhaloHalfmassRad"] = np.full(N_SUB, 70.0)
    file["Subhalo/SubhaloMassType"] = rng.random((N_SUB, 6)) * 40
    file["Subhalo/SubhaloLen"] = np.arange(20, 20 + N_SUB, dtype="i4")
    file["Subhalo/SubhaloFlag"] = np.ones(N_SUB, "i1")
    file["Subhalo/SubhaloVmax"] = rng.random(N_SUB) * 300
    file["Subhalo/SubhaloGrNr"] = np.searchsorted(first, np.arange(N_SUB), "right") - 1

counts, none = np.array([30, 40, 0, 0, 10, 0], "u4"), np.zeros(6, "u4")
with h5py.File(f"{folder}/gadget.hdf5", "w") as file:
    header = {"NumPart_ThisFile": counts, "NumPart_Total": counts, "NumPart_Total_HighWord": none, "Time": 0.25,
              "MassTable": np.array([0, 2.0, 0, 0, 0, 0]), "Redshift": 3.0, "BoxSize": 1e3, "HubbleParam": 0.5,
              "Omega0": 0.3, "OmegaLambda": 0.7, "NumFilesPerSnapshot": 1, **UNITS}
    file.create_group("Header").attrs.update(header)
    for kind in np.flatnonzero(counts):
        n = counts[kind]
        file[f"PartType{kind}/Coordinates"] = rng.random((n, 3)) * 1e3
        file[f"PartType{kind}/Velocities"] = rng.normal(0, 100, (n, 3)).astype("f4")
        file[f"PartType{kind}/ParticleIDs"] = np.arange(n, dtype="u8") + (kind << 40)
        if kind != 1:
            file[f"PartType{kind}/Masses"] = np.full(n, 0.4)

with open(f"{folder}/gadget.0", "wb") as file:
    def put(name, data):
        file.write(struct.pack("<i4sii", 8, name, len(data) + 8, 8))
        file.write(struct.pack("<i", len(data)) + data + struct.pack("<i", len(data)))

    n = int(counts.sum())
    head = struct.pack("<6i6d2d2i6i2i4d2i6I", *counts, 0, 2.0, 0, 0, 0, 0, 0.25, 3, 0, 0, *counts, 0, 1, 1e3, 0.3, 0.7, 0.5, 0, 0,
                       *none)
    put(b"HEAD", head.ljust(256, b"\0"))
    put(b"POS ", (rng.random((n, 3)) * 1e3).astype("<f4").tobytes())
    put(b"VEL ", rng.normal(0, 100, (n, 3)).astype("<f4").tobytes())
    put(b"ID  ", np.arange(n, dtype="<u4").tobytes())
    put(b"MASS", np.full(n - counts[1], 0.4, "<f4").tobytes())

with open(f"{folder}/ahf.AHF_halos", "w") as file:
    names = "ID hostHalo numSubStruct Mvir npart Xc Yc Zc VXc VYc VZc Rvir Rmax sigV lambda fMhires Ekin M_star cNFW".split()
    file.write("#" + "\t".join(f"{name}({k + 1})" for k, name in enumerate(names)) + "\t\n")
    for i in range(60):
        file.write(f"{9223372036854775810 + i}\t{'0' if i < 50 else 9223372036854775810 + i - 50}\t0\t1e12\t100\t{800 * i}\t2000\t"
                   f"3000\t1\t2\t3\t200\t20\t173.20508\t0.03\t0.98\t4e15\t1e10\t7\t\n")

with h5py.File(f"{folder}/columns.hdf5", "w") as file:
    file.create_dataset("halo/id", data=np.arange(300), chunks=(64,), compression="gzip")
    file.create_dataset("halo/place", data=rng.random((300, 3)) * 50, chunks=(64, 3), compression="gzip", shuffle=True)
    file["halo/mass"] = (10 ** rng.uniform(10, 14, 300)).astype("f4")
    file["halo/table"] = np.rec.fromarrays([rng.random(300), np.arange(300)], names="spin,number")
with open(f"{folder}/columns.yml", "w") as file:
    file.write("Header: {box: 50 Mpc, redshift: 0, h: 0.7, omega_m: 0.3, omega_l: 0.7, dark_matter_only: 1}\n"
               "Columns: {id: halo/id, position: 'halo/place, Mpc', m_bound: 'halo/mass, Msun', "
               "spin_peebles: halo/table/spin}\n")
