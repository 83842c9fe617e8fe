"""Python's smtplib against the server on the port given: extensions, refusals, several recipients, UTF-8."""

import email.message
import email.policy
import smtplib
import sys


def message(sender, recipient, text):
    mail = email.message.EmailMessage(policy=email.policy.SMTPUTF8)
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, "from smtplib"
    mail.set_content(text, cte="8bit")
    return mail


def refused(client, recipient):
    """The code with which a recipient is refused."""
    try:
        client.sendmail("alice@localhost", [recipient], "x")
    except smtplib.SMTPRecipientsRefused as refusal:
        return refusal.recipients[recipient][0]
    sys.exit(f"{recipient} must be refused")


def main(port):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=30) as client:
        client.ehlo()
        for keyword in ("size", "8bitmime", "pipelining", "enhancedstatuscodes", "smtputf8"):
            assert client.has_extn(keyword), f"{keyword} is not offered"
        largest = int(client.esmtp_features["size"])
        assert largest > 0, "SIZE says no limit"

        both = ["alice@localhost", "bob@localhost"]
        assert client.send_message(message("bob@localhost", ", ".join(both), "to both\n"), to_addrs=both) == {}

        client.sendmail(
            "alice@localhost",
            ["bob@localhost"],
            message("alice@localhost", "bob@localhost", "un café\n").as_bytes(),
            mail_options=["BODY=8BITMIME"],
        )
        client.send_message(message("jörg@localhost", "bob@localhost", "with SMTPUTF8\n"))

        assert refused(client, "nobody@localhost") == 550

        assert client.mail("alice@localhost", [f"SIZE={largest + 1}"])[0] == 552, "SIZE over the limit"

        client.command_encoding = "utf-8"
        code, _ = client.docmd("MAIL", "FROM:<jörg@localhost>")
        assert code == 553, f"UTF-8 without SMTPUTF8 was answered with {code}"
        assert client.docmd("DATA")[0] == 503, "DATA before MAIL"
        assert client.noop()[0] == 250


main(int(sys.argv[1]))
