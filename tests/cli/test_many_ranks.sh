#!/usr/bin/env bash
# Far more ranks than cores and than parts: the same model and catalogue; and several nodes seen on one machine: the same
# validation, explanation, design and statistics, too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"
cat >p.yml <<END
Meta: {name: ranks, seed: 3}
Mock: {box: 60 Mpc, mesh: 32, mass_min: 3e11 Msun, zooms: 3, zoom_radius: 8 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc}
Features: {m200c: log10, vmax: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: 24}
Measure: {mesh: 32, reproducible: true}
Validate: {by: rows, draws: 5, folds: 3}
Explain: {repeats: 1, rows: 60, points: 4, haloes: 5}
Design: {regions: 2, radii: [6 Mpc], gap: 1 Mpc, candidates: 30, peaks: 5, least: 1e10, thresholds: [1e10]}
Output: {report: false, rows_per_part: 100}
END
"$HALOGRAFT" mock p.yml --set Output.folder=mock -q
graft() { # folder, ranks, commands
    [ -d "$1" ] || cp -r mock "$1"
    for command in "${@:3}"; do
        "${mpirun[@]}" -n "$2" "$HALOGRAFT" "$command" p.yml --set "Output.folder=$1" -q >said.txt
    done
}
graft r1 1 train apply validate explain design measure
graft r16 16 train apply
graft r31 31 train apply
HG_RANKS_PER_NODE=2 graft nodes 5 train apply validate explain design measure
[ "$(find r1 -name 'galaxies.*.hdf5' | wc -l)" -lt 31 ] # so that some ranks have no part
for run in r16 r31 nodes; do
    for file in model galaxies; do
        "$HALOGRAFT" diff "r1/$file.hdf5" "$run/$file.hdf5" >diff.txt || { cat diff.txt; exit 1; }
    done
done
"$HALOGRAFT" diff r1/statistics.hdf5 nodes/statistics.hdf5 >diff.txt || { cat diff.txt; exit 1; }
for table in r1/{validation,explanation,design}*.csv; do cmp "$table" "nodes/${table#r1/}"; done
(cd r31 && { ! command -v xxhsum >/dev/null || xxhsum --quiet --check galaxies.xxh3; })
echo "ranks: 16, 31 and 5 on three nodes give the files of one"
