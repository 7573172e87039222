#!/usr/bin/python3
"""docs/requirements/*.tsv name, for each statement of a specification, the test that shows it or why
there is none: every test named there exists, and names the statement at the assertion that would
break."""

import pathlib
import re

from harness import tap
from harness.tap import expect, expect_equal, test

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FILES = ["MS-OXCFOLD.tsv", "MS-OXCTABL.tsv", "MS-OXCPERM.tsv"]
STATES = {"covered", "not yet", "not applicable"}
IDS = re.compile(r"\b(MS-OX\w+?)_(R\d+)((?:[ ,]+R\d+\b)*)")


def registered(text):
    """Test paths of a C test file, by the function that each runs."""
    found = {fn: path for path, fn in re.findall(r'g_test_add_func\(\s*"([^"]+)",\s*(\w+)\)', text)}
    # Macros that take the whole path, and g_test_add itself.
    found.update({fn: path for path, fn in re.findall(r'\b[A-Z_]+\(\s*"(/[^"]+)",\s*(\w+)\)', text)})
    found.update({fn: path for path, fn in re.findall(
        r'g_test_add\(\s*"(/[^"]+)",[^;]*?(\w+),\s*\w+\);', text)})
    found.update({fn: path for path, fn in re.findall(r'WORLD_TEST\("([^"]+)",\s*(\w+)\)', text)})
    prefix = re.search(r'g_test_add\(\s*"([^"]*)"\s*name', text)
    if prefix:
        found.update({fn: prefix.group(1) + name
                      for name, fn in re.findall(r'\b(?:TEST|ADD)\("([^"]+)",\s*(\w+)\)', text)})
    return found


def named():
    """Test path -> the statements its function names."""
    tests = {}
    for path in sorted((TOP / "src").rglob("*_test.c")):
        text = path.read_text(encoding="utf-8")
        functions = registered(text)
        tests.update({name: set() for name in functions.values()})
        function = None
        # A comment that goes on in the next line is one comment.
        for line in re.sub(r"\n\s*//\s*", " ", text).split("\n"):
            if start := re.match(r"static void (\w+)\(", line):
                function = start.group(1)
            elif line.startswith(("}", "static const")):
                function = None
            for doc, first, more in IDS.findall(line):
                found = {f"{doc}_{number}" for number in [first] + re.findall(r"R\d+", more)}
                # A table outside of functions is for every test of its file.
                for name in [functions.get(function)] if function else functions.values():
                    if name:
                        tests[name].update(found)
    return tests


def rows(name):
    lines = (TOP / "docs" / "requirements" / name).read_text(encoding="utf-8").splitlines()
    table = [line.split("\t") for line in lines if not line.startswith("#")]
    expect_equal(table[0], ["id", "state", "test or reason"], f"{name}: the header")
    return table[1:]


@test
def every_statement_has_one_known_state():
    for name in FILES:
        seen = set()
        for row in rows(name):
            expect_equal(len(row), 3, f"{name}: {row}")
            expect(row[0] not in seen, f"{name}: {row[0]} twice")
            expect(row[1] in STATES and row[2].strip(), f"{name}: {row}")
            seen.add(row[0])


@test
def every_test_that_is_named_exists_and_names_the_statement():
    tests = named()
    for name in FILES:
        for statement, state, why in rows(name):
            if state != "covered":
                continue
            expect(why in tests, f"{name}: {statement}: there is no test {why}")
            expect(statement in tests[why], f"{name}: {why} does not name {statement}")


tap.finish()
