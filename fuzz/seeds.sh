#!/bin/sh
# Makes a first corpus: the dialogues of facteur-smtp as their clients speak them, and a few replies and names.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/server_session corpus/client_session corpus/reply corpus/path corpus/catalogue_topic corpus/report corpus/growth corpus/history

for dialogue in ../crates/facteur-smtp/tests/dialogues/*.smtp; do
    name=$(basename "$dialogue" .smtp)
    sed -n 's/^C: \{0,1\}//p' "$dialogue" | sed 's/$/\r/' >corpus/lines
    { printf '\000\000\007'; cat corpus/lines; } >"corpus/server_session/$name"
    { printf '\000\000\000'; cat corpus/lines; } >"corpus/growth/$name"
    sed -n 's/^S: //p' "$dialogue" | sed 's/$/\r/' >corpus/lines
    { printf '\005'; cat corpus/lines; } >"corpus/reply/$name"
    rm corpus/lines
done

hello='220 mx\r\n\000250-mx\r\n250-PIPELINING\r\n250-SIZE 100\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250'
printf "\000\002\001\005$hello CHUNKING\r\n\000250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n\000250 ok\r\n\000221 bye\r\n" \
    >corpus/client_session/data
printf "\200\000\001\005$hello CHUNKING\r\n\000250 ok\r\n250 ok\r\n250 ok\r\n\000\001552 5.3.4 no\r\n\000221 bye\r\n" \
    >corpus/client_session/chunk
printf "\001\000\001\005$hello HELP\r\n\000250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n\000250 ok\r\n452 4.5.3 no\r\n" \
    >corpus/client_session/lmtp
printf "\000\000\001\005220 mx\r\n\000500 what\r\n\000250 mx\r\n\000250 ok\r\n\000250 ok\r\n\000421 bye\r\n" \
    >corpus/client_session/plain

printf '<"a>b"@exämple.test> SIZE=1' >corpus/path/quoted
printf 'a@[IPv6:2001:db8::1]' >corpus/path/literal
printf '[2001:db8::1]:24' >corpus/path/hop
printf '10.0.0.0/8' >corpus/path/network
printf '/m/{domain}/{user}\nü' >corpus/path/maildir
printf '\007\002\000\000\000\200\001' >corpus/history/ended
printf '\006\015\000\000\000\001\004hold\004root\000\000' >corpus/history/operated
printf '\004\003\000\000\000\001\200\001' >corpus/history/about

printf '550-x.1.10\n4yz' >corpus/catalogue_topic/pair

printf '%s\n' 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"' '' \
    '--b' 'Content-Type: message/delivery-status' 'Content-Transfer-Encoding: quoted-printable' '' \
    'Reporting-MTA: dns; mx.test' 'Arrival-Date: now' '' \
    'Final-Recipient: rfc822; a@b.test' 'Action: failed' 'Status: 5.1.10 (no)' 'Remote-MTA: dns; c.test' \
    'Diagnostic-Code: smtp; 550-5.1.1 one' ' 550 5.1.1 two' 'Will-Retry-Until: never' '' \
    '--b' 'Content-Type: text/rfc822-headers' '' 'Message-ID: <x@y>' '' '--b--' >corpus/report/failed
{ printf '\002\000\000'; cat corpus/report/failed; } >corpus/growth/failed
