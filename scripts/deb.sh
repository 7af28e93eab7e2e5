#!/usr/bin/env bash
# Looks into the package that `make deb` has made: its name, and the files that docs/operations.md counts on.
#
#   scripts/deb.sh FOLDER     where the package lies
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "deb: $*" >&2
    exit 1
}

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
revision=$(sed -n '/^\[package.metadata.deb\]/,/^\[/s/^revision = "\(.*\)"/\1/p' node/Cargo.toml)
package="$1/wuji_$version-${revision}_$(dpkg --print-architecture).deb"
[ -f "$package" ] || fail "$package was not made; there is: $(ls "$1")"

contents=$(dpkg-deb --contents "$package" | awk '{ print $6 }')
for file in usr/bin/wuji usr/lib/systemd/system/wuji@.service usr/lib/systemd/system/wuji-backup@.service \
    usr/lib/systemd/system/wuji-backup@.timer usr/lib/sysctl.d/90-wuji.conf usr/lib/sysusers.d/wuji.conf \
    usr/lib/tmpfiles.d/wuji.conf usr/share/doc/wuji/operations.md; do
    grep -qxF "./$file" <<<"$contents" || fail "$file is not in $package"
done
scripts=$(dpkg-deb --ctrl-tarfile "$package" | tar --list)
for script in postinst postrm; do
    grep -qxF -e "./$script" -e "$script" <<<"$scripts" || fail "$package has no $script"
done
dpkg-deb --field "$package" Recommends | grep -q fonts-noto-cjk || fail "$package does not recommend the fonts of papers"
echo "$package"
