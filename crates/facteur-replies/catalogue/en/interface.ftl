# The texts of the interface in English. Every language has the same messages with the same values;
# the build and the tests check it. A message is a whole sentence or a whole label, never a part of one.

## Explaining a reply

label-meaning = What it means
label-when = When you see it
label-fix = What to do
label-retry = Does trying again help?
label-who-acts = Who must act
label-stages = Where you meet it
label-speakers = Who says it
label-see = See also
label-rfc = Standards

basis-pair = The code { $code } together with { $enhanced } has a meaning of its own; this is it.
basis-enhanced = { $code ->
    [none] This is what { $enhanced } means.
   *[other] This is what { $enhanced } means; it says more than { $code } does.
}
basis-code = { $adds ->
    [nothing] This is what { $code } means; { $enhanced } says nothing more.
    [unknown] This is what { $code } means; the catalogue does not know what { $enhanced } adds to it.
   *[none] This is what { $code } means.
}
basis-subject = The detail of { $enhanced } is not registered; this is what its second number ({ $key }) says.
basis-class = { $code ->
    [none] The catalogue knows nothing of { $enhanced } beyond its first digit; this is what that says.
   *[other] No RFC gives { $code } a meaning; this is what its first digit says, and all that a server may act on.
}
basis-unknown = { $code ->
    [none] There is no code to explain.
   *[other] { $code } is not an SMTP reply: the first digit of one is 2, 3, 4 or 5.
}

## The values of the facts

actor-nobody = nobody
actor-sender = the sender
actor-developer = the developer of the sending program
actor-sending-operator = the sending server’s operator
actor-recipient = the recipient
actor-recipient-operator = the operator of the recipient’s server

retry-yes = Yes: the sending server tries again by itself, later.
retry-no = No: the answer will stay the same.
retry-after-change = Only once something has been changed.
retry-none-needed = There is nothing to repeat: it succeeded.
retry-continue = Neither yes nor no: the exchange goes on, the verdict comes later.

stage-connect = the opening of the connection
stage-hello = EHLO or HELO
stage-starttls = STARTTLS
stage-auth = AUTH
stage-mail = MAIL
stage-rcpt = RCPT
stage-data = DATA
stage-end-of-data = the final dot
stage-bdat = BDAT
stage-other = another command (QUIT, RSET, NOOP, VRFY, HELP…)
stage-any = any command
stage-queue = the sending server’s own queue

speaker-receiving-server = the recipient’s server
speaker-relay = a relay on the way
speaker-sending-server = the sending server itself

category-unknown-user = unknown recipient
category-mailbox-disabled = disabled mailbox
category-mailbox-full = full mailbox
category-null-mx = domain that accepts no mail (null MX)
category-reputation = reputation of the sending server or domain
category-rate-limit = sending rate
category-greylisting = greylisting
category-auth-message = authentication of the message (SPF, DKIM, DMARC)
category-auth-login = login (SMTP AUTH)
category-policy = local policy
category-content = content of the message
category-size = size of the message
category-tls-required = missing encryption
category-relay-denied = relaying refused
category-sender-invalid = sender address
category-dns-rdns = DNS or reverse DNS
category-protocol = SMTP dialogue
category-system-temporary = temporary fault of a server
category-loop-or-expired = mail loop, or delivery time over
category-routing = way to the destination
category-ok = success

list-and = { $head } and { $last }
list-or = { $head } or { $last }
list-comma = { $head }, { $next }

## Comparing two replies

label-differences = The differences
label-which = Which one you meet when
label-confusion = What people confuse
label-at-a-glance = At a glance

compare-title = { $a } and { $b }
compare-same-entry = { $a } and { $b } have the same meaning, “{ $title }”; only what follows may differ.
compare-stages-apart = { $a } and { $b } can never answer the same command. You meet { $a } here: { $left }. You meet { $b } here: { $right }.
compare-stages-shared = { $a } and { $b } can both be met here: { $shared }.
compare-class-same = { $class ->
    [success] { $a } and { $b } both report a success.
    [intermediate] { $a } and { $b } both ask the client to go on; neither is a verdict.
    [transient] { $a } and { $b } are both refusals for now.
    [permanent] { $a } and { $b } are both refusals for good.
   *[unknown] Neither { $a } nor { $b } is an SMTP reply.
}
compare-class-apart = { $left ->
    [success] { $a } reports a success
    [intermediate] { $a } asks the client to go on
    [transient] { $a } is a refusal for now
    [permanent] { $a } is a refusal for good
   *[unknown] { $a } is not an SMTP reply
}; { $right ->
    [success] { $b } reports a success.
    [intermediate] { $b } asks the client to go on.
    [transient] { $b } is a refusal for now.
    [permanent] { $b } is a refusal for good.
   *[unknown] { $b } is not an SMTP reply.
}
compare-speakers-same = The voice is the same for { $a } and { $b }: { $both }.
compare-speakers-apart = The voices differ. Behind { $a }: { $left }. Behind { $b }: { $right }.
compare-retry-same = { $both ->
    [yes] After either of { $a } and { $b } the sending server tries again by itself.
    [no] Trying again helps neither after { $a } nor after { $b }.
    [after-change] After { $a } as after { $b }, trying again helps only once something has been changed.
    [none-needed] Neither { $a } nor { $b } leaves anything to repeat.
   *[continue] After { $a } as after { $b } the exchange goes on.
}
compare-retry-apart = { $left ->
    [yes] After { $a } the sending server tries again by itself
    [no] After { $a } trying again does not help
    [after-change] After { $a } trying again helps only once something has been changed
    [none-needed] After { $a } there is nothing to repeat
   *[continue] After { $a } the exchange goes on
}; { $right ->
    [yes] after { $b } the sending server tries again by itself.
    [no] after { $b } trying again does not help.
    [after-change] after { $b } trying again helps only once something has been changed.
    [none-needed] after { $b } there is nothing to repeat.
   *[continue] after { $b } the exchange goes on.
}
compare-actors-same = The same must act after { $a } and after { $b }: { $both }.
compare-actors-apart = Who must act differs. After { $a }: { $left }. After { $b }: { $right }.
compare-category-same = The subject is the same for { $a } and { $b }: { $both }.
compare-category-apart = The subjects differ. { $a }: { $left }. { $b }: { $right }.

## Reports to the sender (DSN)

dsn-subject-failed = Your message could not be delivered
dsn-subject-delayed = Your message is late; this server keeps trying
dsn-subject-done = News of the delivery of your message
dsn-english-below = The same text stands below in English.
dsn-about = This is the mail server { $host }. It writes about the message of { $size } that it took from you on { $date } and named { $id }.
dsn-message-id = Your program named the message { $message-id }.
dsn-failed = It could not be delivered to:
dsn-expired = It was tried many times since { $since } and has now been given up. It could not be delivered to:
dsn-delayed = It has not been delivered yet to:
dsn-delivered = It was delivered to the mailbox of:
dsn-relayed = It was handed on to a server that confirms no delivery; no more news will come about:
dsn-expanded = It was sent on to the addresses that stand behind:
dsn-said-by-peer = { $stage ->
    [greeting] The server { $host } said when the connection was opened:
    [hello] The server { $host } answered when this server introduced itself (EHLO):
    [starttls] The server { $host } answered when encryption was to begin (STARTTLS):
    [auth] The server { $host } answered when this server logged in (AUTH):
    [mail] The server { $host } answered when it was told the sender (MAIL):
    [rcpt] The server { $host } answered when it was told the recipient (RCPT):
    [data] The server { $host } answered when the message was announced (DATA):
   *[end-of-data] The server { $host } answered when it had the message:
}
dsn-said-by-us = { $stage ->
    [route] No other server was asked. This server found by itself:
    [mailbox] This server noted when it wrote to the mailbox:
    [queue] The queue of this server decided:
   *[other] This server noted on the way to the recipient’s server:
}
dsn-meaning = What it means: { $title }
dsn-fix = What can be done:
dsn-again-no = Sending the message to the same address again will not help.
dsn-again-after-change = Sending the message again helps only once something has been changed.
dsn-again-expired = Sending the message again may help once the cause has passed.
dsn-again-delayed = You need not do anything, nor send the message again: this server tries by itself, next on { $next }. It gives up on { $until }, and will tell you if it does.
dsn-more = { $count ->
    [one] One more recipient is named in the part for programs.
   *[other] { $count } more recipients are named in the part for programs.
}
dsn-rest-headers = Behind this text stand the same facts for programs, and the header lines of your message.
dsn-rest-whole = Behind this text stand the same facts for programs, and your message.

## The command line

cli-about = Facteur, the mail server that explains itself
cli-usage = Usage:
cli-error = error
cli-hint = hint
cli-labelled = { $label }: { $words }
cli-field = { $label }:

cli-help-help = Show this help
cli-help-version = Show the version
cli-help-lang = Language of what is shown: en, fr (default: the locale’s)
cli-help-json = Answer in JSON, with stable keys
cli-help-color = Use colour: auto (default), always or never
cli-help-config = Configuration file (TOML)
cli-help-data-dir = Directory of the spool and of what belongs to it
cli-help-serve = Run the server
cli-help-send = Send a test message and explain each reply as it comes
cli-help-send-from = Sender (MAIL FROM); <> for the null sender
cli-help-send-to = Recipient (RCPT TO); may be given several times
cli-help-send-server = Server to speak to: host, host:port or the path of a Unix socket
cli-help-send-port = Port, when the server is given without one
cli-help-send-ehlo = Name given at EHLO
cli-help-send-protocol = SMTP (with HELO), ESMTP (default) or LMTP
cli-help-send-header = Header field to add or replace, as “Name: value”
cli-help-send-body = Body text, @file, or - for standard input
cli-help-send-data = Whole message: text, @file, or - for standard input
cli-help-send-quit-after = Stop after this stage: connect, ehlo, mail, rcpt or data
cli-help-send-pipeline = Send commands in groups where the server offers PIPELINING
cli-help-send-timeout = Seconds to wait for each reply (default: 30)
cli-help-send-brief = Show the dialogue without explanations
cli-help-status = Show how the server that runs is
cli-help-check = Can mail reach this domain or address, and by which way?
cli-help-check-subject = Domain or address to check
cli-help-explain = Explain a code, a reply, or the replies in a text on standard input
cli-help-explain-what = A code (354, 5.1.10), a whole reply, or - for standard input
cli-help-compare = Compare two codes: the differences that matter
cli-help-compare-code = A code: 354, 5.1.10, or “550 5.7.1”
cli-help-queue = See what waits, and act on it
cli-help-queue-list = List the queued messages
cli-help-queue-show = Show one message: why it waits, and until when
cli-help-queue-id = Queue id of the message
cli-help-queue-limit = At most this many messages
cli-help-queue-summary = Count what waits, by domain and by last reply
cli-help-queue-rows = At most this many rows of each; 20 if not given
cli-help-queue-hold = Keep messages back until they are released
cli-help-queue-release = End holds; the messages are tried at once
cli-help-queue-retry = Try messages now
cli-help-queue-bounce = Give messages up and tell their senders
cli-help-queue-delete = Give messages up and tell nobody
cli-help-queue-ids = Queue ids; with filters, only those of them that fit
cli-help-queue-all = All messages, if no id and no filter is given
cli-help-queue-dry-run = Say what would be done, and do nothing
cli-help-queue-reason = Why: kept with the deed; a bounce tells it to the sender
cli-help-queue-for = How long the hold lasts: 90s, 5m, 4h, 5d
cli-help-filter-host = Only what was last tried at this host, in this domain, or at this address
cli-help-filter-older = Only messages at least this old: 90s, 5m, 4h, 5d
cli-help-filter-younger = Only messages younger than this
cli-help-filter-larger = Only messages larger than this: 52428800, 512KiB, 50MiB
cli-help-filter-smaller = Only messages smaller than this
cli-help-filter-reply = Only what got this code last: 450, or 4.7.1
cli-help-filter-category = Only what got a reply about this last: rate-limit, unknown-user …
cli-help-filter-held = Only what is held
cli-help-filter-sender = Only senders that contain this text
cli-help-filter-recipient = Only recipients that contain this text
cli-help-filter-domain = Only recipients of this domain
cli-help-trace = Tell the story of a message
cli-help-trace-subject = Queue id, Message-ID, or an address
cli-help-trace-brief = Leave out the dialogues
cli-help-config-command = Check or show the configuration
cli-help-config-check = Check a configuration file
cli-help-config-show = Show the configuration in force, defaults included
cli-help-config-diff = Show what another configuration would change, key by key, and when
cli-help-config-diff-against = A file, or “running” for the server that runs (default)
cli-help-config-reload = Have the server read its configuration again
cli-help-config-schema = Print the JSON Schema of the configuration file
cli-help-config-explain = Say what the keys of the configuration are for
cli-help-config-explain-key = A key (retry, delivery.retry) or a table (delivery); default: all
cli-help-completions = Print what a shell needs to complete the command line
cli-help-completions-shell = bash, zsh or fish
cli-help-man = Print the manual page, or write all of them into a directory
cli-help-man-out = Directory to write facteur.1, a page for each command, and facteur.toml.5 to
cli-help-spool = Check the spool, or take messages out of it
cli-help-spool-check = Read the whole spool and report what is damaged
cli-help-spool-export = Write every queued message into a directory
cli-help-spool-export-to = Directory to write to

cli-usage-unknown-argument = there is no option “{ $value }”
cli-usage-unknown-command = there is no command “{ $value }”
cli-usage-missing = something is missing: { $value }
cli-usage-conflict = “{ $value }” cannot be combined with the other options given
cli-usage-bad-value = “{ $value }” is not a value for { $argument }
cli-usage-utf8 = the command line holds bytes that are not UTF-8
cli-usage-valid = these are possible: { $valid }
cli-usage-suggested = did you mean “{ $suggested }”?
cli-usage-help = “facteur --help” lists the commands

explain-title = { $code } — { $title }
explain-nothing-found = no SMTP code in “{ $asked }”
explain-nothing-found-hint = give a code such as 354 or 5.1.10, or a whole reply such as “550 5.1.1 no such user”
compare-not-a-code = “{ $asked }” is not an SMTP code

## The configuration

config-cannot-read = cannot read { $path }: { $words }
config-problems = { $count ->
    [one] { $path } cannot be used: one problem
   *[other] { $path } cannot be used: { $count } problems
}
config-fine = { $path } can be used
config-fine-default = no configuration file given; the defaults can be used
config-syntax = this is not TOML: { $words }
config-syntax-hint = texts stand in quotes, tables in square brackets; see https://toml.io
config-unknown-key = there is no key “{ $key }” here
config-unknown-key-hint-nearest = did you mean “{ $nearest }”?
config-unknown-key-hint-known = these keys exist here: { $known }
config-wrong-kind = “{ $key }” takes another kind of value
config-wrong-kind-hint = it takes { $expected }
config-bad-value = “{ $value }” cannot be used here
config-bad-value-hint = expected: { $expected }
config-out-of-range = { $value } is out of bounds
config-out-of-range-hint = at least { $least }, at most { $most }
config-missing = “{ $key }” is missing in this table
config-missing-hint = add a line { $key } = …
config-open-relay = { $network } is so wide that strangers could send anything through this server
config-open-relay-hint = list only the networks of your own machines; an open relay is found and blocklisted within hours
config-open-relay-domain = { $domain } would relay mail for every domain
config-open-relay-domain-hint = list the domains this server is a relay for, one by one
config-role-not-available = this version has no listener for “{ $role }”
config-role-not-available-hint = submission needs STARTTLS and AUTH, which are not there yet; “mx” and “lmtp” are
config-twice = { $what } is there twice
config-twice-hint = keep one of the two

config-expects-account = the name or number of a user or a group of this machine, as "facteur"
config-expects-address = an address, as "user@example.org"
config-expects-boolean = true or false
config-expects-count = a whole number
config-expects-deliver = "maildir:/path/{"{"}user{"}"}", "lmtp:HOST:PORT", "lmtp:/path/socket" or "relay:HOST:PORT"
config-expects-delimiter = one punctuation character, or "" for none
config-expects-destination = a domain, *.domain, *, mx:pattern, or a destination’s name such as relay:HOST:PORT
config-expects-domain = a domain name, as "example.org"
config-expects-duration = a number with a unit, as "90s", "5m", "4h" or "5d"
config-expects-endpoint = an address with a port, as "127.0.0.1:25" or "[::1]:25"
config-expects-language = a language: "en" or "fr"
config-expects-log-format = "text", "json" or "journald"
config-expects-log-level = "error", "warn", "info", "debug" or "trace"
config-expects-moment = a moment, as "2026-12-01T00:00:00Z"
config-expects-reason = one line of text, at most 200 octets
config-expects-network = a network, as "192.0.2.0/24" or "2001:db8::/32"
config-expects-next-hop = a server, as "10.0.0.1:25", "relay.example.org" or "/path/socket"
config-expects-on-rate-limit = slow-down, slow-down-by-words or ignore
config-expects-path = a path
config-expects-pattern = "example.org", "*.example.org" or "*"
config-expects-role = "mx" or "lmtp"
config-expects-secret-file = the absolute path of a file, as "/etc/facteur/token"
config-expects-size = a size, as 1048576, "512 KiB" or "50 MiB"
config-expects-table = a table
config-expects-tables = tables in double square brackets, as [[listen]]
config-expects-user = a user's name, without @
config-expects-console-address = an address and a port, as "127.0.0.1:8025", or "off"
config-expects-label = a name of letters, digits, “-”, “_” and “.”, at most 60 of them
config-expects-webhook-event = accepted, delivered, deferred, bounced or expired
config-expects-webhook-url = an address with https://, or with http:// to this machine, and without a password

## The keys of the configuration, in Markdown: the schema, the manual and the man page show these texts

config-file = Configuration of Facteur
config-placeholder-name = NAME
config-key-restart = { $meaning }. A change takes effect when the server starts again
config-bounds = { $least } to { $most }
config-bounds-each = { $least } to { $most } each
config-default-none = –
config-explain-default = Default: { $default }
config-explain-default-bounds = Default: { $default }; { $bounds }
config-route-over = { $has_reason ->
    [0] The route { $pattern } to { $hop } ended on { $until } and does not apply.
   *[other] The route { $pattern } to { $hop } ended on { $until } and does not apply. Its reason: { $reason }
}
check-route = The configuration sends this mail to { $hop } instead (route { $pattern }).{ $has_until ->
    [0] {""}
   *[other] {" "}Until: { $until }.
}{ $has_reason ->
    [0] {""}
   *[other] {" "}Reason: { $reason }
}
config-no-such-key = there is no key “{ $key }”
config-no-such-key-hint = “facteur config explain” lists them all

config-diff-none = The configurations are equal.
config-diff-unset = (not set)
config-diff-reload = takes effect at a reload
config-diff-restart = takes effect when the server starts again
config-diff-beyond = The server that runs would refuse this configuration at a reload. It has been confined since its start:
config-reloaded = { $count ->
    [0] The configuration has been read again; no key has changed.
    [one] The configuration has been reloaded: one key has changed.
   *[other] The configuration has been reloaded: { $count } keys have changed.
}
config-reloaded-waiting = { $count ->
    [one] One change waits until the server starts again.
   *[other] { $count } changes wait until the server starts again.
}
config-not-reloaded = the configuration in force stays as it was
reload-beyond = the configuration needs more than the server has been confined to since its start
reload-beyond-hint = restart the server to use it
reload-beyond-folder = it may not write into { $path }
reload-beyond-socket = it may not make a socket in { $path }
reload-beyond-listen = it may not listen on port { $port }
reload-beyond-connect = it may not connect to port { $port }
reload-cannot-listen-hint = what shares a port with a listener that goes, and ports below 1024, may need a restart
config-table-head = | key | meaning | default |
config-table-head-bounds = | key | meaning | default | bounds |

config-key-hostname = the server’s name: in the greeting, at EHLO, in `Received:` and in reports. Mail for `postmaster` at this name is always local
config-default-hostname = the machine’s name, else `localhost`
config-key-data_dir = where the spool is (`DIR/spool`). `--data-dir` overrides it
config-key-language = language of reports (bounces) where no domain says otherwise. English follows a report in another language
config-key-postmaster = who gets mail for `postmaster` of the hostname and of local domains that have neither an alias nor a listed user of that name (RFC 5321 §4.5.1)
config-default-postmaster = the mailbox `postmaster`; for the hostname, that of the first local domain by name
config-key-listen = where mail comes in
config-key-listen-address = `IP:PORT`, or the absolute path of a Unix socket. Required. `[::]` serves IPv6 alone: for both, listen on `0.0.0.0` as well
config-key-listen-role = `mx`: SMTP. `lmtp`: LMTP (RFC 2033). `submission` and `submissions` are refused in this release
config-key-listen-normalise_newlines = `true`: a bare CR or LF in a message becomes CRLF. `false`: the message is refused with `550 5.6.11`
config-key-relay = who may send anywhere
config-key-relay-networks = addresses and networks (`"10.0.0.0/8"`, `"2001:db8::/32"`) whose clients may send anywhere. IPv4 networks wider than /8 and IPv6 networks wider than /16 are refused
config-key-relay-domains = domains relayed for everybody: `"good.test"` for that domain alone, `"*.good.test"` for those below it. `"*"` is refused
config-default-relay-domains = none
config-key-domains = local domains: their mail ends here, or at the server that has the mailboxes
config-key-domains-deliver = required: `maildir:PATH`, `lmtp:HOST:PORT`, `lmtp:/path/to/socket` or `relay:HOST:PORT`
config-key-domains-users = the mailboxes. Case does not matter
config-default-domains-users = every name is a mailbox
config-key-domains-catch_all = who gets mail for names that are neither users nor aliases. Only with `users`
config-default-domains-catch_all = nobody
config-key-domains-tag_delimiter = what separates a tag: `anne+shop` is `anne`. One ASCII punctuation character other than `@`; `""` for none
config-key-domains-language = language of reports to senders of this domain
config-default-domains-language = the server’s `language`
config-key-domains-aliases = a table: a name and the addresses that it stands for. A target without `@` is a name of the same domain
config-default-domains-aliases = none
config-key-route = where mail goes instead of to the MX
config-key-route-match = required: `"example.org"`, `"*.internal"` (those below, not `internal` itself), or `"*"` for all (a smarthost)
config-key-route-next_hop = required: `HOST`, `HOST:PORT`, `IP:PORT`, `[IPV6]:PORT` or the path of a Unix socket; port 25 if none is given. A name is looked up by A and AAAA, never by MX
config-key-destination = what a destination is sent at most, and how it is treated when it asks for less. Of the rules that fit, the most exact one says each key
config-key-destination-match = required: `"gmail.com"`, `"*.example"` (each domain below, for itself), `"*"` (each destination for itself, local mailboxes excepted), or `"mx:*.google.com"`: all domains together one of whose MX hosts has such a name. Also a destination by its own name: `"relay:HOST:PORT"`, `"lmtp:…"`, `"maildir:DOMAIN"`, `"[IP]"`
config-key-destination-connections = connections at a time
config-default-destination-connections = `connections_per_destination` of `[delivery]`; for `mx:`, no limit
config-key-destination-messages_per_minute = messages a minute, at equal distances
config-default-destination-messages_per_minute = no limit
config-key-destination-connections_per_minute = new connections a minute, at equal distances. An idle connection needs no new one
config-default-destination-connections_per_minute = no limit
config-key-destination-recipients_per_minute = recipients a minute, at equal distances. A message for more goes in parts
config-default-destination-recipients_per_minute = no limit
config-key-destination-messages_per_connection = messages that one connection carries; then comes a new one
config-default-destination-messages_per_connection = 100
config-key-destination-slow_start = `true`: one connection at first, twice as many after each quick answer. `false`: all at once
config-default-destination-slow_start = `true`
config-key-destination-on_rate_limit = the policy for replies that ask for less mail. `slow-down`: a 4yz whose codes are about the sending rate. `slow-down-by-words`: any failure, too, in whose words a known provider’s rate limit is recognised. `ignore`: neither
config-default-destination-on_rate_limit = `"slow-down"`
config-key-destination-rate_limit_pause = how long nothing is sent after such a reply; twice as long after each that follows, half an hour at most
config-default-destination-rate_limit_pause = `"1m"`
config-key-route-until = when the route ends, as `"2026-12-01T00:00:00Z"`: from then on it does not apply, without a restart. `facteur config check` and the log say so
config-default-route-until = it does not end
config-key-route-reason = why it is there, at most 200 octets: shown where the route is
config-default-route-reason = none
config-key-dns = how DNS is asked
config-key-dns-servers = name servers, `IP` or `IP:PORT`, asked over UDP and, where that fails, TCP
config-default-dns-servers = those of `/etc/resolv.conf`
config-key-dns-timeout = one question in all: every try, server and CNAME
config-key-delivery = how mail goes out
config-key-delivery-port = port of MX hosts and address literals
config-key-delivery-retry = the wait after each failed try; the last one repeats. Each is moved by up to a tenth
config-key-delivery-give_up_after = when an undelivered message comes back (RFC 5321 §4.5.4.1)
config-key-delivery-delay_notice_after = after how long the sender is told, once, that a message is late; `"0s"` for never
config-key-delivery-allow_loopback_mx = `true`: an MX may lead to this machine’s loopback. For tests and labs
config-key-delivery-connections = deliveries at a time, in all
config-key-delivery-connections_per_destination = deliveries at a time to one destination
config-key-delivery-chunking = `true`: text goes by BDAT where the next server offers CHUNKING (RFC 3030 §2); `false`: by DATA. Binary content has no other way than BDAT
config-key-limits = bounds for what comes in
config-key-limits-message_size = the largest message, announced as SIZE
config-key-limits-recipients = of a message (RFC 5321 §4.5.3.1.8)
config-key-limits-errors = commands of a session that may be refused for good; one more is answered with `421`
config-key-limits-messages_per_session = MAIL commands accepted in a session, announced as MAILMAX; one more is answered with `421`
config-key-limits-connections = at a time, in all. A tenth of them is kept for clients of the relay networks and Unix sockets. Fewer where the limit of open files asks for it
config-key-limits-connections_per_address = at a time from one stranger: one IPv4 address, or one IPv6 /64
config-key-limits-messages_per_minute = messages a minute from one stranger: one IPv4 address, or one IPv6 /64. One more is answered with `451 4.7.28` at MAIL
config-default-limits-messages_per_minute = no limit
config-key-limits-recipients_per_minute = recipients a minute from one stranger; one more is answered with `451 4.7.28` at RCPT
config-default-limits-recipients_per_minute = no limit
config-key-limits-command_timeout = silence before a command
config-key-limits-data_timeout = silence within a message
config-key-limits-message_timeout = one message, from DATA to its end
config-key-limits-session_timeout = one session, after which no new command is taken
config-key-limits-shutdown_grace = how long a message under way, and then running deliveries, may go on at a stop
config-key-history = what happened to each message: see `facteur trace`
config-key-history-enabled = whether it is kept
config-key-history-keep = how long it is kept
config-key-history-max_size = how large its file may become; the oldest goes first
config-key-console = health, metrics and submission over HTTP
config-key-console-address = `IP:PORT`, or `off`. It speaks plain HTTP: on another address than loopback, put a proxy with TLS in front. Where it cannot listen, mail goes on and the log says so
config-key-console-hosts = the names by which it is asked for, beside `localhost` and IP addresses. A request for another name is turned away, so that no page of a stranger can reach it through a name of its own
config-default-console-hosts = none
config-key-console-token = who may submit messages over HTTP
config-key-console-token-name = its name in the log and in `Received:`. Required
config-key-console-token-secret_file = the file with the token, which nobody else may read. Required
config-key-webhook = programs that are told what becomes of messages
config-key-webhook-name = its name in the log. Required
config-key-webhook-url = where it is: `https://…`, or `http://…` to this machine. Required
config-key-webhook-secret_file = the file with the key that requests are signed with, which nobody else may read. Required
config-key-webhook-events = what it is told of: `accepted`, `delivered`, `deferred`, `bounced`, `expired`
config-key-webhook-language = language of the explanations
config-default-webhook-language = the server’s `language`
config-key-source = how much the clients of a network may send, each for itself. The narrowest network that fits says it, in place of `[limits]`, for clients of the relay networks as well
config-key-source-match = required: an address or a network
config-key-source-messages_per_minute = messages a minute from each
config-default-source-messages_per_minute = no limit
config-key-source-recipients_per_minute = recipients a minute from each
config-default-source-recipients_per_minute = no limit
config-key-log = how the log is written
config-key-log-format = `text`; `json`: one object a line; or `journald`: to the journal of systemd, field by field
config-key-log-level = `error`, `warn`, `info`, `debug` or `trace`
config-key-process = what the process may do
config-key-process-user = whom a server started by root becomes, by name or number, once it listens and before anybody is served. A server started by that user itself may name it as well
config-default-process-user = –
config-key-process-group = with `user`: its group
config-default-process-group = the user’s own
config-key-process-confine = `true`: the kernel (Landlock) refuses to the process every folder and TCP port that the configuration does not name

## facteur destinations

destinations-line = { $name }: { $running } under way, { $due } due, { $later } later
destinations-well = Mail goes there as it comes.
destinations-idle = There is nothing to send.
destinations-paused = { $reason ->
    [none] { $until ->
        [none] Paused by { $by } since { $since }.
       *[other] Paused by { $by } since { $since }, until { $until }.
    }
   *[other] { $until ->
        [none] Paused by { $by } since { $since }: { $reason }
       *[other] Paused by { $by } since { $since }, until { $until }: { $reason }
    }
}
destinations-limited = { $reason ->
    [none] { $until ->
        [none] Limited by { $by } since { $since } to { $limits }.
       *[other] Limited by { $by } since { $since }, until { $until }, to { $limits }.
    }
   *[other] { $until ->
        [none] Limited by { $by } since { $since } to { $limits }: { $reason }
       *[other] Limited by { $by } since { $since }, until { $until }, to { $limits }: { $reason }
    }
}
destinations-down = It does not answer, and is left alone for { $wait }.
destinations-slowed = { $provider ->
    [none] It has asked for less mail, by its codes. The policy { $policy } allows { $messages } a minute over { $connections } at a time; twice as much in { $wait }, if it does not ask again.
   *[other] It has asked for less mail, in words that { $provider } uses. The policy { $policy } allows { $messages } a minute over { $connections } at a time; twice as much in { $wait }, if it does not ask again.
}
destinations-held-messages-per-minute = { $rule ->
    [none] Mail waits because of the limit on messages a minute ({ $number }); the next one goes in { $wait }.
   *[other] Mail waits because of the limit on messages a minute ({ $number }) for { $rule }; the next one goes in { $wait }.
}
destinations-held-connections-per-minute = { $rule ->
    [none] Mail waits because of the limit on new connections a minute ({ $number }); the next one opens in { $wait }.
   *[other] Mail waits because of the limit on new connections a minute ({ $number }) for { $rule }; the next one opens in { $wait }.
}
destinations-held-recipients-per-minute = { $rule ->
    [none] Mail waits because of the limit on recipients a minute ({ $number }); the next one goes in { $wait }.
   *[other] Mail waits because of the limit on recipients a minute ({ $number }) for { $rule }; the next one goes in { $wait }.
}
destinations-held-connections = { $rule ->
    [none] Mail waits because of the limit on connections at a time ({ $number }); the next one goes when one is free.
   *[other] Mail waits because of the limit on connections at a time ({ $number }) for { $rule }; the next one goes when one is free.
}
destinations-held-rate-limit-pause = { $rule ->
    [none] Nothing is sent for { $wait }, because it has asked for less.
   *[other] Nothing is sent to { $rule } for { $wait }, because one of its servers has asked for less.
}
destinations-held-slowed-messages = { $rule ->
    [none] Mail waits because it has asked for less ({ $number } a minute for now); the next one goes in { $wait }.
   *[other] Mail waits because a server of { $rule } has asked for less ({ $number } a minute for now); the next one goes in { $wait }.
}
destinations-held-slowed-connections = { $rule ->
    [none] Mail waits because it has asked for less ({ $number } at a time for now).
   *[other] Mail waits because a server of { $rule } has asked for less ({ $number } at a time for now).
}
destinations-failed = The last failed try, { $ago } ago:
destinations-taken = { $ago } ago
destinations-field-window = at a time
destinations-window = { $running } under way of { $window } that it has earned; { $most } at most
destinations-field-taken = last taken
destinations-field-hosts = mail servers
destinations-used = { $used } in the last minute; { $limit } at most
destinations-shared = Shared by all that goes to { $rule }
destinations-why-slowed = Why it gets less
destinations-why-down = Why it is left alone
destinations-why-failed = The last failed try
destinations-orders = Orders in force
destinations-count = { $count ->
    [0] No destination is known: nothing waits, and nothing was sent in the last ten minutes.
    [one] { $count } destination
   *[other] { $count } destinations
}
destinations-nobody = no destination “{ $target }” is known
destinations-nobody-hint = “facteur destinations list” shows those that are: with mail that waits, or spoken to in the last ten minutes
destinations-bad-target = “{ $target }” names no destination
destinations-bad-target-hint = give a domain, *.domain, *, mx:pattern, or a name that “facteur destinations list” shows
destinations-bad-limits = these limits make no sense
destinations-bad-limits-hint = give KEY=VALUE with the keys of [[destination]], for instance messages_per_minute=20
destinations-no-order = there is no such order for “{ $target }”
destinations-no-order-hint = “facteur destinations list” shows the orders in force; an order ends under the name with which it was given
destinations-too-many-orders = there are { $limit } orders already, and no more are kept
destinations-not-kept = the order cannot be kept in { $path }, and is not given: { $words }
serve-bad-orders = { $path } holds no orders that can be understood
serve-bad-orders-hint = move the file away to start without the orders of earlier days
serve-no-orders = cannot read { $path }: { $words }
cli-help-destinations = How destinations are and why they are slow; pause, resume, limit
cli-help-destinations-list = All that have mail, or had in the last ten minutes
cli-help-destinations-show = Everything about one
cli-help-destinations-pause = Send nothing there; its mail waits without being tried
cli-help-destinations-resume = End a pause
cli-help-destinations-limit = Keep to other limits than the configuration’s
cli-help-destinations-target = A domain, *.domain, *, mx:PATTERN, or a destination’s name
cli-help-destinations-limits = Limits, with the keys of [[destination]]
cli-help-destinations-reset = Keep to the configuration’s limits again
cli-help-destinations-for = How long it lasts: 90s, 30m, 2h, 5d (until it is ended)
cli-help-destinations-reason = Why, for whoever sees it
cli-help-destinations-most = How many are shown at most (100)

## facteur send

send-trying = Trying { $place }…
send-connected = Connected to { $place }.
send-no-connection = no server could be reached: { $words }
send-no-connection-hint = is the server running, and is this the right port? “facteur check DOMAIN” shows which servers take its mail
send-bad-server = “{ $server }” is not a server: give host, host:port or a path
send-bad-address = “{ $address }” is not an address
send-closed = the server closed the connection without a reply (at: { $stage })
send-timed-out = no reply within { $words } seconds (at: { $stage })
send-lost = the connection was lost at { $stage }: { $words }
send-not-a-reply = what the server sent is not an SMTP reply: { $words }
send-more-lines = … { $count ->
    [one] one more line
   *[other] { $count } more lines
}
send-verdict-sent = The server has taken the message for every recipient.
send-verdict-refused = Not everything was accepted; the explanations stand above.
send-verdict-stopped = Stopped where it was asked; nothing was sent.

## facteur check

check-bad-subject = “{ $subject }” is neither a domain nor an address
check-no-resolver = DNS cannot be asked: { $words }
check-hosts = { $count ->
    [one] { $host } takes mail. Its server:
   *[other] { $host } takes mail. Its servers, in the order they are tried:
}
check-implicit-mx = { $host } has no MX record; mail goes to the address of the domain itself (implicit MX):
check-null-mx = { $host } takes no mail, and says so in DNS (null MX).
check-no-such-domain = { $host } does not exist in DNS.
check-unroutable = { $host } has nothing in DNS that mail could be sent to.
check-routes-to-us = Mail for { $host } would come back to this very server.
check-try-later = DNS gives no reliable answer about { $host } for now.

finding-malformed-null-mx = Malformed null MX: an MX record “.” stands beside others. RFC 7505 allows it only alone. It is ignored; the domain’s operator should remove either it or the others.
finding-null-mx-preference = The null MX has preference { $value } instead of 0. It is honoured all the same.
finding-mx-is-address = An MX record points to the IP address { $name }. It must point to a name; this record is useless.
finding-unusable-mx = An MX record points to “{ $name }”, which no host can be called.
finding-mx-is-alias = The MX { $name } is an alias (CNAME) of { $value }. RFC 2181 forbids it; it works here, not everywhere.
finding-mx-does-not-exist = The MX { $name } does not exist in DNS.
finding-mx-without-address = The MX { $name } has no address.
finding-mx-lookup-failed = The addresses of the MX { $name } could not be learnt ({ $value }).
finding-mx-name-refused = The MX { $name } is never used ({ $value }).
finding-mx-address-refused = The MX { $name } has the address { $value }, to which mail is never sent.
finding-too-many-mx = There are more MX hosts than are ever tried; { $value } are left out.

## facteur queue and trace

duration-seconds = { $count ->
    [one] 1 second
   *[other] { $count } seconds
}
duration-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
duration-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
decimal-mark = .
size-octets = { $number } octets
size-kib = { $number } KiB
size-mib = { $number } MiB
size-gib = { $number } GiB
queue-count = { $count ->
    [0] The queue is empty.
    [one] One message is queued.
   *[other] { $count } messages are queued.
}
queue-count-fit = { $count ->
    [0] No queued message fits.
    [one] One queued message fits.
   *[other] { $count } queued messages fit.
}
queue-count-first = { $count ->
    [one] This is the first one; there are more.
   *[other] These are the first { $count }; there are more.
}
queue-line = { $id }  { $size }  { $age } old  from { $sender }
queue-recipient = { $recipient }: { $state }
queue-bad-id = “{ $id }” is not a queue id: it has 13 letters and digits
queue-bad-domain = “{ $text }” is not a domain
queue-bad-reply = “{ $text }” is not a code: give a basic one as 450 or an enhanced one as 4.7.1
queue-bad-category = “{ $text }” is not something that a reply can be about
queue-act-which = this would act on the whole queue
queue-act-which-hint = give queue ids or filters; --all if you mean every message
queue-act-too-many = more than { $limit } queue ids at once
queue-act-directly = No server runs: acting on the spool { $path } itself. What becomes due is tried, and reports are sent, once it runs.
queue-act-busy = { $id }: is being delivered at this moment; left alone
queue-act-gone = { $id }: not in the queue
queue-act-failed = { $id }: { $words }
queue-act-unchanged = { $id }: nothing to do
queue-act-more = { $count ->
    [one] and one more recipient
   *[other] and { $count } more recipients
}
deed-held = { $mode ->
    [would] would be held until it is released
   *[done] held until it is released
}
deed-held-until = { $mode ->
    [would] would be held until { $date }
   *[done] held until { $date }
}
deed-released = { $mode ->
    [would] would be released and tried at once
   *[done] released, is tried at once
}
deed-due = { $mode ->
    [would] would be tried at once
   *[done] is tried at once
}
deed-bounced = { $mode ->
    [would] would be given up; the sender would get a report
   *[done] given up; the sender gets a report
}
deed-bounced-unreported = { $mode ->
    [would] would be given up; nobody would get a report, as none is wanted or there is no sender
   *[done] given up; nobody gets a report, as none is wanted or there is no sender
}
deed-deleted = { $mode ->
    [would] would be deleted; nobody would be told
   *[done] deleted; nobody is told
}
deed-not-held = not held, left as it is
deed-still-held = held, left as it is; release it first
queue-total-would = { $count ->
    [0] No message would be changed.
    [one] One message would be changed. This was a dry run: nothing was done.
   *[other] { $count } messages would be changed. This was a dry run: nothing was done.
}
queue-total-done = { $count ->
    [0] No message was changed.
    [one] One message was changed.
   *[other] { $count } messages were changed.
}
queue-total-recipients = { $count ->
    [one] That is one recipient.
   *[other] That is { $count } recipients.
}
queue-total-busy = { $count ->
    [one] One message was being delivered and was left alone. Give the command again in a while.
   *[other] { $count } messages were being delivered and were left alone. Give the command again in a while.
}
summary-total = total
summary-age-0 = <5 min
summary-age-1 = <1 h
summary-age-2 = <6 h
summary-age-3 = <1 d
summary-age-4 = older
summary-held = held
summary-domain = domain
summary-reply = last reply
summary-others = all others
summary-not-tried = not tried yet
queue-not-there = there is no message “{ $what }” in the queue
queue-not-there-hint = a message leaves the queue once every recipient is delivered or given up; “facteur trace” tells what became of it
message-sender = Sender
message-size = Size
message-arrival = Arrived
message-client = Received from
message-client-self = this server itself (a report)
message-arrived = { $date }, { $age } ago
state-new = new, about to be tried
state-due = due for another try ({ $count ->
    [one] one try so far
   *[other] { $count } tries so far
})
state-waiting = waits; next try in { $wait }, at { $date } ({ $count ->
    [one] one try so far
   *[other] { $count } tries so far
})
state-held = held ({ $count ->
    [0] not tried yet
    [one] one try so far
   *[other] { $count } tries so far
})
state-held-until = held until { $date } ({ $count ->
    [0] not tried yet
    [one] one try so far
   *[other] { $count } tries so far
})
state-hold-over = its hold is over, about to be tried
hold-by = Held by { $by } since { $date }.
hold-by-because = Held by { $by } since { $date }: { $reason }
state-delivered = delivered
state-delivered-report-owed = delivered; the report to the sender is on its way
state-failed = given up
state-failed-report-owed = given up; the report to the sender is on its way
reason-new = It has not been tried yet.
reason-backoff = { $count ->
    [one] After the first failed try the configured wait applies.
   *[other] After { $count } failed tries the configured wait applies.
}
reason-destination-down = Another message has just found the destination not answering; this one waits with it.
reason-interrupted = The server stopped in the middle of a try. The message may arrive twice: nobody can know whether the last try succeeded.
reason-operator = An operator asked for this try.
attempt-peer-said = Last try { $ago } ago ({ $date }): { $host } answered, to { $stage }:
attempt-we-said-at-host = Last try { $ago } ago ({ $date }), with { $host }, at { $stage }; this server’s own verdict:
attempt-we-said = Last try { $ago } ago ({ $date }), at { $stage }; this server’s own verdict:
attempt-stage-route = the DNS lookup
attempt-stage-connect = the connection
attempt-stage-greeting = the connection
attempt-stage-hello = EHLO
attempt-stage-starttls = STARTTLS
attempt-stage-auth = AUTH
attempt-stage-mail = MAIL
attempt-stage-rcpt = RCPT
attempt-stage-data = DATA
attempt-stage-end-of-data = the final dot
attempt-stage-mailbox = the mailbox
attempt-stage-queue = the queue

## facteur trace

trace-not-known = nothing is known of “{ $what }”, neither by the queue nor by the history
trace-not-known-hint = the history begins at { $date }; for an address write all of it, and a Message-ID without what stands around it
trace-history-off = No history is kept here ([history] enabled = false): only what is still queued can be told.
trace-history-missing = There is no history yet: only what is still queued can be told.
trace-history-unreadable = The history cannot be read ({ $words }): only what is still queued can be told. If its file is damaged, the server sets it aside and begins a new one.
trace-history-trouble = Something of the history cannot be read: { $words }.
trace-older = The history begins at { $date }, after this message: what came before is told as far as the queue knows it.
trace-gap-too-much = Between { $from } and { $to } more happened than the history could take: { $count } events are missing, and one of this message may be among them.
trace-gap-failure = Between { $from } and { $to } the history could not be written: { $count } events are missing, and one of this message may be among them.
trace-gap-disk-low = Between { $from } and { $to } the disk was nearly full and the history was not written: { $count } events are missing, and one of this message may be among them.
trace-gap-refusals = Between { $from } and { $to } there were more refusals than are kept: { $count } are missing.
trace-cut = More happened to this message than is shown here.
trace-more = There are more; these are the latest { $count }.
trace-message-id = Message-ID
trace-recipient = Recipient
trace-accepted = { $date }: accepted, for { $count ->
    [one] one recipient
   *[other] { $count } recipients
}
trace-recipient-alias = { $address }, known to the sender as { $alias }
trace-more-recipients = … { $count ->
    [one] and one more
   *[other] and { $count } more
}
trace-tried = { $date }: tried at { $destination }
trace-waited = { $date }: not tried at { $destination }, which had just failed to answer another message
trace-route-mx = Where to: { $name } is not local here and no [[route]] is for it; its MX records decide.
trace-route-literal = Where to: the address { $name } is in the recipient’s address itself.
trace-route-rule = Where to: [[route]] with match = "{ $name }" sends it to { $hop }.
trace-route-deliver = Where to: { $name } is a local domain whose mail goes to { $hop }.
trace-route-maildir = Where to: { $name } is a local domain whose mail goes into mailboxes of this machine.
trace-mx-found = DNS answered (valid for another { $ttl }):
trace-mx-none = DNS answered: the domain has no MX record.
trace-mx-no-domain = DNS answered: the domain does not exist.
trace-mx-failed = DNS gave no answer to rely on ({ $failure }).
trace-hosts = { $count ->
    [one] To try:
   *[other] To try, in this order:
}
trace-hosts-implicit = To try, since there is no MX, the domain itself (implicit MX):
trace-connecting = Connecting to { $place }
trace-reusing = Going on over a connection to { $place } that earlier messages had used
trace-content = { $count ->
    [one] one octet of content
   *[other] { $count } octets of content
}
trace-delivered-mailbox = { $recipient }: delivered into the mailbox
trace-delivered-handed-on = { $recipient }: handed on to { $host }, which sends the reports that were asked for
trace-delivered-relayed = { $recipient }: handed on to { $host }
trace-retry = { $recipient }: next try at { $when }, because what was said is not final (try { $count })
trace-retry-destination-down = { $recipient }: next try at { $when }, because the destination did not answer another message (try { $count })
trace-retry-operator = { $recipient }: next try at { $when }, because an operator asked for it (try { $count })
trace-bounced = { $recipient }: given up, because what was said is final (try { $count })
trace-expired = { $recipient }: given up, because it has been tried for as long as give_up_after says (try { $count })
trace-peer-said = { $host } answered, to { $stage }:
trace-we-said-at-host = This server’s own verdict, with { $host }, at { $stage }:
trace-we-said = This server’s own verdict, at { $stage }:
trace-reported = { $date }: report { $id } queued, to { $to }
trace-told-failed = { $recipient }: could not be delivered
trace-told-delayed = { $recipient }: is late
trace-told-delivered = { $recipient }: was delivered
trace-told-relayed = { $recipient }: was handed on
trace-told-expanded = { $recipient }: was sent on to the members of a list
trace-report-about = { $date }: this is a report about message { $id }
trace-not-reported-null-mx = { $date }: no report is sent, because the sender’s domain takes no mail (null MX)
trace-deed-hold = { $date }: held by { $who }
trace-deed-release = { $date }: released by { $who }
trace-deed-retry = { $date }: { $who } asked for a try
trace-deed-bounce = { $date }: given up by { $who }
trace-deed-delete = { $date }: deleted by { $who }; nobody is told
trace-deed-reroute = { $date }: sent another way by { $who }
trace-deed-why = Why: { $words }
trace-deed-until = Until: { $date }
trace-ended = { $date }: left the queue; nothing is left to do
trace-standing = Now, in the queue:
trace-gone = It is no longer in the queue; when it left is not known.
trace-refused = { $date }: { $client } was refused, at { $stage }

## facteur spool

spool-none = there is no spool in { $path }
spool-none-hint = give --config or --data-dir as for “facteur serve”
spool-cannot-read = the spool in { $path } cannot be read: { $words }
spool-whole = { $count ->
    [0] The spool is whole; no message is queued.
    [one] The spool is whole; one message is queued.
   *[other] The spool is whole; { $count } messages are queued.
}
spool-damaged = { $count ->
    [one] One record is damaged:
   *[other] { $count } records are damaged:
}
spool-exported = { $count ->
    [one] One message written to { $path }.
   *[other] { $count } messages written to { $path }.
}
spool-cannot-export = cannot write { $path }: { $words }
cli-heading-commands = Commands
cli-heading-options = Options
cli-heading-arguments = Arguments
cli-placeholder-command = COMMAND
config-label-error = error
config-label-hint = hint

## facteur serve

serve-no-runtime = the server cannot start: { $words }
serve-no-database = a file in the data directory cannot be used: { $words }
serve-no-authorities = a webhook with https cannot be checked: { $words }
serve-no-spool = the spool cannot be used: { $words }
serve-no-data-directory = the data directory { $path } cannot be made: { $words }
serve-cannot-listen = cannot listen on { $address }: { $words }
config-alias-loop = the alias { $address } leads back to itself, or to too many addresses
config-no-postmaster = nobody would get mail for postmaster
config-no-postmaster-hint = set postmaster = "user@example.org"; RFC 5321 wants a postmaster at every server

serve-no-control = the control socket { $path } cannot be made: { $words }
serve-no-control-hint = something else may have that name; a path of more than about 100 octets is too long for a socket

## The server that runs

control-nobody-there = no server runs here: nobody listens at { $path }
control-nobody-there-hint = give --config or --data-dir as for “facteur serve”, or start it
control-forbidden = the control socket { $path } is not yours to use
control-forbidden-hint = only root and the user as whom the server runs may ask it
control-not-yours = the server does nothing for the user { $uid }
control-busy = the server has as many commands under way as it takes at once
control-too-long = the request has more than { $limit } octets
control-too-long-hint = name fewer messages at once, or use filters
control-foreign = the server that runs and this command do not understand each other
control-foreign-hint = they are probably of different versions: restart the server after an update
control-lost = the server ended the conversation before it had answered; its log may say why
control-silent = the server does not answer
control-spool-failed = the spool cannot be written; what was reported as done is done
control-stopping = the server stops; what was reported as done is done
control-system = the control socket { $path } cannot be used: { $words }

## facteur status

status-title = { $hostname } runs
status-version = Version
status-process = Process
status-process-user = { $pid }, user { $user }
status-confinement = Confinement
status-confined = to its folders and ports (Landlock { $version })
status-confined-to-folders = to its folders, not to its ports (Landlock { $version })
status-confinement-unsupported = none: this kernel has no Landlock
status-confinement-off = none: switched off in [process]
status-started = Started
status-since = { $date }, { $uptime } ago
status-queued = Queued messages
status-sessions = Open sessions
status-spool = Spool
status-spool-well = can write
status-spool-refusing = cannot write { $path }: { $words }; new mail is put off

## Failures

history-error-file = { $path }: { $words }
history-error-version = { $path } is of version { $found }, which this version of Facteur does not know
history-error-damaged = what is kept of message { $id } is damaged
spool-error-full = too little room: { $free } octets free, { $wanted } wanted
spool-error-write = { $path } cannot be written: { $words }
spool-error-read = { $path } cannot be read: { $words }
spool-error-damaged = message { $id } is damaged, in { $path } at octet { $offset }
spool-error-gone = message { $id } is no longer in the queue
spool-error-leased = message { $id } is being worked on
spool-error-owned-by = it belongs to process { $pid } ({ $path })
spool-error-owned = it belongs to another process ({ $path })
spool-error-not-a-directory = { $path } is not a directory
spool-error-others-may-write = others may write into { $path }; its mode must be 0700
spool-error-another-owner = { $path } belongs to another user
spool-error-version = { $path } has format version { $found }, which this version of Facteur cannot read
spool-error-too-large = the envelope needs { $octets } octets, at most { $limit } can be stored
spool-error-closed = the spool is closed
resolver-error-unreadable = { $path } cannot be read: { $words }
resolver-error-no-servers = { $path } names no server that can be used

## Secrets

secret-unreadable = the secret in { $path } cannot be read: { $words }
secret-unreadable-hint = the file must belong to the server’s user: chown it, and chmod 600 { $path }
secret-not-a-file = { $path } is not a file that holds a secret
secret-not-a-file-hint = a secret is one line in a file of its own
secret-exposed = the secret in { $path } is open to others: its permissions are { $mode }
secret-exposed-hint = chmod 600 { $path }, and replace the secret if others may have read it
secret-another-owner = the secret in { $path } belongs to another user, number { $uid }, who could change it
secret-another-owner-hint = the owner must be root or the server’s user
secret-too-large = { $path } is too large for a secret: at most { $limit } octets
secret-empty = the secret in { $path } is empty
secret-empty-hint = write one, as with: openssl rand -hex 32 > { $path }

## The process: user, privileges, confinement

service-ready = { $hostname } serves on { $places }
service-status = queued: { $queued }, sessions: { $sessions }
service-stopping = stops: sessions and deliveries under way may end
process-no-user = there is no user “{ $name }” on this machine
process-no-user-hint = make one: useradd --system --no-create-home --shell /usr/sbin/nologin { $name }
process-no-group = there is no group “{ $name }” on this machine
process-no-group-hint = make one with groupadd --system { $name }, or leave “group” out: then it is the user’s own
process-group-alone = the group “{ $name }” is named in [process], but no user
process-group-alone-hint = add user = "…": the group is that user’s
process-not-root = the server cannot become the user “{ $user }”: only root can, and it was started by the user number { $uid }
process-not-root-hint = start it as root or as { $user }, or take “user” out of [process]
process-cannot-drop = root’s privileges cannot be given up: { $words }
process-cannot-drop-hint = the server does not run with more than it was told to; start it as the user itself
process-cannot-chown = the socket { $path } cannot be given to the server’s user: { $words }
process-another-owner = { $path } belongs to the user number { $uid }, but the server is to run as “{ $user }”
process-another-owner-hint = give it away, with all that is in it: chown -R { $owner } { $path }
process-no-mail-folder = the folder { $path }, below which the Maildirs are, cannot be made: { $words }
process-mail-in-root = Maildirs directly below / would open every folder of the machine to the server
process-mail-in-root-hint = move them, as to "maildir:/var/mail/{"{"}user{"}"}", or set confine = false in [process]
process-cannot-read = { $path } cannot be opened, so that the server cannot be confined to it: { $words }
process-cannot-confine = the kernel cannot confine the server: { $words }
process-cannot-confine-hint = with confine = false in [process] it runs without

## The console over HTTP

console-problem-no-token = A message is taken from the holder of a token alone; send `Authorization: Bearer TOKEN`.
console-problem-wrong-token = This token is not known here.
console-problem-bad-key = An idempotency key is a text of 1 to { $limit } octets.
console-problem-key-reused = This idempotency key belongs to another request; a new message needs a new key.
console-problem-under-way = The first request with this idempotency key is still under way.
console-problem-no-keys = Idempotency keys cannot be kept for now; nothing was sent.
console-problem-wrong-type = A message is sent as `application/json` or as `message/rfc822`.
console-problem-too-large = The message is larger than { $limit }.
console-problem-busy = The messages that are coming in take all the memory that there is for them; try again in a moment.
console-problem-cut-off = The request ended before its message did.
console-problem-too-slow = The request took too long.
console-problem-bad-json = The message cannot be read: { $words }
console-problem-bad-address = “{ $text }” in `{ $field }` is not an address.
console-problem-missing = `{ $field }` is missing.
console-problem-too-many-recipients = A request has at most { $limit } recipients.
console-problem-bad-header = The header field `{ $name }` cannot be set, or its value is not one line of text.
console-problem-bad-attachment = The content of the attachment “{ $name }” is not base64.
console-problem-refused = The message was refused for good.
console-problem-refused-for-now = The message was refused for now; try again later.
console-problem-no-recipient = None of the recipients can be written to.
console-problem-no-recipient-for-now = None of the recipients can be written to for now; try again later.
console-problem-wrong-host = This server is not called { $host }; name it in `[console] hosts` if it is.
console-problem-foreign-origin = A page of { $origin } may not use this server.
console-problem-not-found = There is nothing here.
console-problem-wrong-method = This cannot be done here.

trouble-spool-full = The disk is short of room: new mail is put off with 452 until there is more.
trouble-spool-cannot-write = The spool cannot write: new mail is put off with 451, and nothing is delivered.
trouble-stopping = The server was told to stop.

## facteur selftest

cli-help-selftest = Show on this machine that the server does what it promises
selftest-passed = passed  { $words }
selftest-failed = FAILED  { $words }
selftest-got = instead: { $got }
selftest-all-passed = { $checks } checks, all passed.
selftest-some-failed = { $checks } checks, { $failed } failed.
selftest-no-folder = the checks need a folder in { $folder }, which cannot be made: { $words }
selftest-no-folder-hint = run them as the server’s user, or as root
selftest-no-server = the server for the checks cannot start: { $words }
selftest-no-landlock = this kernel has no Landlock, or an older one
selftest-possible = it was possible
selftest-started = FAILED  A program was started from a confined thread: this is it
selftest-replies-registered = { $count } replies: every code is one of an RFC or a registry
selftest-replies-classes = { $count } replies: every enhanced code has the class of its basic code, and a 3yz has none
selftest-replies-explained = { $count } replies: each is explained in “{ $language }”
selftest-mx-null = MX { $records }: the domain accepts no mail
selftest-mx-host = MX { $records }: the mail goes to mx, and the null MX is reported as malformed
selftest-mx-loopback = MX { $records }: no mail goes to this machine’s own loopback
selftest-mx-loopback-allowed = MX { $records }: mail goes there, as delivery.allow_loopback_mx wants it
selftest-null-mx-at-rcpt = a recipient whose domain has a null MX is refused at RCPT with { $reply }
selftest-null-mx-at-mail = a sender whose domain has a null MX is refused at MAIL with { $reply }
selftest-smuggling = { $sequence } in a message does not end it
selftest-smuggling-normalised = { $sequence } in a message does not end it (normalise_newlines)
selftest-empty-message = a lone dot after 354 ends an empty message
selftest-relaying = a stranger reaches nobody elsewhere, in { $forms } forms
selftest-durability = a message of { $size } is flushed to disk before its receipt is given
selftest-confined-write = a confined thread cannot write outside its folder
selftest-confined-connect = a confined thread cannot connect to a port it was not given
selftest-confined-listen = a confined thread cannot listen on a port it was not given
selftest-confined-execute = a confined thread cannot start a program
## Called as sendmail

sendmail-no-value = { $letter } needs a value
sendmail-unknown-letter = there is no option { $letter }
sendmail-unknown-mode = -b{ $value } is not available; -bm, -bs, -bp and -bi are
sendmail-no-runner = { $letter } with an interval is not available
sendmail-no-runner-hint = the server runs its queue by itself; -q alone tries everything now
sendmail-no-recipients = nobody is named as a recipient
sendmail-no-recipients-in-header = neither the command line nor To, Cc and Bcc name a recipient
sendmail-too-many = more than { $limit } recipients
sendmail-too-large = the message is larger than { $limit }
sendmail-cannot-read = the message cannot be read: { $words }
sendmail-no-listener = the configured server has no listener for SMTP
sendmail-no-server = the mail server of this machine cannot be reached: { $words }
sendmail-no-server-hint = is it running? FACTEUR_CONFIG names its configuration, else /etc/facteur/facteur.toml
sendmail-lost = the conversation with the mail server broke off: { $words }
sendmail-lost-hint = the message may or may not have been taken
sendmail-refused = the mail server refuses the message: { $said }
sendmail-refused-recipient = the mail server refuses { $address }: { $said }
sendmail-nobody-got-it = the message was sent to nobody

## facteur man

man-name = NAME
man-synopsis = SYNOPSIS
man-description = DESCRIPTION
man-options = OPTIONS
man-subcommands = COMMANDS
man-version = VERSION
man-see-also = SEE ALSO
man-toml-top = The file itself
man-toml-description = One TOML file. Every key has a default; only what differs must be written. Durations are a whole number and a unit, `s`, `m`, `h` or `d`; sizes are octets, or a text with `KiB`, `MiB` or `GiB`. `facteur config check` shows what is wrong with a file.
man-written = { $count } pages written to { $path }.
man-cannot-write = cannot write { $path }: { $words }
