#!/bin/sh
# needs: curl python3
# curl uploads a message, and sees an unknown recipient refused.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
write_message "$work/sent"
url=smtp://127.0.0.1:$facteur_port/client.test
curl -sS --crlf --mail-from alice@localhost --mail-rcpt bob@localhost --upload-file "$work/sent" "$url" \
    >"$work/curl.log" 2>&1 || fail "curl ended with $?"
expect_mail "$work/mail/bob" 1
expect_body "$work/sent"

# 55: curl could not send, because the server refused the address.
status=0
curl -sS --crlf --mail-from alice@localhost --mail-rcpt nobody@localhost --upload-file "$work/sent" "$url" \
    >"$work/curl.log" 2>&1 || status=$?
[ "$status" -eq 55 ] || fail "nobody is no user and must be refused, curl ended with $status"
