#!/bin/sh
# Installs what one task of the Makefile needs on Debian 12, and only what is missing.
#
#   packaging/deps.sh build|run|test|bench|lint|fuzz
#
# Runs as root or through sudo. No service of an installed package is started, and none is left
# enabled: the tests and the benchmark start their own instances on free ports of the loopback.
set -eu
task=${1:-build}
here=$(cd "$(dirname "$0")/.." && pwd)

build='gcc libc6-dev meson ninja-build pkg-config ccache libglib2.0-dev libevent-dev libssl-dev
libsqlite3-dev libicu-dev libidn2-dev libsodium-dev libzstd-dev zlib1g-dev
libsystemd-dev libunbound-dev libcurl4-openssl-dev libkrb5-dev libjson-glib-dev libpsl-dev
libmicrohttpd-dev libgnutls28-dev libxml2-dev libgsf-1-dev libpff-dev'
# What the program reads: the root key of DNSSEC, public suffixes.
data='dns-root-data publicsuffix'
python='python3'
# Real clients.
clients='swaks libio-socket-ssl-perl libnet-ssleay-perl libauthen-sasl-perl isync mutt openssl
bsdutils curl msmtp fetchmail getmail6 offlineimap3'
# Neighbours: a KDC, name servers, a spam filter.
servers='krb5-kdc krb5-admin-server krb5-user libsasl2-modules-gssapi-mit knot unbound rspamd'
# Other implementations of DKIM, ARC and SPF.
peers='python3-dkim python3-nacl python3-dnspython python3-spf'
# Clients of Exchange Web Services, and what checks answers against the schemas.
exchange='python3-exchangelib python3-lxml'
# Only unpacked, below build/packages/: Postfix's load generator (installing the package would replace
# the machine's own mail server), and packages that carry real mail for the byte-identity corpus.
unpacked=''

case $task in
build) packages=$build ;;
run) packages="$build $data $python" ;;
test)
    packages="$build lld $data $python $clients $servers $peers $exchange postgresql-15 libdb5.3 libnsl2 libsasl2-2"
    unpacked='postfix libpython3.11-testsuite golang-github-jhillyerd-enmime-dev mailman3 spamassassin'
    ;;
bench)
    packages="$build $python openssl dovecot-core dovecot-imapd dovecot-lmtpd dovecot-pop3d libdb5.3 libnsl2 libsasl2-2"
    unpacked='postfix'
    ;;
lint) packages="$build $python clang-format clang-tidy" ;;
fuzz) packages="$build clang llvm libclang-rt-14-dev" ;;
*)
    echo "usage: packaging/deps.sh build|run|test|bench|lint|fuzz" >&2
    exit 2
    ;;
esac

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "deps.sh: missing packages:$missing" >&2
        echo "deps.sh: run as root, or install sudo, or: apt-get install$missing" >&2
        exit 1
    fi
}

updated=no
update_lists() {
    [ $updated = no ] || return 0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    updated=yes
}

has_package() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

find_missing() {
    missing=''
    for p in $packages; do
        has_package "$p" || missing="$missing $p"
    done
    # Node may come from elsewhere than Debian; what counts is that the commands are there.
    if [ "$task" = test ]; then
        command -v node >/dev/null 2>&1 || missing="$missing nodejs"
        command -v npm >/dev/null 2>&1 || missing="$missing npm"
    fi
}

# Packages of servers start them when they are installed, unless this policy says no; a policy that
# is already there (containers have one) is left alone.
policy=/usr/sbin/policy-rc.d
install_missing() {
    made_policy=no
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
        made_policy=yes
    fi
    ok=yes
    case " $missing " in # Debian's PostgreSQL would make a cluster; the tests make their own
    *" postgresql-15 "*)
        [ -e /etc/postgresql-common/createcluster.conf ] || {
            as_root mkdir -p /etc/postgresql-common
            echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
        }
        ;;
    esac
    # shellcheck disable=SC2086  # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 $missing >"$log" 2>&1 || ok=no
    [ $made_policy = no ] || as_root rm -f $policy
    case " $missing " in
    *" dovecot-core "*)
        if [ $ok = yes ] && [ -d /run/systemd/system ]; then
            as_root systemctl disable --now dovecot.service dovecot.socket >/dev/null 2>&1 || true
        fi
        ;;
    esac
}

find_missing
if [ -n "$missing" ]; then
    echo "deps.sh: installing$missing"
    log=$(mktemp)
    # The lists of a fresh machine are empty or old: try with what is there, then with new ones.
    if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
        update_lists
    fi
    install_missing
    if [ $ok = no ] && [ $updated = no ]; then
        update_lists
        install_missing
    fi
    if [ $ok = no ]; then
        cat "$log" >&2
        rm -f "$log"
        echo "deps.sh: installation failed" >&2
        exit 1
    fi
    rm -f "$log"
fi

unpack() { # package
    target=$here/build/packages/$1
    rm -rf "$target.new"
    mkdir -p "$target.new"
    fetch() {
        (cd "$target.new" && apt-get download -qq -o APT::Sandbox::User=root "$1" >/dev/null 2>&1)
    }
    fetch "$1" || { missing=" $1" update_lists && fetch "$1"; } ||
        { echo "deps.sh: cannot download $1; the tests that need it are skipped" >&2 && return 0; }
    dpkg-deb -x "$target.new"/*.deb "$target.new"
    rm -f "$target.new"/*.deb
    mv "$target.new" "$target"
}
for p in $unpacked; do
    [ -d "$here/build/packages/$p" ] || unpack "$p"
done

if [ "$task" = test ]; then
    node=$here/tests/clients/node
    if [ ! -e "$node/node_modules/.package-lock.json" ] ||
        [ "$node/package-lock.json" -nt "$node/node_modules/.package-lock.json" ]; then
        (cd "$node" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
            echo "deps.sh: npm ci failed; the imapflow test will say so" >&2
        [ ! -e "$node/node_modules/.package-lock.json" ] || touch "$node/node_modules/.package-lock.json"
    fi
fi
