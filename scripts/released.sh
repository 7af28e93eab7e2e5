#!/usr/bin/env bash
# Builds the program of the last release, so that tests can let it talk to today's: from its source in tests/released, once,
# into the folder of targets. What it stands on is shared with today's build.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

# After a release: `scripts/released.sh take COMMIT` makes that commit the last release.
if [ "${1:-}" = take ]; then
    commit=$(git rev-parse --verify "$2^{commit}")
    git archive --format=tar "$commit" Cargo.toml Cargo.lock protocol federation node tests/Cargo.toml tests/src \
        ':!node/tests' ':!node/casework/tests' ':!federation/src/driver/tests' ':!federation/src/sim/tests.rs' |
        gzip -9n >tests/released/source.tar.gz
    echo "$commit" >tests/released/commit
    exit 0
fi

commit=$(cat tests/released/commit)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$target/released/$commit
program=$folder/wuji
[ -x "$program" ] && exit 0

source=$folder/source
rm -rf "$source"
mkdir -p "$source"
tar -xzf tests/released/source.tar.gz -C "$source"

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
