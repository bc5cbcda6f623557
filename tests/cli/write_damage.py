"""Write small files of the formats that other writers of the tests do not cover: SUBFIND groups, snapshots of Gadget in
HDF5 and in binary blocks and of SWIFT, AHF lists, lists and chunks of Rockstar, plain tables with their mapping, run
tables, and lists of particles.

    write_damage.py FOLDER
"""
import gzip
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
with gzip.open(f"{folder}/columns.csv.gz", "wt") as file:
    file.write("run,m\n" + "".join(f"{i % 4},{1e11 * (1 + i)!r}\n" for i in range(200)))
with open(f"{folder}/gz.yml", "w") as file:
    file.write("Header: {redshift: 0}\nColumns: {run: run, m200c: 'm, Msun'}\n")
with open(f"{folder}/runs.csv", "w") as file:
    file.write("run,omega_m,sigma_8,A_SN1\n" + "".join(f"{i},{0.1 + i / 50},{0.6 + i / 60},{i}\n" for i in range(20)))

with h5py.File(f"{folder}/swift.hdf5", "w") as file:
    n = 60
    file.create_group("Header").attrs.update({
        "NumPart_ThisFile": np.array([0, n, 0, 0, 0, 0, 0]), "TotalNumberOfParticles": np.array([0, n, 0, 0, 0, 0, 0]),
        "MassTable": np.array([0, 7.0, 0, 0, 0, 0, 0]), "BoxSize": np.full(3, 100.0), "Scale-factor": 0.5, "Virtual": 0})
    file.create_group("Cosmology").attrs.update({"h": 0.7, "Omega_m": 0.3})
    file.create_group("Units").attrs.update({"Unit length in cgs (U_L)": 3.0856775814913673e24,
                                             "Unit mass in cgs (U_M)": 1.988409870698051e43,
                                             "Unit time in cgs (U_t)": 3.0856775814913673e19})
    file["PartType1/Coordinates"] = rng.random((n, 3)) * 100
    file["PartType1/Velocities"] = rng.normal(0, 100, (n, 3)).astype("f4")
    file["PartType1/Velocities"].attrs["a-scale exponent"] = 1.0
    file["PartType1/ParticleIDs"] = np.arange(n, dtype="u8")

about = "#a = 0.5\n#Om = 0.3; Ol = 0.7; h = 0.5\n#Box size: 50.0 Mpc/h\n#Particle mass: 1e9 Msun/h\n"
with open(f"{folder}/out_1.list", "w") as file:
    file.write("#ID DescID Mvir Vmax Vrms Rvir Rs Np X Y Z VX VY VZ M200c\n" + about)
    for i in range(40):
        file.write(f"{i} -1 {1e12 + i} 200 173 400 20 {100 + i} {i} 2 3 10 -20 30 9e11\n")
with open(f"{folder}/halos_1.0.ascii", "w") as file:
    file.write("#id num_p mvir mbound_vir rvir vmax rvmax vrms x y z vx vy vz m200c\n" + about)
    for i in range(40):
        file.write(f"{i} {100 + i} {1e12 + i} 9e11 400 200 80 173 {i} 2 3 10 -20 30 8e11\n")

# lists of particles: 20 subhaloes of 5 to 24 particles in 10 groups, followed by others of their group
length = np.arange(5, 25, dtype="i4")
start = np.cumsum(length) - length
with h5py.File(f"{folder}/members_gadget.hdf5", "w") as file:
    file["PartType1/ParticleIDs"] = np.arange(400, dtype="u8")
with h5py.File(f"{folder}/members_tab.hdf5", "w") as file:
    file["Group/GroupLenType"] = np.repeat(length[::2] + length[1::2] + 2, 6).reshape(-1, 6)
    file["Group/GroupNsubs"] = np.full(10, 2, "i4")
    file["Subhalo/SubhaloLenType"] = np.repeat(length, 6).reshape(-1, 6)
with h5py.File(f"{folder}/members_eagle.hdf5", "w") as file:
    file["Subhalo/SubOffset"], file["Subhalo/SubLength"] = start, length
    file["IDs/ParticleID"] = np.arange(400, dtype="u8")
with open(f"{folder}/members.AHF_particles", "w") as file:
    file.write("20\n" + "".join(f"{n} {k}\n" + "".join(f"{1000 * k + i} 1\n" for i in range(n)) for k, n in enumerate(length)))
with open(f"{folder}/members.particles", "w") as file:
    file.write("#a = 1.0\n#Particle table begins here:\n#x y z vx vy vz particle_id assigned_internal_haloid internal_haloid "
               "external_haloid\n")
    for k, n in enumerate(length):
        file.write("".join(f"1 2 3 0 0 0 {1000 * k + i} {k} {k} {k}\n" for i in range(n)))
