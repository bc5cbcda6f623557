#!/bin/bash
# Mock, model and catalogue are bit-identical for 1, 2, 3 and 5 ranks and 1 and 2 threads; power
# spectra agree to 1e-6 of P + shot noise; a shuffled training table gives the same model.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

cat >"$work/p.yml" <<END
Meta: {name: invariance, seed: 3}
Mock: {box: 120 Mpc, mesh: 64, mass_min: 3e11 Msun, zooms: 6, zoom_radius: 10 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 1}
Features: {m200c: log10, m_bound: log10, vmax: log10, r_half: log10, central: none}
Targets: {stellar_mass: log10, sfr: log10 | floor 1e-4 Msun/yr}
Model: {trees: 24, min_leaf: 3}
Scatter: {draws: 2}
Measure: {mesh: 64}
Output: {report: false, rows_per_part: 3000}
END

run() { # ranks threads
    OMP_NUM_THREADS=$2 "${mpirun[@]}" -n "$1" "$HALOGRAFT" run "$work/p.yml" \
        --set "Output.folder=$work/r$1t$2" --threads "$2" 2>"$work/r$1t$2.log" ||
        { cat "$work/r$1t$2.log"; exit 1; }
}
run 1 1
run 2 1
run 3 1
run 5 1
run 1 2

HALOGRAFT_WORK=$work /usr/bin/python3 - <<'END'
import glob, os, re, sys
import h5py
import numpy as np
work = os.environ["HALOGRAFT_WORK"]
runs = ["r1t1", "r2t1", "r3t1", "r5t1", "r1t2"]
bad = 0
def parts(run):
    names = sorted(n for n in glob.glob(f"{work}/{run}/**/*.hdf5", recursive=True) if re.search(r"\.\d+\.hdf5$", n))
    return {os.path.relpath(n, f"{work}/{run}"): open(n, "rb").read() for n in names}
first = parts("r1t1")
assert len(first) >= 10, sorted(first)
hashes = {re.search(r"content hash ([0-9a-f]{16})", open(f"{work}/{r}.log").read()).group(1) for r in runs}
if len(hashes) != 1:
    print("model hashes differ", hashes); bad += 1
for run in runs[1:]:
    other = parts(run)
    if other.keys() != first.keys():
        print(run, "has other part files"); bad += 1
    for name in first:
        if other.get(name) != first[name]:
            print(run, name, "differs"); bad += 1
    with h5py.File(f"{work}/r1t1/statistics.hdf5") as a, h5py.File(f"{work}/{run}/statistics.hdf5") as b:
        for catalogue in a["curves"]:
            for name in a["curves"][catalogue]:
                x, y = a["curves"][catalogue][name], b["curves"][catalogue][name]
                scale = np.abs(np.nan_to_num(x["y"][()])).max() + 1e-300
                shot = float(x.attrs.get("shot_noise", 0))
                limit = 1e-6 * (scale + shot)
                if not np.allclose(x["y"][()], y["y"][()], rtol=1e-6, atol=limit, equal_nan=True):
                    print(run, catalogue, name, "differs"); bad += 1
sys.exit(bad > 0)
END

# the same training rows in another order, through text tables
HALOGRAFT_WORK=$work /usr/bin/python3 - <<'END'
import os, random
import h5py
work = os.environ["HALOGRAFT_WORK"]
with h5py.File(f"{work}/r1t1/parent.hdf5") as halo, h5py.File(f"{work}/r1t1/truth.hdf5") as truth:
    def find(file, name):
        found = []
        file.visititems(lambda n, o: found.append(n) if n.split("/")[-1].lower() == name else None)
        return file[found[0]][()]
    rows = list(zip(find(halo, "haloid"), find(halo, "maximumcircularvelocity"), find(truth, "stellar_mass")))
random.Random(1).shuffle(rows)
rows = rows[:5000]
for name, order in (("a", rows), ("b", sorted(rows, key=lambda r: r[1]))):
    with open(f"{work}/{name}.csv", "w") as out:
        out.write("id,vmax,mstar\n")
        out.writelines(f"{int(i)},{v:.9g},{m:.9g}\n" for i, v, m in order)
END
cat >"$work/map.yml" <<END
Columns: {id: id, vmax: "vmax, km/s", stellar_mass: "mstar, Msun"}
END
for name in a b; do
    cat >"$work/$name.yml" <<END
Zooms: {files: ["$work/$name.csv"], format: columns, mapping: "$work/map.yml"}
Features: {vmax: log10}
Targets: {stellar_mass: log10}
Model: {trees: 8}
Output: {folder: "$work/$name"}
END
    "${mpirun[@]}" -n 2 "$HALOGRAFT" train "$work/$name.yml" 2>"$work/$name.log" || { cat "$work/$name.log"; exit 1; }
done
a=$(grep -o 'content hash [0-9a-f]*' "$work/a.log")
b=$(grep -o 'content hash [0-9a-f]*' "$work/b.log")
[ "$a" = "$b" ] || { echo "row order changes the model: $a, $b"; exit 1; }
echo "same bits for ranks 1, 2, 3, 5, threads 1, 2, and shuffled rows"
