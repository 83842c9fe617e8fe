#!/bin/sh
# needs: swaks python3
# The first thing anyone tries: swaks sends to postmaster@localhost, and it is in the Maildir.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
swaks --server "127.0.0.1:$facteur_port" --helo client.test \
    --from alice@localhost --to postmaster@localhost \
    --header 'Subject: hello from swaks' --body 'It works.' >"$work/swaks.log" 2>&1 ||
    fail "swaks ended with $?"

expect_mail "$work/mail/postmaster" 1
expect_header 'Subject: hello from swaks'
expect_header 'Received: .*'
grep -q '^<-  354 ' "$work/swaks.log" || fail "no 354 before the message"
