#!/usr/bin/env bash
# Installs to a temporary prefix, then builds and runs the example against it, with CMake and with pkg-config.
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${HG_BUILD_DIR:-$root/build/release}
read -ra mpirun <<<"${HG_MPIRUN:-mpirun --oversubscribe --bind-to none}"
cmake=/usr/bin/cmake
[ -x "$cmake" ] || cmake=cmake
if grep -q '^HG_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then
    echo "SKIPPED: a sanitizer build is not for installing"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
quietly "$cmake" --install "$build" --prefix "$prefix"
for file in bin/halograft bin/halograft-report bin/halograft-model include/halograft/halograft.h share/halograft/params/demo.yml \
    share/halograft/jobscripts/slurm/run.slurm share/halograft/tools/halograft_tools/report.py share/halograft/tools/halograft-report; do
    [ -s "$prefix/$file" ] || { echo "FAILED: $file is not installed"; exit 1; }
done
if find "$prefix" -name '__pycache__' -o -path '*include*' -name 'h5.h' | grep -q .; then
    echo "FAILED: caches or internal headers are installed"
    exit 1
fi

check_output() {
    local n=$1 output
    output=$("${mpirun[@]}" -n "$n" "$2")
    echo "$output"
    grep -q "^halograft [0-9.]*, $n ranks\$" <<<"$output"
    # Every prediction is near the law the rows were made from.
    awk '/^x = /{ n++; d = $6 - $8; if (d < -0.05 || d > 0.05) bad++ } END { exit !(n == 3 && !bad) }' <<<"$output"
    grep '^x = ' <<<"$output" >"$work/result.$n.$(basename "$2")"
}

quietly "$cmake" -S "$root/examples/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix"
quietly "$cmake" --build "$work/cmake"
check_output 1 "$work/cmake/consumer"
check_output 2 "$work/cmake/consumer"
cmp "$work/result.1.consumer" "$work/result.2.consumer"

libdir=$(dirname "$(find "$prefix" -name halograft.pc)")
export PKG_CONFIG_PATH=$libdir LD_LIBRARY_PATH=${libdir%/pkgconfig}
# shellcheck disable=SC2046
mpicc -std=c11 "$root/examples/consumer/main.c" -o "$work/with_pkgconfig" $(pkg-config --cflags --libs halograft) -lm
check_output 1 "$work/with_pkgconfig"
[ "$(pkg-config --modversion halograft)" = "$("$work/with_pkgconfig" | sed -n 's/^halograft \([^,]*\).*/\1/p')" ]

"$prefix/bin/halograft-report" --help | grep -q DIR_OR_FILE
"$prefix/bin/halograft-model" --help | grep -q import-lightgbm
"$prefix/bin/halograft" --version | grep -q "$(pkg-config --modversion halograft)"
echo "passed"
