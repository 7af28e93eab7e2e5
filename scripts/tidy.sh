#!/usr/bin/env bash
# The rules of the house that no compiler knows.
set -euo pipefail
cd "$(dirname "$0")/.."

# Lines of one source file, its unit tests left out.
MAX_LINES=500
wrong=0

# absent WHY PATTERN PATH...: no tracked file holds the pattern.
absent() {
    local why=$1 pattern=$2 found
    shift 2
    if found=$(git grep -nIE -e "$pattern" -- "$@" ':!scripts/tidy.sh'); then
        echo "tidy: $why:" >&2
        echo "$found" | cut -c 1-160 >&2
        wrong=1
    fi
}

while IFS= read -r file; do
    [ -e "$file" ] || continue
    lines=$(awk '/^#\[cfg\(test\)\]$/ { tests = 1 } !tests { n++ } END { print n + 0 }' "$file")
    if [ "$lines" -gt "$MAX_LINES" ]; then
        echo "tidy: $file has $lines lines, more than $MAX_LINES: find the seam" >&2
        wrong=1
    fi
done < <(git ls-files '*.rs')

absent "an exception to a lint is #[expect(.., reason = \"..\")]" '#!?\[allow\(' '*.rs'
absent "unfinished work belongs into an issue" '\b(TODO|FIXME|XXX|HACK)\b' '*.rs' '*.sh' '*.sql' '*.toml' '*.css' 'Makefile' '*.md'
absent "a path of one machine" '/(work|root|home/[a-z]+)/' .
absent "spaces at the end of a line" '[[:blank:]]+$' '*.rs' '*.sh' '*.sql' '*.toml' 'Makefile' '*.css'

[ "$wrong" = 0 ] && echo "tidy: clean"
exit "$wrong"
