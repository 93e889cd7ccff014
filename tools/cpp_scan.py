"""A rough reading of C++ source for tidy.py: comments, strings, and where functions begin and end.

It follows braces, not grammar. It is meant for code in this project's format: no function-like
macros that open braces, no preprocessor branches within a function.
"""
import re

TOKEN = re.compile(
    r'R"(?P<tag>[^()\s\\]{0,16})\((?P<raw>.*?)\)(?P=tag)"'
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|(?:(?<![0-9A-Za-z_])|\b(?:u8|u|U|L))'(?:[^'\\\n]|\\.)+'"
    r"|(?P<line>//[^\n]*)"
    r"|(?P<block>/\*.*?\*/)", re.S)


# `const T name = `, `inline constexpr T name[] = `: what follows is a value.
INITIALISED = re.compile(r"\s*(static|constexpr|const|inline|\s)*\w[\w:<>, ]*\s+\w+(\[.*?\])*\s*=")


def blank_comments_and_strings(text):
    """`text` with comments, strings and characters replaced by spaces; lines and columns stay."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def comments(text):
    """Yields (line, comment without its marker), one for each line of a comment."""
    for match in TOKEN.finditer(text):
        if match["line"] or match["block"]:
            first = text.count("\n", 0, match.start()) + 1
            for offset, line in enumerate(match[0].split("\n")):
                yield first + offset, re.sub(r"^\s*(//+!?|/\*+|\*+/?)|\*/\s*$", "", line)


def _opens_scope(head):
    """Whether the text before a brace opens a namespace, class, enum or linkage block."""
    head = re.sub(r"\[\[.*?\]\]|\balignas\s*\([^)]*\)", "", head)
    if re.search(r"\bextern\s*$", head):
        return True
    head = re.sub(r"^\s*(template\s*<.*?>\s*)+(?=class|struct|union)", "", head, flags=re.S)
    return bool(re.match(r"\s*(inline\s+)?(namespace|class|struct|union|enum)\b", head)) and \
        "(" not in head


def _opens_body(head):
    """Whether the text before a brace at class or namespace scope is the head of a function."""
    if ")" not in head or head.rstrip().endswith("=") or INITIALISED.match(head):
        return False
    # The brace of a member in a constructor's list: `) : a_` or `, b_`.
    in_list = re.search(r"\)\s*(noexcept\s*)?:(?!:)", head)
    return not (in_list and re.search(r"[:,]\s*[\w:<>]+\s*$", head[in_list.start() + 1:]))


def functions(bare):
    """Yields (line, lines, title) of every function with a body in text without comments.

    A function's lines run from the first line of its head to its closing brace; lambdas and local
    classes count as lines of the function around them.
    """
    bare = re.sub(r"(?m)^#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m[0]), bare)
    stack = []  # of "scope", "body", "braces"
    head_start = 0
    body_head = 0
    depth_in_body = None
    for match in re.finditer(r"[{};]", bare):
        at, token = match.start(), match[0]
        head = bare[head_start:at]
        if depth_in_body is not None:
            stack += ["braces"] if token == "{" else []
            if token == "}":
                stack.pop()
                if len(stack) == depth_in_body:
                    depth_in_body = None
                    yield _measure(bare, body_head, at)
                    head_start = at + 1
            continue
        if token == "{":
            if _opens_scope(head):
                stack.append("scope")
                head_start = at + 1
            elif "braces" not in stack and _opens_body(head):
                depth_in_body = len(stack)
                body_head = head_start
                stack.append("body")
            else:
                stack.append("braces")
        elif token == "}":
            if stack and stack.pop() == "scope":
                head_start = at + 1
        elif "braces" not in stack:
            head_start = at + 1


def _measure(bare, start, end):
    start += len(bare[start:end]) - len(bare[start:end].lstrip())
    head = re.sub(r"^\s*(public|private|protected)\s*:\s*", "", bare[start:end])
    start = end - len(head)
    name = re.search(r"(operator\s*\S{1,3}|~?[\w:]+)\s*\(", head)
    first = bare.count("\n", 0, start) + 1
    return first, bare.count("\n", start, end) + 1, f"{name[1] if name else 'a function'}()"
