#!/usr/bin/python3
"""Plays every conversation file of this folder, each against a fresh pair of mailboxes of one server.
tests/harness/conversation.py says how a file reads."""

import pathlib

from harness import bourse, conversation, standin, tap

HERE = pathlib.Path(__file__).resolve().parent
server = standin.server(["alice", "bob"]).start()


def make(path, number):
    def play():
        standin_skip(path)
        user = f"user{number}@{bourse.DOMAIN}"
        other = f"other{number}@{bourse.DOMAIN}"
        if standin.STANDIN:
            user, other = user.split("@")[0], other.split("@")[0]
        else:
            server.add_user(user)
            server.add_user(other)
        variables = {"user": user, "other": other, "mailbox": user.split("@")[0],
                     "password": server.password(user)}
        conversation.Player(server, variables).play(path)
        if not standin.STANDIN:
            server.check_alive()

    play.__name__ = path.stem
    return play


def standin_skip(path):
    if standin.STANDIN and (path.stem.startswith(("smtp", "submission", "mail", "lmtp"))):
        standin.only_bourse()


for n, file in enumerate(sorted(HERE.glob("*.txt"))):
    tap.test(make(file, n))


def finish():
    server.remove()


tap.finish(finish)
