#!/usr/bin/env bash
# The report tool on synthetic statistics (check_report.py), with the system's Python.
set -euo pipefail
source_dir=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if ! /usr/bin/python3 -c 'import numpy, h5py, matplotlib'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy, h5py or matplotlib"
    exit 77
fi
exec /usr/bin/python3 -B "$source_dir/tests/cli/check_report.py"
