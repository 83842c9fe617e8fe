#!/bin/sh
# needs: postfix python3
# Postfix, with Facteur as its relayhost, pipelines and hands over what it was given.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
start_postfix
write_message "$work/sent"
helper send "$postfix_port" alice@postfix.test bob@facteur.test "$work/sent"

expect_mail "$work/mail/bob" 1
expect_body "$work/sent"
expect_header 'Subject: postfix-sends'
grep -q 'status=sent (250 ' "$work/postfix.log" || fail "Postfix did not note our 250"
