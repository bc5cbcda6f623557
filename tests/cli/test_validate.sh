#!/usr/bin/env bash
# validate: held-out folds of a mock; metrics and baselines against scikit-learn (check_validate.py), the same tables
# on 1, 2 and 3 ranks, and one clear sentence for everything that cannot be validated.
set -euo pipefail
export HG_SOURCE=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cat >"$work/p.yml" <<END_OF_FILE
Meta: {name: validate, seed: 3}
Mock: {box: 120 Mpc, mesh: 64, mass_min: 2e11 Msun, zooms: 8, zoom_radius: 12 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}
Features: {m_bound: log10, vmax: log10, r_half: log10}
Targets: {stellar_mass: log10, sfr: log10 | hurdle, gas_mass: log10, quenched: sfr / stellar_mass < 1e-11 | label}
Model: {trees: 12, min_leaf: 3}
Validate: {mass: m_bound | log10, draws: 9, overdensity: "position[2]", parent: true, parent_rows: 3000}
Output: {report: false, folder: "$work"}
END_OF_FILE
run() {
    local n=$1 launch=()
    shift
    [ "$n" = 1 ] || launch=("${mpirun[@]}" -n "$n")
    "${launch[@]}" "$HALOGRAFT" "$@" >"$work/said" 2>"$work/log" || { cat "$work/log"; exit 1; }
}
run 1 mock "$work/p.yml"
coarser=(--set "Validate.resolution=[1, 64]" --set Validate.particles_min=1 --set "Validate.resolution_masses=[1.2e10 Msun]"
    --set "Validate.softening=0.005 Mpc")
run 1 validate "$work/p.yml" "${coarser[@]}"
grep -q 'fine on coarse' "$work/said"
grep -q 'vmax: error of few particles, softening; r_half: error of few particles' "$work/log"
grep -q 'forest' "$work/said"
grep -q '^warning: the parent has haloes with m_bound' "$work/said"
for n in 2 3; do
    run "$n" validate "$work/p.yml" "${coarser[@]}" --set Validate.file="$work/ranks$n.hdf5"
    for table in _scores _rows _parent _parent_rows _resolution ""; do
        cmp "$work/validation$table.csv" "$work/ranks$n$table.csv"
    done
done
sed 's/^Features.*/Features: {m_bound: log10}/; s/^Targets.*/Targets: {stellar_mass: log10}/' "$work/p.yml" >"$work/one.yml"
run 1 validate "$work/one.yml" --set Validate.file="$work/one.hdf5" --set Validate.draws=0 --set Validate.folds=0 \
    --set Validate.ridge=50
run 1 validate "$work/one.yml" --set Validate.file="$work/slabs.hdf5" --set Validate.by=slabs --set Validate.folds=4 \
    --set "Validate.buffer=8 Mpc" --set "Validate.mass=position[0]" --set Validate.mass_width=30 --set Validate.resolution=[] \
    --set Validate.parent=false --set Scatter.method=library --set Scatter.library_by=m_bound --set "Scatter.library_edges=[11.6]" \
    --set Validate.row_features=true
grep -q '4 slabs' "$work/said"
mkdir "$work/biased"
sed "s/zooms: 8, zoom_radius: 12/zooms: 60, zoom_radius: 6/; s/oracle: 0/oracle: 0, law_environment: 0.3/; s|$work|$work/biased|
    s/^Targets.*/Targets: {stellar_mass: log10}/; s/draws: 9, overdensity: \"position\[2\]\"/draws: 0/" "$work/p.yml" >"$work/biased/p.yml"
run 1 mock "$work/biased/p.yml"
run 1 validate "$work/biased/p.yml"
sed 's/^Targets.*/Targets: {dust: log10}/' "$work/p.yml" >"$work/dust.yml"
if /usr/bin/python3 -c 'import numpy, h5py, scipy, sklearn'; then
    /usr/bin/python3 -B "$HG_SOURCE/tests/cli/check_validate.py" "$work"
else
    echo "not compared: /usr/bin/python3 has no numpy, h5py, scipy or scikit-learn"
fi

# refuse CODE "part of the sentence" SETTINGS...
file=p
refuse() {
    local code=$1 part=$2 rc=0
    shift 2
    "$HALOGRAFT" validate "$work/$file.yml" --overwrite "$@" >"$work/said" 2>&1 || rc=$?
    if [ "$rc" != "$code" ] || ! grep -qF -- "$part" "$work/said" || [ "$(grep -c 'error:' "$work/said")" != 1 ]; then
        echo "FAIL ($rc instead of $code, or not one message with \"$part\"): $*"
        cat "$work/said"
        exit 1
    fi
}
refuse 4 "fewer than a leaf (Model.min_leaf: 900)" --set Model.min_leaf=900
refuse 4 "is in two folds" --set Validate.by=column --set "Validate.column=position[0] > 60"
file=dust
refuse 4 "columns that training needs are missing in the catalogue: 'dust'"
file=p
refuse 3 "have no out-of-bag data" --set Model.bag=none
refuse 3 "'vmx' is no feature, did you mean 'vmax'?" --set 'Validate.proxies=[vmx]'
refuse 4 "8 groups of rows cannot be dealt into 9 folds" --set Validate.by=region --set Validate.folds=9
refuse 3 "one draw of a halo cannot be scored" --set Validate.draws=1
refuse 3 "give the expression for the number of the fold" --set Validate.by=column
refuse 4 "gives 0.5 for a row, which is no number of a fold" --set Validate.by=column --set Validate.column=central/2
refuse 3 "less than the largest radius of section Environment" --set Validate.by=slabs --set "Validate.buffer=2 Mpc" \
    --set 'Environment.spheres=[4 Mpc]'
refuse 3 "lighter than those of the training catalogues" --set "Validate.resolution_masses=[1e7 Msun]"
refuse 4 "are left to train on, fewer than two leaves" --set "Validate.resolution=[1e6]"
refuse 3 "Validate.particles_of: " --set "Validate.resolution=[8]" --set "Validate.particles_of=m_bound +"
refuse 3 "validate can resume a search or a learning curve alone" --resume
rc=0
"$HALOGRAFT" validate "$work/p.yml" >"$work/said" 2>&1 || rc=$?
[ "$rc" = 5 ] || { cat "$work/said"; exit 1; }
