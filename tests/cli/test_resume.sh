#!/usr/bin/env bash
# A training that is killed, divided into tasks, or enlarged gives the model of an uninterrupted one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra mpirun <<<"$HG_MPIRUN"
cat >"$work/p.yml" <<END_OF_FILE
Meta: {name: resume, seed: 3}
Mock: {box: 150 Mpc, mesh: 64, mass_min: 1e11 Msun, zooms: 8, zoom_radius: 15 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}
Features: {m200c: log10, m_bound: log10, vmax: log10, r_half: log10, central: none}
Targets: {stellar_mass: log10, sfr: log10 | floor 1e-4 Msun/yr}
Model: {trees: 60, min_leaf: 2}
Output: {report: false, folder: "$work"}
END_OF_FILE
"$HALOGRAFT" mock "$work/p.yml" 2>"$work/log" || { cat "$work/log"; exit 1; }

train() { # ranks, options; the log goes to $work/log
    local ranks=$1
    shift
    local launch=("${mpirun[@]}" -n "$ranks")
    [ "$ranks" -gt 1 ] || launch=()
    "${launch[@]}" "$HALOGRAFT" train "$work/p.yml" "$@" 2>"$work/log"
}
must() {
    train "$@" || { echo "FAILED: $*"; cat "$work/log"; exit 1; }
}
refused() { # words, then as train
    local words=$1
    shift
    if train "$@"; then
        echo "FAILED: not refused: $*"
        exit 1
    fi
    grep -qF -- "$words" "$work/log" || { echo "FAILED: no '$words':"; cat "$work/log"; exit 1; }
}
content_hash() { sed -n 's/.*content hash \([0-9a-f]*\).*/\1/p' "$work/log"; }
same() {
    [ "$(content_hash)" = "$1" ] || { echo "FAILED: $2: $(content_hash) is not $1"; cat "$work/log"; exit 1; }
    if compgen -G "$work/$3.trees-*" >/dev/null; then echo "FAILED: parts are left: $2"; exit 1; fi
}
parts() { find "$work" -maxdepth 1 -name "$1.trees-*.hdf5" | wc -l; }

# from the trees of a finished model: all are rebuilt from nodes and rows
for way in none:false row:true group:false; do
    settings=(--set "Model.bag=${way%:*}" --set "Model.weighted=${way#*:}" --set Model.file=whole.hdf5)
    must 2 "${settings[@]}" --overwrite
    whole=$(content_hash)
    [ ${#whole} -eq 16 ]
    must 1 "${settings[@]}" --resume
    grep -q "60 of 60 trees are there already" "$work/log"
    same "$whole" "rebuilt, $way" whole
done

# killed in the middle, part files after every tree; then other numbers of ranks and threads go on
kill=(--set Model.file=k.hdf5 --set Model.trees=4000 --set Model.checkpoint=1e-6\ s)
"$HALOGRAFT" train "$work/p.yml" "${kill[@]}" --threads 2 2>"$work/log" &
victim=$!
for _ in $(seq 600); do
    [ "$(parts k)" -ge 15 ] && break
    sleep 0.02
done
kill -KILL $victim
wait $victim 2>/dev/null || true
n=$(parts k)
if [ "$n" -lt 15 ] || [ "$n" -ge 3999 ] || [ -e "$work/k.hdf5" ]; then
    echo "FAILED: $n parts after the kill"
    exit 1
fi
refused "give --resume to go on" 1 --set Model.file=k.hdf5
must 3 --set Model.file=k.hdf5 --resume
there=$(sed -n 's/.* \([0-9]*\) of 60 trees are there already.*/\1/p' "$work/log")
[ "$there" -ge 10 ] || { echo "FAILED: only $there trees were taken over"; exit 1; }
same "$whole" "killed and resumed" k
rm "$work/k.hdf5"

# tasks of a job array, one of them with two ranks, then joined
tasks=(--set Model.file=t.hdf5)
must 2 "${tasks[@]}" --set Model.first_tree=40 --set Model.task_trees=20 --set Model.checkpoint=1e-6\ s
must 1 "${tasks[@]}" --set Model.task_trees=25
[ ! -e "$work/t.hdf5" ] && [ "$(parts t)" -gt 2 ]
refused "tree 25 is in no part file" 2 "${tasks[@]}" --merge
refused "trees of an unfinished training" 1 "${tasks[@]}" --set Model.task_trees=5
refused "are not among the 60" 1 "${tasks[@]}" --set Model.first_tree=50 --set Model.task_trees=11
must 1 "${tasks[@]}" --set Model.first_tree=25 --set Model.task_trees=15
# what differs is named
refused "Model.min_leaf is 3" 1 "${tasks[@]}" --merge --set Model.min_leaf=3
refused "Meta.seed is 4" 1 "${tasks[@]}" --merge --seed 4
refused "Features." 1 "${tasks[@]}" --merge --set "Features.vmax=vmax | asinh"
refused "training rows" 1 "${tasks[@]}" --merge --set "Selection.train=m200c > 3e11"
refused "Model.bag" 1 "${tasks[@]}" --merge --set Model.bag=row
damaged=$(find "$work" -name 't.trees-25-*')
cp "$damaged" "$work/kept"
printf 'x' | dd of="$damaged" bs=1 seek=5000 conv=notrunc status=none
refused "is damaged" 1 "${tasks[@]}" --merge
mv "$work/kept" "$damaged"
must 2 "${tasks[@]}" --merge
same "$whole" "joined tasks" t

# more trees
must 1 --set Model.file=m.hdf5 --set Model.trees=17
must 2 --set Model.file=m.hdf5 --resume
grep -q "17 of 60 trees are there already" "$work/log"
same "$whole" "enlarged" m
if "$HALOGRAFT" measure "$work/p.yml" --resume 2>"$work/log"; then
    echo "FAILED: measure takes --resume"
    exit 1
fi
grep -q -- "--resume is for 'train', 'validate', 'apply' and 'run'" "$work/log"
echo "passed: one hash $whole"
