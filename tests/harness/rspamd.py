"""A real rspamd for tests: one normal worker on a free port of the loopback, with a configuration of
its own and nothing that asks the network.

    with Rspamd() as filter:
        filter.url      "http://127.0.0.1:40333", for `[policy] rspamd`

Skips the test when rspamd is not installed."""

import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from harness import tap
from harness.knot import free_port

READY_SECONDS = 60


class Rspamd:
    def __init__(self):
        self.program = shutil.which("rspamd")
        if not self.program:
            tap.skip("rspamd is not installed")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bourse-rspamd-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.conf = self.root / "rspamd.conf"
        self.log = self.root / "rspamd.log"
        self.conf.write_text(f"""\
options {{
  filters = "";
  lua_path = "/usr/share/rspamd/lualib/?.lua";
  pidfile = "{self.root}/rspamd.pid";
  dns {{ nameserver = ["127.0.0.1:{free_port()}"]; timeout = 0.1s; retransmits = 1; }}
  gtube_patterns = "all";
  url_tld = "{self.root}/suffixes";
  history_rows = 10;
  hs_cache_dir = "{self.root}";
  tempdir = "{self.root}";
  stats_file = "{self.root}/stats.ucl";
}}
logging {{ type = "file"; filename = "{self.log}"; level = "info"; }}
worker "normal" {{
  bind_socket = "127.0.0.1:{self.port}";
  count = 1;
}}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
lua = "{self.root}/rules.lua";
""")
        (self.root / "suffixes").write_text("com\ntest\n")  # thousands take long to compile
        (self.root / "rules.lua").write_text("""\
rspamd_config:register_symbol{
  name = 'TEST_SUBJECT', score = 8.0, type = 'normal',
  callback = function(task) return (task:get_subject() or ''):find('cheap') ~= nil end,
}
rspamd_config:register_symbol{
  name = 'PHISHING_TEST', score = 7.0, type = 'normal',
  callback = function(task) return (task:get_subject() or ''):find('password') ~= nil end,
}
""")
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-f", "-i", "-c", str(self.conf)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, cwd=self.root)
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/ping", timeout=1) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.05)
        text = self.log.read_text(errors="replace")
        self.stop()
        tap.fail(f"rspamd is not ready\n{text[-3000:]}")

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)
        return False
