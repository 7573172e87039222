"""Debian's Postfix as a neighbour: unpacked below build/packages (never the machine's own mail
service), run by its own master with its own configuration, spool and free ports of the loopback.

    with Postfix(relayhost=server.address("smtp")) as postfix:
        postfix.port              takes mail for postfix.test, and for others gives it to relayhost
        postfix.messages()        what arrived for anybody@postfix.test

Needs root, as Postfix does: its master changes to other users."""

import grp
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import tap
from harness.bourse import TOP

PACKAGE = TOP / "build" / "packages" / "postfix"
LIBRARIES = PACKAGE / "usr" / "lib" / "postfix"
# Postfix wants users and groups that are not each other's; these are on every Debian.
OWNER, OTHERS, GROUP = "mail", "nobody", "uucp"
DOMAIN = "postfix.test"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def program(name):
    """A program of the package (smtp-source, smtp-sink), with what it needs around it."""
    path = PACKAGE / "usr" / "sbin" / name
    if not path.exists():
        tap.skip(f"{name} is not there: packaging/deps.sh test unpacks postfix")
    return str(path)


def environment():
    return {**os.environ, "LD_LIBRARY_PATH": str(LIBRARIES)}


class Postfix:
    def __init__(self, relayhost=None, settings="", tls=None, fsync=True):
        if os.getuid() != 0:
            tap.skip("Postfix runs only as root")
        if not (LIBRARIES / "sbin" / "master").exists():
            tap.skip("Postfix is not there: packaging/deps.sh test unpacks it")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bourse-postfix-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self.process = None
        self._folders()
        if tls:
            settings += (f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {tls[0]}\n"
                         f"smtpd_tls_key_file = {tls[1]}\n")
        if relayhost:
            settings += f"relayhost = [{relayhost[0]}]:{relayhost[1]}\n"
        self.conf = self.root / "conf"
        self.conf.mkdir()
        (self.conf / "main.cf").write_text(f"""
compatibility_level = 3.6
command_directory = {PACKAGE}/usr/sbin
daemon_directory = {LIBRARIES}/sbin
shlib_directory = {LIBRARIES}
queue_directory = {self.root}/spool
data_directory = {self.root}/lib
meta_directory = {PACKAGE}/etc/postfix
mail_owner = {OWNER}
default_privs = {OTHERS}
setgid_group = {GROUP}
import_environment = LD_LIBRARY_PATH={LIBRARIES} MAIL_CONFIG={self.root}/conf
maillog_file = {self.root}/log/maillog
maillog_file_prefixes = {self.root}
maillog_file_permissions = 0644
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{DOMAIN}
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {self.root}/mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:{pwd.getpwnam(OWNER).pw_uid}
virtual_gid_maps = static:{pwd.getpwnam(OWNER).pw_gid}
minimal_backoff_time = 1s
queue_run_delay = 1s
smtputf8_enable = yes
{settings}
""")
        (self.conf / "master.cf").write_text(f"""
127.0.0.1:{self.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")

    def _folders(self):
        owner, group = pwd.getpwnam(OWNER), grp.getgrnam(GROUP)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                     "private", "saved", "trace", "maildrop", "public"):
            path = self.root / "spool" / name
            path.mkdir(parents=True)
            path.chmod(0o700)
            os.chown(path, owner.pw_uid, -1)
        os.chown(self.root / "spool" / "public", owner.pw_uid, group.gr_gid)
        (self.root / "spool" / "public").chmod(0o710)
        os.chown(self.root / "spool" / "maildrop", owner.pw_uid, group.gr_gid)
        (self.root / "spool" / "maildrop").chmod(0o730)
        (self.root / "spool" / "pid").mkdir()
        for name in ("lib", "mail", "log"):
            path = self.root / name
            path.mkdir()
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def start(self):
        self.output = open(self.root / "output", "wb")
        self.process = subprocess.Popen(
            [str(LIBRARIES / "sbin" / "master"), "-c", str(self.conf), "-d"],
            env={**environment(), "MAIL_CONFIG": str(self.conf)}, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output, start_new_session=True)
        end = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    if s.recv(100).startswith(b"220"):
                        return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                tap.fail(f"Postfix does not start:\n{self.log()}")
            time.sleep(0.05)

    def log(self):
        text = (self.root / "output").read_text(errors="replace")
        path = self.root / "log" / "maillog"
        return text + (path.read_text(errors="replace") if path.exists() else "")

    def messages(self):
        """The bytes of what arrived, oldest first."""
        paths = []
        for folder in ("new", "cur"):
            path = self.root / "mail" / "box" / folder
            paths += path.iterdir() if path.exists() else []
        return [p.read_bytes() for p in sorted(paths, key=lambda p: p.stat().st_mtime_ns)]

    def wait_for(self, n, seconds=60):
        end = time.monotonic() + seconds
        while len(found := self.messages()) < n:
            if time.monotonic() > end:
                tap.fail(f"Postfix has {len(found)} of {n} messages\n{self.log()[-3000:]}")
            time.sleep(0.05)
        return found

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                pass
            try:  # its children are of its session
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            self.output.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            tap.note(self.log()[-3000:])
        self.stop()
        if not os.environ.get("BOURSE_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)
        return False
