#!/usr/bin/env bash
# validate with Validate.search and Validate.learning: the same tables on 1, 2 and 3 ranks and after a kill and a
# stop, resumed on another number of ranks; errors against those of `validate` itself; one clear sentence for bad input.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cat >"$work/p.yml" <<END_OF_FILE
Meta: {name: search, seed: 3}
Mock: {box: 120 Mpc, mesh: 64, mass_min: 4e11 Msun, zooms: 8, zoom_radius: 12 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}
Features: {m_bound: log10, vmax: log10, r_half: log10}
Targets: {stellar_mass: log10, sfr: log10 | hurdle, quenched: sfr / stellar_mass < 1e-11 | label}
Model: {trees: 8, min_leaf: 3}
Scatter: {method: none}
Validate: {search: grid, search_min_leaf: [3, 20], search_splitter: [random, best], search_max_depth: [5, 0],
           learning: [0.3, 1]}
Output: {report: false, folder: "$work"}
END_OF_FILE
fail() {
    echo "FAIL: $*"
    cat "$work/said" "$work/log" 2>/dev/null
    exit 1
}
run() {
    local n=$1 launch=()
    shift
    [ "$n" = 1 ] || launch=("${mpirun[@]}" -n "$n")
    "${launch[@]}" "$HALOGRAFT" "$@" >"$work/said" 2>"$work/log" || fail "$n ranks: $*"
}
# same NAME: the tables of a search are those of the first one
same() {
    for table in _points _learning ""; do
        cmp "$work/search$table.csv" "$work/$1$table.csv"
    done
}
run 1 mock "$work/p.yml"
run 1 validate "$work/p.yml"
cp "$work/said" "$work/table"
[ "$(wc -l <"$work/search_points.csv")" = 9 ]
best=$(awk -F, '$2 == 1 { print $1 }' "$work/search_points.csv")
grep -q "^best: point $best, " "$work/table"
awk -F, 'NR > 1 && $10 < least + (NR == 2) * 9 { least = $10; point = $1 } END { if (point != "'"$best"'") exit 1 }' \
    "$work/search_points.csv"
# More rows help, and the whole share is a point of the grid: random splits, min_leaf 3, any depth.
awk -F, 'NR == 2 { few = $3 } NR == 3 { if (!($3 < few)) exit 1 }' "$work/search_learning.csv"
[ "$(awk -F, '$3 == 8 && $4 == "random" && $6 == 3 && $8 == 0' "$work/search_points.csv" | cut -d, -f10-)" = \
    "$(tail -n 1 "$work/search_learning.csv" | cut -d, -f3-)" ]
# The error of that point is what validate finds for the model.
run 1 validate "$work/p.yml" --set Validate.search=none --set 'Validate.learning=[]' --set 'Validate.search_min_leaf=[]' \
    --set 'Validate.search_splitter=[]' --set 'Validate.search_max_depth=[]'
there=$(awk -F, '$1 == "stellar_mass" && $2 == "forest" && $3 == "all" && $4 == "rmse" { printf "%.7f", $5 }' \
    "$work/validation_scores.csv")
here=$(tail -n 1 "$work/search_learning.csv" | awk -F, '{ printf "%.7f", $5 }')
[ "$there" = "$here" ] || fail "rmse $here in the search, $there in the validation"
for n in 2 3; do
    run "$n" validate "$work/p.yml" --set Validate.search_file="$work/ranks$n.hdf5"
    same "ranks$n"
done

# Killed with some trials in the journals, torn at the end of one, then gone on with.
"${mpirun[@]}" -n 2 "$HALOGRAFT" validate "$work/p.yml" --set Validate.search_file="$work/killed.hdf5" \
    >"$work/said" 2>"$work/log" &
launcher=$!
count() { cat "$work"/killed.hdf5.journal*.jsonl 2>/dev/null | grep -c '^{"trial"' || true; }
for _ in $(seq 1500); do
    [ "$(count)" -lt 6 ] || break
    sleep 0.02
done
kill -9 "$launcher"
wait "$launcher" 2>"$work/wait" || true
for _ in $(seq 500); do # the ranks follow their launcher
    pgrep -f "search_file=$work/killed.hdf5" >"$work/pids" || break
    sleep 0.02
done
[ ! -e "$work/killed.hdf5" ] || fail "the search was over before it was killed"
[ "$(count)" -ge 6 ] || fail "nothing in the journals"
printf '{"trial": 49, "sums": "3f' >>"$work/killed.hdf5.journal.jsonl"
rc=0
"$HALOGRAFT" validate "$work/p.yml" --set Validate.search_file="$work/killed.hdf5" >"$work/said" 2>"$work/log" || rc=$?
[ "$rc" = 5 ] || fail "$rc instead of 5"
grep -q 'of an unfinished search: give --resume' "$work/log" || fail "no advice"
rc=0
"$HALOGRAFT" validate "$work/p.yml" --resume --set Validate.search_file="$work/killed.hdf5" --set Model.min_split=9 \
    >"$work/said" 2>"$work/log" || rc=$?
[ "$rc" = 4 ] || fail "$rc instead of 4"
grep -q "'Model.min_split' has changed since" "$work/log" || fail "not refused"
run 3 validate "$work/p.yml" --resume --set Validate.search_file="$work/killed.hdf5"
grep -q 'were tested by an earlier run' "$work/log" || fail "begun anew"
same killed
run 1 validate "$work/p.yml" --resume --set Validate.search_file="$work/killed.hdf5"
grep -q '50 of 50 forests were tested' "$work/log" || fail "not complete"
same killed

# Random points do not depend on how many there are.
random() {
    run "$1" validate "$work/p.yml" --set Validate.search_file="$work/$2.hdf5" --set Validate.search=random \
        --set Validate.search_points="$3" --set 'Validate.search_max_features=[0.3, 1]'
}
random 1 six 6
random 2 four 4
cmp <(head -n 5 "$work/six_points.csv" | cut -d, -f1,3-) <(cut -d, -f1,3- "$work/four_points.csv")

# refuse CODE "part of the sentence" SETTINGS...
refuse() {
    local code=$1 part=$2 rc=0
    shift 2
    "$HALOGRAFT" validate "$work/p.yml" --overwrite "$@" >"$work/said" 2>"$work/log" || rc=$?
    if [ "$rc" != "$code" ] || ! grep -qF -- "$part" "$work/log" || [ "$(grep -c 'error:' "$work/log")" != 1 ]; then
        fail "($rc instead of $code, or not one message with \"$part\"): $*"
    fi
}
refuse 3 "neither 'random' nor 'best'" --set 'Validate.search_splitter=[bst]'
refuse 3 "Validate.search_min_leaf: 2.5 is no whole number" --set 'Validate.search_min_leaf=[2.5]'
refuse 3 "Validate.search is 'none'" --set Validate.search=none
refuse 3 "there is nothing to search" --set 'Validate.search_min_leaf=[]' --set 'Validate.search_splitter=[]' \
    --set 'Validate.search_max_depth=[]'
refuse 3 "Validate.search_max_features: 0 of the features is none" --set 'Validate.search_max_features=[0, 1]'
refuse 4 "fewer than two leaves, with min_leaf 100000" --set 'Validate.search_min_leaf=[100000]'
refuse 4 "and a share of 0.001 of the training" --set 'Validate.learning=[0.001]'
rc=0
"$HALOGRAFT" validate "$work/p.yml" --resume --set Validate.search=none --set 'Validate.learning=[]' \
    >"$work/said" 2>"$work/log" || rc=$?
[ "$rc" = 3 ] || fail "$rc instead of 3"
grep -q 'validate can resume a search or a learning curve alone' "$work/log" || fail "no sentence"
