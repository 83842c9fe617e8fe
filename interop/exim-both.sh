#!/bin/sh
# needs: exim python3
# Exim hands a message to Facteur and Facteur hands one to Exim, both by BDAT, which both offer.
set -eu
. "$(dirname "$0")/lib.sh"

# Both ways need the other's port first: Facteur learns Exim's from its route, Exim is started afterwards.
exim_route=$(helper free-port)
start_facteur <<EOF

[[route]]
match = "exim.test"
next_hop = "127.0.0.1:$exim_route"
EOF
start_exim "$exim_route"
write_message "$work/sent"

helper send "$facteur_port" alice@localhost bob@exim.test "$work/sent"
expect_mail "$work/exim-mail/inbox" 1
expect_body "$work/sent"
grep -q '<= alice@localhost .* K ' "$work/exim-data/main.log" || fail "Facteur did not send by BDAT"

helper send "$exim_port" alice@exim.test bob@facteur.test "$work/sent"
expect_mail "$work/mail/bob" 1
expect_body "$work/sent"
