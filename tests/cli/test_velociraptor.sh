#!/usr/bin/env bash
# Catalogues of VELOCIraptor, converted, hold what was written; comoving ones need the box.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"
check=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}/tests/cli/check_velociraptor.py
if ! /usr/bin/python3 -c 'import numpy, h5py'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy or h5py"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"
/usr/bin/python3 -B "$check" write

unreadable() { # "part of the sentence" ARGUMENTS...
    refuse 4 "$1" convert "${@:2}" --out refused/x
}

columns='Convert.columns=[n_part, velocity, m_bound, m200c, r200c, r_vmax, vmax, sigma_v, b_to_a, stellar_mass, sfr, Efrac]'
make() { # NAME FILES ARGUMENTS...
    local name=$1 files=$2
    shift 2
    "${mpirun[@]}" -n 2 "$HALOGRAFT" convert "$files" --out "out/$name" --set "$columns" \
        --set Output.rows_per_part=4 "$@" 2>log || fail "$(cat log)"
}
make physical 'physical.properties.{file}'
make text 'text.properties.{file}'
make plain plain.properties
for name in physical text plain; do # proper values, without h, at a = 0.5
    /usr/bin/python3 -B "$check" check "out/$name.hdf5" 2 1e10
done
make divided comoving.properties --set 'Parent.box=73.5294118 Mpc'
/usr/bin/python3 -B "$check" check out/divided.hdf5 1.4705882352941 1.4705882352941e10
make as_is comoving.properties --set 'Parent.box=50 Mpc'
/usr/bin/python3 -B "$check" check out/as_is.hdf5 1 1e10

unreadable "not sure which power of h" comoving.properties
unreadable "not sure which power of h" comoving.properties --set 'Parent.box=60 Mpc'
unreadable "1 of the 3 files" physical.properties.0
unreadable "box (Mpc) is 100" 'physical.properties.{file}' --set 'Parent.box=50 Mpc'
"$HALOGRAFT" inspect plain.properties >log
grep -q "format: velociraptor" log || fail "$(cat log)"
echo "passed"
