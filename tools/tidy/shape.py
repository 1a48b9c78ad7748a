"""Lengths, and what may not be inside a function or a declaration."""

import re
import statistics

COLUMNS_MAX, FILE_LINES_MAX, FUNCTION_LINES_MAX, FUNCTION_LINES_GOOD = 120, 600, 70, 40

CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b")
TYPEDEF = re.compile(r"\btypedef\s+(?:const\s+|volatile\s+)*(struct|union)\b")
SLEEP = re.compile(r"\b(usleep|nanosleep|clock_nanosleep|thrd_sleep|sleep)\s*\(|\bpoll\s*\(\s*NULL\b")
SHELL_SLEEP = re.compile(r"(?:^|[;&|]|\bdo\b|\bthen\b)\s*(sleep)\s+[\d.$]")


def check_line_length(tree):
    for source in tree.sources:
        if not (source.is_program_text or source.path.name == "Makefile"):
            continue  # prose is wrapped by whatever shows it
        for number, line in enumerate(source.lines, 1):
            if len(line.expandtabs(4)) > COLUMNS_MAX:
                yield source, number, f"{len(line)} columns; break it, {COLUMNS_MAX} is the most"


def check_file_length(tree):
    for source in tree.sources:
        count = len(source.lines) - 1
        if source.is_program_text and count > FILE_LINES_MAX:
            yield source, count, f"{count} lines; divide the file, {FILE_LINES_MAX} is the most"


def check_function_length(tree):
    for source in tree.c("src"):
        for function in source.functions:
            if function.length > FUNCTION_LINES_MAX:
                what = f"{function.name} has {function.length} lines; divide it, {FUNCTION_LINES_MAX} is the most"
                yield source, function.first, what


def function_summary(tree):
    lengths = [function.length for source in tree.c("src") for function in source.functions]
    if not lengths:
        return "functions of src: none"
    share = sum(length < FUNCTION_LINES_GOOD for length in lengths) / len(lengths)
    return (f"functions of src: {len(lengths)}, median {statistics.median(lengths):g} lines, "
            f"{share:.1%} under {FUNCTION_LINES_GOOD}, longest {max(lengths)}")


def check_conditionals(tree):
    for source in tree.c("src"):
        lines = source.uncommented.split("\n")
        for function in source.functions:
            for number in range(function.first, function.last):
                found = CONDITIONAL.match(lines[number - 1])
                if found:
                    what = f"#{found.group(1)} inside {function.name}; choose a file in meson, or a macro in a header"
                    yield source, number, what


def check_struct_typedefs(tree):
    for source in tree.c():
        for match in TYPEDEF.finditer(source.code):
            what = f"typedef of a {match.group(1)}; say `{match.group(1)} name` where it is used"
            yield source, source.line_at(match.start()), what


def check_sleeps(tree):
    for source in tree.sources:
        if not source.under("tests"):
            continue
        pattern = SHELL_SLEEP if source.path.suffix == ".sh" else SLEEP
        lines = source.code.split("\n") if source.is_c else source.lines
        for number, line in enumerate(lines, 1):
            if pattern.search(line) and "real time:" not in source.lines[number - 1]:
                yield source, number, "a test sleeps; wait for the event, or say why in a comment `real time: ...`"
