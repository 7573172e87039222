"""A private PostgreSQL in a temporary folder, reached by its socket only; stopped by its pid."""

import glob
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness import tap


def programs():
    """The folder of Debian's server programs; None: not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return pathlib.Path(found[-1]).parent if found else None


class Postgres:
    def __init__(self):
        self.bin = programs()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bourse-pg-"))
        # The server refuses to run as root; Debian's package brings a user for it.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(self.dir, "postgres", "postgres")
        self.data = self.dir / "data"
        self.run(self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "test", "-E", "UTF8",
                 "--locale=C", "--no-sync", "--no-instructions")
        self.log = open(self.dir / "log", "wb")
        self.server = subprocess.Popen(
            [*self.prefix, str(self.bin / "postgres"), "-D", str(self.data), "-k", str(self.dir),
             "-c", "listen_addresses="], stdout=self.log, stderr=self.log, cwd=self.dir)
        end = time.monotonic() + 30
        while subprocess.run([str(self.bin / "pg_isready"), "-q", "-h", str(self.dir)],
                             check=False).returncode != 0:
            if time.monotonic() > end or self.server.poll() is not None:
                tap.fail("PostgreSQL does not start: " + (self.dir / "log").read_text())
            time.sleep(0.05)

    def run(self, *words):
        done = subprocess.run([*self.prefix, *map(str, words)], capture_output=True, text=True,
                              cwd=self.dir, check=False)
        if done.returncode != 0:
            tap.fail(f"{words[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def sql(self, text, go_on=False):
        """Runs SQL, with `go_on` past errors; what it complained of, or None."""
        done = subprocess.run([str(self.bin / "psql"), "-h", str(self.dir), "-U", "test", "-d", "postgres",
                               "-X", "-q", "-v", f"ON_ERROR_STOP={0 if go_on else 1}", "-f", "-"],
                              input=text, capture_output=True, text=True, check=False)
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line]
        return done.stderr.strip() if done.returncode or errors else None

    def stop(self):
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 2)  # fast shutdown
        self.server.wait(30)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
