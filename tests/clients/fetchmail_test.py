#!/usr/bin/python3
"""fetchmail by POP3 and IMAP, over STARTTLS and TLS: each message handed on once and whole, deleted or kept as told."""

import pathlib
import shutil
import subprocess
import tempfile

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

if not shutil.which("fetchmail"):
    print("1..1\nok 1 - fetchmail # SKIP fetchmail is not installed")
    raise SystemExit(0)

folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-fetchmail-"))
server = bourse.Server(["alice"], settings={"auth": {"ntlm": "true"}}).start()
BODIES = [b"one\r\n", b".dots\r\n..\r\n.\r\n", b"x" * 900 + b"\r\n", b"line\r\n" * 20000]


def fill(*bodies):
    with server.imap("alice") as imap:
        for body in bodies:
            imap.append("INBOX", b"Subject: fetch\r\nMessage-ID: <%d@test>\r\n\r\n" % len(body) + body)


def count():
    with server.imap("alice") as imap:
        return imap.status("INBOX", "MESSAGES")["MESSAGES"]


def fetch(service, *options, status=0, password=PASSWORD):
    """What the delivery agent got."""
    _host, port = server.address(service)
    got = folder / "got"
    shutil.rmtree(got, ignore_errors=True)
    got.mkdir()
    tls = "ssl" if service.endswith("s") else "sslproto 'TLS1.2+'"
    of_server = [o for o in options if o.startswith("auth") or o == "uidl"]
    rc = folder / "rc"
    rc.write_text(f"""
poll localhost service {port} protocol {service.rstrip('s')} {' '.join(of_server)}
  username "alice@{DOMAIN}" password "{password}" {tls} sslcertck sslcertfile "{server.ca}"
  {' '.join(o for o in options if o not in of_server)}
  mda "f=$(mktemp {got}/XXXXXX); cat > $f"
""")
    rc.chmod(0o700)
    done = subprocess.run(["fetchmail", "-f", str(rc), "--nodetach", "--nosyslog", "-v", "--pidfile",
                           str(folder / "pid"), "--idfile", str(folder / "ids")],
                          capture_output=True, text=True, errors="replace", check=False, timeout=120,
                          stdin=subprocess.DEVNULL, env={"HOME": str(folder), "PATH": "/usr/bin:/bin",
                                                         "LC_ALL": "C"})
    if done.returncode != status:
        tap.fail(f"{service} {options}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr}")
    return [path.read_bytes() for path in got.iterdir()], done.stdout


def body_of(message):
    text = message.replace(b"\r\n", b"\n")
    return text[text.index(b"\n\n") + 2:]


def came_whole(got, bodies):
    expect_equal(sorted(body_of(m) for m in got), sorted(b.replace(b"\r\n", b"\n") for b in bodies))


@test
def by_pop3_and_deleted():
    for service in ("pop3", "pop3s"):
        fill(*BODIES)
        got, said = fetch(service, "fetchall")
        came_whole(got, BODIES)
        expect_equal(count(), 0, "left behind")
        expect(service != "pop3" or "STLS" in said, "no STLS")
    fetch("pop3", status=1)  # nothing new


@test
def by_pop3_and_kept():
    fill(*BODIES[:3])
    got, _ = fetch("pop3s", "keep", "uidl")
    came_whole(got, BODIES[:3])
    expect_equal(count(), 3, "kept")
    fetch("pop3s", "keep", "uidl", status=1)  # all seen by their UIDL
    fill(BODIES[3])
    got, _ = fetch("pop3s", "keep", "uidl")
    came_whole(got, BODIES[3:])
    fetch("pop3s", "fetchall", "nokeep")
    expect_equal(count(), 0)


@test
def by_imap():
    for service in ("imap", "imaps"):
        fill(*BODIES)
        got, _ = fetch(service, "fetchall")
        came_whole(got, BODIES)
        expect_equal(count(), 0, "left behind")


@test
def old_ntlm_is_refused():
    for service in ("imaps", "pop3s"):  # fetchmail's is the first version
        _, said = fetch(service, "auth ntlm", "fetchall", status=3)
        expect("NTLM" in said.upper(), "no NTLM")


@test
def refused():
    for service in ("pop3s", "imaps"):
        fetch(service, status=3, password="wrong")


def finish():
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(finish)
