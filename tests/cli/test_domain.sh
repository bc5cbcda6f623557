#!/usr/bin/env bash
# Haloes unlike the training haloes are flagged: zooms or masses left out of the training on the mock.
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if ! /usr/bin/python3 -c 'import numpy, h5py'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy or h5py"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
/usr/bin/python3 -B "$root/bench/domain_mock.py" --quick --check --folder "$work"
