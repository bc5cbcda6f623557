"""Catalogues of VELOCIraptor as the code writes them, and what halograft must make of them."""

import sys

import h5py
import numpy as np

H, A, N, CUT = 0.68, 0.5, 12, [0, 5, 5, 12]
LENGTH, MASS = 1000.0, 1e10  # Mpc, 1e10 Msun
DIMENSION = {"M": (1, 0, 0, 0), "R": (0, 1, 0, 0), "X": (0, 1, 0, 0), "V": (0, 0, 1, 0)}


def rows():
    i = np.arange(N, dtype=float)
    return {"ID": np.arange(N) + 1, "hostHaloID": np.where(np.arange(N) % 4 == 1, np.arange(N), -1),
            "Structuretype": np.where(np.arange(N) % 4 == 1, 20, 10), "npart": np.arange(N) + 30,
            "Mass_tot": i + 1, "Mass_200crit": i + 2, "R_200crit": (i + 1) / 100,
            "Rmax": (i + 1) / 50, "Vmax": 100 + i, "sigV": 60 + i, "q": i / 20,
            **{f"{x}cmbp": 2 * i + k for k, x in enumerate("XYZ")},
            **{f"{x}c": 2 * i + k + 0.25 for k, x in enumerate("XYZ")},
            **{f"V{x}c": 10 * i - k for k, x in enumerate("XYZ")},
            "M_star": i / 10 + 0.1, "SFR_gas": i, "Efrac": i + 7}


def write_file(path, low, high, n_file, comoving=0, as_text=False, dimensions=True, number=0):
    data = rows()
    with h5py.File(path, "w") as f:
        for name, value in (("File_id", number), ("Num_of_files", n_file),
                            ("Num_of_groups", high - low), ("Total_num_of_groups", N)):
            f[name] = np.array([value], "u8")
        for name, group, value in (
                ("Comoving_or_Physical", "UnitInfo", comoving), ("Length_unit_to_kpc", "UnitInfo", LENGTH),
                ("Mass_unit_to_solarmass", "UnitInfo", MASS), ("Velocity_to_kms", "UnitInfo", 1.0),
                ("SFR_unit_to_solarmassperyear", "UnitInfo", 2.0), ("ScaleFactor", "SimulationInfo", A),
                ("h_val", "SimulationInfo", H), ("Omega_m", "SimulationInfo", 0.3),
                ("Omega_Lambda", "SimulationInfo", 0.7), ("Period", "SimulationInfo", 50.0)):
            f.require_group(group).attrs[name] = str(value) if as_text else value
        for name, value in data.items():
            f[name] = value[low:high]
            power = (1, 0, 0, -1) if name == "SFR_gas" else DIMENSION.get(name[0], (0, 0, 0, 0))
            power = {"Vmax": (0, 0, 1, 0), "sigV": (0, 0, 1, 0), "Yc": (0, 1, 0, 0), "Zc": (0, 1, 0, 0),
                     "Ycmbp": (0, 1, 0, 0), "Zcmbp": (0, 1, 0, 0)}.get(name, power)
            for key, p in zip(("Mass", "Length", "Velocity", "Time"), power):
                if dimensions:
                    f[name].attrs[f"Dimension_{key}"] = str(p) if as_text else float(p)


def write():
    for k in range(3):
        write_file(f"physical.properties.{k}", CUT[k], CUT[k + 1], 3, number=k)
        write_file(f"text.properties.{k}", CUT[k], CUT[k + 1], 3, as_text=True, number=k)
    write_file("plain.properties", 0, N, 1, dimensions=False)
    write_file("comoving.properties", 0, N, 1, comoving=1)


def near(name, got, want):
    if not np.allclose(got, want, rtol=1e-6, atol=0, equal_nan=True):
        sys.exit(f"FAIL: {name} is {got}, not {want}")


def check(path, length, mass):
    """`length` and `mass` turn stored values into comoving Mpc and Msun."""
    data = rows()
    column = {}

    def visit(_, item):
        if isinstance(item, h5py.Dataset) and "Column" in item.attrs:
            name = item.attrs["Column"]
            column[name.decode() if isinstance(name, bytes) else name] = item[:]

    with h5py.File(path) as f:
        f.visititems(visit)
        near("box", f["Header"].attrs["BoxSize"][0], 50 * length)
        near("h", f["Cosmology"].attrs["h"], H)
    near("id", column["id"], data["ID"])
    near("host_id", column["host_id"], data["hostHaloID"])
    near("central", column["central"], data["Structuretype"] == 10)
    near("n_part", column["n_part"], data["npart"])
    near("position", column["position"],
         length * np.stack([data[f"{x}cmbp"] for x in "XYZ"], axis=1))
    near("velocity", column["velocity"], np.stack([data[f"V{x}c"] for x in "XYZ"], axis=1))
    near("m_bound", column["m_bound"], mass * data["Mass_tot"])
    near("m200c", column["m200c"], mass * data["Mass_200crit"])
    near("r200c", column["r200c"], length * data["R_200crit"])
    near("r_vmax", column["r_vmax"], length * data["Rmax"])
    near("vmax", column["vmax"], data["Vmax"])
    near("sigma_v", column["sigma_v"], data["sigV"])
    near("b_to_a", column["b_to_a"], data["q"])
    near("stellar_mass", column["stellar_mass"], mass * data["M_star"])
    near("sfr", column["sfr"], 2 * data["SFR_gas"])
    near("Efrac", column["Efrac"], data["Efrac"])


if sys.argv[1] == "write":
    write()
else:
    check(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
