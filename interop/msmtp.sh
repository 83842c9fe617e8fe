#!/bin/sh
# needs: msmtp python3
# msmtp, which pipelines nothing and checks every reply, delivers to two recipients at once.
set -eu
. "$(dirname "$0")/lib.sh"

start_facteur </dev/null
write_message "$work/sent"
msmtp --host=127.0.0.1 --port="$facteur_port" --domain=client.test --auth=off --tls=off \
    --from=alice@localhost bob@localhost postmaster@localhost \
    <"$work/sent" >"$work/msmtp.log" 2>&1 || fail "msmtp ended with $?"

for user in bob postmaster; do
    expect_mail "$work/mail/$user" 1
    expect_body "$work/sent"
done
