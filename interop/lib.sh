# What the scenarios share: one folder for everything, a Facteur and the other servers on free loopback ports,
# a bounded wait for what must happen, and an end that leaves nothing behind. Sourced, never run.
#
# FACTEUR        the binary (default: the dev profile's)
# INTEROP_TOOLS  where `cargo xtask test` has unpacked Postfix and Exim

root=$(cd "$(dirname "$0")/.." && pwd)
FACTEUR=${FACTEUR:-$root/target/debug/facteur}
INTEROP_TOOLS=${INTEROP_TOOLS:-$root/target/interop}
scenario=$(basename "$0" .sh)

# The other servers change to users of their own and must be able to walk through here.
work=$(mktemp -d "${TMPDIR:-/tmp}/facteur-$scenario.XXXXXX")
chmod 755 "$work"
pids=

# Asks a server to stop, and does not wait for ever.
stop() {
    (
        sleep 10
        kill -9 "$1"
    ) >/dev/null 2>&1 &
    watchdog=$!
    kill "$1" 2>/dev/null || true
    ended=0
    wait "$1" 2>/dev/null || ended=$?
    kill "$watchdog" 2>/dev/null || true
    wait "$watchdog" 2>/dev/null || true
    [ "$ended" -ne 137 ] || {
        echo "$scenario: a server did not stop within 10 s" >&2
        return 1
    }
}

finish() {
    status=$?
    trap - EXIT INT TERM
    for pid in $pids; do
        stop "$pid" || status=1
    done
    if [ "$status" -ne 0 ]; then
        for log in "$work"/*.log; do
            [ -f "$log" ] || continue
            echo "--- $(basename "$log")" >&2
            tail -n 60 "$log" >&2
        done
        echo "$scenario: FAILED" >&2
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
    echo "$scenario: $*" >&2
    exit 1
}

helper() {
    python3 "$root/interop/helper.py" "$@"
}

# Starts Facteur with `localhost` and `facteur.test` as its own domains, their three users with Maildirs below
# $work/mail; what stands on standard input is added to the configuration. Sets $facteur_port.
start_facteur() {
    facteur_port=$(helper free-port)
    mkdir -p -m 700 "$work/data"
    cat >"$work/facteur.toml" <<EOF
hostname = "facteur.test"
data_dir = "$work/data"

[[listen]]
address = "127.0.0.1:$facteur_port"
role = "mx"

[relay]
networks = ["127.0.0.0/8"]

[domains."localhost"]
deliver = "maildir:$work/mail/{user}"
users = ["postmaster", "alice", "bob"]

[domains."facteur.test"]
deliver = "maildir:$work/mail/{user}"
users = ["postmaster", "alice", "bob"]

[delivery]
allow_loopback_mx = true
EOF
    cat >>"$work/facteur.toml"
    "$FACTEUR" serve --config "$work/facteur.toml" >"$work/facteur.log" 2>&1 &
    pids="$pids $!"
    helper wait-banner "$facteur_port" "$!" || fail "Facteur does not answer"
}

# Puts a server's unpacked programs, its throw-away users and its folder under $work.
unpack_server() {
    [ -d "$INTEROP_TOOLS/$1" ] || fail "$1 is not unpacked in $INTEROP_TOOLS: run cargo xtask test as root"
    cp -a "$INTEROP_TOOLS/$1" "$work/$1"
    # Set-user-ID would make the loader ignore the libraries beside the program.
    find "$work/$1" -perm /6000 -exec chmod ug-s {} +
    cp "$root/interop/etc/passwd" "$root/interop/etc/group" "$work/"
    mkdir "$work/$1-mail" "$work/$1-queue" "$work/$1-data"
}

# Becomes a program of an unpacked server, with its own libraries and users; only for the background:
# in_server NAME PROGRAM ARGUMENT…
in_server() {
    tree=$work/$1
    shift
    wrapper=$(find "$tree" -name libnss_wrapper.so | head -n 1)
    libraries=$(dirname "$wrapper")
    libraries=$libraries:$tree/lib/$(basename "$libraries"):$tree/usr/lib/postfix
    exec env LD_LIBRARY_PATH="$libraries" LD_PRELOAD="$wrapper" \
        NSS_WRAPPER_PASSWD="$work/passwd" NSS_WRAPPER_GROUP="$work/group" "$@"
}

# Writes a configuration of ours with the places of this run: configure TEMPLATE TARGET
configure() {
    sed -e "s|@WORK@|$work|g" -e "s|@PORT@|$port|g" -e "s|@NEXT@|${facteur_port:-0}|g" \
        "$root/interop/etc/$1" >"$2"
}

# Starts Postfix: `postfix.test` ends in the Maildir $work/postfix-mail/inbox, everything else goes to
# Facteur if that runs already. Sets $postfix_port.
start_postfix() {
    unpack_server postfix
    port=$(helper free-port)
    postfix_port=$port
    mkdir "$work/postfix-etc"
    configure postfix-main.cf "$work/postfix-etc/main.cf"
    configure postfix-master.cf "$work/postfix-etc/master.cf"
    (
        cd "$work/postfix-queue"
        mkdir pid active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public
        chown 31001 active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public
        chgrp 31003 maildrop public
        chmod 700 active bounce corrupt defer deferred flush hold incoming private saved trace
        chmod 730 maildrop
        chmod 710 public
    )
    chown 31001:31001 "$work/postfix-data" "$work/postfix-mail"
    in_server postfix "$work/postfix/usr/lib/postfix/sbin/master" -c "$work/postfix-etc" &
    pids="$pids $!"
    helper wait-banner "$postfix_port" "$!" || fail "Postfix does not answer"
}

# Starts Exim: `exim.test` ends in the Maildir $work/exim-mail/inbox, everything else goes to Facteur if that
# runs already: start_exim [PORT]. Sets $exim_port.
start_exim() {
    unpack_server exim
    port=${1:-$(helper free-port)}
    exim_port=$port
    configure exim.conf "$work/exim.conf"
    chown -R 31002:31002 "$work/exim-queue" "$work/exim-mail" "$work/exim-data"
    # Its daemon stays in front; -q retries what was deferred.
    in_server exim "$work/exim/usr/sbin/exim4" -C "$work/exim.conf" -bdf -q1m >"$work/exim.log" 2>&1 &
    pids="$pids $!"
    helper wait-banner "$exim_port" "$!" || fail "Exim does not answer"
}

# Waits until a Maildir holds so many messages, then sets $arrived to the (last) one: expect_mail FOLDER COUNT
expect_mail() {
    arrived=$(helper wait-mail "$1" "$2") || fail "$2 message(s) should be in ${1#"$work"/}"
}

# The body of what arrived must be that of what was sent, byte for byte: expect_body SENT
expect_body() {
    helper same-body "$1" "$arrived" || fail "the body changed on its way"
}

# A header field of what arrived must match: expect_header 'Subject: hello'
expect_header() {
    grep -q "^$1" "$arrived" || fail "no header field $1 in what arrived"
}

# A message with every kind of line that SMTP might damage. (RFC 5321 §4.5.2)
write_message() {
    printf '%s\n' 'From: alice@facteur.test' 'To: bob@localhost' "Subject: $scenario" '' \
        '.' '..' '.x' ' .' 'a line' '' '' 'From here on, a line that mbox would quote' \
        '.' '354 is no reply here' 'trailing blanks   ' '...' '.' >"$1"
}
