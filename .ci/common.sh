# shellcheck shell=bash
# Read by every script here: goes to the repository's root, prints a headline, and at the end how long it took.
# Each script runs on its own, from any directory, without standard input.

set -euo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# shellcheck disable=SC2034 # the scripts that read this file use it
target="${CARGO_TARGET_DIR:-$PWD/target}"
name="$(basename "$0")"

# headline WHAT: what this script is about to do.
headline() {
    printf '==> %s: %s\n' "$name" "$1"
    trap finish EXIT
}

finish() {
    local status=$?
    if ((status == 0)); then
        printf '==> %s: ok, %s s\n' "$name" "$SECONDS"
    else
        printf '==> %s: FAILED with status %s, after %s s\n' "$name" "$status" "$SECONDS" >&2
    fi
}

# fail WHY
fail() {
    printf '==> %s: %s\n' "$name" "$1" >&2
    exit 1
}

# skip WHY: ends the script with success, aloud. Only for a component that cannot be had here.
skip() {
    printf 'SKIPPED: %s: %s\n' "$name" "$1"
    exit 0
}

# run COMMAND…: shows the command, then runs it.
run() {
    printf '  $ %s\n' "$*"
    "$@"
}

# run_tests COMMAND…: as run, and fails when no test ran: a filter that matches nothing is a check that checks nothing.
run_tests() {
    local log
    log="$(mktemp)"
    if ! run "$@" 2>&1 | tee "$log"; then
        rm -f "$log"
        return 1
    fi
    if ! grep -Eq '^running [1-9][0-9]* tests?$' "$log"; then
        rm -f "$log"
        fail "no test ran"
    fi
    rm -f "$log"
}
