#!/usr/bin/env bash
# A throw-away PostgreSQL server for tests and benchmarks, beside whatever else the machine runs.
#
#   scripts/postgres.sh start DIR [PID]   makes and starts a server in DIR, an empty or new folder; prints its URL.
#                                         With PID it ends, and DIR goes, when that process ends
#   scripts/postgres.sh with COMMAND ...  runs a command with WUJI_TEST_POSTGRES set to the URL of a server that ends after it
#   scripts/postgres.sh url DIR           prints the URL of the server in DIR
#   scripts/postgres.sh stop DIR          ends the server and removes DIR
#   scripts/postgres.sh create URL NAME   makes a database on the server of URL; prints its URL
#   scripts/postgres.sh drop URL NAME     drops a database of it, whoever is connected
#   scripts/postgres.sh certificate URL   prints where the certificate of its authority is
#   scripts/postgres.sh query URL TEXT    prints what a statement gives
#
# It commits to disk as a server in earnest does, and speaks TLS with a certificate of an authority of its own, DIR/root.crt.
set -euo pipefail

fail() {
    echo "postgres: $*" >&2
    exit 1
}

tool() {
    local found
    # What Debian installs is not on the path.
    found=$(ls -d /usr/lib/postgresql/*/bin/"$1" 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v "$1" || true)
    [ -n "$found" ] || fail "$1 is missing: run scripts/setup.sh test"
    echo "$found"
}

# A server refuses to run as root: then it runs as the user that the package made for it.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

url() { echo "postgres://wuji@127.0.0.1:$(cat "$1/port")/postgres"; }

query() { "$(tool psql)" --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 "$1" -c "$2"; }

# An authority and a certificate of the server by it.
certificate() {
    local dir=$1 new=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    as_server tee "$dir/server.ext" >/dev/null <<EXT
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
EXT
    {
        as_server openssl req -x509 "${new[@]}" -days 30 -subj /CN=root -keyout "$dir/root.key" -out "$dir/root.crt"
        as_server openssl req "${new[@]}" -subj /CN=localhost -keyout "$dir/server.key" -out "$dir/server.csr"
        as_server openssl x509 -req -days 30 -in "$dir/server.csr" -CA "$dir/root.crt" -CAkey "$dir/root.key" \
            -CAcreateserial -extfile "$dir/server.ext" -out "$dir/server.crt"
    } 2>"$dir/openssl.log" || fail "no certificate: $(tail -n 3 "$dir/openssl.log")"
    as_server chmod 600 "$dir/server.key" "$dir/root.key"
    as_server chmod 644 "$dir/root.crt"
}

make() {
    as_server "$(tool initdb)" --pgdata="$1/data" --username=wuji --auth=trust --locale=C --encoding=UTF8 >"$1/initdb.log" 2>&1 ||
        fail "initdb failed: $(tail -n 3 "$1/initdb.log")"
    certificate "$1"
    as_server tee -a "$1/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 128MB
ssl = on
ssl_ca_file = '$1/root.crt'
ssl_cert_file = '$1/server.crt'
ssl_key_file = '$1/server.key'
CONF
}

# The first free one of some ports: between looking and listening another program could take it, so the next is tried.
start() {
    local dir=$1 port
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty"
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
    chmod 711 "$dir"
    make "$dir"
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        if as_server "$(tool pg_ctl)" --pgdata="$dir/data" --log="$dir/server.log" --options="-p $port" --wait start >/dev/null 2>&1; then
            echo "$port" >"$dir/port"
            if [ -n "${2:-}" ]; then guard "$dir" "$2"; fi
            url "$dir"
            return
        fi
    done
    fail "the server does not start: $(tail -n 3 "$dir/server.log")"
}

# Ends the server when a process has ended, however it ended.
guard() {
    setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" stop "$3"' guard "$2" "$(realpath "$0")" "$1" \
        </dev/null >/dev/null 2>&1 &
}

stop() {
    local dir=$1
    [ -d "$dir/data" ] || return 0
    as_server "$(tool pg_ctl)" --pgdata="$dir/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}

# Gives the command its server and takes it away again, however the command ends.
with() {
    given=$(mktemp -d "${TMPDIR:-/tmp}/wuji-postgres-XXXXXX")
    trap 'stop "$given"' EXIT
    WUJI_TEST_POSTGRES=$(start "$given" "$$")
    export WUJI_TEST_POSTGRES
    "$@"
}

[ $# -ge 2 ] || fail "usage: $0 with COMMAND, start|url|stop DIR [PID], or create|drop|certificate|query URL [NAME|TEXT]"
case "$1" in
with) with "${@:2}" ;;
start) start "$2" "${3:-}" ;;
url) url "$2" ;;
create)
    query "$2" "CREATE DATABASE $3"
    echo "${2%/*}/$3"
    ;;
drop) query "$2" "DROP DATABASE IF EXISTS $3 WITH (FORCE)" ;;
certificate) query "$2" "SHOW ssl_ca_file" ;;
query) query "$2" "$3" ;;
stop) stop "$2" ;;
*) fail "usage: $0 with COMMAND, start|url|stop DIR [PID], or create|drop|certificate|query URL [NAME|TEXT]" ;;
esac
