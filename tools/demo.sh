#!/bin/sh
# A demo server in a folder: made on the first call, used again later. Runs in the foreground;
# Ctrl-C stops it.
#
#   tools/demo.sh DIR
set -eu
dir=${1:-demo}
top=$(cd "$(dirname "$0")/.." && pwd)
bourse=$top/build/bourse
passwords=$dir/passwords.txt

add_user() { # address, name
    password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$password" | "$bourse" user add "$dir" "$1" --name "$2" --password-stdin
    printf '%s %s\n' "$1" "$password" >>"$passwords"
}

if [ ! -e "$dir/bourse.conf" ]; then
    "$bourse" init "$dir" --profile demo --domain example.test --organization "Example Ltd"
fi
if [ ! -e "$passwords" ]; then
    (umask 077 && : >"$passwords")
    add_user alice@example.test "Alice Adams"
    add_user bob@example.test "Bob Brown"
    for user in alice bob; do
        "$bourse" import "$dir" $user@example.test --folder Inbox --crlf --quiet "$top"/tests/data/sample/*.eml
    done
fi

"$bourse" serve "$dir" >"$dir/serve.out" &
pid=$!
trap 'kill -TERM $pid 2>/dev/null || true' INT TERM
tries=0
until grep -q '^bourse: ready' "$dir/serve.out" 2>/dev/null; do
    kill -0 $pid 2>/dev/null || { echo "demo: the server did not start" >&2; exit 1; }
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { echo "demo: the server is not ready after 30 s" >&2; kill $pid; exit 1; }
    sleep 0.1
done
echo
echo "The demo server runs in $dir; Ctrl-C stops it."
echo
echo "  Addresses"
sed 's/^/    /' "$dir/run/listeners"
echo "  Accounts (address, password)"
sed 's/^/    /' "$passwords"
echo "  Certificate authority for clients: $dir/tls/ca.pem"
echo
status=0
wait $pid || status=$?
# The first wait ends with the signal that the trap handled; the second has the server's status.
if kill -0 $pid 2>/dev/null; then
    status=0
    wait $pid || status=$?
fi
exit $status
