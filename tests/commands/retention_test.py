#!/usr/bin/python3
"""Quotas, what was deleted, holds, retention and archives, by command and against the server: the
same commands offline and while it runs."""

import imaplib
import json
import smtplib

from harness import bourse, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

imaplib._MAXLINE = 10_000_000
server = bourse.Server(["alice", "bob"], settings={"limits": {"quota_warn": "100K"}})
DIR = server.dir
ALICE = f"alice@{DOMAIN}"
BOB = f"bob@{DOMAIN}"


def run(*words, status=0):
    done = server.run(*words, check=False)
    expect_equal(done.returncode, status,
                 f"bourse {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def values(*words):
    text = run(*words, "--json")
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]
    return found


def message(subject, size=100):
    return (f"From: sender@remote.test\r\nTo: {ALICE}\r\nSubject: {subject}\r\n\r\n" +
            ("x" * 70 + "\r\n") * (size // 72 + 1)).encode()


def import_message(user, subject, size=100, folder="Inbox", date=None):
    path = server.root / "message.eml"
    text = message(subject, size)
    if date:
        text = f"Date: {date}\r\n".encode() + text
    path.write_bytes(text)
    run("import", DIR, user, path, "--folder", folder, "--quiet", "--again")


def usage_errors():
    run("user", "set", DIR, ALICE, "--quota-warn", "lots", status=1)
    run("user", "set", DIR, ALICE, "--archive", "maybe", status=1)
    run("recover", "restore", DIR, ALICE, status=1)
    run("recover", "list", DIR, ALICE, "--since", "yesterday", status=1)
    run("hold", "set", DIR, ALICE, "something", "on", status=2)
    run("hold", "set", DIR, ALICE, "litigation", "maybe", status=2)
    run("retention", "add", DIR, "X", "--action", "burn", "--days", "1", status=2)
    run("retention", "add", DIR, "X", "--action", "delete", status=2)
    run("retention", "assign", DIR, ALICE, "no such tag", status=1)
    run("folder", "list", DIR, BOB, "--archive", status=1)


def quotas():
    run("user", "set", DIR, ALICE, "--quota-warn", "10M", "--quota-send", "20M", "--quota-receive",
        "30M", "--quota-recoverable", "5M", "--quota-archive", "1G")
    shown = values("user", "show", DIR, ALICE)
    expect_equal(shown["quota_warn"], 10 << 20)
    expect_equal(shown["quota_send"], 20 << 20)
    expect_equal(shown["quota_receive"], 30 << 20)
    expect_equal(shown["quota_recoverable"], 5 << 20)
    run("user", "set", DIR, ALICE, "--quota-warn", "none", "--quota-send", "0", "--quota-receive",
        "0", "--quota-recoverable", "0", "--quota-archive", "0")
    shown = values("user", "show", DIR, ALICE)
    expect_equal(shown["quota_warn"], 0, "none is no limit")
    expect_equal(shown["quota_receive"], 0)
    expect_equal(values("user", "show", DIR, BOB)["quota_warn"], 100 << 10, "the default")


def deleted_folder(tag):
    folder = f"Projects {tag}"
    run("folder", "create", DIR, ALICE, folder)
    import_message(ALICE, f"plan {tag}", folder=folder)
    import_message(ALICE, f"budget {tag}", folder=folder)
    run("folder", "delete", DIR, ALICE, folder, "--yes")
    items = values("recover", "list", DIR, ALICE, "--folder", folder)
    expect_equal(sorted(i["subject"] for i in items), [f"budget {tag}", f"plan {tag}"])
    expect(all(i["folder_gone"] and i["folder"] == folder for i in items), items)
    expect_equal(values("recover", "list", DIR, ALICE, "--subject", f"PLAN {tag}")[0]["subject"],
                 f"plan {tag}")
    done = values("recover", "restore", DIR, ALICE, "--id", items[0]["id"], "--to", f"Back {tag}")
    expect_equal(done["restored"], 1)
    done = values("recover", "restore", DIR, ALICE, "--folder", folder)
    expect_equal(done["restored"], 1)
    folders = {f["path"]: f["messages"] for f in values("folder", "list", DIR, ALICE)}
    expect_equal(folders[f"Back {tag}"], 1)
    expect_equal(folders[folder], 1)
    run("folder", "delete", DIR, ALICE, folder, "--yes")
    expect(folder in run("recover", "folders", DIR, ALICE), "a deleted folder is listed")
    run("recover", "folder", DIR, ALICE, "never there", status=1)
    done = values("recover", "folder", DIR, ALICE, folder)
    expect_equal((done["folders"], done["restored"]), (1, 1), "a folder made again")
    expect(folder not in run("recover", "folders", DIR, ALICE), "it is there again")
    run("folder", "delete", DIR, ALICE, folder, "--yes")


def holds():
    shown = values("hold", "set", DIR, BOB, "litigation", "on", "--days", "30")
    expect_equal(shown["litigation"], True)
    expect_equal(shown["litigation_days"], 30)
    expect(values("user", "show", DIR, BOB)["litigation_hold"])
    values("hold", "set", DIR, BOB, "single-item", "on")
    expect(values("hold", "show", DIR, BOB)["single_item"])
    values("hold", "set", DIR, BOB, "litigation", "off")
    values("hold", "set", DIR, BOB, "single-item", "off")
    shown = values("hold", "show", DIR, BOB)
    expect(not shown["litigation"] and not shown["single_item"], shown)


def archive_and_retention(tag):
    away = values("retention", "add", DIR, f"Away {tag}", "--action", "archive", "--days", "1")
    expect_equal(away["folder"], "personal")
    run("retention", "add", DIR, f"Away {tag}", "--action", "archive", "--days", "1", status=1)
    run("retention", "add", DIR, f"Soon {tag}", "--action", "purge", "--days", "1", "--folder",
        "Junk Email")
    names = [t["name"] for t in values("retention", "list", DIR)]
    expect(f"Away {tag}" in names and f"Soon {tag}" in names, names)
    run("user", "set", DIR, ALICE, "--archive", "on")
    shown = values("user", "show", DIR, ALICE)
    expect(shown["archive"] and shown["archive_file"], shown)
    folder = f"Old/Papers {tag}"
    run("folder", "create", DIR, ALICE, folder)
    import_message(ALICE, f"ancient {tag}", folder=folder, date="Mon, 02 Jan 2012 10:00:00 +0000")
    import_message(ALICE, f"junk {tag}", folder="Junk Email", date="Mon, 02 Jan 2012 10:00:00 +0000")
    run("retention", "assign", DIR, ALICE, f"Away {tag}", "--folder", folder)
    ran = values("retention", "run", DIR, ALICE)
    ran = ran if isinstance(ran, list) else [ran]
    expect_equal(sum(r["archived"] for r in ran), 1, f"{ran}")
    expect_equal(sum(r["purged"] for r in ran), 1, f"{ran}")
    archived = {f["path"]: f["messages"] for f in values("folder", "list", DIR, ALICE, "--archive")}
    expect_equal(archived[folder], 1)
    out = server.root / f"archive-{tag}"
    run("export", DIR, ALICE, out, "--archive", "--folder", folder, "--format", "eml", "--quiet")
    exported = list(out.glob("**/*.eml"))
    expect_equal(len(exported), 1)
    expect(f"Subject: ancient {tag}".encode() in exported[0].read_bytes())
    run("user", "set", DIR, ALICE, "--archive", "off")
    run("folder", "list", DIR, ALICE, "--archive", status=1)
    run("user", "set", DIR, ALICE, "--archive", "on")
    archived = {f["path"]: f["messages"] for f in values("folder", "list", DIR, ALICE, "--archive")}
    expect_equal(archived[folder], 1, "switching off loses nothing")
    run("retention", "delete", DIR, f"Away {tag}", "--yes")
    run("retention", "delete", DIR, f"Soon {tag}", "--yes")
    expect("belongs to nobody" not in run("check", DIR), "the archive has an owner")


@test
def offline_usage_errors():
    usage_errors()


@test
def offline_quotas_and_holds():
    quotas()
    holds()


@test
def offline_recover():
    deleted_folder("offline")


@test
def offline_archive_and_retention():
    archive_and_retention("offline")


@test
def online_all_of_it():
    server.start()
    usage_errors()
    quotas()
    holds()
    deleted_folder("online")
    archive_and_retention("online")


def client(user):
    connection = imaplib.IMAP4(*server.address("imap"), timeout=60)
    connection.login(user, PASSWORD)
    return connection


@test
def the_owner_is_warned_once():
    import_message(BOB, "large", size=200_000)
    def warned():
        ran = values("retention", "run", DIR, BOB)
        return (ran[0] if isinstance(ran, list) else ran)["warned"]
    expect(warned(), "not warned")
    expect(not warned(), "warned again the same day")
    with client(BOB) as imap:
        imap.select("INBOX")
        found = imap.search(None, "SUBJECT", '"almost full"')[1][0].split()
        expect_equal(len(found), 1)


def mail_from(code_of, user=BOB):
    with smtplib.SMTP(*server.address("submission"), timeout=60) as smtp:
        smtp.ehlo()
        smtp.login(user, PASSWORD)
        code, text = smtp.mail(user)
        expect_equal(code, code_of, text.decode())
        return text.decode()


@test
def who_is_over_the_send_quota_cannot_submit():
    mail_from(250)
    run("user", "set", DIR, BOB, "--quota-send", "1K")
    expect("5.2.2" in mail_from(552))
    run("user", "set", DIR, BOB, "--quota-send", "none")
    mail_from(250)


@test
def expunged_by_a_client_comes_back_for_it():
    with client(ALICE) as imap:
        imap.select("INBOX")
        imap.append("INBOX", None, None, message("precious"))
        imap.noop()
        n = imap.search(None, "SUBJECT", "precious")[1][0].split()[-1]
        imap.store(n, "+FLAGS", "\\Deleted")
        imap.expunge()
        expect_equal(imap.search(None, "SUBJECT", "precious")[1][0], b"")
        expect_equal(values("recover", "restore", DIR, ALICE, "--subject", "precious")["restored"], 1)
        imap.noop()
        found = imap.search(None, "SUBJECT", "precious")[1][0].split()
        expect_equal(len(found), 1)
        flags = imap.fetch(found[0], "(FLAGS)")[1][0]
        expect(b"Deleted" not in flags, flags)


@test
def what_is_on_hold_survives_its_owner():
    values("hold", "set", DIR, ALICE, "litigation", "on")
    run("folder", "create", DIR, ALICE, "Secret")
    import_message(ALICE, "evidence", folder="Secret")
    run("folder", "delete", DIR, ALICE, "Secret", "--yes")
    values("retention", "run", DIR, ALICE)
    held = values("recover", "list", DIR, ALICE, "--held", "--subject", "evidence")
    expect_equal(len(held) if isinstance(held, list) else 1, 1)
    values("hold", "set", DIR, ALICE, "litigation", "off")


@test
def everything_is_sound_in_the_end():
    run("check", DIR, "--contents")
    run("user", "delete", DIR, ALICE, "--yes")
    expect_equal(len(list((DIR / "store").glob("*.mbx"))), 1, "the archive went with its owner")
    server.stop()


tap.finish(server.remove)
