#!/usr/bin/env bash
# Catalogues and exported tables, read by Python's csv, h5py, pandas, astropy, h5dump and xxhsum; wrong use is refused.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import h5py, numpy' 2>/dev/null; then
    echo "SKIPPED: no h5py for $python"
    exit 77
fi

{
    echo "id,host,x,y,z,v,m,sfr"
    for i in $(seq 1 60); do
        echo "$((9007199254740993 + i)),$((i % 5 == 0 ? -1 : 9007199254740993 + (i / 5 + 1) * 5)),$i.1,$i.7,$i,$((i - 30)),1.234567e$((10 + i % 4)),$((i % 3))"
    done
} >"$work/t.csv"
cat >"$work/m.yml" <<'Y'
Header: {box: 100 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}
Columns: {id: id, host_id: host, position: "x; y; z, Mpc", velocity: "v; v; v, km/s", m200c: "m, Msun", sfr: "sfr, Msun/yr"}
Y
cd "$work"
"$HALOGRAFT" convert t.csv --mapping m.yml --out c --set 'Convert.hosts=[m200c]' --set Output.rows_per_part=17 2>log || fail "$(cat log)"
"$HALOGRAFT" export c.hdf5 --out p.csv --set 'Convert.columns=[m200c, host_m200c]' 2>log || fail "$(cat log)"
"$HALOGRAFT" export c.hdf5 --out z.csv.gz --set 'Convert.select=m200c > 3e11' --set 'Convert.columns=[m200c, sfr]' \
    --set Output.rows_per_part=7 2>log || fail "$(cat log)"
"$HALOGRAFT" export t.csv --mapping m.yml --out t.hdf5 --set Convert.style=halotools --set 'Convert.hosts=[m200c]' \
    --set Output.rows_per_part=7 2>log || fail "$(cat log)"
"$python" "$source/tests/cli/check_export.py" "$work" || fail "Python reads something else"
if command -v h5dump >/dev/null; then
    # the first id of the master, a virtual dataset, with all digits
    h5dump -d InputHalos/HaloId -s 0 -c 1 c.hdf5 | grep -q '(0): 9007199254740994$' || fail "h5dump reads something else"
else
    echo "SKIPPED: no h5dump"
fi
if command -v xxhsum >/dev/null; then
    xxhsum --quiet --check c.xxh3 || fail "xxhsum does not know the manifest"
else
    echo "SKIPPED: no xxhsum"
fi
cp z.csv.gz again
"$HALOGRAFT" export c.hdf5 --out z.csv.gz --set 'Convert.select=m200c > 3e11' --set 'Convert.columns=[m200c, sfr]' \
    --overwrite 2>log || fail "$(cat log)"
cmp z.csv.gz again || fail "the same table has other bytes"
refuse 5 "exists already" export c.hdf5 --out p.csv
refuse 2 "tells no format" export c.hdf5 --out p.txt
refuse 2 "--out NAME" export c.hdf5
refuse 4 "(there is 'm200c')" export c.hdf5 --out q.csv --set 'Convert.columns=[m201c]'
sed -i 's/h: 0.7, omega_m: 0.3//' m.yml
refuse 4 "h is not known" export t.csv --mapping m.yml --out q.hdf5 --set Convert.style=halotools
if [ -e q.csv ] || [ -e q.hdf5 ]; then
    fail "something was left"
fi
echo passed
