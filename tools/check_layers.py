#!/usr/bin/env python3
"""Check that includes and third-party symbols keep to docs/layers.txt, and that CMake says the same.

Usage: check_layers.py [ROOT]. Prints one line per violation; exit code 1 when there is any.
"""

import re
import sys
from pathlib import Path

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def code_only(text, keep_includes=True):
    """The text without comments and string contents; line numbers stay. Names in #include stay."""

    def blank(match):
        found = match.group(0)
        if keep_includes and found.startswith('"'):
            start = text.rfind("\n", 0, match.start()) + 1
            if re.match(r"\s*#\s*include\b", text[start:match.start()]):
                return found
        return re.sub(r"[^\n]", " ", found)

    return COMMENT_OR_STRING.sub(blank, text)


class Layers:
    """What docs/layers.txt says."""

    def __init__(self, path):
        self.uses, self.headers, self.doors, self.errors = {}, {}, [], []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split("#")[0].split() if not line.startswith("door") else line.split()
            if not words:
                continue
            if words[0] == "module" and len(words) >= 3 and words[2] == "uses":
                above = [name for name in words[3:] if name not in self.uses]
                if above:
                    self.errors.append(f"{path}:{number}: '{words[1]}' uses '{above[0]}', which is not below it")
                self.uses[words[1]] = set(words[3:])
            elif words[0] == "header" and len(words) == 3:
                self.headers[words[1]] = words[2]
            elif words[0] == "door":
                match = re.match(r"door\s+(.*?\S)\s{2,}(.+)$", line)
                if match is None:
                    self.errors.append(f"{path}:{number}: a door needs a pattern, two blanks, and modules")
                    continue
                self.doors.append((re.compile(r"(?<![\w.>])(?:" + match.group(1) + ")"), set(match.group(2).split())))
            else:
                self.errors.append(f"{path}:{number}: not understood: {line.strip()}")


def lines_of(text, pattern):
    """(line number, match) of every hit."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match


def module_of(path, root, layers):
    """Module of a source file, or None for public headers that layers.txt does not list."""
    parts = path.relative_to(root).parts
    if parts[0] == "src":
        return parts[1]
    return layers.headers.get(path.stem)


INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def check_includes(path, text, module, root, layers):
    """Own headers come from modules below; public headers include public headers only."""
    allowed = layers.uses[module] | {module} if module != "all" else set(layers.uses)
    for number, match in lines_of(text, INCLUDE):
        name = match.group(1)
        where = f"{path.relative_to(root)}:{number}"
        if name == "halograft_version.h":
            continue
        if "/" not in name:
            yield f"{where}: write \"{name}\" with its module in front"
            continue
        folder, file = name.split("/", 1)
        if folder == "halograft":
            target = layers.headers.get(Path(file).stem)
            if target is None:
                yield f"{where}: public header '{name}' is not listed in docs/layers.txt"
                continue
        else:
            target = folder
            if path.relative_to(root).parts[0] == "include":
                yield f"{where}: a public header must not include the internal '{name}'"
        if target not in allowed and target != "all":
            yield f"{where}: '{module}' must not use '{target}' ({name})"
        if not (root / "include" / name).exists() and not (root / "src" / name).exists():
            yield f"{where}: '{name}' does not exist"


def check_doors(path, text, module, root, layers):
    """Third-party symbols only behind their door."""
    for pattern, modules in layers.doors:
        if module in modules:
            continue
        for number, match in lines_of(text, pattern):
            yield (f"{path.relative_to(root)}:{number}: '{match.group(0).strip()}' belongs behind the door of "
                   f"{' or '.join(sorted(modules))}")


def check_umbrella(root, layers):
    """The header of module "all" includes every other public header."""
    for umbrella in [name for name, module in layers.headers.items() if module == "all"]:
        path = root / f"include/halograft/{umbrella}.h"
        included = set(INCLUDE.findall(path.read_text(encoding="utf-8"))) if path.exists() else set()
        for name in layers.headers:
            if name != umbrella and f"halograft/{name}.h" not in included:
                yield f"include/halograft/{umbrella}.h: does not include 'halograft/{name}.h'"


def check_cmake(root, layers):
    """hg_add_module(NAME x DEPENDS ...) must declare what layers.txt allows, no more and no less."""
    text = (root / "src/CMakeLists.txt").read_text(encoding="utf-8")
    found = {}
    for match in re.finditer(r"hg_add_module\(([^)]*)\)", text):
        lists, key = {}, None
        for word in match.group(1).split():
            if word in ("NAME", "DEPENDS", "DOORS"):
                key = word
            else:
                lists.setdefault(key, []).append(word)
        found[lists["NAME"][0]] = set(lists.get("DEPENDS", []))
    for module, uses in layers.uses.items():
        if module != "cli" and found.get(module) != uses:
            yield f"src/CMakeLists.txt: DEPENDS of '{module}' and docs/layers.txt differ"
    for module in found.keys() - layers.uses.keys():
        yield f"src/CMakeLists.txt: module '{module}' is not in docs/layers.txt"


def check(root):
    """All violations below a source tree, as lines of text."""
    layers = Layers(root / "docs/layers.txt")
    yield from layers.errors
    yield from check_cmake(root, layers)
    yield from check_umbrella(root, layers)
    for name in layers.headers:
        if not (root / f"include/halograft/{name}.h").exists():
            yield f"docs/layers.txt: include/halograft/{name}.h does not exist"
    files = sorted([*root.glob("src/*/*.[ch]"), *root.glob("include/halograft/*.h")])
    if not files:
        yield f"{root}: no source files"
    for path in files:
        module = module_of(path, root, layers)
        if module is None:
            yield f"{path.relative_to(root)}: not listed in docs/layers.txt"
            continue
        if module not in layers.uses and module != "all":
            yield f"{path.relative_to(root)}: module '{module}' is not in docs/layers.txt"
            continue
        text = code_only(path.read_text(encoding="utf-8"))
        yield from check_includes(path, text, module, root, layers)
        yield from check_doors(path, text, module, root, layers)


def main():
    """Command line."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    violations = list(check(root))
    print("\n".join(violations) or "layers: no violation")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
