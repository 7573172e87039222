"""A Kerberos realm of its own for a test: Debian's krb5-kdc on a free port of the loopback.

    with Kdc("EXAMPLE.TEST") as kdc:
        kdc.add("alice", "password")
        kdc.keytab(path, "imap/localhost", ...)
        env = kdc.login("alice", "password")     environment of clients with a ticket"""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import tap

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"


def missing():
    """None, or which program of Debian's krb5 packages is not there."""
    for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"):
        if not shutil.which(name, path=SBIN):
            return name
    return None


class Kdc:
    def __init__(self, realm):
        self.realm = realm
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bourse-kdc-"))
        self.port = _free_port()
        self.process = None
        (self.dir / "krb5.conf").write_text(f"""
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{self.port}
 }}
[domain_realm]
 localhost = {realm}
""")
        (self.dir / "kdc.conf").write_text(f"""
[kdcdefaults]
 kdc_listen = 127.0.0.1:{self.port}
 kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
 {realm} = {{
  database_name = {self.dir}/principal
  key_stash_file = {self.dir}/stash
  acl_file = {self.dir}/acl
  supported_enctypes = aes256-cts:normal
 }}
[logging]
 kdc = FILE:{self.dir}/kdc.log
""")
        self.env = {**os.environ, "PATH": SBIN, "KRB5_CONFIG": str(self.dir / "krb5.conf"),
                    "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf"),
                    "KRB5RCACHEDIR": str(self.dir)}
        self._run("kdb5_util", "create", "-s", "-r", realm, "-P", "master password")

    def _run(self, *words, stdin=None, env=None):
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False,
                              timeout=60, env=env or self.env)
        if done.returncode != 0:
            tap.fail(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def add(self, name, password=None):
        how = ["-pw", password] if password else ["-randkey"]
        self._run("kadmin.local", "-r", self.realm, "addprinc", *how, f"{name}@{self.realm}")

    def keytab(self, path, *names):
        for name in names:
            self.add(name)
            self._run("kadmin.local", "-r", self.realm, "ktadd", "-k", str(path),
                      f"{name}@{self.realm}")

    def login(self, name, password):
        env = {**self.env, "KRB5CCNAME": f"FILE:{self.dir}/tickets-{name.replace('/', '-')}"}
        self._run("kinit", f"{name}@{self.realm}", stdin=password + "\n", env=env)
        return env

    def __enter__(self):
        self.process = subprocess.Popen(["krb5kdc", "-n", "-r", self.realm], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None or time.monotonic() > end:
                log = self.dir / "kdc.log"
                tap.fail("krb5kdc does not answer\n" + (log.read_text() if log.exists() else ""))
            time.sleep(0.02)

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        return False


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
