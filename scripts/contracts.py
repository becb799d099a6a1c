# SPDX-License-Identifier: MIT
"""What the public headers say about each function, for the manual and its checks."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
DECLARED = re.compile(r"^(?:HOCKET_API[^;{]*?\b|#define )(hocket_(?!_)\w+)\(", re.M)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def headers():
    folder = os.path.join(ROOT, "include", "hocket")
    return sorted(name for name in os.listdir(folder) if name.endswith(".h"))


def functions():
    """(header, name, words of the comment above it) of each public function and function macro."""
    for header in headers():
        text = read(f"include/hocket/{header}")
        seen = set()
        for match in COMMENT.finditer(text):
            code = text[match.end():].split("/*")[0]
            if not code.startswith(("\nHOCKET_API", "\n#define hocket_")):
                continue
            words = " ".join(re.sub(r"^\s*\*?", "", line).strip()
                             for line in match.group(1).split("\n"))
            for name in DECLARED.findall(code.split("\n\n")[0]):
                if name not in seen:
                    seen.add(name)
                    yield header, name, words


def is_cancel_point(words):
    return re.search(r"(?:^|[.:;)\s]\s)\s*(A cancel point|Cancel points)\b", words) is not None


def is_signal_safe(words):
    return "Async-signal-safe" in words
