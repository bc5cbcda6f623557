#!/bin/bash
# Orphans from a set of hlist files: the rows of a plain walk with orbits that are integrated, in the same bytes for
# 1 and 3 ranks; wp(rp) with and without them is that of all pairs; haloes of a zoom find the parent's histories by
# parent_id; what cannot be served is refused.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
check=$HG_SOURCE/tests/cli/check_orphans.py
cd "$work"
export OMP_NUM_THREADS=1
read -r n_now n_orphan n_merged n_lost < <(/usr/bin/python3 "$check" write .)

cat >zoom.yml <<'Y'
Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}
Columns: {id: id, parent_id: parent, position: "x; y; z, Mpc", m_bound: "m, Msun"}
Y
cat >p.yml <<Y
Parent: {files: [hlist_1.00000.list]}
Zooms: {files: [zoom.csv], mapping: zoom.yml}
History: {files: [$(printf '%s, ' hlist_*.list | sed 's/, $//')], columns: [m_bound, vmax]}
Convert: {orphans: true, hosts: [m_bound]}
Output: {folder: out, rows_per_part: 100}
Y
for ranks in 1 3; do
    "${mpirun[@]}" -n $ranks "$HALOGRAFT" convert p.yml --out "made$ranks/h" 2>log || fail "$(cat log)"
    grep -q "$n_orphan subhaloes were lost and would live on, $n_merged merged by friction, and of $n_lost the host" log ||
        fail "$(cat log)"
done
for k in 0 1 2 3; do
    cmp "made1/h.$k.hdf5" "made3/h.$k.hdf5"
done
[ ! -e made1/h.4.hdf5 ] || fail "too many parts"
/usr/bin/python3 "$check" check . made1/h 4
"$HALOGRAFT" verify made1/h.hdf5 >log 2>&1 || fail "$(cat log)"

cat >measure.yml <<'Y'
Samples: {all: m_bound_peak > 0}
Measure: {catalogues: ["made=made1/h.hdf5"], orphans: true, mesh: 32, line_of_sight: z, rp_min: 0.05 Mpc, rp_max: 10 Mpc,
          pi_max: 20 Mpc, mass_functions: [], relations: [], compare: [], hod: false}
Output: {folder: out}
Y
"${mpirun[@]}" -n 2 "$HALOGRAFT" measure measure.yml >log 2>&1 || fail "$(cat log)"
grep -q "made, sample all: without orphans" log || fail "$(cat log)"
/usr/bin/python3 "$check" pairs out/statistics.hdf5

"${mpirun[@]}" -n 2 "$HALOGRAFT" convert p.yml --out some/h --set 'Convert.select=orphan == 1 && m_bound_peak > 1e11' \
    --set Convert.orphan_friction=0 2>log || fail "$(cat log)"
grep -q ", 0 merged by friction" log || fail "$(cat log)"
grep -q "0 of $n_now haloes" log || fail "$(cat log)"

"${mpirun[@]}" -n 2 "$HALOGRAFT" features p.yml 2>log || fail "$(cat log)"
grep -q "'zoom.csv': $n_now of $n_now haloes have a history" log || fail "$(cat log)"
/usr/bin/python3 "$check" zooms . out/history/zooms.0.hdf5

refuse 3 "needs merger trees" convert p.yml --out bad/h --set 'History.files=[]'
refuse 3 "export adds no orphans" export p.yml --out bad.csv
refuse 4 "tracks do not tell" convert p.yml --out bad/h --set History.files='[hlist_1.00000.list]' --set History.links=track
[ ! -e bad/h.hdf5 ] || fail "something was left"
echo passed
