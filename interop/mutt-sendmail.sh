#!/bin/sh
# needs: mutt python3
# mutt hands its mail to us as to any sendmail, and prints nothing; Bcc is seen by nobody, a refusal by the user.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
ln -s "$FACTEUR" "$work/sendmail"
ln -s "$FACTEUR" "$work/mailq"
export FACTEUR_CONFIG="$work/facteur.toml" HOME="$work" LC_ALL=C
cat >"$work/muttrc" <<EOF
set sendmail = "$work/sendmail -oem -oi"
set from = "alice@localhost"
set use_from = yes
set use_envelope_from = yes
set copy = no
EOF

printf 'One line.\n.\nBehind a lone dot.\n' >"$work/body"
mutt -n -F "$work/muttrc" -s "From mutt" -b alice@localhost bob@localhost <"$work/body" ||
    fail "mutt ended with $?"
expect_mail "$work/mail/bob" 1
expect_mail "$work/mail/alice" 1
grep -q 'Behind a lone dot' "$work"/mail/bob/new/* || fail "the body is cut at a dot"
if grep -qi '^bcc' "$work"/mail/*/new/*; then fail "Bcc was sent"; fi

if "$work/sendmail" nobody@localhost <"$work/body" 2>"$work/refused.log"; then fail "an unknown user was taken"; fi
grep -q '550 5.1.1' "$work/refused.log" || fail "the refusal is not shown"
[ "$("$work/mailq")" = "Mail queue is empty" ] || fail "the queue is not empty"
