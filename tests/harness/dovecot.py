"""Debian's Dovecot as a peer: LMTP in, IMAP out, its own configuration in a temporary folder, free
ports of the loopback. Has the same ways in as harness.bourse.Server, so that the benchmark measures
both with the same code and a client test can be tried on a known server."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import mail, tap
from harness.bourse import DOMAIN

MAIL_USER = "mail"  # of every Debian; Dovecot refuses to keep mail as root


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Dovecot:
    def __init__(self, location="sdbox:~/sdbox", processes=16, idle_processes=1000, fsync="always",
                 settings=""):
        if not shutil.which("dovecot"):
            tap.skip("Dovecot is not installed")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bourse-dovecot-"))
        self.mail = self.root / "mail"
        self.mail.mkdir()
        self.ports = {name: free_port() for name in ("imap", "imaps", "lmtp", "pop3")}
        self.process = None
        as_root = os.getuid() == 0
        owner = pwd.getpwnam(MAIL_USER) if as_root else pwd.getpwuid(os.getuid())
        if as_root:
            os.chown(self.mail, owner.pw_uid, owner.pw_gid)
            self.root.chmod(0o755)
        else:
            settings += (f"default_internal_user = {owner.pw_name}\n"
                         f"default_login_user = {owner.pw_name}\n"
                         "service anvil {\n  chroot =\n}\n")
        self.make_certificate()
        self.conf = self.root / "dovecot.conf"
        self.conf.write_text(f"""
base_dir = {self.root}/run
state_dir = {self.root}/state
log_path = {self.root}/dovecot.log
protocols = imap lmtp pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.root}/cert.pem
ssl_key = <{self.root}/key.pem
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
mail_fsync = {fsync}
mail_location = {location}
first_valid_uid = 1
default_process_limit = {idle_processes + 100}
default_client_limit = {max(4096, 2 * idle_processes)}
mail_max_userip_connections = 0
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner.pw_name} gid={owner.pw_gid} home={self.mail}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 8
  client_limit = 8192
  inet_listener imap {{
    port = {self.ports['imap']}
  }}
  inet_listener imaps {{
    port = {self.ports['imaps']}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {self.ports['pop3']}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = {idle_processes + 100}
}}
service lmtp {{
  process_min_avail = {processes}
  process_limit = {processes * 2}
  inet_listener lmtp {{
    port = {self.ports['lmtp']}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@{DOMAIN}
  lmtp_rcpt_check_quota = no
}}
{settings}
""")

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", str(self.root / "key.pem"), "-out", str(self.root / "cert.pem")],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def ca(self):
        return self.root / "cert.pem"

    @staticmethod
    def password(_user):
        return "secret"

    def start(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(self.conf)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        for name in ("imap", "lmtp"):
            while True:
                try:
                    socket.create_connection(self.address(name), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > end or self.process.poll() is not None:
                        tap.fail("Dovecot does not start:\n" + self.tail())
                    time.sleep(0.05)
        return self

    def tail(self):
        log = self.root / "dovecot.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            tap.note(self.tail())
        self.remove()
        return False

    # --- Ways in ---

    def address(self, name):
        return ("127.0.0.1", self.ports[name])

    def add_user(self, name):
        return f"{name}@{DOMAIN}"

    def imap(self, user="alice", login=True, tls=False, timeout=60):
        connection = mail.Imap(self.address("imaps" if tls else "imap"),
                               ca=self.ca if tls else None, timeout=timeout)
        if login:
            connection.login(user, "secret")
        return connection

    def deliver(self, user, message, sender="sender@remote.test"):
        with mail.Smtp(self.address("lmtp")) as lmtp:
            lmtp.lhlo()
            lmtp.send_message(sender, [f"{user}@{DOMAIN}"], message)

    def wait_for_messages(self, user, n, folder="INBOX", seconds=30):
        with self.imap(user) as imap:
            return imap.status(folder, "MESSAGES")["MESSAGES"]

    def doveadm(self, *words, options=(), timeout=3600):
        """Offline administration, as the owner of the mail."""
        return subprocess.run(["doveadm", "-c", str(self.conf), *options, *words], text=True,
                              capture_output=True, check=True, timeout=timeout)
