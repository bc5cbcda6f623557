#!/bin/bash
# The parameter files of params/ are valid, the template feeds back, and docs/params.md is up to date.
# labels: quick
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$HG_SOURCE"

"$HALOGRAFT" params --check params/*.yml
"$HALOGRAFT" params >"$work/template.yml"
"$HALOGRAFT" params --check "$work/template.yml"
"$HALOGRAFT" params Model | grep -q "min_leaf: 5"
# a command that needs one rank answers once, whatever the launcher started
read -r -a mpirun <<<"$HG_MPIRUN"
[ "$("${mpirun[@]}" -n 2 "$HALOGRAFT" params Model | grep -c "min_leaf: 5")" = 1 ] || {
    echo "two ranks print the parameters twice"
    exit 1
}
"${mpirun[@]}" -n 2 "$HALOGRAFT" params --check params/demo.yml
"$HALOGRAFT" params --markdown >"$work/params.md"
diff -u docs/params.md "$work/params.md" || {
    echo "docs/params.md is out of date: halograft params --markdown >docs/params.md"
    exit 1
}
printf 'Mock: {box: 3}\n' >"$work/bad.yml"
if "$HALOGRAFT" params --check params/demo.yml "$work/bad.yml" 2>"$work/said"; then
    echo "a bad file passed the check"
    exit 1
fi
grep -q "bad.yml', line 1: Mock.box: '3' has no unit" "$work/said"
