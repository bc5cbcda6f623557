# shellcheck shell=bash
# What scripts of tests/cli share; to be sourced.

fail() {
    echo "FAIL: $*"
    exit 1
}

refuse() { # CODE "part of the sentence" ARGUMENTS...: the program ends with that code and says so
    local code=$1 part=$2 rc=0 said
    shift 2
    said=$("$HALOGRAFT" "$@" 2>&1) || rc=$?
    [ "$rc" = "$code" ] || fail "code $rc instead of $code: $*"
    grep -qF -- "$part" <<<"$said" || fail "no \"$part\" in: $said"
}

small_universe() { # NAME ROWS_PER_PART [LEAST_MASS TREES MESH]: p.yml, of which every step takes a second
    cat >p.yml <<END
Meta: {name: $1, seed: 3}
Mock: {box: 100 Mpc, mesh: 32, mass_min: ${3:-3e11} Msun, zooms: 4, zoom_radius: 10 Mpc, zoom_buffer: 1 Mpc,
       periodic: 0 Mpc, oracle: 0}
Features: {m200c: log10, vmax: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: ${4:-24}}
Measure: {mesh: ${5:-32}, pairs: false}
Output: {report: false, folder: out, rows_per_part: $2}
END
}
