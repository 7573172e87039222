#!/usr/bin/python3
"""The command line: every command offline and against the running server, with --json, and with the
exit status 0, 1 (failure) and 2 (usage)."""

import json
import re
import stat
import subprocess

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server([])
DIR = server.dir
ALICE = f"alice@{DOMAIN}"


def run(*words, status=0, stdin=None):
    done = server.run(*words, stdin=stdin, check=False)
    expect_equal(done.returncode, status, f"bourse {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    if status:
        expect(done.stderr.strip() or done.stdout.strip(), f"{words}: fails without a word")
    return done.stdout


def values(*words):
    """The --json output: one document, or one a line."""
    text = run(*words, "--json")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def commands():
    """Every command named by `bourse help`."""
    names = []
    for line in run("help").splitlines():
        if match := re.match(r"\s+(?:bourse )?((?:[a-z]+ ?)+?)(?:  | (?=[A-Z\[-])|$)", line):
            names.append(match.group(1).strip())
    return [n for n in names if n]


@test
def usage_errors_end_with_2():
    for words in ([], ["nonsense"], ["user"], ["user", "nonsense"], ["user", "add"], ["init"],
                  ["init", server.root / "x"], ["user", "list"], ["user", "list", DIR, "--nonsense"],
                  ["import", DIR], ["export", DIR, ALICE, "out", "--format", "tar"], ["serve"],
                  ["queue", "drop", DIR], ["folder", "grant", DIR, ALICE], ["user", "show", DIR]):
        done = server.run(*words, check=False)
        expect_equal(done.returncode, 2, f"bourse {' '.join(map(str, words))}: {done.stderr}")
    expect(not (server.root / "x").exists(), "a failed init left something")


@test
def help_explains_every_command():
    names = commands()
    expect(len(names) >= 30, f"help lists {names}")
    for name in names:
        text = run("help", *name.split())
        expect(name in text, f"help {name}: {text[:200]}")
    expect(re.search(r"\d+\.\d+", run("version")))


@test
def init_makes_what_serve_needs():
    for name in ("bourse.conf", "tls/ca.pem"):
        expect((DIR / name).exists(), f"{name} is missing")
    conf = (DIR / "bourse.conf").read_text()
    for section in ("server", "listen", "tls", "store", "directory", "transport", "limits", "log"):
        expect(f"[{section}]" in conf, f"[{section}] is missing")
    expect("#" in conf, "no comments")
    for path in DIR.rglob("*key*.pem"):
        expect_equal(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, f"others may read {path.name}")
    run("init", DIR, "--domain", DOMAIN, status=1)  # not over an existing one
    subprocess.run(["openssl", "verify", "-CAfile", str(DIR / "tls" / "ca.pem"), *map(str, [
        p for p in (DIR / "tls").glob("*.pem") if "key" not in p.name and p.name != "ca.pem" and
        b"BEGIN CERTIFICATE" in p.read_bytes()])], check=True, capture_output=True)


def life_of_a_user(name):
    address = f"{name}@{DOMAIN}"
    run("user", "add", DIR, address, "--name", "Test User", "--password-stdin", stdin=PASSWORD + "\n")
    run("user", "add", DIR, address, "--name", "Again", "--no-password", status=1)
    expect(address in run("user", "list", DIR))
    expect(any(u.get("address") == address for u in values("user", "list", DIR)))
    shown = values("user", "show", DIR, address)
    expect_equal(shown["address"], address)
    expect_equal(shown["name"], "Test User")
    expect(PASSWORD not in json.dumps(shown) and "$argon2" not in json.dumps(shown), "shows secrets")
    run("user", "set", DIR, address, "--name", "Renamed User", "--department", "Sales")
    expect_equal(values("user", "show", DIR, address)["name"], "Renamed User")
    run("user", "passwd", DIR, address, "--password-stdin", stdin="another long secret\n")
    run("user", "disable", DIR, address)
    run("user", "enable", DIR, address)
    run("alias", "add", DIR, f"{name}.alias@{DOMAIN}", address)
    run("alias", "add", DIR, f"{name}.alias@{DOMAIN}", address, status=1)
    run("alias", "add", DIR, f"{name}@not-our-domain.test", address, status=1)
    expect(any(a["alias"] == f"{name}.alias@{DOMAIN}" for a in values("alias", "list", DIR, address)))
    expect_equal(values("alias", "show", DIR, f"{name}.alias@{DOMAIN}")["address"], address)
    run("alias", "delete", DIR, f"{name}.alias@{DOMAIN}")
    run("alias", "show", DIR, f"{name}.alias@{DOMAIN}", status=1)
    run("user", "show", DIR, f"nobody@{DOMAIN}", status=1)
    run("user", "set", DIR, f"nobody@{DOMAIN}", "--name", "x", status=1)
    run("user", "delete", DIR, address, "--yes")
    run("user", "show", DIR, address, status=1)


def life_of_the_rest(tag):
    user = f"member.{tag}@{DOMAIN}"
    run("user", "add", DIR, user, "--name", "Member", "--no-password", "--department", f"Dep {tag}")
    for noun, options in (("room", ["--capacity", "8"]), ("contact", [])):
        address = f"{noun}.{tag}@{DOMAIN if noun == 'room' else 'elsewhere.test'}"
        run(noun, "add", DIR, address, "--name", f"The {noun}", *options)
        expect(any(o["address"] == address for o in values(noun, "list", DIR)))
        expect_equal(values(noun, "show", DIR, address)["name"], f"The {noun}")
        run(noun, "set", DIR, address, "--name", f"Other {noun}")
        expect_equal(values(noun, "show", DIR, address)["name"], f"Other {noun}")
        run(noun, "delete", DIR, address, "--yes")
        run(noun, "show", DIR, address, status=1)
    group, nested, dynamic = (f"{n}.{tag}@{DOMAIN}" for n in ("group", "nested", "dynamic"))
    run("group", "add", DIR, group, "--name", "A group")
    run("group", "add", DIR, nested, "--name", "Nested")
    run("group", "members", "add", DIR, nested, user)
    run("group", "members", "add", DIR, group, nested)
    expect(user in run("group", "members", "list", DIR, group, "--expand"))
    run("group", "add", DIR, dynamic, "--name", "Dynamic", "--filter", f"(department=Dep {tag})")
    expect(user in run("group", "members", "list", DIR, dynamic, "--expand"))
    run("group", "members", "remove", DIR, group, nested)
    for address in (group, nested, dynamic):
        run("group", "delete", DIR, address, "--yes")
    run("domain", "add", DIR, f"{tag}.example.org")
    run("domain", "add", DIR, "not a domain", status=1)
    expect(any(d["domain"] == f"{tag}.example.org" for d in values("domain", "list", DIR)))
    values("domain", "show", DIR, f"{tag}.example.org")
    run("user", "add", DIR, f"x@{tag}.example.org", "--name", "X", "--no-password")
    run("domain", "delete", DIR, f"{tag}.example.org", "--yes", status=1)  # still in use
    run("user", "delete", DIR, f"x@{tag}.example.org", "--yes")
    run("domain", "delete", DIR, f"{tag}.example.org", "--yes")
    run("user", "delete", DIR, user, "--yes")


def life_of_folders_and_messages(tag):
    address = f"mail.{tag}@{DOMAIN}"
    run("user", "add", DIR, address, "--name", "Mail", "--password-stdin", stdin=PASSWORD + "\n")
    folders = {f["path"]: f for f in values("folder", "list", DIR, address)}
    for name in ("Inbox", "Sent Items", "Deleted Items", "Drafts", "Calendar", "Contacts", "Tasks",
                 "Notes", "Journal", "Junk Email"):
        expect(name in folders or name.replace("Email", "E-mail") in folders, f"{name}: {list(folders)}")
    run("folder", "create", DIR, address, "Projects/2026")
    run("folder", "create", DIR, address, "Projects/2026", status=1)
    run("folder", "grant", DIR, address, "Projects", ALICE, "reviewer")
    run("folder", "grant", DIR, address, "Projects", ALICE, "nonsense", status=2)
    for i in range(3):
        (server.root / f"{tag}{i}.eml").write_bytes(mail.simple_message(f"{tag} {i}"))
    paths = [server.root / f"{tag}{i}.eml" for i in range(3)]
    run("import", DIR, address, "--folder", "Projects/2026", *paths)
    run("import", DIR, address, "--folder", "Projects/2026", server.root / "missing.eml", status=1)
    listed = values("message", "list", DIR, address, "--folder", "Projects/2026")
    expect_equal(len(listed), 3)
    uid = str(listed[0]["uid"])
    expect(f"{tag} 0" in run("message", "show", DIR, address, uid, "--folder", "Projects/2026"))
    values("message", "show", DIR, address, uid, "--folder", "Projects/2026")
    run("message", "show", DIR, address, "999", "--folder", "Projects/2026", status=1)
    for form in ("eml", "mbox", "maildir"):
        out = server.root / f"{tag}-{form}"
        run("export", DIR, address, out, "--folder", "Projects/2026", "--format", form)
        expect(out.exists(), form)
        run("export", DIR, address, out, "--folder", "Projects/2026", "--format", form, status=1)
    run("folder", "delete", DIR, address, "Projects/2026", "--yes")
    run("folder", "delete", DIR, address, "Inbox", "--yes", status=1)
    run("message", "list", DIR, address, "--folder", "Projects/2026", status=1)
    run("user", "delete", DIR, address, "--yes")


def everything_else():
    values("status", DIR)
    values("queue", "list", DIR)
    run("queue", "retry", DIR)
    run("queue", "drop", DIR, "0000000000000000", "--yes", status=1)
    run("check", DIR)
    values("check", DIR)


@test
def offline_users():
    run("user", "add", DIR, ALICE, "--name", "Alice", "--password-stdin", stdin=PASSWORD + "\n")
    life_of_a_user("offline")


@test
def offline_groups_rooms_contacts_domains():
    life_of_the_rest("off")


@test
def offline_folders_and_messages():
    life_of_folders_and_messages("off")


@test
def offline_status_queue_check():
    everything_else()


@test
def a_directory_that_is_not_ours():
    run("user", "list", server.root / "nowhere", status=1)
    (server.root / "empty").mkdir()
    run("user", "list", server.root / "empty", status=1)
    run("serve", server.root / "empty", status=1)


@test
def a_bad_configuration_names_the_key():
    conf = DIR / "bourse.conf"
    good = conf.read_text()
    try:
        conf.write_text(good + "\n[limits]\nnonsense = 1\n")
        done = server.run("serve", DIR, check=False, timeout=60)
        expect_equal(done.returncode, 1)
        expect("nonsense" in done.stderr + done.stdout, done.stderr)
    finally:
        conf.write_text(good)


@test
def online_users():
    server.start()
    life_of_a_user("online")


@test
def online_groups_rooms_contacts_domains():
    life_of_the_rest("on")


@test
def online_folders_and_messages():
    life_of_folders_and_messages("on")


@test
def online_status_queue_check():
    everything_else()
    status = values("status", DIR)
    expect_equal(status["state"], "running")


@test
def online_changes_have_effect_at_once():
    address = f"late@{DOMAIN}"
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.expect(250, "MAIL FROM:<a@remote.test>")
        expect(smtp.command(f"RCPT TO:<{address}>")[0] == 550, "unknown recipient accepted")
        run("user", "add", DIR, address, "--name", "Late", "--password-stdin", stdin=PASSWORD + "\n")
        smtp.expect(250, f"RCPT TO:<{address}>")
    with server.imap(address) as imap:
        imap.select()
        run("folder", "create", DIR, address, "Made outside")
        expect(imap.ok('LIST "" "Made outside"'), "a folder made by a command is not listed")
        run("import", DIR, address, "--folder", "Inbox", make_message("seen at once"))
        seen = imap.ok("NOOP")
        expect(any(b"1 EXISTS" in line for line in seen), seen)
    run("user", "passwd", DIR, address, "--password-stdin", stdin="a different one\n")
    imap = server.imap(login=False)
    status, _, _ = imap.command(f'LOGIN {address} "{PASSWORD}"')
    expect_equal(status, "NO", "the old password still works")
    imap.ok(f'LOGIN {address} "a different one"')
    imap.logout()
    run("user", "disable", DIR, address)
    imap = server.imap(login=False)
    expect_equal(imap.command(f'LOGIN {address} "a different one"')[0], "NO", "a disabled user logs in")
    imap.close()


def make_message(subject):
    path = server.root / (subject.replace(" ", "-") + ".eml")
    path.write_bytes(mail.simple_message(subject))
    return path


@test
def every_form_of_a_login_name():
    short = "EXAMPLE"
    for name in (ALICE, "alice", f"{DOMAIN}\\\\alice", f"{short}\\\\alice", ALICE.upper()):
        imap = server.imap(login=False)
        status, text, _ = imap.command(f'LOGIN "{name}" "{PASSWORD}"')
        expect_equal(status, "OK", f"{name}: {text}")
        imap.logout()


@test
def protocols_are_switched_per_user():
    run("user", "set", DIR, ALICE, "--protocols", "smtp")
    imap = server.imap(login=False)
    expect_equal(imap.command(f'LOGIN {ALICE} "{PASSWORD}"')[0], "NO", "IMAP is off for alice")
    imap.close()
    run("user", "set", DIR, ALICE, "--protocols", "all")
    server.imap("alice").logout()


@test
def a_second_server_on_the_same_directory_is_refused():
    done = server.run("serve", DIR, check=False, timeout=60)
    expect_equal(done.returncode, 1)
    server.check_alive()


@test
def listeners_are_written_and_answer():
    found = server.listeners()
    for name in ("smtp", "submission", "submissions", "imap", "imaps"):
        host, port = found[name]
        expect(host == "127.0.0.1" and port > 0, f"{name}: {found[name]}")
        mail.Wire((host, port), timeout=10).close()


@test
def sighup_reloads_and_sigterm_stops():
    import signal
    server.process.send_signal(signal.SIGHUP)
    server.imap("alice").logout()
    connected = server.imap("alice")
    server.stop()
    try:
        connected.response()
    except (mail.Closed, OSError):
        pass
    expect(not (DIR / "run" / "listeners").exists() or not server.process, "stopped")


@test
def tables_end_quietly_when_nobody_reads():
    done = subprocess.run(f"{server.binary} user list {DIR} | true", shell=True, check=False,
                          capture_output=True, env=server.environment)
    expect(b"Sanitizer" not in done.stderr, done.stderr)


def finish():
    server.remove()


tap.finish(finish)
