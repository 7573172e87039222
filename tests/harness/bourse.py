"""Starts and stops servers for tests: Bourse itself, in a fresh data directory and on free ports.

    with Server(users=["alice", "bob"]) as server:
        server.address("imap")            ("127.0.0.1", 40123)
        server.run("user", "list", ...)   the command line on its data directory
        server.deliver("alice", b"...")   by SMTP, answered 250

Leaving the block stops it by SIGTERM and checks what a stop must be: exit status 0 in time, and no
word of a sanitizer in its output."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import mail, tap

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DOMAIN = "example.test"
PASSWORD = "correct horse battery staple"
READY_SECONDS = 120
STOP_SECONDS = 120

SANITIZER_WORDS = re.compile(
    r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|WARNING: ThreadSanitizer|"
    r"ThreadSanitizer:DEADLYSIGNAL|AddressSanitizer:DEADLYSIGNAL|GLib.*-CRITICAL|GLib.*-WARNING")


def binary(build="asan"):
    """The program of one build: "asan", "plain" or "tsan". BOURSE_BIN overrides all of them."""
    if path := os.environ.get("BOURSE_BIN"):
        return pathlib.Path(path)
    folder = {"asan": "build-asan", "plain": "build", "tsan": "build-tsan"}[build]
    path = TOP / folder / "src" / "main" / "bourse"
    if not path.exists():
        tap.fail(f"{path} is missing: make test builds it")
    return path


def sanitizer_environment(build):
    env = dict(os.environ)
    if build == "asan":
        env.setdefault("ASAN_OPTIONS", "detect_leaks=1:quarantine_size_mb=32")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    if build == "tsan":
        suppressions = TOP / "tests" / "harness" / "tsan.supp"
        env["TSAN_OPTIONS"] = (f"suppressions={suppressions}:halt_on_error=0:exitcode=66:"
                               "second_deadlock_stack=1:history_size=4")
        # Debian's GLib is not instrumented; this tells ThreadSanitizer of its locks.
        env["LD_PRELOAD"] = str(TOP / "build-tsan" / "tsan_glib.so")
    return env


class Server:
    """One data directory and the server on it."""

    def __init__(self, users=("alice",), build="asan", profile="test", settings=None, folder=None,
                 init=True):
        self.build = build
        self.binary = binary(build)
        self.environment = sanitizer_environment(build)
        self.root = pathlib.Path(folder or tempfile.mkdtemp(prefix="bourse-test-"))
        self.dir = self.root / "data"
        self.log = self.root / "server.log"
        self.users = []
        self.process = None
        self._output = None
        self._keep = folder is not None
        if init:
            self.run("init", self.dir, "--profile", profile, "--domain", DOMAIN,
                     "--organization", "Test", "--hostname", "mail." + DOMAIN)
            if settings:
                self.configure(settings)
            for name in users:
                self.add_user(name)

    # --- The data directory ---

    def run(self, *words, stdin=None, check=True, timeout=600):
        """Runs one command; text output. A sanitizer's report fails the test whatever the status."""
        done = subprocess.run([str(self.binary), *map(str, words)], input=stdin, text=True,
                              errors="surrogateescape", capture_output=True, check=False,
                              timeout=timeout, env=self.environment)
        complain_about_sanitizers(done.stderr, " ".join(map(str, words)))
        if check and done.returncode != 0:
            tap.fail(f"bourse {' '.join(map(str, words))}: exit status {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
        return done

    def json(self, *words, **kwargs):
        return json.loads(self.run(*words, "--json", **kwargs).stdout)

    def add_user(self, name, full_name=None, password=PASSWORD):
        address = name if "@" in name else f"{name}@{DOMAIN}"
        self.run("user", "add", self.dir, address, "--name",
                 full_name or name.split("@")[0].capitalize() + " Test", "--password-stdin",
                 stdin=password + "\n")
        self.users.append(address)
        return address

    def configure(self, settings):
        """{"limits": {"message": "60M"}}: replaces (or adds) keys in bourse.conf."""
        path = self.dir / "bourse.conf"
        lines = path.read_text().splitlines()
        for section, values in settings.items():
            for key, value in values.items():
                _set_key(lines, section, key, value)
        path.write_text("\n".join(lines) + "\n")

    # --- The process ---

    def start(self):
        self._output = open(self.log, "ab")
        start = time.monotonic()
        self.process = subprocess.Popen([str(self.binary), "serve", str(self.dir)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self._output, env=self.environment)
        self._ready = threading.Event()
        threading.Thread(target=self._watch_output, args=(self.process.stdout,), daemon=True).start()
        while not self._ready.wait(0.05):
            if self.process.poll() is not None:
                tap.fail(f"bourse serve ended with {self.process.returncode}\n{self.tail()}")
            if time.monotonic() - start > READY_SECONDS:
                self.kill()
                tap.fail(f"not ready after {READY_SECONDS} s\n{self.tail()}")
        self.ready_seconds = time.monotonic() - start
        return self

    def _watch_output(self, pipe):
        for line in pipe:
            if line.startswith(b"bourse: ready"):
                self._ready.set()
            if not self._output.closed:
                self._output.write(line)
                self._output.flush()

    def stop(self):
        """SIGTERM; checks the exit status and the output. Does nothing when not running."""
        if not self.process:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            tap.fail(f"not stopped {STOP_SECONDS} s after SIGTERM\n{self.tail()}")
        self._output.close()
        self.complain()
        if status != 0:
            tap.fail(f"exit status {status} after SIGTERM\n{self.tail()}")

    def kill(self):
        """SIGKILL, as a power cut of the process."""
        if self.process:
            process, self.process = self.process, None
            process.kill()
            process.wait()
            self._output.close()

    def restart(self):
        self.stop()
        return self.start()

    def complain(self):
        """Fails when the server's output has a sanitizer's report."""
        complain_about_sanitizers(self.log.read_text(errors="replace"), "server output")

    def tail(self, n=40):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n:])

    def check_alive(self):
        if self.process and self.process.poll() is not None:
            tap.fail(f"the server died with {self.process.returncode}\n{self.tail()}")

    def remove(self):
        self.stop()
        if not self._keep:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind:
            if self.process:
                tap.note(self.tail())
            self.kill()
            if not os.environ.get("BOURSE_KEEP"):
                shutil.rmtree(self.root, ignore_errors=True)
            return False
        self.remove()
        return False

    # --- Ways in ---

    def listeners(self):
        result = {}
        for line in (self.dir / "run" / "listeners").read_text().splitlines():
            name, address = line.split()
            host, port = address.rsplit(":", 1)
            result[name] = (host.strip("[]"), int(port))
        return result

    def address(self, name):
        found = self.listeners().get(name)
        if not found:
            tap.fail(f"no listener {name}: {self.listeners()}")
        return found

    @property
    def ca(self):
        return self.dir / "tls" / "ca.pem"

    @staticmethod
    def password(_user):
        return PASSWORD

    def imap(self, user="alice", login=True, tls=False, timeout=60):
        connection = mail.Imap(self.address("imaps" if tls else "imap"),
                               ca=self.ca if tls else None, timeout=timeout)
        if login:
            connection.login(user if "@" in user else f"{user}@{DOMAIN}", PASSWORD)
        return connection

    def smtp(self, service="smtp", timeout=60):
        return mail.Smtp(self.address(service), ca=self.ca if service == "submissions" else None,
                         timeout=timeout)

    def deliver(self, user, message, sender="sender@remote.test"):
        address = user if "@" in user else f"{user}@{DOMAIN}"
        with self.smtp() as smtp:
            smtp.ehlo()
            smtp.send_message(sender, [address], message)

    def wait_for_messages(self, user, n, folder="INBOX", seconds=30):
        """Waits until the folder has n messages: 250 is said when the message is in the queue."""
        end = time.monotonic() + seconds
        with self.imap(user) as imap:
            while True:
                have = imap.status(folder, "MESSAGES")["MESSAGES"]
                if have >= n:
                    return have
                if time.monotonic() > end:
                    tap.fail(f"{folder} of {user} has {have} of {n} messages after {seconds} s")
                time.sleep(0.02)


def complain_about_sanitizers(text, where):
    if match := SANITIZER_WORDS.search(text):
        at = text.rfind("\n", 0, max(0, match.start() - 1500)) + 1
        tap.fail(f"{where}: {text[at:match.start() + 5000]}")


def _set_key(lines, section, key, value):
    inside, last = False, None
    for i, line in enumerate(lines):
        if re.match(r"\s*\[", line):
            inside = line.strip() == f"[{section}]"
        if inside:
            last = i
            if re.match(rf"\s*#?\s*{re.escape(key)}\s*=", line):
                lines[i] = f"{key} = {value}"
                return
    if last is None:
        lines += [f"[{section}]", f"{key} = {value}"]
    else:
        lines.insert(last + 1, f"{key} = {value}")
