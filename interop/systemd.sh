#!/bin/sh
# needs: systemd-analyze strace python3
# systemd reads the units without a complaint, judges the service safe, and makes its user and directories.
set -eu
. "$(dirname "$0")/lib.sh"

units=$root/packaging/systemd
# The highest exposure there may be, in tenths: 1.5.
bar=15

# With the program that is there, not the one that will be installed.
sed "s#^ExecStart=/usr/bin/facteur #ExecStart=$FACTEUR #" "$units/facteur.service" >"$work/facteur.service"
cp "$units/facteur.socket" "$work/"
systemd-analyze verify --man=no "$work/facteur.service" "$work/facteur.socket" >"$work/verify.log" 2>&1 ||
    fail "systemd-analyze verify ended with $?"
[ ! -s "$work/verify.log" ] || fail "systemd-analyze verify complains"

systemd-analyze security --offline=true --no-pager --threshold=$bar "$units/facteur.service" \
    >"$work/security.log" 2>&1 || fail "the service is more exposed than $bar tenths"
grep Overall "$work/security.log"

# The drop-in is read as well, behind the unit.
mkdir "$work/facteur.service.d"
cp "$units/without-socket.conf" "$work/facteur.service.d/"
systemd-analyze verify --man=no "$work/facteur.service" >"$work/verify.log" 2>&1 || fail "the drop-in is refused"
[ ! -s "$work/verify.log" ] || fail "systemd-analyze verify complains about the drop-in"

# A machine of its own below $work, on which only root can make users.
if [ "$(id -u)" -eq 0 ]; then
    mkdir -p "$work/machine/etc" "$work/machine/var/lib" "$work/machine/var/mail"
    systemd-sysusers --root="$work/machine" "$units/sysusers.conf" >"$work/sysusers.log" 2>&1 ||
        fail "systemd-sysusers ended with $?"
    systemd-tmpfiles --root="$work/machine" --create "$units/tmpfiles.conf" >"$work/tmpfiles.log" 2>&1 ||
        fail "systemd-tmpfiles ended with $?"
    uid=$(sed -n 's/^facteur:[^:]*:\([0-9]*\):.*/\1/p' "$work/machine/etc/passwd")
    for expected in "700 $uid /var/lib/facteur" "750 $uid /var/mail/facteur" "755 0 /etc/facteur"; do
        path=${expected##* }
        found="$(stat -c '%a %u' "$work/machine$path") $path"
        [ "$found" = "$expected" ] || fail "$found, not $expected"
    done
fi

# Every system call of a server that starts, takes a message, delivers it and stops is one that the unit allows. (Those
# that only root makes, to become somebody else, are not: the unit starts the server as its user.)
systemd-analyze syscall-filter >"$work/sets" 2>/dev/null
sed -n 's/^SystemCallFilter=//p' "$units/facteur.service" >"$work/filter"
awk '
    function expand(name, allow,    n, members, i) {
        if (name !~ /^@/) { if (allow) allowed[name] = 1; else delete allowed[name]; return }
        n = split(set[name], members, " ")
        for (i = 1; i <= n; i++) expand(members[i], allow)
    }
    FNR == NR && /^@/ { current = $1; next }
    FNR == NR && /^ +[@a-z_]/ { set[current] = set[current] " " $1; next }
    FNR == NR { next }
    { allow = !sub(/^~/, ""); for (i = 1; i <= NF; i++) expand($i, allow) }
    END { for (name in allowed) print name }
' "$work/sets" "$work/filter" | sort >"$work/allowed"

# Traced, as a user who is nobody.
cp "$FACTEUR" "$work/facteur"
as_nobody=
if [ "$(id -u)" -eq 0 ]; then
    chown 65534 "$work"
    as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
cat >"$work/traced" <<END
#!/bin/sh
exec $as_nobody strace -D -f -qq -e signal=none -o "$work/calls" "$work/facteur" "\$@"
END
chmod +x "$work/traced"
FACTEUR=$work/traced
mkdir -m 755 "$work/mail"
# What start_facteur makes for the server must be that server's.
[ -z "$as_nobody" ] || chown 65534 "$work/mail"
mkdir -m 700 "$work/data"
[ -z "$as_nobody" ] || chown 65534 "$work/data"
start_facteur </dev/null
"$work/facteur" send --server "127.0.0.1:$facteur_port" --from alice@localhost --to bob@localhost --brief \
    >"$work/send.log" 2>&1 || fail "the message was not taken"
expect_mail "$work/mail/bob" 1
stop "$pids"
pids=
sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$work/calls" | sort -u >"$work/made"
[ -s "$work/made" ] || fail "nothing was traced"
comm -13 "$work/allowed" "$work/made" >"$work/forbidden.log"
[ ! -s "$work/forbidden.log" ] || fail "the unit forbids what the server does"
echo "$(wc -l <"$work/made") system calls, all allowed"
