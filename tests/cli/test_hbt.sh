#!/usr/bin/env bash
# Catalogues of HBT-HERONS, compound and sorted, converted on one and three ranks, hold what was written.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"
check=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}/tests/cli/check_hbt.py
if ! /usr/bin/python3 -c 'import numpy, h5py'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy or h5py"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"
/usr/bin/python3 -B "$check" write .

unreadable() { # "part of the sentence" ARGUMENTS...
    refuse 4 "$1" convert "${@:2}" --out refused/x
}

columns='Convert.columns=[group, n_part, velocity, m_bound, vmax, r_vmax, r_half, m_peak, v_peak, spin, stellar_mass, RmaxComovingOfLastMaxVmax, SnapshotIndexOfLastMaxMass]'
make() { # NAME RANKS FILES ARGUMENTS...
    local name=$1 n=$2 files=$3
    shift 3
    "${mpirun[@]}" -n "$n" "$HALOGRAFT" convert "$files" --out "out/$name" --set Parent.h=0.7 --set "$columns" \
        --set Output.rows_per_part=5 "$@" 2>log || fail "$(cat log)"
}
make new 1 'new/063/SubSnap_063.{file}.hdf5' --set 'Parent.box=100 Mpc'
make again 3 'new/063/SubSnap_063.{file}.hdf5' --set 'Parent.box=100 Mpc'
make old 1 'old/063/SubSnap_063.{file}.hdf5' # units and box from Parameters.log
make sorted 1 sorted.hdf5 --set 'Parent.box=100 Mpc'
for name in new again old; do
    /usr/bin/python3 -B "$check" check "out/$name.hdf5" file
done
/usr/bin/python3 -B "$check" check out/sorted.hdf5 sorted
for k in 0 1 2 3 4; do
    cmp "out/new.$k.hdf5" "out/again.$k.hdf5" || fail "part $k depends on the number of ranks"
done

unreadable "does not say h" sorted.hdf5
unreadable "1 of the 3 files" new/063/SubSnap_063.0.hdf5 --set Parent.h=0.7
unreadable "SnapshotId is 63 in" 'mixed/SubSnap_063.{file}.hdf5' --set Parent.h=0.7
rm old/Parameters.log
unreadable "no group Units" 'old/063/SubSnap_063.{file}.hdf5' --set Parent.h=0.7

# particles of two runs: the pairs are known
printf 'Zooms: {regions: regions.csv, h: 0.7}\nMatch: {mass: m_peak}\n' >match.yml
for n in 1 3; do
    "${mpirun[@]}" -n "$n" "$HALOGRAFT" match match.yml --set "Output.folder=m$n" 2>log || fail "$(cat log)"
    /usr/bin/python3 -B "$check" pairs m$n/matches/zoom_00_dmo.csv
done
cmp m1/matches/zoom_00_dmo.csv m3/matches/zoom_00_dmo.csv || fail "pairs depend on the number of ranks"
! said=$("$HALOGRAFT" match match.yml --set Output.folder=m4 --set Zooms.h=0.7 --set Zooms.regions=cut.csv 2>&1) ||
    fail "lists that are cut pass"
grep -qF "lists of particles for" <<<"$said" || fail "$said"

"$HALOGRAFT" inspect sorted.hdf5 >log
grep -q "format: hbt" log || fail "$(cat log)"
echo "passed"
