"""The two servers of the benchmark behind one set of verbs, and how their processes are measured."""

import os
import pathlib
import re
import subprocess
import time

from harness import bourse, dovecot
from harness.bourse import DOMAIN

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(p) for p in task.read_text().split()]
        except OSError:
            pass
    return found


def tree(pid):
    pids = [pid]
    for p in pids:
        pids += children(p)
    return pids


def cpu_seconds(pid):
    """User and system time of the process tree, with that of children that have ended."""
    total = 0
    for p in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])  # utime, stime
        total += int(fields[13]) + int(fields[14])  # of children waited for
    return total / TICKS


def memory(pid):
    """Proportional set size of the process tree in bytes: shared pages are counted once."""
    total = 0
    for p in tree(pid):
        try:
            text = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1)) * 1024
    return total


def disk(path):
    """Allocated bytes below the path."""
    done = subprocess.run(["du", "-s", "--block-size=1", str(path)], check=True, text=True,
                          capture_output=True)
    return int(done.stdout.split()[0])


class Bourse:
    name = "Bourse"
    protocol = "smtp"
    password = bourse.PASSWORD

    def __init__(self, _options):
        limits = {"connections_per_address": "20000", "connections": "20000"}
        # The nightly pass, which a server that slept through the night catches up on, opens mailboxes
        # of its own: it would be counted to the connections.
        self.server = bourse.Server([], build="plain", settings={"limits": limits, "store": {"nightly": ""}})

    def start(self):
        self.server.start()

    def stop(self):
        self.server.stop()

    def remove(self):
        self.server.remove()

    @property
    def pid(self):
        return self.server.process.pid

    def add_users(self, names):
        for name in names:
            self.server.add_user(name)

    def address(self, service):
        return self.server.address(service)

    def imap(self, user, tls=False):
        return self.server.imap(user, tls=tls, timeout=600)

    def data(self):
        return self.server.dir

    def fill(self, user, mbox):
        self.server.run("import", self.server.dir, f"{user}@{DOMAIN}", "--folder", "Inbox", "--crlf",
                        "--quiet", mbox, timeout=7200)

    def share(self, owner, n):
        """A folder that n users share: (their names with % for the number, the folder's for them)."""
        known = self.server.json("user", "list", self.server.dir)
        names = {u["address"] for u in known}
        for i in range(n):
            if f"busy{i}@{DOMAIN}" not in names:
                self.server.add_user(f"busy{i}")
        self.server.add_user(owner)
        self.server.run("folder", "create", self.server.dir, f"{owner}@{DOMAIN}", "Team")
        for i in range(n):
            self.server.run("folder", "grant", self.server.dir, f"{owner}@{DOMAIN}", "Team",
                            f"busy{i}@{DOMAIN}", "editor")
        return f"busy%@{DOMAIN}", f"Other Users/{owner}@{DOMAIN}/Team"

    def describe(self):
        done = self.server.run("version")
        return f"{done.stdout.strip()}, SMTP in, SQLite in WAL mode with synchronous=FULL, queue fsynced"


class Dovecot:
    name = "Dovecot"
    protocol = "lmtp"
    password = "secret"

    def __init__(self, options):
        self.format = options.dovecot_format
        location = {"sdbox": "sdbox:~/sdbox", "mdbox": "mdbox:~/mdbox",
                    "maildir": "maildir:~/Maildir"}[self.format]
        self.server = dovecot.Dovecot(location, idle_processes=options.peer_idle + 200)

    def start(self):
        self.server.start()

    def stop(self):
        self.server.stop()

    def remove(self):
        self.server.remove()

    @property
    def pid(self):
        return self.server.process.pid

    def add_users(self, names):
        pass  # a static user database

    def address(self, service):
        return self.server.address("lmtp" if service == "smtp" else service)

    def imap(self, user, tls=False):
        return self.server.imap(user, tls=tls, timeout=600)

    def data(self):
        return self.server.mail

    def fill(self, user, mbox):
        folder = pathlib.Path(mbox).parent
        self.server.doveadm("import", "-u", user, f"mbox:{folder}:INBOX={mbox}", "", "ALL",
                            options=("-o", "mail_fsync=never"), timeout=7200)

    def share(self, owner, _n):
        return owner, "INBOX"

    def describe(self):
        done = subprocess.run(["dovecot", "--version"], check=True, text=True, capture_output=True)
        return f"{done.stdout.split()[0]} of Debian, LMTP in, {self.format}, mail_fsync=always"


def drop_caches():
    """Empties the page cache; False where that is not permitted."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
        return True
    except OSError:
        return False


def settle():
    """Lets the writes of what came before end, so that they do not disturb what comes next."""
    os.sync()
    time.sleep(0.5)
