#!/bin/sh
# needs: swaks python3
# Lines that begin with a dot arrive as they were, at the start, inside and at the end. (RFC 5321 §4.5.2)
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
# swaks takes a lone dot at the end for the end, and ends the last line itself; the other clients send the whole.
write_message "$work/whole"
sed '$d' "$work/whole" >"$work/sent"
printf '%s' "$(cat "$work/sent")" >"$work/stripped"
swaks --server "127.0.0.1:$facteur_port" --helo client.test \
    --from alice@localhost --to bob@localhost --data "@$work/stripped" >"$work/swaks.log" 2>&1 ||
    fail "swaks ended with $?"

expect_mail "$work/mail/bob" 1
expect_body "$work/sent"
