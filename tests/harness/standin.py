"""Which server a client test runs against: Bourse, or with BOURSE_STANDIN=dovecot Debian's Dovecot,
to try the test itself on a server known to work (what is Bourse's own is skipped then)."""

import os

from harness import tap
from harness.bourse import Server

STANDIN = os.environ.get("BOURSE_STANDIN")


def server(users=("alice",), build="asan", **options):
    if STANDIN == "dovecot":
        from harness.dovecot import Dovecot
        return Dovecot()
    return Server(users, build, **options)


def login_name(user):
    return user if STANDIN else f"{user}@example.test"


def only_bourse():
    if STANDIN:
        tap.skip(f"not with {STANDIN}")
