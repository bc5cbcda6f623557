#!/usr/bin/env bash
# Layers, doors, names and sizes: the tree is clean, and each kind of planted violation is found.
# labels: quick
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1
"$python" "$root/tools/check_layers.py" "$root"
"$python" "$root/tools/check_names.py" "$root"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{src/base,src/par,src/store,include/halograft,docs}
cp "$root/docs/layers.txt" "$work/docs/"
cp "$root/src/CMakeLists.txt" "$work/src/"
cp "$root"/include/halograft/*.h "$work/include/halograft/"
cp "$root"/src/base/*.h "$work/src/base/"

# expect CHECKER PATH WORDS: the file on stdin makes the checker fail with these words, once.
expect() {
    local checker=$1 path=$2 words=$3 output
    mkdir -p "$(dirname "$work/$path")"
    cat >"$work/$path"
    if output=$("$python" "$root/tools/$checker" "$work"); then
        echo "FAILED: $checker accepts $path"
        exit 1
    fi
    if [ "$(grep -cF -- "$words" <<<"$output")" -ne 1 ]; then
        echo "FAILED: $checker on $path says: $output"
        exit 1
    fi
    rm "$work/$path"
}
"$python" "$root/tools/check_layers.py" "$work"
expect check_layers.py src/base/up.c "'base' must not use 'par'" <<<'#include "halograft/comm.h"'
expect check_layers.py src/par/up.c "'par' must not use 'store'" <<<'#include "store/h5.h"'
expect check_layers.py src/store/mpi.c "MPI_Barrier" <<<'int f(void) { return MPI_Barrier(c); }'
expect check_layers.py src/par/file.c "H5Fopen" <<<'long g(void) { return H5Fopen("x", 0, 0); }'
expect check_layers.py src/store/fft.c "<fftw3.h>" <<<'#include <fftw3.h>'
expect check_layers.py src/base/end.c "exit(" <<<'void h(void) { exit(1); }'
expect check_layers.py src/base/chance.c "'rand('" <<<'int r(void) { return rand(); }'
expect check_layers.py include/halograft/new.h "not listed" <<<'int hg_new(void);'
expect check_layers.py include/halograft/log.h "must not include the internal" <<<'#include "base/text.h"'
cp "$root/include/halograft/log.h" "$work/include/halograft/"
# Words in comments and strings are no calls.
cat >"$work/src/base/words.c" <<<'/* MPI_Init() is for par */ const char *w = "H5Fopen(";'
"$python" "$root/tools/check_layers.py" "$work"
sed -i 's/DEPENDS par base DOORS HgHdf5/DEPENDS base DOORS HgHdf5/' "$work/src/CMakeLists.txt"
expect check_layers.py src/base/fine.c "DEPENDS of 'store'" <<<'int i;'

expect check_names.py src/par/text.h "same name as src/base/text.h" <<<'int i;'
expect check_names.py src/par/deep/x.c "folders are at most" <<<'int i;'
expect check_names.py src/par/long.c "601 lines" < <(yes 'int i;' | head -n 601)
expect check_names.py src/par/tab.c "tab" <<<$'\tint i;'
echo "passed"
