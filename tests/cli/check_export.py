#!/usr/bin/env python3
"""Exported tables, as Python reads them, against the catalogue they were made of."""
import csv
import gzip
import sys

import h5py
import numpy as np

H = 0.7
bad = 0


def check(name, fits):
    global bad
    if not fits:
        print("FAIL:", name)
        bad += 1


def read_csv(path, opener=open):
    with opener(path, "rt") as f:
        rows = list(csv.reader(f))
    return {n: np.array([float(r[i]) for r in rows[1:]]) for i, n in enumerate(rows[0])}


work = sys.argv[1]
with h5py.File(f"{work}/c.hdf5") as f:
    x = f["InputHalos/HaloCentre"][:]
    ids = f["InputHalos/HaloId"][:]
    host = f["InputHalos/HostHaloId"][:]
    mass = f["SO/200_crit/TotalMass"][:]
    parent = f["SOAP/Catalogue/host_m200c"][:]

plain = read_csv(f"{work}/p.csv")
check("columns", list(plain)[:5] == ["id", "row", "x", "y", "z"])
check("digits of positions", all(np.array_equal(plain["xyz"[k]], x[:, k]) for k in range(3)))
check("digits of masses", np.array_equal(plain["m200c"].astype("f4"), mass))
check("no h in plain tables", np.array_equal(plain["host_m200c"].astype("f4"), parent))
with open(f"{work}/p.csv") as f:
    check("all digits of ids", [int(r["id"]) for r in csv.DictReader(f)] == ids.tolist())

zipped = read_csv(f"{work}/z.csv.gz", gzip.open)
keep = mass > 3e11
check("rows of a selection", np.array_equal(zipped["x"], x[keep, 0]))
check("chosen columns", "m200c" in zipped and "vmax" not in zipped)

with h5py.File(f"{work}/t.hdf5") as f:
    t = {n: f[n][:] for n in f}
    attributes = dict(f.attrs)
    units = {n: f[n].attrs["unit"] for n in f}
check("names of halotools", {"halo_id", "halo_x", "halo_vx", "halo_upid", "halo_hostid",
                             "halo_m200c", "halo_m200c_host_halo"} <= set(t))
check("Mpc/h", np.allclose(t["halo_y"], x[:, 1] * H, rtol=1e-15))
check("Msun/h", np.allclose(t["halo_m200c"], mass * H, rtol=2e-7))
check("masses of hosts", np.allclose(t["halo_m200c_host_halo"], parent * H, rtol=2e-7))
check("upid", np.array_equal(t["halo_upid"], host) and t["halo_upid"].dtype == np.int64)
check("hostid", np.array_equal(t["halo_hostid"], np.where(host == -1, ids, host)))
check("frame", abs(attributes["Lbox"] - 100 * H) < 1e-12 and attributes["h"] == H)
check("units", units["halo_x"] in ("Mpc/h", b"Mpc/h") and units["halo_vx"] in ("km/s", b"km/s"))

try:
    import pandas
except ImportError:
    print("SKIPPED: no pandas")
else:
    p = pandas.read_csv(f"{work}/z.csv.gz")
    check("pandas", np.array_equal(p["id"].to_numpy(), ids[keep]))
try:
    from astropy.table import Table
except ImportError:
    print("SKIPPED: no astropy")
else:
    check("astropy", np.array_equal(Table.read(f"{work}/p.csv", format="ascii.csv")["id"], ids))
sys.exit(bad > 0)
