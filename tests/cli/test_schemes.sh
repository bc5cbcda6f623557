#!/bin/bash
# Training by trees and by rows gives the same model on any number of ranks; auto goes by memory.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

cat >"$work/p.yml" <<END
Meta: {name: schemes, seed: 3}
Mock: {box: 120 Mpc, mesh: 64, mass_min: 3e11 Msun, zooms: 6, zoom_radius: 10 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 1}
Features: {m200c: log10, vmax: log10, r_half: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: 12, min_leaf: 3, cut: 40}
Output: {report: false, folder: $work/out}
END
"${mpirun[@]}" -n 2 "$HALOGRAFT" mock "$work/p.yml" 2>"$work/log" || { cat "$work/log"; exit 1; }

train() { # ranks arguments
    local ranks=$1
    shift
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n "$ranks" "$HALOGRAFT" train "$work/p.yml" --overwrite "$@" \
        2>"$work/log" || { cat "$work/log"; exit 1; }
    grep -o 'train: by [a-z]*' "$work/log"
    grep -o 'content hash [0-9a-f]*' "$work/log"
}
first=$(train 1 --set Model.scheme=trees | tail -1)
for ranks in 2 5; do
    other=$(train "$ranks" --set Model.scheme=rows | tail -1)
    [ "$other" = "$first" ] || { echo "$ranks ranks by rows: $other, by trees: $first"; exit 1; }
done
[ "$(train 2 | head -1)" = "train: by trees" ] || { echo "auto did not take trees"; exit 1; }
"$HALOGRAFT" train "$work/p.yml" --dry-run 2>&1 | grep -q '^schemes .*by trees$' ||
    { echo "the dry run does not name a scheme"; exit 1; }
if OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" train "$work/p.yml" --overwrite --set Model.scheme=rows \
    --set Model.splitter=best 2>"$work/log"; then
    echo "best splits by rows were not refused"
    exit 1
fi
grep -q "Model.splitter random: set it to 'trees'" "$work/log" || { cat "$work/log"; exit 1; }

# The memory that a dry run names is what a training counts, for one forest and for several, on one rank and on two.
measure() { # ranks parameters arguments
    local ranks=$1 file=$2 named counted
    shift 2
    named=$(OMP_NUM_THREADS=1 "${mpirun[@]}" -n "$ranks" "$HALOGRAFT" run "$file" --dry-run "$@" 2>/dev/null |
        sed -n 's/^schemes *\([0-9]*\).*/\1/p')
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n "$ranks" "$HALOGRAFT" train "$file" --overwrite "$@" 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
    counted=$(sed -n 's/.*peak memory per rank \([0-9]*\).* counted.*/\1/p' "$work/log")
    echo "$ranks ranks, ${file##*/} $*: $named MiB named, $counted MiB counted"
    if [ $((10 * named)) -lt $((7 * counted)) ] || [ $((10 * named)) -gt $((14 * counted)) ]; then
        echo "the dry run is wrong by more than two fifths"
        exit 1
    fi
}
cat >"$work/stages.yml" <<END
Meta: {name: stages, seed: 3}
Mock: {box: 150 Mpc, mesh: 64, mass_min: 1e11 Msun, zooms: 12, zoom_radius: 22 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}
Features: {m200c: log10, vmax: log10, r_half: log10, central: none}
Targets: {stellar_mass: log10, sfr: log10 | hurdle, gas_mass: log10 | floor 1e6 Msun | after stellar_mass}
Model: {trees: 128}
Output: {report: false, folder: $work/stages}
END
sed 's/^Targets:.*/Targets: {stellar_mass: log10}/' "$work/stages.yml" >"$work/plain.yml"
"${mpirun[@]}" -n 2 "$HALOGRAFT" mock "$work/stages.yml" 2>"$work/log" || { cat "$work/log"; exit 1; }
measure 1 "$work/plain.yml"
measure 2 "$work/plain.yml"
measure 1 "$work/stages.yml"
measure 2 "$work/stages.yml"
measure 1 "$work/stages.yml" --set Model.splitter=best

HG_SHARED=off measure 2 "$work/plain.yml"

# The same of holding out rows and of the comparison with the parent, where 40 MiB are named for libraries, which are
# not counted; too little is refused.
few=(--set Model.trees=32 --set Validate.folds=2 --set Validate.draws=4)
export OMP_NUM_THREADS=1
hold_out() { # arguments
    local named counted
    named=$("$HALOGRAFT" validate "$work/plain.yml" --dry-run "${few[@]}" "$@" 2>/dev/null |
        sed -n 's/^validate *\([0-9]*\) MiB.*/\1/p')
    "$HALOGRAFT" validate "$work/plain.yml" --overwrite "${few[@]}" "$@" >"$work/said" 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
    counted=$(sed -n 's/.*peak memory per rank \([0-9]*\).* counted.*/\1/p' "$work/log")
    echo "validate $*: $((named - 40)) MiB named, $counted MiB counted"
    if [ $((10 * (named - 40))) -lt $((7 * counted)) ] || [ $((10 * (named - 40))) -gt $((14 * counted)) ]; then
        echo "the dry run is wrong by more than two fifths"
        exit 1
    fi
}
hold_out
hold_out --set Validate.parent=true --set Validate.parent_rows=1e6
alone=(--set 'Parent.files=[none.hdf5]' --set "Zooms.regions=$work/stages/regions.csv")
"$HALOGRAFT" validate "$work/plain.yml" --dry-run "${alone[@]}" 2>"$work/log" | grep -q '^validate *[0-9]* MiB' ||
    { echo "a dry run of validate needs a parent"; cat "$work/log"; exit 1; }
for command in validate explain; do
    rc=0
    "$HALOGRAFT" $command "$work/plain.yml" --dry-run "${few[@]}" --set "Run.memory_max=2 MiB" >"$work/said" 2>"$work/log" || rc=$?
    if [ "$rc" != 6 ] || ! grep -q "'$command' would take [0-9]* MiB per rank" "$work/log"; then
        cat "$work/log"
        exit 1
    fi
done
