#!/bin/bash
# Histories of haloes, by the program: merger trees of consistent-trees, tracks of HBT and a table of links of
# one universe with holes give the columns of a plain walk, in the same bytes for 1, 2, 3 and 5 ranks; training
# and application join them, and refuse another recipe and links that cannot be.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
check=$HG_SOURCE/tests/cli/check_history.py
/usr/bin/python3 "$check" write "$work"

cat >"$work/p.yml" <<END
Zooms: {files: ["$work/haloes.csv"], mapping: "$work/haloes.yml"}
Parent: {files: ["$work/haloes.csv"], mapping: "$work/haloes.yml"}
History: {columns: [m_bound, vmax], redshifts: [0.25, 1, 3], scales: [0.3, 0.5], rows_per_part: 500}
Features: {mass: m_bound | log10, growth: m_bound_z1 / m_bound, peak: vmax_peak | log10}
Targets: {stellar_mass: log10}
Selection: {apply: isfinite(m_bound_peak)}
Model: {trees: 16, min_leaf: 2, bag: row}
Output: {report: false}
END
trees=(--set "History.files=[$work/tree_0_0_0.dat, $work/tree_0_0_1.dat]")
links=(--set "History.files=[$work/links.csv]" --set "History.mapping=$work/links.yml"
    --set "History.scale_table=$work/scales.txt")
tracks=(--set "History.files=['$work/tracks/{snapshot:03d}/SubSnap_{snapshot:03d}.{file}.hdf5']" --set History.h=0.7)

go() { # ranks command arguments...
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n "$1" "$HALOGRAFT" "$2" "$work/p.yml" "${@:3}" >"$work/log" 2>&1 ||
        { cat "$work/log"; return 1; }
}
for ranks in 1 2 3 5; do
    go $ranks features "${trees[@]}" --set "Output.folder=$work/trees$ranks"
done
for ranks in 1 3; do
    go $ranks features "${links[@]}" --set "Output.folder=$work/links$ranks"
done
go 1 features --set "History.files=[$work/kept.csv]" --set "History.mapping=$work/kept.yml" --set History.links=track \
    --set "Output.folder=$work/kept1"
go 2 features "${tracks[@]}" --set "Output.folder=$work/tracks2"
grep -q '380 of 400 haloes have a history' "$work/log" || { cat "$work/log"; exit 1; }
/usr/bin/python3 "$check" check "$work" "$work"/{trees1,links1,kept1,tracks2}/history/{parent,zooms}
for ranks in 2 3 5; do
    cmp "$work/trees1/history/parent.0.hdf5" "$work/trees$ranks/history/parent.0.hdf5"
done
cmp "$work/links1/history/parent.0.hdf5" "$work/links3/history/parent.0.hdf5"

# regions with histories of their own: the second knows half of the trees
mkdir "$work/z0" "$work/z1"
cp "$work"/tree_0_0_?.dat "$work/z0"
cp "$work/tree_0_0_0.dat" "$work/z1"
printf '%s\n' region,hydro 0,haloes.csv 1,haloes.csv >"$work/regions.csv"
go 2 features "${trees[@]}" --set "Output.folder=$work/regions" --set "Zooms.regions=$work/regions.csv" --set 'Zooms.files=[]' \
    --set "History.zooms=['$work/z{region}/tree_0_0_{file}.dat']"
grep -q '190 of 400 haloes have a history' "$work/log" || { cat "$work/log"; exit 1; }
/usr/bin/python3 "$check" check "$work" "$work"/regions/history/{parent,zoom_0}

# the galaxies follow the mass at redshift 1
go 2 train "${trees[@]}" --set "Output.folder=$work/trees1"
grep -q '20 rows are not found in the history' "$work/log" || { cat "$work/log"; exit 1; }
go 2 apply "${trees[@]}" --set "Output.folder=$work/trees1"
/usr/bin/python3 - "$work" <<'END'
import sys
import h5py
import numpy as np
work = sys.argv[1]
with h5py.File(work + "/trees1/galaxies.0.hdf5") as f:
    mean = f["SOAP/Predicted/stellar_mass"][()]
truth = np.loadtxt(work + "/haloes.csv", delimiter=",", skiprows=1)[:, 5]
known = np.load(work + "/expected.npy")[:, 1] >= 0
assert np.isnan(mean[~known]).all() and np.isfinite(mean[known]).all()
r = np.corrcoef(np.log10(mean[known]), np.log10(truth[known]))[0, 1]
assert r > 0.9, r
END

refuse() { # code words command arguments...
    local got=0
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" "$3" "$work/p.yml" "${@:4}" --overwrite >"$work/log" 2>&1 || got=$?
    if [ "$got" -ne "$1" ] || ! grep -q -- "$2" "$work/log"; then
        echo "expected code $1 and '$2', got $got and"; cat "$work/log"; exit 1
    fi
}
bad=(--set "Output.folder=$work/bad" --set "History.files=[$work/bad.csv]" --set "History.mapping=$work/bad.yml")
table() { # mapping's link column, rows...
    printf 'Header: {h: 0.7}\nColumns: {id: id, %s, scale: a, m_bound: "m, Msun"}\n' "$1" >"$work/bad.yml"
    printf '%s\n' 'id,link,a,m' "${@:2}" >"$work/bad.csv"
}
cp "$work/tree_0_0_0.dat" "$work/again.dat"
go 1 features "${trees[@]}" --set "Output.folder=$work/trees2" --set History.phantoms=use --overwrite
refuse 4 "the history of the model has 'phantoms: fill'" apply "${trees[@]}" --set "Output.folder=$work/trees1" \
    --set "History.folder=$work/trees2/history"
bad+=(--set "History.columns=[m_bound]")
table 'descendant_id: link' 700,800,0.5,1 800,-1,1,2 900,-1,1,3
refuse 4 'no halo of' features "${bad[@]}"
table 'descendant_id: link' 700,800,0.5,1 800,700,1,2
refuse 4 'object 800 at scale factor 1 becomes object 700 at 0.5, which is not later' features "${bad[@]}"
table 'progenitor_id: link' 700,-1,0.5,1 800,700,1,2 900,700,1,3
refuse 4 'object 700 is the main progenitor of both 900 and 800' features "${bad[@]}"
table 'other: link' 700,-1,0.5,1
refuse 4 'no column descendant_id or progenitor_id' features "${bad[@]}"
table 'descendant_id: link' 700,800,0,1 800,-1,1,2
refuse 4 'which gives no scale factor' features "${bad[@]}"
refuse 4 'stands twice in the history' features "${bad[@]:0:2}" --set "History.files=[$work/tree_0_0_0.dat, $work/again.dat]"
refuse 4 'no file of a history matches' features --set "Output.folder=$work/bad" --set "History.files=['$work/{snapshot}.list']"
refuse 3 'asks for no column' features "${trees[@]}" --set History.redshifts='[]' --set History.scales='[]' \
    --set History.peaks=false
