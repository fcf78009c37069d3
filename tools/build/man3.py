"""usage: man3.py HEADER DATE    prints the manual page of a public header: its comments, each beside what it is about"""

import os
import re
import sys
import textwrap


def blocks(text):
    """(comment, declarations) in order; the first has none: it is about the whole header."""
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", text, flags=re.S)
    text = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.M)
    head = re.match(r"/\*(.*?)\*/", text, flags=re.S)
    yield head[1], ""
    for chunk in re.split(r"\n\s*\n", text[head.end() :].strip("\n")):
        comment = re.match(r"/\*(.*?)\*/\n?", chunk, flags=re.S)
        declarations = chunk[comment.end() :] if comment else chunk
        if comment or declarations.strip():
            yield comment[1] if comment else "", declarations.strip("\n")


def escape(line):
    line = line.replace("\\", "\\e")
    return "\\&" + line if line[:1] in (".", "'") else line


def wrapped(text):
    return map(escape, textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False))


def with_functions(sentence):
    """mdoc marks names such as dlerror() up, each on a line of its own."""
    pieces = re.split(r"\b(\w+)\(\)([.,;:)]*)(?:\s|$)", sentence)
    yield from wrapped(pieces[0])
    for name, punctuation, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        yield f".Fn {name}" + "".join(f" {c}" for c in punctuation)
        yield from wrapped(rest)


def prose(comment):
    """Paragraphs of a comment, a sentence a line as mdoc likes it."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", comment.strip())):
        if number:
            yield ".Pp"
        words = " ".join(paragraph.split())
        for sentence in re.split(r"(?<=[.!?:)]) (?=[A-Z(])", words):
            yield from with_functions(sentence)


def one_line(comment):
    """What stands in the NAME section."""
    first = re.split(r"(?<=[.:])\s", " ".join(comment.split()))[0].rstrip(".:")
    return first[0].lower() + first[1:] if not first[:2].isupper() else first


def page(path, date):
    with open(path) as file:
        parts = list(blocks(file.read()))
    name = os.path.basename(path)[:-2]
    functions = []
    for _, declarations in parts:
        plain = re.sub(r"/\*.*?\*/", "", declarations, flags=re.S)
        functions += [f for f in re.findall(r"\b(evy_\w+)\s*\(", plain) if f not in functions]
    yield f".Dd {date}\n.Dt EVY_{name.upper()} 3\n.Os\n.Sh NAME"
    for function in functions or [f"evy_{name}"]:
        yield f".Nm {function}" + (" ," if function != (functions or [function])[-1] else "")
    yield f".Nd {escape(one_line(parts[0][0]))}\n.Sh SYNOPSIS\n.In evy/{name}.h\n.Sh DESCRIPTION"
    yield from prose(parts[0][0])
    for comment, declarations in parts[1:]:
        if declarations:
            yield ".Bd -literal"
            yield from (escape(line) for line in declarations.split("\n"))
            yield ".Ed"
        if comment:
            yield ".Pp"
            yield from prose(comment)
    yield ".Sh SEE ALSO\n.Xr libevy 7"


print("\n".join(page(sys.argv[1], sys.argv[2])))
