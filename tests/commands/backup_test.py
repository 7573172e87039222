#!/usr/bin/python3
"""Backups: full and incremental, during deliveries; verified; restored to a new directory, in place,
by folder and by message; a flipped byte is found, an interrupted backup goes on."""

import base64
import os
import subprocess
import threading
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob", "carol"])
DIR = server.dir
TARGET = server.root / "backups"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


def run(*words, status=0):
    done = server.run(*words, check=False)
    expect_equal(done.returncode, status, f"bourse {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def backup(*words):
    return server.json("backup", DIR, *words, "--to", TARGET)


def message(subject, size=2000):
    return mail.simple_message(subject, body=("z" * 70 + "\r\n") * (size // 72))


def subjects(user, folder="INBOX"):
    with server.imap(user) as imap:
        imap.select(folder)
        bodies = imap.fetch_bodies()
    return sorted(b.split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode() for b in bodies.values())


def exported(directory, user, name):
    out = server.root / name
    run("export", directory, user, "--format", "eml", out)
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.eml"))}


@test
def full_and_incremental_while_mail_arrives():
    server.start()
    for i in range(12):
        server.deliver("alice", message(f"first {i}"))
    body = base64.encodebytes(os.urandom(300_000)).decode().replace("\n", "\r\n")
    server.deliver("bob", mail.simple_message("for bob", body=body))
    server.wait_for_messages("alice", 12)
    server.wait_for_messages("bob", 1)
    stop = threading.Event()
    sent = []

    def deliver():
        while not stop.is_set():
            server.deliver("alice", message(f"meanwhile {len(sent)}"))
            sent.append(1)

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        full = backup()
    finally:
        stop.set()
        thread.join()
    expect(sent, "nothing was delivered during the backup")
    expect_equal((full["mailboxes"], full["failed"]), (3, 0), "full backup")
    server.wait_for_messages("alice", 12 + len(sent))
    time.sleep(3.1)  # what changed in the last seconds counts as changed
    again = backup("--incremental")
    expect(again["bytes_stored"] < full["bytes_stored"] / 2, f"{again} after {full}")
    time.sleep(3.1)
    server.deliver("alice", message("only this"))
    server.wait_for_messages("alice", 13 + len(sent))
    third = backup("--incremental")
    expect(third["unchanged"] >= 1, f"bob and carol did nothing: {third}")
    kinds = [b["kind"] for b in server.json("backup", "list", TARGET)]
    expect_equal(kinds, ["full", "incremental", "incremental"], "list")
    run("backup", "verify", TARGET)


@test
def a_new_directory_has_everything():
    new = server.root / "restored"
    run("restore", new, "--from", TARGET)
    for user in (ALICE, BOB):
        expect_equal(exported(new, user, f"out-new-{user}"), exported(DIR, user, f"out-{user}"), user)
    run("check", new, "--contents")
    listed = server.json("user", "list", new)
    expect_equal(sorted(u["address"] for u in listed), sorted(server.users), "users")
    for name in ("bourse.conf", "tls/key.pem", "tls/ca.pem"):
        expect_equal((new / name).read_bytes(), (DIR / name).read_bytes(), name)
    text = run("restore", new, "--from", TARGET, status=1)
    expect("USER" in text, text)


@test
def a_message_and_a_folder_come_back_into_a_live_server():
    run("folder", "create", DIR, ALICE, "Projects/2026")
    (server.root / "one.eml").write_bytes(message("in the project"))
    run("import", DIR, ALICE, "--folder", "Projects/2026", server.root / "one.eml")
    before = exported(DIR, ALICE, "out-before")
    backup("--incremental")
    with server.imap() as imap:
        imap.select("Projects/2026")
        imap.ok("STORE 1:* +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
        n = imap.select()
        imap.ok("STORE 3,5 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
        out = server.json("restore", DIR, ALICE, "--from", TARGET, "--folder", "Projects")
        expect_equal((out["restored"], out["failed"]), (1, 0), "folder")
        out = server.json("restore", DIR, ALICE, "--from", TARGET, "--folder", "Inbox", "--message", "5")
        expect_equal(out["restored"], 1, "message by uid")
        out = server.json("restore", DIR, ALICE, "--from", TARGET, "--folder", "Inbox")
        expect_equal((out["restored"], out["present"]), (1, n - 1), "what is there is passed over")
        out = server.json("restore", DIR, ALICE, "--from", TARGET, "--folder", "Inbox", "--message",
                          "first 7", "--to", "Found")
        expect_equal(out["restored"], 1, "message by subject")
        imap.ok("NOOP")
        imap.ok("FETCH 1:* FLAGS")
    expect_equal(subjects("alice", "Found"), ["first 7"], "Found")
    after = exported(DIR, ALICE, "out-after")
    expect_equal(sorted(v for k, v in after.items() if not k.startswith("Found")),
                 sorted(before.values()), "bytes")
    run("check", DIR, "--contents")


@test
def into_another_users_mailbox():
    out = server.json("restore", DIR, ALICE, "--from", TARGET, "--as", f"carol@{DOMAIN}", "--to", "From Alice")
    expect(out["restored"] > 10, f"{out}")
    expect("in the project" in subjects("carol", "From Alice/Projects/2026"), "a subfolder")
    listed = server.json("restore", DIR, ALICE, "--from", TARGET, "--list")
    expect("Projects/2026" in [f["folder"] for f in listed], f"{listed}")


@test
def a_mailbox_in_place_while_clients_use_it():
    wanted = subjects("bob")
    server.deliver("bob", message("too much"))
    server.wait_for_messages("bob", 2)
    idle, other = server.imap("bob"), server.imap("bob")
    idle.select()
    validity = other.status("INBOX", "UIDVALIDITY")["UIDVALIDITY"]
    tag = idle.start("IDLE")
    idle.response()
    text = run("restore", DIR, BOB, "--from", TARGET, status=1)
    expect("--replace" in text, text)
    run("restore", DIR, BOB, "--from", TARGET, "--replace")
    line = idle.response()
    expect(b"BYE" in line, f"an idle client ({tag}) is told: {line}")
    status, _, _ = other.command("SELECT INBOX")
    expect(status in ("NO", "BYE"), f"the other one too: {status}")
    idle.close()
    other.close()
    expect_equal(subjects("bob"), wanted, "messages")
    with server.imap("bob") as imap:
        expect(imap.status("INBOX", "UIDVALIDITY")["UIDVALIDITY"] > validity, "uids would be mistaken")
    server.deliver("bob", message("afterwards"))
    server.wait_for_messages("bob", len(wanted) + 1)
    run("check", DIR)
    expect(list((DIR / "store").glob("*.replaced")), "the mailbox of before is kept")


@test
def killed_it_leaves_no_backup_and_goes_on():
    n = len(server.json("backup", "list", TARGET))
    killed = 0
    for delay in (0.05, 0.4):
        process = subprocess.Popen([str(server.binary), "backup", str(DIR), "--to", str(TARGET)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=server.environment)
        time.sleep(delay)
        if process.poll() is None:
            server.kill()
            killed += 1
        process.wait()
        if not server.process:
            server.start()
    expect(killed > 0, "never killed in time")
    run("backup", "verify", TARGET)
    backup()
    expect(len(server.json("backup", "list", TARGET)) > n, "no new backup")
    run("backup", "verify", TARGET)
    server.stop()
    run("check", DIR)


@test
def offline_of_one_user_and_pruned():
    out = server.json("backup", DIR, BOB, "--to", TARGET)
    expect_equal(out["mailboxes"], 1, "one mailbox")
    pruned = server.json("backup", "prune", TARGET, "--keep", "2")
    expect(pruned["backups_deleted"] > 0, f"{pruned}")
    expect_equal(len(server.json("backup", "list", TARGET)), 2, "left")
    run("backup", "verify", TARGET)
    run("restore", server.root / "again", "--from", TARGET)
    run("check", server.root / "again")


@test
def a_flipped_byte_is_found():
    victim = max((TARGET / "chunks").rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 4
    victim.write_bytes(data)
    text = run("backup", "verify", TARGET, status=1)
    expect(victim.name in text, text)
    text = run("restore", server.root / "damaged", "--from", TARGET, status=1)
    expect(victim.name in text, text)
    backup()  # not incremental: mends what is still there
    run("backup", "verify", TARGET)
    manifest = max((TARGET / "manifests").iterdir())
    manifest.write_bytes(manifest.read_bytes().replace(b"full", b"fu11"))
    expect("damaged" in run("backup", "verify", TARGET, status=1), "manifest")


@test
def a_target_that_cannot_be_used():
    (server.root / "other").mkdir()
    (server.root / "other" / "file").write_text("x")
    text = run("backup", DIR, "--to", server.root / "other", status=1)
    expect("choose a new folder" in text, text)
    text = run("backup", DIR, "--to", "/proc/nowhere", status=1)
    expect("cannot be made" in text, text)
    run("backup", "list", server.root / "other", status=1)


tap.finish(server.remove)
