"""What sh cannot do: pick free ports, wait with a bound, compare messages byte for byte.

helper.py free-port
helper.py wait-banner PORT PID       until a server greets with 220; fails if the process PID ends
helper.py wait-mail FOLDER COUNT     until FOLDER/new holds COUNT messages; prints the newest
helper.py same-body SENT ARRIVED     the bodies are the same, apart from LF or CRLF throughout
helper.py send PORT FROM TO FILE     sends FILE by SMTP
"""

import os
import pathlib
import smtplib
import socket
import sys
import time

LONGEST_WAIT = 30.0  # seconds; what is awaited takes milliseconds, on a busy machine a few seconds
PAUSE = 0.02


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(listener.getsockname()[1])


def wait_banner(port, pid):
    def greets():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            sys.exit(f"process {pid} ended before it answered")
        try:
            with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
                greeting = connection.recv(512)
                connection.sendall(b"QUIT\r\n")
                connection.recv(512)
                return greeting.startswith(b"220")
        except OSError:
            return False

    until(greets, f"no greeting on port {port}")


def wait_mail(folder, count):
    new = pathlib.Path(folder, "new")

    def messages():
        if not new.is_dir():
            return []
        return sorted((path for path in new.iterdir()), key=lambda path: path.stat().st_mtime_ns)

    until(lambda: len(messages()) >= int(count), f"{len(messages())} messages in {folder}")
    if len(messages()) != int(count):
        sys.exit(f"{len(messages())} messages in {folder}, not {count}")
    print(messages()[-1])


def same_body(sent, arrived):
    sent, arrived = body(sent), body(arrived)
    if sent != arrived:
        sys.exit(f"sent    {sent!r}\narrived {arrived!r}")


def body(path):
    """What follows the first empty line, with LF for CRLF. A message that mixes both was damaged."""
    message = pathlib.Path(path).read_bytes()
    if b"\r\n" in message:
        if message.count(b"\n") != message.count(b"\r\n") or message.count(b"\r") != message.count(b"\r\n"):
            sys.exit(f"{path} mixes CRLF with bare CR or LF")
        message = message.replace(b"\r\n", b"\n")
    elif b"\r" in message:
        sys.exit(f"{path} holds a bare CR")
    return message.partition(b"\n\n")[2]


def send(port, sender, recipient, path):
    message = pathlib.Path(path).read_bytes().replace(b"\n", b"\r\n")
    with smtplib.SMTP("127.0.0.1", int(port), timeout=LONGEST_WAIT) as client:
        client.sendmail(sender, [recipient], message)


def until(happened, otherwise):
    deadline = time.monotonic() + LONGEST_WAIT
    while not happened():
        if time.monotonic() > deadline:
            sys.exit(f"{otherwise} after {LONGEST_WAIT:.0f} s")
        time.sleep(PAUSE)


COMMANDS = {
    "free-port": free_port,
    "wait-banner": wait_banner,
    "wait-mail": wait_mail,
    "same-body": same_body,
    "send": send,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
