# The texts of the interface in English. Every language has the same messages with the same values;
# the build and the tests check it. A message is a whole sentence or a whole label, never a part of one.

## Explaining a reply

label-meaning = What it means
label-when = When you see it
label-fix = What to do
label-retry = Does trying again help?
label-who-acts = Who must act
label-stages = What it answers
label-speakers = Who says it
label-category = What it is about
label-see = See also
label-rfc = Defined in
label-basis = How this was found

basis-pair = The code { $code } together with { $enhanced } has a meaning of its own; this is it.
basis-enhanced = { $code ->
    [none] This is what { $enhanced } means.
   *[other] This is what { $enhanced } means; it says more than { $code } does.
}
basis-code = { $enhanced ->
    [none] This is what { $code } means.
   *[other] This is what { $code } means; { $enhanced } adds nothing to it that the catalogue knows.
}
basis-subject = The detail of { $enhanced } is not registered; this is what its second number ({ $key }) says.
basis-class = { $code ->
    [none] The catalogue does not know { $enhanced }; this is what its first digit says.
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
stage-queue = no command: a verdict of the sending server’s own queue

speaker-receiving-server = the server that receives mail for the recipient
speaker-relay = a submission server or relay, on its own look-up
speaker-sending-server = the sending server itself

category-unknown-user = unknown recipient
category-mailbox-disabled = mailbox that takes no mail
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
category-system-temporary = passing trouble of a server
category-loop-or-expired = mail loop or expired message
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
compare-stages-apart = { $a } and { $b } can never answer the same command. { $a } answers: { $left }. { $b } answers: { $right }.
compare-stages-shared = { $a } and { $b } can both be the answer to the same thing: { $shared }.
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
compare-actors-same = The same must act on { $a } and on { $b }: { $both }.
compare-actors-apart = Who must act differs. On { $a }: { $left }. On { $b }: { $right }.
compare-category-same = { $a } and { $b } are about the same thing: { $both }.
compare-category-apart = They are about different things. { $a }: { $left }. { $b }: { $right }.
