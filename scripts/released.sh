#!/usr/bin/env bash
# Builds the program of the last release, so that tests can let it talk to today's: the commit in tests/released, out of this
# repository's own history, once, into the folder of targets. What it stands on is shared with today's build.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

commit=$(cat tests/released)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$target/released/$commit
program=$folder/wuji
[ -x "$program" ] && exit 0

if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "released: the commit $commit, from which the last released program is built, is not in this copy of the repository." >&2
    echo "released: it is a part of its history only: get all of it (git fetch --unshallow), then say the same again." >&2
    exit 1
fi

source=$folder/source
rm -rf "$source"
mkdir -p "$source"
git archive "$commit" | tar -x -C "$source"

# Cargo puts the program where today's is: that one is set aside meanwhile.
today=$target/release/wuji
kept=$folder/today
rm -f "$kept"
[ ! -e "$today" ] || mv "$today" "$kept"
give_back() { [ ! -e "$kept" ] || mv -f "$kept" "$today"; }
trap give_back EXIT

quick=()
for crate in wuji casework federation protocol; do quick+=(--config "profile.release.package.$crate.opt-level=0"); done
(cd "$source" && CARGO_TARGET_DIR=$target cargo build --release --locked "${quick[@]}" -p wuji)
mv "$today" "$program"
rm -rf "$source"
echo "released: ${program#"$root"/}"
