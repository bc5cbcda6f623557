#!/usr/bin/env bash
# All C files are as clang-format leaves them.
# labels: quick
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if ! command -v clang-format >/dev/null; then
    echo "SKIPPED: clang-format is not installed"
    exit 77
fi
cd "$root"
find src include tests bench examples -name '*.[ch]' -print0 |
    xargs -0 -r -n 16 -P 2 clang-format --dry-run -Werror
echo "passed: $(find src include tests bench examples -name '*.[ch]' | wc -l) files"
