#!/usr/bin/env python3
"""Check file names, places and sizes: short files, unique names, shallow folders, tidy text.

Usage: check_names.py [ROOT]. Prints one line per violation; exit code 1 when there is any.
"""

import re
import sys
from pathlib import Path

LINES = {"tests": 700}  # a list of cases may be longer
LINES_ELSE = 600
# Deepest place of a file below each folder: number of path components, file name included.
DEPTH = {"src": 3, "include": 3, "tests": 4, "tools": 3, "bench": 2, "cmake": 2, "params": 3, "jobscripts": 3,
         "docs": 3, "examples": 3}
SOURCES = {".c", ".h", ".py", ".sh", ".cmake"}
PER_FOLDER = {"__init__.py", "CMakeLists.txt", "main.c"}
NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]*$")
TEXTS = SOURCES | {".md", ".txt", ".yml", ".slurm"}


def files_of(root):
    """Files of the source tree, build output and caches left out."""
    for top in DEPTH:
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path


def check(root):
    """All violations below a source tree, as lines of text."""
    seen, count = {}, 0
    for path in files_of(root):
        place = path.relative_to(root)
        if len(place.parts) > DEPTH[place.parts[0]]:
            yield f"{place}: folders are at most {DEPTH[place.parts[0]] - 1} deep here"
        if path.suffix in SOURCES:
            count += 1
            if not NAME.match(path.name) and path.name not in PER_FOLDER | {"FindFFTW3.cmake"} \
                    and place.parts[0] != "cmake":
                yield f"{place}: file names are lower case"
            if path.name not in PER_FOLDER:
                if path.name in seen:
                    yield f"{place}: has the same name as {seen[path.name]}"
                seen[path.name] = place
        if path.suffix not in TEXTS:
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        most = LINES.get(place.parts[0], LINES_ELSE)
        if path.suffix in SOURCES and len(lines) > most:
            yield f"{place}: {len(lines)} lines, at most {most}; split it by noun"
        if text and not text.endswith("\n"):
            yield f"{place}: the last line has no end"
        for number, line in enumerate(lines, 1):
            if line != line.rstrip() and path.suffix != ".md":
                yield f"{place}:{number}: white space at the end of a line"
            if "\t" in line:
                yield f"{place}:{number}: tab"
            if re.search(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)", line) and path.name != "check_names.py":
                yield f"{place}:{number}: a reminder needs the number of an issue"
    if count == 0:
        yield f"{root}: no source files"


def main():
    """Command line."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    violations = list(check(root))
    print("\n".join(violations) or "names: no violation")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
