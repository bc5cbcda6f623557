#!/usr/bin/env bash
# Docstrings: all headers follow the grammar, and each kind of planted violation is found.
# labels: quick
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1
"$python" "$root/tools/check_docs.py" "$root"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The parameter file of the README is one the program accepts.
awk '/^```/ { inside = /yaml/; next } inside' "$root/README.md" >"$work/readme.yml"
[ -s "$work/readme.yml" ]
if [ -x "${HALOGRAFT:-}" ]; then
    "$HALOGRAFT" params --check "$work/readme.yml"
fi
mkdir -p "$work/src/base" "$work/include/halograft"

# judge WORDS: a header whose declarations come from stdin is accepted (no words) or refused with them.
judge() {
    local words=$1 output status=0
    {
        printf '/** Things. Layer: base. */\n#include <stddef.h>\n\n'
        cat
    } >"$work/src/base/things.h"
    output=$("$python" "$root/tools/check_docs.py" "$work") || status=$?
    if [ -z "$words" ] && [ $status -ne 0 ]; then
        echo "FAILED: refused: $output"
        exit 1
    fi
    if [ -n "$words" ] && { [ $status -ne 1 ] || ! grep -qF -- "$words" <<<"$output"; }; then
        echo "FAILED: expected '$words', got: $output"
        exit 1
    fi
}
judge "" <<'END'
/** Count things.
 *
 * @local
 * @param[in] n, x  shape
 */
HG_MUST_CHECK hg_status hg_thing_count(size_t n, const double x[], int (*visit)(int, void *));
size_t hg_thing_more(size_t n);

/** Share a thing. @collective{comm} */
hg_status hg_thing_share(const hg_comm *comm, hg_thing **thing);
void hg_thing_free(hg_thing *thing);
END
judge "'hg_thing_count' has no docstring" <<<'int hg_thing_count(void);'
judge "'hg_thing_more' has no docstring" <<'END'
/** Count. @local */
int hg_thing_count(void);

int hg_thing_more(void);
END
judge "end with a full stop" <<<$'/** Count things\n *\n * @local\n */\nint hg_thing_count(void);'
judge "exactly one of" <<<$'/** Count things. */\nint hg_thing_count(void);'
judge "exactly one of" <<<$'/** Count things. @local @collective{comm} */\nint hg_thing_count(const hg_comm *comm);'
judge "documented @local" <<<$'/** Count things. @local */\nint hg_thing_count(const hg_comm *comm);'
judge "documented @collective" <<<$'/** Count things. @collective{comm} */\nint hg_thing_count(hg_comm *comm);'
judge "@param 'm' is no parameter" <<<$'/** Count.\n * @local\n * @param[in] m  number\n */\nint hg_thing_count(int n);'
judge "has no docstring" <<<$'static inline int\nhg_thing_count(int n)\n{\n    return n;\n}'
echo 'int hg_x;' >"$work/src/base/bare.c"
judge "opens with a comment" <<<$'/** Count. @local */\nint hg_thing_count(int n);'
rm "$work/src/base/bare.c"
printf '#include <stddef.h>\n' >"$work/src/base/plain.h"
judge "plain.h:1: a header opens" <<<$'/** Count. @local */\nint hg_thing_count(int n);'
rm "$work/src/base/plain.h"
mkdir -p "$work/docs"
printf '# One Page\n[a](#one-page) [b](https://example.org/x) [c](page.md)\n' >"$work/docs/page.md"
judge "" <<<$'/** Count. @local */\nint hg_thing_count(int n);'
printf '[d](gone.md)\n' >>"$work/docs/page.md"
judge "link to 'gone.md'" <<<$'/** Count. @local */\nint hg_thing_count(int n);'
printf '# One Page\n[e](page.md#two)\n' >"$work/docs/page.md"
judge "heading '#two'" <<<$'/** Count. @local */\nint hg_thing_count(int n);'
echo "passed"
