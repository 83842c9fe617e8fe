#!/bin/sh
# needs: postfix python3
# Facteur relays to Postfix along a [[route]], and Postfix delivers what was sent.
set -eu
. "$(dirname "$0")/lib.sh"

start_postfix
start_facteur <<EOF

[[route]]
match = "postfix.test"
next_hop = "127.0.0.1:$postfix_port"
EOF
write_message "$work/sent"
helper send "$facteur_port" alice@localhost bob@postfix.test "$work/sent"

expect_mail "$work/postfix-mail/inbox" 1
expect_body "$work/sent"
expect_header 'Return-Path: <alice@localhost>'
