#!/bin/bash
# The environment of haloes, by the program: the same bytes for 1, 2, 3 and 5 ranks, numbers of numpy's
# brute force in the periodic parent and at the edges of zooms, joined by training and application,
# and refused where recipe, tracers or catalogue do not fit.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

cat >"$work/p.yml" <<END
Meta: {name: features, seed: 3}
Mock: {box: 100 Mpc, mesh: 48, mass_min: 1.8e11 Msun, zooms: 4, zoom_radius: 12 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0, law_environment: 0.05}
Environment: {select: central == 1 && m200c > 5e11 Msun, weight: both, spheres: [1 Mpc, 4 Mpc, 8 Mpc], gauss: [6 Mpc],
       top_hat: [8 Mpc], tidal: [6 Mpc], neighbours: [1, 5], massive: true, farthest: 20 Mpc, mesh: 48}
Features: {m200c: log10, environment: delta_8, delta_gauss_6: none, tide: tidal_6_1 - tidal_6_3, d_massive: log10}
Targets: {stellar_mass: log10}
Model: {trees: 8, min_leaf: 3, bag: row}
Parent: {keep: [delta_mass_4]}
Measure: {mesh: 32, pairs: false}
Output: {report: false, rows_per_part: 4000}
END

go() { # ranks threads command arguments...: in the folder of these ranks and threads
    OMP_NUM_THREADS=$2 "${mpirun[@]}" -n "$1" "$HALOGRAFT" "$3" "${params:-$work/p.yml}" --set "Output.folder=$work/r$1t$2" \
        "${@:4}" 2>"$work/log" || { cat "$work/log"; return 1; }
}
go 1 1 run >/dev/null
universe=(--set "Parent.files=[$work/r1t1/parent.hdf5]" --set "Zooms.regions=$work/r1t1/regions.csv")
for setting in "2 1" "3 1" "5 1" "1 2"; do
    read -r ranks threads <<<"$setting"
    for command in features train apply; do
        go "$ranks" "$threads" "$command" "${universe[@]}"
    done
done

cat >"$work/check.py" <<'END'
import glob, os, re, sys
import h5py
import numpy as np
work, kind = sys.argv[1], sys.argv[2]
box, radii = 100.0, [1, 4, 8]

def read(path, *names):
    parts = sorted(glob.glob(path + ".[0-9]*.hdf5"), key=lambda n: int(n.split(".")[-2]))
    return [np.concatenate([h5py.File(p)[n][()] for p in parts]) for n in names]

def distances(a, b):
    d = a[:, None] - b[None]
    d -= box * np.round(d / box)
    return np.sqrt((d**2).sum(-1))

def brute(position, mass, at, at_mass, density, mass_density):
    d = distances(at, position)
    d[d == 0] = np.inf
    found = {}
    for r in radii:
        v = 4 * np.pi / 3 * r**3
        found[f"delta_{r}"] = (d < r).sum(1) / v / density - 1
        found[f"delta_mass_{r}"] = (mass * (d < r)).sum(1) / v / mass_density - 1
    s = np.sort(d, 1)
    for n in (1, 5):
        found[f"d_{n}"] = np.minimum(s[:, n - 1], 20)
    found["d_massive"] = np.minimum(np.where(mass > at_mass[:, None], d, np.inf).min(1), 20)
    return found

def compare(found, name, rows, want, bad):
    have = found[rows]
    ok = np.isclose(have, want, rtol=2e-6, atol=2e-6, equal_nan=True)
    if not ok.all():
        print(name, "differs in", (~ok).sum(), "of", ok.size, "rows:", have[~ok][:3], want[~ok][:3])
        bad.append(name)

halo = ["InputHalos/HaloCentre", "InputHalos/IsCentral", "SO/200_crit/TotalMass", "InputHalos/HaloId"]
bad = []
folder = f"{work}/r1t1"
x, central, m, ids = read(folder + "/parent", *halo)
tracer = (central == 1) & (m > 5e11)
density, mass_density = tracer.sum() / box**3, m[tracer].astype(float).sum() / box**3
assert len(m) > 10000, len(m)
column = lambda path, name: read(path, "SOAP/Environment/" + name)[0]

if kind == "parent":
    first = {os.path.relpath(n, folder): open(n, "rb").read()
             for n in glob.glob(folder + "/**/*.hdf5", recursive=True) if re.search(r"\.\d+\.hdf5$", n)}
    assert sum(n.startswith(("environment/", "galaxies.")) for n in first) >= 6, sorted(first)
    for run in ("r2t1", "r3t1", "r5t1", "r1t2"):
        for name, data in first.items():
            if name.startswith(("environment/", "galaxies.")) and open(f"{work}/{run}/{name}", "rb").read() != data:
                bad.append(f"{run}/{name}")
    rows = np.arange(0, len(m), 7)
    side = folder + "/environment/parent"
    want = brute(x[tracer], m[tracer].astype(float), x[rows], m[rows], density, mass_density)
    for name, value in want.items():
        compare(column(side, name), name, rows, value, bad)
    # smoothed fields against sums over tracers and images; the share of the halo itself is taken off
    rows = np.arange(0, len(m), 211)
    d = x[rows][:, None] - x[tracer][None]
    d -= box * np.round(d / box)
    near = np.ones(d.shape[:2])
    for a in range(3):
        near *= sum(np.exp(-0.5 * ((d[:, :, a] + k * box) / 6) ** 2) for k in (-1, 0, 1))
    w0 = (2 * np.pi) ** -1.5 / 6**3
    direct = (near.sum(1) - tracer[rows]) * w0 / density - 1
    have = column(side, "delta_gauss_6")[rows]
    if np.abs(have - direct).max() > 2e-3:
        print("delta_gauss_6", np.abs(have - direct).max()); bad.append("delta_gauss_6")
    trace = sum(column(side, f"tidal_6_{k}").astype(float) for k in (1, 2, 3))
    if np.abs(trace - column(side, "delta_gauss_6")).max() > 1e-5:
        bad.append("trace of the tidal tensor")
    # zooms are cut from the parent: the same haloes have the same surroundings, to the last bit
    of_id = {i: n for n, i in enumerate(ids)}
    for zoom in glob.glob(folder + "/zooms/*.0.hdf5"):
        with h5py.File(zoom) as file:
            parent = file["SOAP/Zoom/ParentId"][()]
        number = int(re.search(r"(\d+)\.0\.hdf5$", zoom).group(1))
        side_z = glob.glob(f"{folder}/environment/*_{number}.hdf5")[0][:-5]
        rows = np.array([of_id[i] for i in parent])
        for name in ("delta_8", "delta_mass_4", "delta_gauss_6", "tidal_6_1", "d_5", "d_massive", "delta_tophat_8"):
            if not np.array_equal(column(side, name)[rows], column(side_z, name)):
                bad.append(f"zoom {number}: {name}")
    kept, = read(folder + "/galaxies", "SOAP/Catalogue/delta_mass_4")
    if not np.array_equal(kept, column(side, "delta_mass_4")):
        bad.append("kept column")
elif kind == "completed":  # rows of the zoom and what its boundary adds: all of the box, up to 22 Mpc
    import csv
    across = cut = 0
    for region in csv.DictReader(line for line in open(folder + "/regions.csv") if line[0] != "#"):
        centre = np.array([float(region[a]) for a in "xyz"])
        zx, zc, zm, _ = read(folder + "/" + region["hydro"][:-5], *halo)
        off = distances(zx, centre[None])[:, 0]
        rows = np.flatnonzero(off <= 12)
        side, moved = (glob.glob(f"{work}/{n}/*_{region['region']}.hdf5")[0][:-5] for n in ("completed", "alone"))
        want = brute(x[tracer], m[tracer].astype(float), zx[rows], zm[rows], density, mass_density)
        for name, value in want.items():
            reach = value if name.startswith("d_") else float(name.split("_")[-1])
            value = np.where(off[rows] + reach > 22, np.nan, value)
            across += (np.isfinite(value) & (off[rows] + reach > 12)).sum()
            cut += np.isnan(value).sum()
            compare(column(side, name), name, rows, value, bad)
            # in a frame of its own, all tracers in the boundary: one may pass the edge of a sphere by rounding
            have, first = column(moved, name)[rows], column(side, name)[rows]
            if np.mean(~np.isclose(have, first, rtol=1e-4, atol=1e-4, equal_nan=True)) > 1e-3:
                bad.append(f"zoom {region['region']} alone: {name}")
    assert across > 1000 and cut > 10, (across, cut)
else:  # zooms among themselves
    import csv
    seen = cut = 0
    for region in csv.DictReader(line for line in open(folder + "/regions.csv") if line[0] != "#"):
        centre = np.array([float(region[a]) for a in "xyz"])
        zoom = folder + "/" + region["hydro"][:-5]
        zx, zc, zm, _ = read(zoom, *halo)
        zt = (zc == 1) & (zm > 5e11)
        off = distances(zx, centre[None])[:, 0]
        side = glob.glob(f"{work}/own/*_{region['region']}.hdf5")[0][:-5]
        rows = np.arange(len(zm))
        want = brute(zx[zt], zm[zt].astype(float), zx, zm, density, mass_density)
        for name, value in want.items():
            reach = value if name.startswith("d_") else float(name.split("_")[-1])
            value = np.where(off + reach > 12, np.nan, value)
            seen, cut = seen + np.isfinite(value).sum(), cut + np.isnan(value).sum()
            compare(column(side, name), name, rows, value, bad)
            # what does not cross the edge is what the whole box has
    assert seen > 100 and cut > 100, (seen, cut)
if bad:
    sys.exit("wrong: " + ", ".join(map(str, bad)))
END
/usr/bin/python3 "$work/check.py" "$work" parent

# the same zooms in frames of their own, by another origin
mkdir "$work/moved"
cp "$work"/r1t1/zooms/* "$work/moved"
/usr/bin/python3 - "$work" <<'END'
import csv, glob, sys
import h5py
work = sys.argv[1]
shift = (10.0, 20.0, -30.0)
for name in glob.glob(work + "/moved/*.0.hdf5"):
    with h5py.File(name, "r+") as file:
        x = file["InputHalos/HaloCentre"]
        x[...] = (x[()] + shift) % 100
rows = list(csv.DictReader(line for line in open(work + "/r1t1/regions.csv") if line[0] != "#"))
with open(work + "/moved/regions.csv", "w") as file:
    names = ["region", "run", "hydro", "x", "y", "z", "radius", "own_x", "own_y", "own_z"]
    file.write(",".join(names) + "\n")
    for row in rows:
        row["hydro"] = row["hydro"].split("/")[-1]
        row.update({f"own_{a}": str((float(row[a]) + s) % 100) for a, s in zip("xyz", shift)})
        file.write(",".join(row[name] for name in names) + "\n")
END
go 1 1 features --set "Parent.files=[$work/r1t1/parent.hdf5]" --set "Zooms.regions=$work/moved/regions.csv" \
    --set "Environment.folder=$work/moved/environment" --set 'Environment.self_radius=1e-6 Mpc'
/usr/bin/python3 - "$work" <<'END'
import glob, os, sys
import h5py
import numpy as np
work, n = sys.argv[1], 0
for name in glob.glob(work + "/r1t1/environment/*_*.0.hdf5"):
    with h5py.File(name) as a, h5py.File(f"{work}/moved/environment/{os.path.basename(name)}") as b:
        for column in ("delta_8", "delta_gauss_6", "d_5", "tidal_6_1"):
            x, y = (f["SOAP/Environment/" + column][()] for f in (a, b))
            # a tracer may pass the edge of a sphere by rounding
            assert np.mean(np.abs(x - y) > 1e-4) < 1e-3 and np.std(x) > 0.01, (name, column, np.abs(x - y).max())
            n += len(x)
assert n > 1000, n
END

own=(--set Environment.zooms=own --set "Environment.folder=$work/own" --set "Environment.gauss=[]"
    --set "Environment.top_hat=[]" --set "Environment.tidal=[]")
go 1 1 features "${own[@]}"
/usr/bin/python3 "$work/check.py" "$work" own

# the same completed by what lies around: haloes of the box beyond the radius, or all tracers in one file
/usr/bin/python3 - "$work" <<'END'
import csv, glob, os, shutil, sys
import h5py
work = sys.argv[1]
for path in glob.glob(work + "/r1t1/parent*.hdf5"):
    shutil.copy(path, work + "/moved")
for path in glob.glob(work + "/moved/parent.[0-9]*.hdf5"):
    with h5py.File(path, "r+") as file:
        x = file["InputHalos/HaloCentre"]
        x[...] = (x[()] + (10.0, 20.0, -30.0)) % 100
for table, frame in (("r1t1/regions.csv", "r1t1/completed.csv"), ("moved/regions.csv", "moved/alone.csv")):
    rows = list(csv.DictReader(line for line in open(f"{work}/{table}") if line[0] != "#"))
    with open(f"{work}/{frame}", "w") as file:
        names = [n for n in rows[0] if n in "region run hydro x y z radius own_x own_y own_z".split()]
        file.write(",".join(names + ["boundary", "boundary_radius"]) + "\n")
        for row in rows:
            file.write(",".join([row[n] for n in names] + ["parent.hdf5", "22"]) + "\n")
END
completed=("${own[@]:0:2}" "${own[@]:4}" --set "Parent.files=[$work/r1t1/parent.hdf5]")
go 2 1 features "${completed[@]}" --set "Zooms.regions=$work/r1t1/completed.csv" --set "Environment.folder=$work/completed"
alone=("${completed[@]}" --set "Environment.tracer=[$work/r1t1/parent.hdf5]" --set 'Environment.self_radius=1e-6 Mpc')
go 1 1 features "${alone[@]}" --set "Zooms.regions=$work/moved/alone.csv" --set "Environment.folder=$work/alone"
/usr/bin/python3 "$work/check.py" "$work" completed

# training leaves out the rows that look beyond their zoom
sed 's/^Features:.*/Features: {m200c: log10, delta_8: none}/; s/^Parent:.*//' "$work/p.yml" >"$work/own.yml"
params=$work/own.yml go 1 1 train "${own[@]}" --set Model.file=own.hdf5
grep -q 'rows at the edge of their zoom have no environment' "$work/log" || { echo "edge not told"; exit 1; }

refuse() { # code words arguments...
    local code=$1 words=$2 got=0
    shift 2
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" "$1" "$work/p.yml" --set "Output.folder=$work/r1t1" --overwrite \
        "${@:2}" >"$work/log" 2>&1 || got=$?
    if [ "$got" -ne "$code" ] || ! grep -q -- "$words" "$work/log"; then
        echo "expected code $code and '$words', got $got and"; cat "$work/log"; exit 1
    fi
}
refuse 3 'asks for no column' features --set 'Environment.spheres=[]' "${own[@]:4}" --set 'Environment.neighbours=[]' \
    --set Environment.massive=false
refuse 3 'half the box' features --set 'Environment.spheres=[60 Mpc]'
refuse 3 'set it to 126' features --set 'Environment.gauss=[2 Mpc]'
refuse 3 'smoothed on a mesh' features --set Environment.zooms=own --set "Environment.folder=$work/none"
refuse 3 "name them in column 'boundary'" features "${alone[@]}" --set "Zooms.regions=$work/r1t1/regions.csv" \
    --set "Environment.folder=$work/none"
refuse 4 'fewer than Environment.particles_min' features --set Environment.particles_min=1e5
refuse 4 'no row is a tracer' features --set 'Environment.select=m200c > 1e17'
refuse 4 "'m200x'" features --set 'Environment.mass=m200x'
refuse 4 "make it with 'halograft features'" train --set "Environment.folder=$work/none"
refuse 4 "has 'mesh: 64', that of .* 'mesh: 48'" train --set Environment.mesh=64
refuse 4 "has the column 'delta_3', that of .* only" train --set 'Environment.spheres=[3 Mpc, 4 Mpc, 8 Mpc]'
go 1 1 features --overwrite --set 'Environment.select=central == 1' --set "Environment.folder=$work/other"
refuse 4 "the environment of the model has 'select: central == 1 && m200c > 5e11 Msun'" apply \
    --set "Environment.folder=$work/other"
for f in "$work"/r1t1/environment/*_0.*; do
    cp "$f" "$work/r2t1/environment/$(basename "$f" | sed 's/_0\./_1./')"
done
refuse 4 'made for another catalogue' train "${universe[@]}" --set "Output.folder=$work/r2t1"
