#!/bin/sh
# needs: python3
# Python's smtplib, as many programs use it.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
python3 "$root/interop/python-smtplib.py" "$facteur_port" >"$work/python.log" 2>&1 ||
    fail "python-smtplib.py ended with $?"
# One message to both, one in 8 bits and one with SMTPUTF8 to bob.
expect_mail "$work/mail/alice" 1
expect_mail "$work/mail/bob" 3
grep -q 'café' "$work"/mail/bob/new/* || fail "the 8-bit text changed on its way"
grep -q 'jörg@localhost' "$work"/mail/bob/new/* || fail "the UTF-8 address changed on its way"
