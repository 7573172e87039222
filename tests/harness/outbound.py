"""What the tests of mail that leaves share: a server that sends to given places, and submission."""

import time

from harness import mail, tap
from harness.bourse import DOMAIN, PASSWORD, Server


def server(users=("alice", "bob"), dns=None, **transport):
    """Not started yet. Retries soon, so that tests need not wait."""
    settings = {"transport": {"retry": "1s", "retry_max": "2s", **transport}}
    if dns:
        settings["dns"] = dns.settings()
    return Server(users, settings=settings)


def submit(to_server, recipients, message, sender="alice", options="", rcpt_options="",
           service="submission", chunk=False):
    """By the submission service; with BDAT if it goes as one chunk."""
    address = sender if "@" in sender else f"{sender}@{DOMAIN}"
    with to_server.smtp(service) as smtp:
        smtp.ehlo()
        code, lines = smtp.auth_plain(address, PASSWORD)
        if code != 235:
            tap.fail(f"AUTH: {code} {lines}")
        smtp.expect(250, f"MAIL FROM:<{address}>{options}".encode())
        for recipient in recipients:
            smtp.expect(250, f"RCPT TO:<{recipient}>{rcpt_options}".encode())
        if chunk:
            smtp.send(f"BDAT {len(message)} LAST\r\n".encode() + message)
        else:
            smtp.expect(354, "DATA")
            smtp.send(mail.dot_stuffed(message))
        code, lines = smtp.reply()
        if code != 250:
            tap.fail(f"message refused: {code} {lines}")


def text(subject, extra="", body="Hello.\r\n"):
    return mail.simple_message(subject, sender=f"alice@{DOMAIN}", recipient="joe@elsewhere.test",
                               extra=extra, body=body)


def queue(of_server):
    return of_server.json("queue", "list", of_server.dir)


def wait_for_queue(of_server, condition, what, seconds=60):
    """Until condition(entries) is true."""
    end = time.monotonic() + seconds
    while not condition(entries := queue(of_server)):
        if time.monotonic() > end:
            tap.fail(f"{what}: {entries}\n{of_server.tail()}")
        time.sleep(0.1)
    return entries


def wait_until_empty(of_server, seconds=60):
    return wait_for_queue(of_server, lambda entries: not entries, "the queue drains", seconds)


def newest(of_server, user, n):
    """The bytes of message n of a user's inbox, once it is there."""
    of_server.wait_for_messages(user, n)
    with of_server.imap(user) as imap:
        imap.select()
        return imap.fetch_bodies(str(n))[n]
