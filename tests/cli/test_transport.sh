#!/bin/bash
# Zooms whose finder measures another vmax: Zooms.transport takes the distortion off again, so that a model
# predicts nearly as well as without it, and is the same for 1, 2 and 3 ranks.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

cat >"$work/p.yml" <<YML
Meta: {name: transport, seed: 5}
Mock: {box: 100 Mpc, mesh: 48, mass_min: 1.8e11 Msun, zooms: 6, zoom_radius: 14 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc,
       oracle: 0, law_concentration: 0.3, scatter_low: 0.02, scatter_high: 0.02}
Parent: {files: [$work/parent.hdf5]}
Zooms: {regions: $work/regions.csv}
Match: {mass: m200c}
Features: {m200c: log10, vmax: log10}
Targets: {stellar_mass: log10}
Selection: {train: central == 1, apply: central == 1}
Model: {trees: 24, min_leaf: 4, bag: row}
Output: {folder: $work, report: false}
YML

go() { # ranks command arguments...
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n "$1" "$HALOGRAFT" "$2" "$work/p.yml" "${@:3}" >"$work/out" 2>"$work/log" ||
        { cat "$work/log"; return 1; }
}
grafted() { # name of model and catalogue, arguments of train...
    go 1 train --set "Model.file=$1.model.hdf5" "${@:2}"
    cp "$work/log" "$work/$1.log"
    go 1 apply --set "Model.file=$1.model.hdf5" --set "Output.catalogue=$1" --set Scatter.draws=0
}
go 1 mock
grafted true
/usr/bin/python3 - "$work" <<'END_PY'
import glob, sys
import h5py
for name in glob.glob(sys.argv[1] + "/zooms/*.0.hdf5"):
    with h5py.File(name, "r+") as file:
        x = file["BoundSubhalo/MaximumCircularVelocity"]
        x[...] = 150 * (x[()] / 150) ** 0.8 * 1.15
END_PY
grafted distorted
moved=(--set 'Zooms.transport=[vmax]')
grafted moved "${moved[@]}"
! grep -q 'another parent' "$work/log" || { echo "wrong warning"; exit 1; }
go 1 apply --set Model.file=moved.model.hdf5 --set Output.catalogue=other --set Scatter.draws=0 \
    --set "Parent.files=[$work/zooms/region_00.hdf5]"
grep -q 'another parent' "$work/log" || { echo "no warning of another parent"; exit 1; }
go 1 features --common "${moved[@]}"
cp "$work/out" "$work/common"
for ranks in 2 3; do
    go "$ranks" train --set "Model.file=moved$ranks.hdf5" "${moved[@]}"
    for log in moved.log log; do
        grep -o 'content hash .*' "$work/$log"
    done | uniq -u | grep -q . && { echo "another model on $ranks ranks"; exit 1; }
done

/usr/bin/python3 - "$work" <<'END_PY'
import re, sys
import h5py
import numpy as np
work = sys.argv[1]
with h5py.File(work + "/truth.0.hdf5") as truth:
    want = np.log10(truth["SOAP/Predicted/stellar_mass"][()])
    central = truth["InputHalos/IsCentral"][()] == 1
rms = {}
for name in ("true", "distorted", "moved"):
    with h5py.File(f"{work}/{name}.0.hdf5") as file:
        have = np.log10(file["SOAP/Predicted/stellar_mass"][()])
    rms[name] = np.sqrt(np.mean((have - want)[central] ** 2))
print(rms)
assert rms["moved"] - rms["true"] < 0.3 * (rms["distorted"] - rms["true"]), rms
assert rms["distorted"] > 1.2 * rms["true"], rms
before, after, chance = map(float, re.search(
    r"KS ([\d.]+) before and ([\d.]+) after \(([\d.]+) by chance", open(work + "/moved.log").read()).groups())
assert before > 5 * chance and after < 1.5 * chance, (before, after, chance)
line = next(l for l in open(work + "/common") if l.startswith("vmax")).split()
assert abs(float(line[5]) - before) < 1e-4 and abs(float(line[6]) - after) < 1e-4, line
with h5py.File(work + "/moved.model.hdf5") as model:
    found = []
    model.visititems(lambda n, o: found.extend(str(v) for v in o.attrs.values()))
assert any("KS_moved" in v for v in found), "the model does not tell what was moved"
END_PY

refuse() { # code words arguments...
    local got=0
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" train "$work/p.yml" --overwrite "${@:3}" >"$work/log" 2>&1 || got=$?
    if [ "$got" -ne "$1" ] || ! grep -q -- "$2" "$work/log"; then
        echo "expected code $1 and '$2', got $got and"; cat "$work/log"; exit 1
    fi
}
refuse 3 "'vmx' is no feature, did you mean 'vmax'" --set 'Zooms.transport=[vmx]'
refuse 3 'remove one of the two' "${moved[@]}" --set Zooms.features=parent
refuse 4 'no bin of m200c has 40 haloes' "${moved[@]}" --set 'Selection.train=m200c > 1e15' --set 'Selection.apply=m200c > 1e15'
