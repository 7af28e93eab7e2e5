#!/usr/bin/env bash
# Proves the arrows between the crates: protocol <- federation <- node <- tests, and protocol <- casework <- node.
# The two pure cores do not know each other, and what does I/O is known in one place only.
set -euo pipefail
cd "$(dirname "$0")/.."

wrong=0

# All that CRATE is built from, one name a line, without what only its tests use.
all_of() { cargo tree --quiet -p "$1" -e normal,build --prefix none --format '{p}' | awk 'NR > 1 { print $1 }' | sort -u; }
# What CRATE names in its own manifest.
named_by() { cargo tree --quiet -p "$1" -e normal,build --prefix none --format '{p}' --depth 1 | awk 'NR > 1 { print $1 }'; }

# free_of CRATE NAME...: CRATE is not built from any NAME, not even through others.
free_of() {
    local crate=$1 name built_from
    shift
    built_from=$(all_of "$crate")
    for name in "$@"; do
        if grep -qx -- "$name" <<<"$built_from"; then
            echo "arrows: $crate must not be built from $name; cargo tree -p $crate -e normal,build -i $name shows how" >&2
            wrong=1
        fi
    done
}

# known_only_to NAME CRATE: no other crate of the workspace names NAME.
known_only_to() {
    local name=$1 owner=$2 crate named
    for crate in protocol casework paper federation wuji wuji-tests; do
        [ "$crate" = "$owner" ] && continue
        named=$(named_by "$crate")
        if grep -qx -- "$name" <<<"$named"; then
            echo "arrows: $name belongs to $owner alone, but $crate names it" >&2
            wrong=1
        fi
    done
}

free_of protocol tokio mio socket2 quinn rustls sqlx axum federation casework wuji
free_of casework tokio mio socket2 quinn rustls sqlx axum federation wuji
free_of federation casework sqlx axum wuji
free_of paper tokio mio socket2 quinn rustls sqlx axum federation casework protocol wuji
known_only_to krilla paper
known_only_to sqlx wuji
known_only_to axum wuji
known_only_to quinn federation
known_only_to quinn-proto federation

[ "$wrong" = 0 ] && echo "arrows: as drawn"
exit "$wrong"
