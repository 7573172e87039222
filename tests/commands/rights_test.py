#!/usr/bin/python3
"""Commands on rights and public folders, without a server: what they say, what they refuse, and
that `bourse check` stays clean."""

import json

from harness import bourse, mail, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"])
DIR = server.dir
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


def run(*words, status=0):
    done = server.run(*words, check=False)
    expect_equal(done.returncode, status, f"bourse {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    if status:
        expect(done.stderr.strip() or done.stdout.strip(), f"{words}: fails without a word")
    return done.stdout


def values(*words):
    text = run(*words, "--json")
    try:
        found = json.loads(text)
        return found if isinstance(found, list) else [found]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


@test
def rights_over_a_mailbox():
    run("user", "grant", DIR, ALICE, status=2)
    run("user", "grant", DIR, ALICE, "--to", BOB, "--right", "everything", status=2)
    run("user", "grant", DIR, ALICE, "--to", f"nobody@{DOMAIN}", "--right", "send-as", status=1)
    run("user", "grant", DIR, ALICE, "--to", ALICE, "--right", "send-as", status=1)
    run("user", "revoke", DIR, ALICE, "--to", BOB, "--right", "send-as", status=1)
    said = values("user", "grant", DIR, ALICE, "--to", BOB, "--right", "send-as")[0]
    expect_equal(said, {"on": ALICE, "to": BOB, "right": "send-as"})
    run("user", "grant", DIR, ALICE, "--to", BOB, "--right", "full-access")
    listed = values("user", "rights", DIR, ALICE)
    expect_equal([(v["address"], v["rights"]) for v in listed], [(BOB, "full-access,send-as")])
    run("group", "add", DIR, f"team@{DOMAIN}")
    run("user", "grant", DIR, f"team@{DOMAIN}", "--to", BOB, "--right", "full-access", status=1)
    run("user", "grant", DIR, f"team@{DOMAIN}", "--to", BOB, "--right", "send-as")
    run("user", "grant", DIR, ALICE, "--to", f"team@{DOMAIN}", "--right", "send-on-behalf")
    run("group", "delete", DIR, f"team@{DOMAIN}", "--yes")
    expect_equal(len(values("user", "rights", DIR, ALICE)), 1, "rights of a deleted group")
    run("user", "revoke", DIR, ALICE, "--to", BOB, "--right", "full-access")
    run("check", DIR)


@test
def rights_on_a_folder():
    run("folder", "create", DIR, ALICE, "Shared")
    run("folder", "grant", DIR, ALICE, "Shared", BOB, "publishing-editor")
    run("folder", "grant", DIR, ALICE, "Shared", "default", "read,visible,create")
    run("folder", "grant", DIR, ALICE, "Calendar", BOB, "reviewer,free-busy-details")
    rights = {v["member"]: v["rights"] for v in values("folder", "rights", DIR, ALICE, "Shared")}
    expect_equal(rights, {"default": "read,create,visible", "anonymous": "none",
                          BOB: "publishing-editor"})
    calendar = {v["member"]: v["rights"] for v in values("folder", "rights", DIR, ALICE, "Calendar")}
    expect_equal(calendar[BOB], "reviewer,free-busy-details")
    expect_equal(calendar["default"], "free-busy")
    run("folder", "rights", DIR, ALICE, "Nowhere", status=1)


@test
def public_folders():
    for words in (["list"], ["show", "News"], ["delete", "News", "--yes"]):
        run("public", words[0], DIR, *words[1:], status=1)
    run("folder", "list", DIR, "public", status=1)
    run("public", "add", DIR, "News")
    run("public", "add", DIR, "News", status=1)
    run("public", "add", DIR, "News/Sports")
    expect_equal([v["path"] for v in values("public", "list", DIR)], ["News", "News/Sports"])
    run("public", "set", DIR, "News", "--item-size", "2M", "--quota", "1G", "--age-days", "30")
    run("public", "set", DIR, "News", "--age-days", "many", status=1)
    run("public", "mail-enable", DIR, "News", f"news@{DOMAIN}")
    run("public", "mail-enable", DIR, "News/Sports", f"news@{DOMAIN}", status=1)
    run("public", "mail-enable", DIR, "News/Sports", "news@elsewhere.test", status=1)
    shown = values("public", "show", DIR, "News")[0]
    expect_equal((shown["item_size"], shown["quota"], shown["age_days"], shown["address"]),
                 (2 << 20, 1 << 30, 30, f"news@{DOMAIN}"))
    run("folder", "grant", DIR, "public", "News", "default", "reviewer")
    rights = {v["member"]: v["rights"] for v in values("folder", "rights", DIR, "public", "News")}
    expect_equal(rights["default"], "reviewer")
    run("public", "delete", DIR, "News", "--yes", status=1)  # has a subfolder
    run("public", "mail-disable", DIR, "News")
    run("public", "mail-disable", DIR, "News", status=1)
    run("public", "delete", DIR, "News/Sports", "--yes")
    run("public", "delete", DIR, "News", "--yes")
    out = run("check", DIR, "--contents")
    expect("public folders" in out or "0 faults" in out, out)
    expect("belongs to nobody" not in out, out)


def finish():
    server.remove()


tap.finish(finish)
