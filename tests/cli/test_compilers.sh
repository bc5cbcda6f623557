#!/usr/bin/env bash
# The forest built by the other compiler: the same rows give the same model hash as with the build under test, for every
# instruction set this processor has.
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${HG_BUILD_DIR:-$root/build/release}
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
case $("$cc" --version) in
    *clang*) other=gcc ;;
    *) other=clang ;;
esac
if ! command -v "$other" >/dev/null || ! command -v mpicc >/dev/null; then
    echo "SKIPPED: $other or mpicc is not installed"
    exit 77
fi
if grep -Eq '^(HG_SANITIZE:[A-Z]*=.|HG_COVERAGE:[A-Z]*=ON)' "$build/CMakeCache.txt"; then
    echo "SKIPPED: a build with sanitizers or coverage does not link with another compiler's objects"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Rows from integers: the file must not depend on a library of random numbers.
/usr/bin/env python3 - "$work/rows.raw" <<'EOF'
import array, sys
state, x, y = 1, array.array("f"), array.array("d")
for row in range(3000):
    for column in range(12):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        x.append((state >> 33) % 2**20 / (1 if column else 2**17))
    y.extend(x[-12 + k] * (k + 1) + x[-1] * 0.1 for k in range(3))
with open(sys.argv[1], "wb") as file:
    file.write(x.tobytes() + y.tobytes())
EOF

# objects COMPILER SOURCE...: compile into this folder
objects() {
    local compiler=$1
    shift
    # shellcheck disable=SC2046
    printf '%s\0' "$@" | OMPI_CC=$compiler xargs -0 -n 6 -P 2 mpicc -O2 -std=gnu11 -D_GNU_SOURCE -fopenmp \
        -ffp-contract=off -fno-math-errno -Wno-unknown-pragmas -I"$root/include" -I"$root/src" -I"$build/generated" \
        $(pkg-config --cflags hdf5-openmpi 2>/dev/null || true) -c
}

# link COMPILER OBJECT-OR-LIBRARY...: into ./bench_train, with what is below the forest from the build
link() {
    local compiler=$1
    shift
    # shellcheck disable=SC2046
    OMPI_CC=$compiler mpicc -fopenmp "$@" "$build"/src/libhg_{table,store,par,base}.a \
        $(pkg-config --libs hdf5-openmpi 2>/dev/null || echo -lhdf5) -lxxhash -lm -o bench_train
}

# hashes PROGRAM: one line per way of growing
hashes() {
    local simd
    for simd in portable avx2 avx512; do
        for way in "1 none 1 random 1" "5 row 1 random 1" "2 row 1 best 0.5"; do
            # shellcheck disable=SC2086
            HG_SIMD=$simd OMP_NUM_THREADS=1 "$1" "$work/rows.raw" 3000 12 3 3 $way 2>"$work/errors" |
                sed 's/.*"hash": "\([0-9a-f]*\)".*/\1/' >"$work/hash" || true
            if [ -s "$work/hash" ]; then
                echo "$simd $way $(cat "$work/hash")"
            else
                grep -q HG_SIMD "$work/errors" # this processor does not have it
            fi
        done
    done
}

mkdir "$work/same" "$work/other"
cd "$work/same"
objects "$cc" "$root/bench/bench_train.c"
link "$cc" bench_train.o "$build/src/libhg_forest.a"
cd "$work/other"
objects "$other" "$root"/src/base/*.c "$root"/src/forest/*.c "$root/bench/bench_train.c"
link "$other" ./*.o
hashes "$work/same/bench_train" >"$work/same.txt"
hashes "$work/other/bench_train" >"$work/other.txt"
diff "$work/same.txt" "$work/other.txt"
[ "$(grep -c portable "$work/same.txt")" -eq 3 ]
[ "$(cut -d' ' -f7 "$work/same.txt" | sort -u | wc -l)" -eq 3 ]
echo "passed: $cc and $other, $(wc -l <"$work/same.txt") hashes"
