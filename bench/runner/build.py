# SPDX-License-Identifier: MIT
"""Build the contenders.

What a peer lacks makes it absent, never an error; a contender that has all it needs and does not
compile is broken, which is one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CRATES = Path("/usr/share/cargo/registry")
C_FLAGS = ["-O2", "-g", "-Wall", "-Wextra", "-D_GNU_SOURCE"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **options):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,
    )


def fresh(target, sources):
    """Is `target` younger than all `sources`?"""
    try:
        made = target.stat().st_mtime
    except OSError:
        return False
    return all(Path(s).stat().st_mtime < made for s in sources)


class Builder:
    """Builds into `folder`; ours against the library and headers of `hocket` (None: absent)."""

    def __init__(self, root, folder, hocket):
        self.root = root
        self.folder = folder
        self.hocket = hocket
        self.cc = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("cc")
        self.cxx = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("c++")
        # Debian's own first: the peers are its packages.
        self.go = next(
            (p for p in ("/usr/bin/go", shutil.which("go")) if p and os.path.exists(p)), None
        )
        self.cargo = next(
            (p for p in ("/usr/bin/cargo", shutil.which("cargo")) if p and os.path.exists(p)), None
        )
        self.headers = {}
        folder.mkdir(parents=True, exist_ok=True)

    def absent(self, contender, what):
        package = contender.directives.get("package")
        hint = f" (Debian: {package[0]})" if package else ""
        contender.problem = f"absent: {what}{hint}"

    def broken(self, contender, output):
        log = self.folder / f"{contender.source.parent.name}-{contender.name}.log"
        log.write_text(output, encoding="utf-8")
        contender.problem = f"broken: see {log}"
        say(f"{contender.source.parent.name}/{contender.name} does not build:\n{output}")

    def build(self, questions):
        crates = []
        for question in questions:
            for contender in question.contenders:
                target = self.folder / f"{question.name}-{contender.name}"
                kind = contender.source.suffix
                if kind in (".c", ".cpp"):
                    self.build_c(contender, target)
                elif kind == ".go":
                    self.build_go(contender, target)
                elif kind == ".rs":
                    crates.append((f"{question.name}-{contender.name}", contender))
                else:
                    self.build_script(contender)
        self.build_rust(crates)

    def has_header(self, compiler, header):
        key = (compiler, header)
        if key not in self.headers:
            test = run(
                [
                    compiler,
                    "-E",
                    "-include",
                    header,
                    "-x",
                    "c++" if compiler == self.cxx else "c",
                    "/dev/null",
                ]
            )
            self.headers[key] = test.returncode == 0
        return self.headers[key]

    def build_c(self, contender, target):
        plus = contender.source.suffix == ".cpp"
        compiler = self.cxx if plus else self.cc
        if not compiler:
            return self.absent(contender, "no compiler")
        for header in contender.words("include"):
            if not self.has_header(compiler, header):
                return self.absent(contender, f"no {header}")
        parts = [*contender.source.parent.glob("*.h"), *(self.root / "common").glob("*.h")]
        flags = [*C_FLAGS, "-std=gnu++17" if plus else "-std=gnu11"]
        libraries = contender.words("flags")
        if contender.ours:
            if not self.hocket:
                return self.absent(contender, "the library is not built")
            flags.append(f"-I{self.hocket['include']}")
            libraries = [str(self.hocket["library"]), *libraries, "-pthread"]
            parts += [self.hocket["library"], *Path(self.hocket["include"]).rglob("*.h")]
        if not fresh(target, [contender.source, *parts]):
            made = run([compiler, *flags, "-o", str(target), str(contender.source), *libraries])
            if made.returncode != 0:
                return self.broken(contender, made.stdout)
            if made.stdout.strip():
                say(made.stdout)
        contender.command = [str(target)]

    def build_go(self, contender, target):
        if not self.go:
            return self.absent(contender, "no go")
        if not fresh(target, [contender.source, *(self.root / "common").glob("*.go")]):
            env = dict(
                os.environ,
                GOFLAGS="-mod=mod",
                GOPROXY="off",
                GOTOOLCHAIN="local",
                GOWORK="off",
                CGO_ENABLED="0",
            )
            made = run(
                [self.go, "build", "-o", str(target), str(contender.source)], cwd=self.root, env=env
            )
            if made.returncode != 0:
                return self.broken(contender, made.stdout)
        contender.command = [str(target)]

    def build_script(self, contender):
        for tool in contender.words("tool"):
            if not shutil.which(tool):
                return self.absent(contender, f"no {tool}")
        if contender.ours and not (self.hocket and self.hocket.get("program")):
            return self.absent(contender, "the program is not built")
        interpreter = "/bin/sh"
        if contender.source.suffix == ".py":
            interpreter = (
                "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
            )
        contender.command = [interpreter, str(contender.source)]

    def build_rust(self, crates):
        """One package for all Rust contenders, from the crates that Debian installed, offline."""
        wanted = {}
        for name, contender in list(crates):
            for line in contender.directives.get("crate", []):
                crate, *features = line.split()
                version = crate_version(crate)
                if not self.cargo or version is None:
                    self.absent(contender, f"no crate {crate}" if self.cargo else "no cargo")
                    break
                entry = wanted.setdefault(crate, (version, set()))
                entry[1].update(features)
            else:
                if not self.cargo:
                    self.absent(contender, "no cargo")
        crates = [(name, c) for name, c in crates if not c.problem]
        if not crates:
            return
        package = self.folder / "rust"
        self.write_package(package, crates, wanted)
        env = dict(
            os.environ, CARGO_TARGET_DIR=str(package / "target"), CARGO_HOME=str(package / "home")
        )
        env.pop("RUSTFLAGS", None)
        if self.cargo == "/usr/bin/cargo":
            env["RUSTC"] = "/usr/bin/rustc"
        for name, contender in crates:
            made = run(
                [self.cargo, "build", "--release", "--offline", "--bin", name], cwd=package, env=env
            )
            if made.returncode != 0:
                self.broken(contender, made.stdout)
            else:
                contender.command = [str(package / "target/release" / name)]

    def write_package(self, package, crates, wanted):
        (package / ".cargo").mkdir(parents=True, exist_ok=True)
        source = [
            '[source.crates-io]',
            'replace-with = "debian"',
            '[source.debian]',
            f'directory = "{CRATES}"',
        ]
        manifest = [
            '[package]',
            'name = "contenders"',
            'version = "0.0.0"',
            'edition = "2021"',
            'autobins = false',
            '[profile.release]',
            'debug = false',
            'panic = "abort"',
            '[dependencies]',
        ]
        for crate, (version, features) in sorted(wanted.items()):
            listed = ", ".join(f'"{f}"' for f in sorted(features))
            manifest.append(f'{crate} = {{ version = "={version}", features = [{listed}] }}')
        for name, contender in crates:
            manifest += ['[[bin]]', f'name = "{name}"', f'path = "{contender.source.resolve()}"']
        write_changed(package / ".cargo/config.toml", "\n".join(source) + "\n")
        write_changed(package / "Cargo.toml", "\n".join(manifest) + "\n")


def write_changed(path, text):
    """Leave a file alone that says the same, so that nothing is built again for it."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def crate_version(name):
    """The newest version of a crate that is installed, or None."""
    found = [
        f.name[len(name) + 1 :]
        for f in CRATES.glob(f"{name}-*")
        if re.fullmatch(r"\d[^/]*", f.name[len(name) + 1 :])
    ]
    found.sort(key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
    return found[-1] if found else None
