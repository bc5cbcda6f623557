#!/usr/bin/env bash
# Each header compiles alone: public ones as C11 and C++17 without our source folder, internal ones as gnu11.
# labels: quick
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${HG_BUILD_DIR:-$root/build/release}
for compiler in mpicc mpicxx; do
    if ! command -v "$compiler" >/dev/null; then
        echo "SKIPPED: $compiler is not installed"
        exit 77
    fi
done
strict=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
hdf5=$(pkg-config --cflags hdf5-openmpi 2>/dev/null || true)

# A file that includes the header twice, so that guards are tested too. MPI's own headers are not ours
# to warn about: they come as system headers.
alone() {
    printf '#include "%s"\n#include "%s"\nextern int alone;\n' "$1" "$1"
}
mpi_c=$(mpicc --showme:compile | sed 's/-I/-isystem /g')
mpi_cxx=$(mpicxx --showme:compile | sed 's/-I/-isystem /g')
count=0
for header in include/halograft/*.h; do
    name=halograft/$(basename "$header")
    alone "$name" >"$work/alone.c"
    # shellcheck disable=SC2086
    gcc -std=c11 "${strict[@]}" -Wstrict-prototypes -Wmissing-prototypes $mpi_c -Iinclude "$work/alone.c"
    alone "$name" >"$work/alone.cc"
    # shellcheck disable=SC2086
    g++ -std=c++17 "${strict[@]}" $mpi_cxx -Iinclude "$work/alone.cc"
    count=$((count + 1))
done
for header in src/*/*.h; do
    case $header in *_body.h) continue ;; esac # code that a .c file includes several times
    alone "${header#src/}" >"$work/alone.c"
    # shellcheck disable=SC2086
    gcc -std=gnu11 -D_GNU_SOURCE -Wno-unknown-pragmas "${strict[@]}" $mpi_c $hdf5 -Iinclude -Isrc \
        -I"$build/generated" "$work/alone.c"
    count=$((count + 1))
done
[ "$count" -gt 10 ]
echo "passed: $count headers"
