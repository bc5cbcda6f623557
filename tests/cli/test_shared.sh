#!/bin/bash
# One file for the whole catalogue (Output.layout: shared): the same values as in parts for any ranks, verified, read
# back, resumed after a kill and after stops; a changed byte is found; an old catalogue stays until the new one is whole.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

kills=${HG_KILLS:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
RANDOM=${HG_SEED:-5}
cd "$work"

small_universe shared 200

hg() { # ranks, arguments
    "${mpirun[@]}" -n "$1" "$HALOGRAFT" "${@:2}" >out.txt 2>log.txt
}
fails() { # code, ranks, arguments
    local code=0
    hg "${@:2}" || code=$?
    [ "$code" -eq "$1" ] || { echo "exit code $code, not $1: ${*:3}"; cat log.txt; exit 1; }
}
whole() { # the catalogue holds what the parts hold, and nothing else lies about
    [ "$(find out -name '*shared*' | wc -l)" -eq 3 ] || { ls -a out; exit 1; }
    hg 2 verify out/shared.hdf5 || { cat out.txt; exit 1; }
    "$HALOGRAFT" diff out/galaxies.hdf5 out/shared.hdf5 >diff.txt || { cat diff.txt; exit 1; }
}
apply=(apply p.yml --set Output.catalogue=shared --set Output.layout=shared --set Output.rows_per_part=100)

hg 2 mock p.yml
hg 1 train p.yml
hg 2 apply p.yml
for ranks in 1 3; do
    hg "$ranks" "${apply[@]}" --overwrite
    whole
    sums=$(h5dump -d Provenance/Parts/Sums out/shared.hdf5 2>/dev/null | md5sum || true)
    [ "${first:=$sums}" = "$sums" ]
done
if command -v xxhsum >/dev/null; then (cd out && xxhsum --check --quiet shared.xxh3); fi
hg 2 measure p.yml --set 'Measure.catalogues=[galaxies=out/shared.hdf5]'
fails 5 1 "${apply[@]}"
grep -q 'exists already' log.txt

# it takes the place of one in parts, and the other way round
cp out/shared.hdf5 out/shared.xxh3 .
hg 2 apply p.yml --set Output.catalogue=shared --overwrite
[ "$(find out -name 'shared.*[0-9].hdf5' | wc -l)" -ge 15 ]
hg 2 verify out/shared.hdf5
hg 2 "${apply[@]}" --overwrite
whole

# a changed byte
printf '\377\376' | dd of=out/shared.hdf5 bs=1 seek=60000 conv=notrunc status=none
fails 7 2 verify out/shared.hdf5

# kills and stops
for _ in $(seq "$kills"); do
    rm -f out/shared* out/.shared*
    "${mpirun[@]}" -n $((RANDOM % 3 + 1)) "$HALOGRAFT" "${apply[@]}" >out.txt 2>log.txt &
    pid=$!
    sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
    pkill -KILL -P "$pid" 2>/dev/null || true # the ranks, not the launcher
    wait "$pid" 2>/dev/null || true
    if [ -e out/shared.hdf5 ]; then "$HALOGRAFT" verify out/shared.hdf5 >/dev/null; fi
    hg $((RANDOM % 3 + 1)) "${apply[@]}" --resume
    whole
done
rm -f out/shared*
"${mpirun[@]}" -n 2 "$HALOGRAFT" "${apply[@]}" >out.txt 2>log.txt &
pid=$!
for _ in $(seq 200); do
    if [ "$(wc -l <out/.shared.journal.jsonl.new 2>/dev/null || echo 0)" -ge 4 ]; then break; fi
    sleep 0.02
done
kill -USR1 "$pid"
code=0
wait "$pid" || code=$?
[ "$code" -eq 75 ] || { echo "exit code $code after SIGUSR1"; cat log.txt; exit 1; }
[ ! -e out/shared.hdf5 ]
fails 4 1 "${apply[@]}" --resume --set Scatter.draws=2
grep -q "'Scatter.draws' has changed since" log.txt
fails 4 3 "${apply[@]}" --resume --set Output.rows_per_part=300
grep -q "'Output.rows_per_part' has changed since" log.txt
fails 4 1 "${apply[@]}" --resume --set Output.layout=parts
grep -q "'Output.layout' has changed since" log.txt
cp out/.shared.journal.jsonl.new .
sed -i '1s/.*/{"identity": "another"}/' out/.shared.journal.jsonl.new
fails 4 2 "${apply[@]}" --resume
grep -q "is damaged, or no journal of this version" log.txt
mv .shared.journal.jsonl.new out
at=$(h5dump -p -H -d InputHalos/HaloCentre out/.shared.hdf5.new | awk '$1 == "OFFSET" { print $2 }') # row 0
printf '\377\376' | dd of=out/.shared.hdf5.new bs=1 seek="$at" conv=notrunc status=none
hg 3 "${apply[@]}" --resume
grep -q 'damaged or missing and is made again' log.txt
grep -q 'parts are there already' log.txt
whole
echo "shared: $kills kills, stops, and both layouts for each other: the same values"
