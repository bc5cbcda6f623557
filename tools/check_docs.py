#!/usr/bin/env python3
"""Check the docstrings of all functions in headers, and the opening comments of files.

Rules: every function that a header declares has a docstring (neighbours without a blank line between
them share one); its first paragraph ends with a full stop; it holds exactly one of @local and
@collective{comm}, and is collective if and only if the first parameter is `const hg_comm *`; every
@param names a parameter. Headers name their layer, .c files open with a comment. Links between the
pages of the documentation lead somewhere.

Usage: check_docs.py [ROOT]. Prints one line per violation; exit code 1 when there is any.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

# Point-to-point calls: a matched pair on two ranks, collective in no useful sense.
POINT_TO_POINT = {"hg_comm_send", "hg_comm_receive"}
# Lifecycle words that may share the docstring of a collective function although they are local.
RELEASE = re.compile(r"_(free|close|clear)$")

CPLUSPLUS = re.compile(r"#ifdef __cplusplus\n.*?#endif", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M)
ATTRIBUTE = re.compile(r"\bHG_[A-Z]+\s*\([^()]*\)|\bHG_[A-Z_]+\b|__attribute__\s*\(\(.*?\)\)")
FUNCTION = re.compile(r"^[\w\s*]*?\b(hg_\w+)\s*\((.*)\)\s*$", re.S)


@dataclass
class Function:
    """A function as a header declares it."""

    name: str
    parameters: list
    collective: bool
    line: int


def spaces(match):
    """White space of the same shape, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group(0))


def split_parameters(text):
    """Parameters at the top level of commas."""
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [p.strip() for p in [*parts, current] if p.strip()]


def parameter_name(text):
    """Name of one parameter; function pointers too."""
    match = re.search(r"\(\s*\*\s*(\w+)", text)
    if match:
        return match.group(1)
    names = re.findall(r"[A-Za-z_]\w*", re.sub(r"\[[^\]]*\]", "", text))
    return names[-1] if names else ""


def parse_function(statement, line):
    """A Function when the statement declares one, else None."""
    text = ATTRIBUTE.sub(" ", statement).strip()
    if not text or text.startswith(("typedef", "struct", "enum", "union", "extern")) or "=" in text.split("(")[0]:
        return None
    match = FUNCTION.match(text)
    if match is None:
        return None
    parameters = split_parameters(match.group(2))
    collective = bool(parameters) and re.match(r"const\s+hg_comm\s*\*", parameters[0]) is not None
    return Function(match.group(1), [parameter_name(p) for p in parameters], collective, line)


def pieces(text):
    """Docstrings, statements and blank lines of a header in order: (kind, text, line)."""
    text = DIRECTIVE.sub(spaces, CPLUSPLUS.sub(spaces, text))
    position, depth, start = 0, 0, None
    while position < len(text):
        rest = text[position:]
        if rest.startswith("/*"):
            end = text.index("*/", position) + 2
            if rest.startswith("/**") and not rest.startswith("/**<") and depth == 0 and start is None:
                yield "doc", text[position:end], text.count("\n", 0, position) + 1
            position = end
            continue
        char = text[position]
        if start is None:
            blank = re.match(r"\n[ \t]*\n", rest)
            if blank:
                yield "blank", "", text.count("\n", 0, position) + 1
                position += 1
                continue
            if not char.isspace():
                start = position
        depth += (char == "{") - (char == "}")
        ended = depth == 0 and (char == ";" or (char == "}" and not re.match(r"\s*[\w;]", text[position + 1:])
                                                and "(" in text[start:position].split("{")[0]))
        if ended and start is not None:
            statement = re.sub(r"/\*.*?\*/", " ", text[start:position], flags=re.S).split("{")[0]
            yield "statement", statement, text.count("\n", 0, start) + 1
            start = None
        position += 1


def groups(text):
    """(docstring or None, line, functions that share it) of a header; a blank line ends a group."""
    doc, doc_line, functions = None, 0, []
    for kind, piece, line in pieces(text):
        if kind == "doc":
            if functions:
                yield doc, doc_line, functions
            doc, doc_line, functions = piece, line, []
        elif kind == "blank":
            if functions:
                yield doc, doc_line, functions
            doc, functions = None, []
        else:
            function = parse_function(piece, line)
            if function:
                functions.append(function)
    if functions:
        yield doc, doc_line, functions


def check_doc(doc, functions):
    """Violations of one docstring."""
    first = functions[0]
    body = re.sub(r"^\s*/?\*+/? ?", "", doc, flags=re.M).replace("*/", "").strip()
    summary = re.split(r"\n\s*\n|\n\s*@|\s@(?:local|collective)", body)[0].strip()
    if not summary.endswith((".", ".)")):
        yield first.line, f"'{first.name}': the first paragraph of its docstring must end with a full stop"
    local, collective = len(re.findall(r"@local\b", body)), body.count("@collective{comm}")
    if local + collective != 1 or ("@collective" in body and not collective):
        yield first.line, f"'{first.name}': the docstring needs exactly one of @local and @collective{{comm}}"
        return
    for i, function in enumerate(functions):
        if local and function.collective and function.name not in POINT_TO_POINT:
            yield function.line, f"'{function.name}' takes 'const hg_comm *' first but is documented @local"
        if collective and not function.collective and not (i > 0 and RELEASE.search(function.name)):
            yield function.line, f"'{function.name}' is documented @collective but takes no 'const hg_comm *' first"
    known = {name for function in functions for name in function.parameters}
    for match in re.finditer(r"@param\s*(?:\[[\w,]*\])?\s+(\w+(?:\s*,\s*\w+)*)", body):
        for name in re.split(r"\s*,\s*", match.group(1)):
            if name not in known:
                yield first.line, f"'{first.name}': @param '{name}' is no parameter"


def check_header(text):
    """Violations of a header: (line, sentence)."""
    opening = re.match(r"\s*/\*.*?\*/", text, re.S)
    if opening is None or not re.search(r"\bLayer:", opening.group(0)):
        yield 1, "a header opens with a comment that ends with its 'Layer:'"
    for doc, _, functions in groups(text):
        if doc is None:
            for function in functions:
                yield function.line, f"'{function.name}' has no docstring"
        else:
            yield from check_doc(doc, functions)


def check_links(root):
    """Relative links of Markdown pages lead to files that exist, and to headings that exist."""
    for path in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("*/README.md")]):
        for match in re.finditer(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            target, _, heading = match.group(1).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            page = (path.parent / target).resolve() if target else path
            if not page.exists():
                yield f"{path.relative_to(root)}: link to '{target}', which does not exist"
            elif heading:
                lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
                anchors = {re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in lines}
                if heading not in anchors:
                    yield f"{path.relative_to(root)}: link to heading '#{heading}' of '{target}', which does not exist"


def check(root):
    """All violations below a source tree, as lines of text."""
    yield from check_links(root)
    count = 0
    for path in sorted([*root.glob("include/halograft/*.h"), *root.glob("src/*/*.h")]):
        text = path.read_text(encoding="utf-8")
        count += sum(len(functions) for _, _, functions in groups(text))
        if path.name.endswith("_body.h"):
            continue  # code that a .c file includes several times, not an interface
        for line, sentence in check_header(text):
            yield f"{path.relative_to(root)}:{line}: {sentence}"
    for path in sorted(root.glob("src/*/*.c")):
        if not path.read_text(encoding="utf-8").lstrip().startswith("/*"):
            yield f"{path.relative_to(root)}:1: a source file opens with a comment on method and choice"
    if count == 0:
        yield f"{root}: no functions found"


def main():
    """Command line."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    violations = list(check(root))
    print("\n".join(violations) or "docs: no violation")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
