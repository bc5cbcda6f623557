#!/usr/bin/env bash
# Models leave and enter the program: the numpy reader, scikit-learn and LightGBM (check_interchange.py).
set -euo pipefail
export HG_SOURCE=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if ! /usr/bin/python3 -c 'import numpy, h5py, sklearn'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy, h5py or scikit-learn (python3-sklearn)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/p.yml" <<END_OF_FILE
Meta: {name: interchange, seed: 3}
Mock: {box: 120 Mpc, mesh: 64, mass_min: 3e11 Msun, zooms: 6, zoom_radius: 10 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0, twins: 1}
Features: {m200c: log10, m_bound: log10, ratio: "vmax / 100 | asinh", speed: "norm(velocity) | signed_log | scale 50",
           r_half: log10, first: "position[0] ^ 2 + 3 * -1", central: "central == 1 && vmax > 0"}
Targets: {stellar_mass: log10, sfr: log10 | floor 1e-4 Msun/yr, gas_mass: asinh | scale 1e8, bh_mass: signed_log}
Model: {trees: 24, min_leaf: 3}
Output: {report: false, folder: "$work"}
END_OF_FILE
"$HALOGRAFT" mock "$work/p.yml" 2>"$work/log" || { cat "$work/log"; exit 1; }
/usr/bin/python3 -B "$HG_SOURCE/tests/cli/check_interchange.py" "$work"
