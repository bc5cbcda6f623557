#!/usr/bin/env bash
# Zooms among their own particles: spheres of matter at the edge of a region, completed by heavier boundary particles
# beyond it, equal brute force over a snapshot with both kinds.
set -euo pipefail

/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
read -ra mpirun <<<"$HG_MPIRUN"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=1

cat >p.yml <<'YML'
Meta: {name: boundary, seed: 5}
Mock: {box: 100 Mpc, mesh: 64, mass_min: 5e11 Msun, zooms: 3, zoom_radius: 12 Mpc, zoom_buffer: 0 Mpc, periodic: 0 Mpc,
       oracle: 0, particles: 0.5}
Environment: {zooms: own, tracer: [out/particles.hdf5], weight: mass, mass: mass, spheres: [4 Mpc, 8 Mpc], gauss: [],
              top_hat: [], tidal: [], neighbours: [], massive: false, particles_min: 0, folder: environment}
Features: {m200c: log10, delta_mass_4: none, delta_mass_8: none}
Targets: {stellar_mass: log10}
Output: {report: false, folder: out}
YML
"$HALOGRAFT" mock p.yml -q >log 2>&1 || { cat log; exit 1; }

cat >snapshots.py <<'END'
"""Writes a snapshot around each region, particles of twice the mass beyond 13 Mpc; or checks the columns."""
import csv, glob, sys
import h5py
import numpy as np


def distances(x, centre, box):
    d = x - centre
    return np.sqrt(((d - box * np.round(d / box)) ** 2).sum(-1))


with h5py.File("out/particles.hdf5") as file:
    header = dict(file["Header"].attrs)
    particles = {name: file["PartType1/" + name][()] for name in ("Coordinates", "Velocities", "ParticleIDs")}
h, box = float(header["HubbleParam"]), 100.0
x = particles["Coordinates"] / h
rng, across = np.random.default_rng(1), 0
table = None if sys.argv[1] == "check" else open("out/own.csv", "w", encoding="utf-8")
if table:
    print("region,run,hydro,x,y,z,radius,boundary,boundary_radius", file=table)
for region in csv.DictReader(open("out/regions.csv", encoding="utf-8")):
    name = f"around_{region['region']}.hdf5"
    centre = np.array([float(region[a]) for a in "xyz"])
    if table:
        print(region["region"], "mock", region["hydro"], *centre, 12, name, 22, sep=",", file=table)
        far = distances(x, centre, box)
        parts = {1: far < 13, 2: (far >= 13) & (far < 23) & (rng.random(len(far)) < 0.5)}
        counts = [parts[k].sum() if k in parts else 0 for k in range(6)]
        with h5py.File("out/" + name, "w") as file:
            attrs = file.create_group("Header").attrs
            for key, value in header.items():
                attrs[key] = value
            attrs["NumPart_ThisFile"], attrs["NumPart_Total"] = np.array(counts, "i4"), np.array(counts, "u4")
            attrs["MassTable"] = header["MassTable"][1] * np.array([0.0, 1, 2, 0, 0, 0])
            for k, part in parts.items():
                for column, value in particles.items():
                    file[f"PartType{k}/{column}"] = value[part]
        continue
    with h5py.File("out/" + name) as file:
        near = np.concatenate([file[f"PartType{k}/Coordinates"][()] / h for k in (1, 2)])
        mass = np.concatenate([np.full(len(file[f"PartType{k}/Coordinates"]), float(k)) for k in (1, 2)])
    with h5py.File("out/" + region["hydro"].replace(".hdf5", ".0.hdf5")) as file:
        halo = file["InputHalos/HaloCentre"][()]
    off = distances(halo, centre, box)
    with h5py.File(glob.glob(f"environment/*_{region['region']}.0.hdf5")[0]) as file:
        for radius in (4, 8):
            have = file[f"SOAP/Environment/delta_mass_{radius}"][()]
            inside = np.array([mass[distances(near, at, box) < radius].sum() for at in halo])
            want = inside / (len(x) / box**3 * 4 / 3 * np.pi * radius**3) - 1
            want[off + radius > 22] = np.nan
            assert np.allclose(have, want, rtol=0, atol=1e-5, equal_nan=True), (name, radius, np.nanmax(np.abs(have - want)))
            across += int((off + radius > 12).sum())
assert table or across > 50, across
END
/usr/bin/python3 -B snapshots.py write
"${mpirun[@]}" -n 2 "$HALOGRAFT" features p.yml --set Zooms.regions=out/own.csv --set 'Parent.files=[out/parent.hdf5]' \
    >log 2>&1 || { cat log; exit 1; }
/usr/bin/python3 -B snapshots.py check

# particles have no mass of that name: the error names the catalogue of tracers that lacks it
code=0
"$HALOGRAFT" features p.yml --set Zooms.regions=out/own.csv --set 'Parent.files=[out/parent.hdf5]' --set Environment.mass=m200c \
    --overwrite >log 2>&1 || code=$?
if [ "$code" -ne 4 ] || ! grep -q "out/particles.hdf5.*'m200c'" log; then echo "code $code"; cat log; exit 1; fi
