#!/usr/bin/env bash
# explain: a table with a known law, a copy of a feature and a feature of noise; importances, curves and parts of
# predictions against numpy and scikit-learn (check_explain.py), the same tables on 1, 2 and 3 ranks and for a model
# with hurdles and labels, and one clear sentence for what cannot be explained.
set -euo pipefail
export HG_SOURCE=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
fail() {
    echo "FAIL: $*"
    cat "$work/said" "$work/log" 2>/dev/null
    exit 1
}
# Numbers of its own, as those of rand() differ from one awk to another.
awk 'function random() {
    state = state * 16807 % 2147483647
    return state / 2147483647
}
BEGIN {
    state = 5005
    print "id,a,b,copy,c,noise,fold,y,red"
    for (i = 0; i < 700; i++) {
        a = random(); b = random(); c = random()
        printf "%d,%.7f,%.7f,%.7f,%.7f,%.7f,%d,%.7f,%d\n", i + 1, a, b, b, c, random(), i % 5,
            2 * a + 2 * b * b + 2 * a * c + 0.3 * (random() - 0.5), (a + 0.3 * random() > 0.6)
    }
}' >"$work/rows.csv"
cat >"$work/map.yml" <<END_OF_FILE
Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3, omega_l: 0.7}
Columns: {id: id, a: a, b: b, copy: copy, c: c, noise: noise, fold: fold, y: y, red: red}
END_OF_FILE
cat >"$work/p.yml" <<END_OF_FILE
Meta: {name: explain, seed: 3}
Zooms: {files: ["$work/rows.csv"], format: columns, mapping: "$work/map.yml", run: law}
Features: {a: none, b: none, copy: none, c: none, noise: none}
Targets: {y: none}
Model: {trees: 20, min_leaf: 3, bag: row, file: "$work/model.hdf5"}
Scatter: {method: none}
Validate: {by: column, column: fold}
Explain: {repeats: 4, groups: [b+copy], drop: true, rows: 700, points: 6, planes: [a+c], haloes: 20}
Output: {report: false, folder: "$work"}
END_OF_FILE
run() {
    local n=$1 launch=()
    shift
    [ "$n" = 1 ] || launch=("${mpirun[@]}" -n "$n")
    "${launch[@]}" "$HALOGRAFT" "$@" >"$work/said" 2>"$work/log" || fail "$n ranks: $*"
}
same() {
    local table
    for table in "" _importance _haloes; do
        cmp "$work/explanation$table.csv" "$work/ranks$table.csv"
    done
}
run 1 train "$work/p.yml"
run 1 explain "$work/p.yml"
grep -q 'permutation' "$work/said"
run 2 explain "$work/p.yml" --set Explain.file="$work/ranks.hdf5"
same
OMP_NUM_THREADS=2 run 1 explain "$work/p.yml" --set Explain.file="$work/ranks.hdf5" --overwrite
same
# Haloes of a parent: here those of the training, so that their parts are known.
parent=(--set Explain.repeats=0 --set Explain.drop=false --set Explain.rows=0 --set "Parent.files=[$work/rows.csv]"
    --set Parent.format=columns --set Parent.mapping="$work/map.yml")
run 1 explain "$work/p.yml" "${parent[@]}" --set Explain.file="$work/all.hdf5" --set Explain.haloes=700
run 2 explain "$work/p.yml" "${parent[@]}" --set Explain.file="$work/some.hdf5" --set "Explain.parent=id > 680"
[ "$(wc -l <"$work/some_haloes.csv")" = 41 ]
cut -d, -f2- "$work/some_haloes.csv" | sort >"$work/some"
cut -d, -f3- "$work/all_haloes.csv" | sort | comm -13 - "$work/some" >"$work/alone"
[ ! -s "$work/alone" ] || fail "parts of haloes of the parent differ from those of the same training haloes"
# Without the copy.
sed 's/ copy: none,//; s/groups: .b+copy., //; s/drop: true/drop: false/; s/model.hdf5/one.hdf5/' "$work/p.yml" >"$work/one.yml"
run 1 train "$work/one.yml"
run 1 explain "$work/one.yml" --set Explain.file="$work/one_copy.hdf5" --set Explain.haloes=0
if /usr/bin/python3 -c 'import numpy, h5py, sklearn'; then
    /usr/bin/python3 -B "$HG_SOURCE/tests/cli/check_explain.py" "$work"
else
    echo "not compared: /usr/bin/python3 has no numpy, h5py or scikit-learn"
fi
# Labels, and targets that come after another, which are explained but for single haloes.
sed -e 's/^Targets.*/Targets: {y: none, red: red | label, late: y + a | after y, far: y - b | after y}/; s/model.hdf5/more.hdf5/' \
    -e 's/^Explain.*/Explain: {repeats: 1, groups: [b+copy], rows: 100, points: 4, haloes: 9}/' "$work/p.yml" >"$work/more.yml"
run 1 train "$work/more.yml"
run 1 explain "$work/more.yml" --overwrite
grep -qF "explain: 'late', 'far' not taken apart halo by halo" "$work/log"
run 3 explain "$work/more.yml" --set Explain.file="$work/ranks.hdf5" --overwrite
same
for target in y red late; do
    [ "$(grep -c "^permutation,$target," "$work/explanation_importance.csv")" = 6 ]
done

# refuse CODE "part of the sentence" SETTINGS...
refuse() {
    local code=$1 part=$2 rc=0
    shift 2
    "$HALOGRAFT" explain "$work/p.yml" "$@" >"$work/said" 2>&1 || rc=$?
    if [ "$rc" != "$code" ] || ! grep -qF -- "$part" "$work/said" || [ "$(grep -c 'error:' "$work/said")" != 1 ]; then
        fail "$rc instead of $code, or not one message with \"$part\": $*"
    fi
}
refuse 5 "exists"
refuse 4 "no.hdf5" --overwrite --set Model.file="$work/no.hdf5"
refuse 4 "feature 3 is 'copy' in the parameters and 'c' in the model" --overwrite --set Model.file="$work/one.hdf5"
refuse 4 "which is not among the" --overwrite --set 'Selection.train=id < 600'
refuse 3 "'nois' is no feature, did you mean 'noise'?" --overwrite --set 'Explain.groups=[a+nois]'
refuse 4 "picks 700 haloes of the parent, more than the 20 that Explain.haloes allows" --overwrite "${parent[@]}" \
    --set "Explain.parent=id > 0"
refuse 4 "'id > 700' picks no halo of the parent" --overwrite "${parent[@]}" --set "Explain.parent=id > 700"
refuse 3 "haloes of the parent: " --overwrite "${parent[@]}" --set "Explain.parent=id >"
refuse 3 "is not two features joined by +" --overwrite --set 'Explain.planes=[a]'
