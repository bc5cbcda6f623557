#!/usr/bin/env bash
# All shell scripts pass shellcheck; job scripts stay short.
# labels: quick
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if ! command -v shellcheck >/dev/null; then
    echo "SKIPPED: shellcheck is not installed"
    exit 77
fi
cd "$root"
mapfile -t scripts < <(find tools tests bench jobscripts .ci -type f \
    \( -name '*.sh' -o -name '*.slurm' -o -exec sh -c 'head -c 64 "$1" | grep -qE "^#!.*[ /](ba)?sh( |$)"' _ {} \; \) -print |
    sort -u)
[ ${#scripts[@]} -ge 8 ]
shellcheck -x "${scripts[@]}"
for script in jobscripts/*/*.slurm; do
    lines=$(wc -l <"$script")
    if [ "$lines" -ge 60 ]; then
        echo "FAILED: $script has $lines lines, a job script has less than 60"
        exit 1
    fi
done
echo "passed: ${#scripts[@]} scripts"
