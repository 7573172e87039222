#!/usr/bin/python3
"""Runs every test of the project and prints the sum: `N passed, N failed, N skipped`.

    tests/run.py [WORD...]

Unit tests and corpus replays run under AddressSanitizer and UBSan (meson, build-asan); then each
file tests/*/*_test.py, which starts its own servers; two at a time, where none disturbs another. With words, only the test files whose path has
one of them run, and no unit tests. A file that dies, hangs or prints no result counts as a failure.
Environment: BOURSE_LONG=1 for the long forms (200 kills instead of 25, ...)."""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:"
                    "quarantine_size_mb=32",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    # GLib's slices and static tables would otherwise look like leaks of ours.
    "G_SLICE": "always-malloc",
}
FILE_SECONDS = 900 if not os.environ.get("BOURSE_LONG") else 7200


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.lock = threading.Lock()

    def add_failure(self, name):
        self.failed += 1
        self.failures.append(name)

    def add_file(self, name, results, planned, status, timed_out):
        """`results`: (whether it failed, title, whether it was skipped) of each test."""
        for is_failed, title, is_skipped in results:
            if is_failed:
                self.add_failure(f"{name}: {title}")
            elif is_skipped:
                self.skipped += 1
            else:
                self.passed += 1
        if timed_out:
            self.add_failure(f"{name}: not finished after {FILE_SECONDS} s")
        elif planned is None or len(results) != planned:
            self.add_failure(f"{name}: {len(results)} results of {planned or 0} planned")
        elif status != 0 and not any(r[0] for r in results):
            self.add_failure(f"{name}: exit status {status}")


def run_unit_tests(total):
    build = TOP / "build-asan"
    start = time.monotonic()
    done = subprocess.run(
        ["meson", "test", "-C", str(build), "--no-rebuild", "--print-errorlogs",
         "--num-processes", str(os.cpu_count()), "--timeout-multiplier", "2"],
        env={**os.environ, **SANITIZERS}, stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    report = build / "meson-logs" / "testlog.junit.xml"
    if not report.exists():
        print(done.stdout)
        total.add_failure("unit tests: no report")
        return
    before = (total.passed, total.failed, total.skipped)
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                total.add_failure(f"{suite.get('name')}: {case.get('name')}")
            elif case.find("skipped") is not None:
                total.skipped += 1
            else:
                total.passed += 1
    # A test that dies after its last TAP line has no failed case of its own.
    if done.returncode != 0 and total.failed == before[1]:
        total.add_failure("meson test")
    if done.returncode != 0:
        print(done.stdout)
    print(f"unit tests and corpora under ASan+UBSan: {total.passed - before[0]} passed, "
          f"{total.failed - before[1]} failed, {time.monotonic() - start:.0f} s", flush=True)


def run_file(path, total, alone):
    """Runs one file; what it prints comes at once when it runs alone, else when it has ended."""
    name = str(path.relative_to(TOP))
    start = time.monotonic()
    lines = [f"== {name}\n"]
    if alone:
        print(lines[0], end="", flush=True)
    process = subprocess.Popen(["/usr/bin/python3", str(path)], cwd=TOP, stdin=subprocess.DEVNULL,
                               env={**os.environ, **SANITIZERS, "PYTHONPATH": str(TOP / "tests"),
                                    "PYTHONDONTWRITEBYTECODE": "1"},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    timed_out = threading.Event()

    def on_timeout():
        timed_out.set()
        os.killpg(process.pid, signal.SIGKILL)

    alarm = threading.Timer(FILE_SECONDS, on_timeout)
    alarm.start()
    planned, results = None, []
    for line in process.stdout:
        lines.append("  " + line)
        if alone:
            print(lines[-1], end="", flush=True)
        if match := re.match(r"1\.\.(\d+)", line):
            planned = int(match.group(1))
        elif match := re.match(r"(not )?ok \d+ - (.*)", line):
            results.append((match.group(1), match.group(2), "# SKIP" in line))
    status = process.wait()
    alarm.cancel()
    try:  # whatever the file left running
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    with total.lock:
        total.add_file(name, results, planned, status, timed_out.is_set())
        if not alone:
            print("".join(lines), end="")
        print(f"   {time.monotonic() - start:.0f} s", flush=True)


def is_alone(path):
    """What measures times or memory, or needs the whole machine to hurt a server."""
    return path.parent.name == "faults" or path.stem in ("idle_test", "export_memory_test", "faults_test")


def run_files(paths, total):
    shared = [p for p in paths if not is_alone(p)]
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for done in [pool.submit(run_file, p, total, len(shared) == 1) for p in shared]:
            done.result()
    for path in paths:
        if is_alone(path):
            run_file(path, total, True)


def main():
    words = sys.argv[1:]
    total = Sum()
    if not words:
        run_unit_tests(total)
    run_files([path for path in sorted((TOP / "tests").glob("*/*_test.py"))
               if not words or any(w in str(path.relative_to(TOP)) for w in words)], total)
    for name in total.failures:
        print("FAILED " + name)
    if total.passed + total.failed == 0:
        total.add_failure("no test ran")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
