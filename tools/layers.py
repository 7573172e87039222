#!/usr/bin/python3
"""Checks the shape of src/: includes point downwards only, internal headers stay at home, files
stay short.

    tools/layers.py [SRC]

A folder of src/ may include the headers of its own folder and of folders on a lower floor; folders
on one floor do not see each other. `*_internal.h` never leaves its folder. No file but a generated
one is longer than 800 lines. Exit status 1 with one line a violation."""

import pathlib
import re
import sys

FLOORS = {
    "base": 0,
    "net": 1, "db": 1, "mapi": 1, "formats": 1, "dns": 1,
    "convert": 2, "policy": 2,
    "directory": 3, "store": 3, "queue": 3, "relay": 3,
    "auth": 4, "mailbox": 4,
    "transport": 5, "http": 5,
    "protocol": 6,
    "mapihttp": 7, "rpc": 7, "probe": 7, "admin": 7,
    "main": 8,
}
# On the same floor, and still allowed: a session's principal is what a mailbox checks rights for.
SAME_FLOOR = {("mailbox", "auth")}
# The store and the engine are behind mailbox/ for protocols; ROPs handle the store's own objects.
HIDDEN_FROM_PROTOCOLS = {"store", "db", "queue"}
SEES_STORE = {"protocol/rop"}
# The probe is a client: it shares nothing with the server but values.
ONLY_SEES = {"probe": {"base", "mapi"}}
QUEUE_USERS = {"protocol/smtp"}  # DATA is spooled where it arrives

TEST_ENDS = ("_test.c", "_test_part.c", "_fixture.h", "_fuzz.c")

MAX_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def module_of(path):
    """The folder that counts as one module: protocol/imap, store, ..."""
    parts = path.parts
    return "/".join(parts[:2]) if parts[0] == "protocol" and len(parts) > 2 else parts[0]


def floor_of(module):
    return FLOORS.get(module.split("/")[0])


def check_include(own, target, is_test):
    """None, or why a file of module `own` may not include the header `target`."""
    other = module_of(target)
    if other == own:
        return None
    if floor_of(other) is None:
        return f"{target}: not a path from src/ or an unknown folder"
    if target.stem.endswith("_internal"):
        return f"{target}: internal to {other}"
    if own in ONLY_SEES and other not in ONLY_SEES[own]:
        return f"{target}: {own} sees only {' and '.join(sorted(ONLY_SEES[own]))}"
    if own.startswith("protocol/") and not is_test:  # a test may build the store it runs on
        hidden = other in HIDDEN_FROM_PROTOCOLS and own not in SEES_STORE
        if hidden and not (other == "queue" and own in QUEUE_USERS):
            return f"{target}: {own} sees {other} only through mailbox/"
    if floor_of(other) < floor_of(own) or (own, other) in SAME_FLOOR:
        return None
    return f"{target}: {other} (floor {floor_of(other)}) is not below {own} (floor {floor_of(own)})"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                        pathlib.Path(__file__).resolve().parent.parent / "src")
    problems, files, includes = [], 0, 0
    for path in sorted(root.rglob("*.[ch]")):
        name = path.relative_to(root)
        files += 1
        own = module_of(name)
        if floor_of(own) is None:
            problems.append(f"{name}: folder {own} has no floor in tools/layers.py")
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        is_generated = bool(lines) and lines[0].startswith("// Made by tools/")
        if len(lines) > MAX_LINES and not is_generated:
            problems.append(f"{name}: {len(lines)} lines; split by topic (limit {MAX_LINES})")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            includes += 1
            target = pathlib.PurePosixPath(match.group(1))
            # A generated table or a neighbour named without its folder.
            if len(target.parts) == 1:
                problems.append(f"{name}:{number}: {target}: write the path from src/")
                continue
            why = check_include(own, target, name.name.endswith(TEST_ENDS))
            if why:
                problems.append(f"{name}:{number}: {why}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"layers: {files} files, {includes} includes, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
