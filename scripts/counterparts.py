# SPDX-License-Identifier: MIT
"""The documents for those who come from elsewhere are complete, and speak of what there is.

doc/from-pthreads.md: every name that pthread.h, semaphore.h and threads.h of this system declare
stands in the first column of a table.  doc/from-python.md: so does every public name of four
modules of the Python that runs this, members and parameters included, in the section of its class.
Both: each row has a counterpart, and where it is `none` a reason; every hocket_* name, option and
page of the manual exists, and what is called has as many arguments; the programs are examples, and
those in Python write the same.
"""
import ast
import concurrent.futures
import glob
import inspect
import os
import queue
import re
import sched
import subprocess
import sys
import threading
import types

from sources import ROOT, files, read

FROM_C = "doc/from-pthreads.md"
FROM_PYTHON = "doc/from-python.md"
CODE = re.compile(r"`([^`]+)`")
# What later versions of Python have, or sets in __init__, where the modules do not show it.
MORE_PYTHON = """
    threading.__excepthook__ threading.RLock.locked queue.Queue.maxsize queue.ShutDown
    queue.Queue.shutdown threading.settrace_all_threads threading.setprofile_all_threads
    concurrent.futures.InterpreterPoolExecutor concurrent.futures.ProcessPoolExecutor.kill_workers
    concurrent.futures.ProcessPoolExecutor.terminate_workers
    concurrent.futures.Executor.map.buffersize threading.Thread.Thread.context
    concurrent.futures.BrokenThreadPool concurrent.futures.BrokenProcessPool
""".split()


def rows(path):
    """(line number, headings above it, cells) of each row of a table, its head left out."""
    headings = []
    lines = read(path).splitlines()
    for number, line in enumerate(lines, 1):
        match = re.match(r"(#+) (.*)", line)
        if match:
            headings = headings[:len(match.group(1)) - 1] + [match.group(2)]
        elif line.startswith("| ") and not "".join(lines[number:number + 1]).startswith("|---"):
            yield number, headings, [cell.strip() for cell in line.strip("|").split("|")]


def words(cell):
    return {word for code in CODE.findall(cell) for word in re.findall(r"\w+", code)}


# ---- C

def c_names():
    """What the headers declare for programs: functions, macros, constants, types."""
    paths = [f"/usr/include/{name}.h" for name in ("pthread", "semaphore", "threads")]
    for name in ("sigthread", "pthreadtypes", "semaphore"):
        paths += glob.glob(f"/usr/include/*/bits/{name}.h")
    names = set()
    for path in paths:
        if not os.path.exists(path):
            continue
        text = re.sub(r"/\*.*?\*/", " ", read(path), flags=re.S)
        names |= set(re.findall(r"\b((?:pthread|sem|thrd|mtx|cnd|tss)_\w+|call_once)\s*\(", text))
        names |= set(re.findall(r"^\s*#\s*define\s+((?:PTHREAD|SEM|TSS|ONCE)_\w+|thread_local)\b",
                                text, re.M))
        names |= set(re.findall(r"^\s*((?:PTHREAD|thrd|mtx)_\w+)\s*(?:[=,]|$)", text, re.M))
        names |= set(re.findall(r"\b((?:pthread|sem|mtx|cnd|thrd|tss)_(?:\w+_)?t|once_flag)\b",
                                text))
    return names


def check_c(complaints):
    covered = {word for _, _, cells in rows(FROM_C) for word in words(cells[0])}
    for name in sorted(c_names() - covered):
        complaints.add(FROM_C, f"{name} is in no first column")


# ---- Python

def public(module):
    for name in sorted(set(getattr(module, "__all__", [])) | set(vars(module))):
        value = getattr(module, name, None)
        listed = name in getattr(module, "__all__", [])
        if name.startswith("_") or value is None or isinstance(value, types.ModuleType):
            continue
        home = getattr(value, "__module__", None) or module.__name__
        if listed or home.startswith(module.__name__):
            yield name, value


def parameters(function):
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):  # one written in C that does not say
        return []
    return [name for name in found if name != "self" and not name.startswith("_")]


def members(cls, known):
    """Public names that this class adds to its bases: (member, its parameters)."""
    base = next((b for b in (OSError, BaseException, tuple) if issubclass(cls, b)), object)
    for name in dir(cls):
        if name == "__enter__" and name in vars(cls):
            yield "with", []
        owner = next((c for c in cls.__mro__ if name in vars(c)), cls)
        elsewhere = hasattr(base, name) or (owner is not cls and owner in known)
        if not (elsewhere or name.startswith("_") or re.fullmatch(r"n_\w*fields", name)):
            value = getattr(cls, name)
            yield name, parameters(value) if callable(value) else []


def python_names():
    """(module, class or None, word) of all that the document must have: parameters, names()."""
    for module in (threading, queue, concurrent.futures, sched):
        found = dict(public(module))
        for name in ("Lock", "RLock", "Condition", "local"):
            if name in found:
                found[name] = type(found[name]())
        known = {value for value in found.values() if inspect.isclass(value)}
        for name, value in found.items():
            if inspect.isclass(value) and not issubclass(value, BaseException):
                init = parameters(value.__init__) if "__init__" in vars(value) else []
                cls, its = name, [(name, init), *members(value, known)]
            else:
                cls, its = None, [(name, parameters(value) if inspect.isroutine(value) else [])]
            for member, arguments in its:
                yield module.__name__, cls, f"{member}()"
                for word in arguments:
                    yield module.__name__, cls, word


def check_python(complaints):
    covered = {}
    for _, headings, cells in rows(FROM_PYTHON):
        sections = [words(heading) for heading in headings[1:]]
        module = next(iter(CODE.findall(headings[1])), None)
        heads = {re.match(r"\w*", code).group() + "()" for code in CODE.findall(cells[0])}
        for cls in sections[1] if len(sections) > 1 else [None]:
            covered.setdefault((module, cls), set()).update(words(cells[0]) | heads)
    wanted = list(python_names())
    for path in MORE_PYTHON:
        module = next(m for m in ("concurrent.futures", "threading", "queue") if path.startswith(m))
        rest = path[len(module) + 1:].split(".")
        cls = rest[0] if len(rest) > 1 or (module, rest[0]) in covered else None
        wanted.append((module, cls, rest[-1] if len(rest) > 2 else rest[-1] + "()"))
    for module, cls, name in sorted(set(wanted), key=str):
        if name not in covered.get((module, cls), ()):
            complaints.add(FROM_PYTHON, f"{module}: {cls + ': ' if cls else ''}{name} has no row")


# ---- both

def check_rows(path, complaints):
    for number, _, cells in rows(path):
        if len(cells) != 3:
            complaints.add(f"{path}:{number}", f"{len(cells)} cells, not 3")
        elif not cells[1]:
            complaints.add(f"{path}:{number}", "no counterpart, and not even `none, because`")
        elif re.fullmatch(r"none\W*", cells[1]):
            complaints.add(f"{path}:{number}", "`none` without a reason")


def check_words(path, complaints):
    """Names of the library, members of its options, pages of its manual."""
    text = read(path)
    headers = "\n".join(read(p) for p in files(".h", under=("include/",)))
    known = set(re.findall(r"\b(?:hocket|HOCKET)_\w+", headers))
    fields = set(re.findall(r"\b(\w+)(?:\[\w+\])?;", headers))
    fields |= set(re.findall(r"\(\*(\w+)\)\(", headers))
    named = set(re.findall(r"(?<![:D])\b(?:hocket|HOCKET)_(?!_)\w+\b(?!\*)", text))
    for name in sorted(named - known):
        complaints.add(path, f"{name} is in no header")
    shown = set(re.findall(r"[`( ]\.([a-z]\w+)(?= =|`)", text))
    for name in sorted(shown - fields) if path in (FROM_C, FROM_PYTHON) else []:
        complaints.add(path, f".{name} is a member of nothing")
    pages = {os.path.basename(p) for p in files(".1", ".3", ".7", under=("man/",))}
    for page, section in set(re.findall(r"\b(hocket-[\w-]+)\((\d)\)", text)):
        if f"{page}.{section}" not in pages:
            complaints.add(path, f"there is no page {page}({section})")


def arguments(text):
    """How many arguments a call has whose text begins behind its parenthesis; None: no telling."""
    depth, count, something = 0, 1, False
    for letter in text:
        if letter == ")" and depth == 0:
            return count if something else 0
        depth += (letter in "([{") - (letter in ")]}")
        count += letter == "," and depth == 0
        something = something or not letter.isspace()
    return None


def check_calls(path, complaints):
    """Calls that are shown have as many arguments as the function."""
    headers = "\n".join(read(p) for p in files(".h", under=("include/hocket/",)))
    headers = re.sub(r"/\*.*?\*/", " ", headers, flags=re.S)
    declared = {}
    function = re.compile(r"^(?!#)[^;{}()]*?\b(hocket_\w+)\(([^;{]*)\)[^;{]*[;{]", re.M)
    for match in function.finditer(headers):
        listed = match.group(2).strip()
        if "..." not in listed:
            declared[match.group(1)] = 0 if listed == "void" else arguments(listed + ")")
    for code in CODE.findall(re.sub(r"^```.*?^```", "", read(path), flags=re.S | re.M)):
        for match in re.finditer(r"\b(hocket_\w+)\(", code):
            wanted, shown = declared.get(match.group(1)), arguments(code[match.end():])
            if None not in (wanted, shown) and wanted != shown and code[match.end():] != "...)":
                complaints.add(path, f"{code}: {match.group(1)} has {wanted} arguments")


def check_python_programs(path, complaints):
    """Each program in Python writes what the example behind it does, in any order."""
    for block, rest in re.findall(r"^```python\n(.*?)^```(.*?)(?=^```python|\Z)", read(path),
                                  re.S | re.M):
        try:
            ast.parse(block)
        except SyntaxError as error:
            complaints.add(path, f"a program in Python is none: {error}")
            continue
        program = re.search(r"^```c\n(.*?)^```", rest, re.S | re.M)
        example = next((p for p in files(".c", under=("examples/",))
                        if program and read(p).endswith(program.group(1))), None)
        if example is None:
            complaints.add(path, "a program in Python without the same in C")
            continue
        stem = example[:-2]
        wanted = read(next(p for p in files(".out", ".sorted") if os.path.splitext(p)[0] == stem))
        run = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True,
                             text=True)
        if sorted(run.stdout.splitlines()) != sorted(wanted.splitlines()):
            complaints.add(path, f"its program in Python writes something else than {example}\n"
                                 f"{run.stdout}{run.stderr}")


def check(complaints):
    check_c(complaints)
    check_python(complaints)
    for path in (FROM_C, FROM_PYTHON):
        check_rows(path, complaints)
    for path in files(".md", under=("README", "ARCHITECTURE", "doc/")):
        if not path.startswith("doc/adr/"):  # those tell what was decided, not what is
            check_words(path, complaints)
            check_calls(path, complaints)
    check_python_programs(FROM_PYTHON, complaints)
