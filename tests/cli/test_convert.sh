#!/usr/bin/env bash
# convert from the command line and from a parameter file: the same parts; wrong use is refused.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"

{
    echo "id,host,x,y,z,m_7"
    for i in $(seq 1 50); do
        echo "$i,$((i % 5 == 0 ? -1 : (i / 5 + 1) * 5)),$i,$i,$i,1e$((10 + i % 4))"
    done
} >t_7.csv
cat >m.yml <<'Y'
Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}
Columns: {id: id, host_id: host, position: "x; y; z, Mpc", m200c: "m_7, Msun"}
Y
sed 's/m_7/m_{snap}/' m.yml >s.yml
cat >p.yml <<'Y'
Parent:  {files: "t_{snap}.csv", mapping: m.yml}
Convert: {name: made, select: "m200c > 1e11", hosts: [m200c]}
Output:  {folder: out, rows_per_part: 10}
Y
"${mpirun[@]}" -n 3 "$HALOGRAFT" convert p.yml --snap 7 2>log || fail "$(cat log)"
grep -q "25 of 50 haloes" log || fail "$(cat log)"
"$HALOGRAFT" convert 't_{snap}.csv' --snap 7 --mapping m.yml --out lines/a \
    --set 'Convert.select=m200c > 1e11' --set 'Convert.hosts=[m200c]' --set Output.rows_per_part=10 2>log
"$HALOGRAFT" convert p.yml --snap 7 --out lines/s --set Parent.mapping=s.yml 2>log || fail "$(cat log)"
cmp lines/a.0.hdf5 lines/s.0.hdf5
"$HALOGRAFT" inspect 't_{snap}.csv' --snap 7 --mapping s.yml >inspected
for words in 'file: t_7.csv' 'a mapping file describes it' 'm200c'; do
    grep -q "$words" inspected || fail "$(cat inspected)"
done
"$HALOGRAFT" inspect t_7.csv --mapping s.yml | grep -q "'m_{snap}, Msun' needs --snap N" || fail "snap not asked for"
refuse 3 "'m_{snap}, Msun' needs --snap N" convert t_7.csv --mapping s.yml --out lines/t
refuse 4 "m_8" convert t_7.csv --mapping s.yml --snap 8 --out lines/t
for k in 0 1 2; do
    python3 - "out/made.$k.hdf5" "lines/a.$k.hdf5" <<'P' || fail "part $k differs"
import sys
a, b = (open(p, "rb").read() for p in sys.argv[1:])
sys.exit(a != b)
P
done
[ ! -e lines/a.3.hdf5 ] || fail "too many parts"
if command -v xxhsum >/dev/null; then
    (cd lines && xxhsum --quiet --check a.xxh3) || fail "manifest"
fi
"$HALOGRAFT" inspect lines/a.hdf5 >log
grep -q host_m200c log || fail "no host_m200c"
"$HALOGRAFT" convert t_7.csv --mapping m.yml --out lines/dry --dry-run 2>log
grep -q "50 haloes" log || fail "dry run"
[ ! -e lines/dry.hdf5 ] || fail "the dry run wrote"
refuse 2 "needs the files" convert
refuse 2 "--out NAME" convert t_7.csv --mapping m.yml
refuse 5 "exists already" convert t_7.csv --mapping m.yml --out lines/a
refuse 4 "'m300c' (there is 'm200c')" convert t_7.csv --mapping m.yml --out lines/b --set 'Convert.select=m300c > 1'
refuse 4 "does not exist" convert none.hdf5 --out lines/b
refuse 3 "Convert" convert t_7.csv --mapping m.yml --out lines/b --set Convert.fraction=2
[ ! -e lines/b.hdf5 ] || fail "something was left"
echo passed
