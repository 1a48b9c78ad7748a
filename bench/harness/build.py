"""Builds the programs of every contestant into <build directory>/bench/<contestant>/<program>.

Everything comes from this machine's packages (tools/packages.sh bench installs them); nothing is fetched.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .tokens import bearer_token

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent

C_FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra"]
CXX_FLAGS = ["-O2", "-std=c++20", "-Wall", "-Wextra"]
CARGO_REGISTRY = Path("/usr/share/cargo/registry")
PYTHON = "/usr/bin/python3"
BUILD_SECONDS = 600
HTTP_NEEDS = ("nghttp2", "uriparser", "jwt", "psl", "z", "brotlienc", "brotlidec", "zstd")
SANDBOX = "custody/cli/custody"    # below the build directory
HTTP_PROGRAMS = {"nginx": "/usr/sbin/nginx", "h2o": "/usr/bin/h2o", "fastapi": "/usr/lib/python3/dist-packages/fastapi"}

_CARGO_CONFIG = f"""[source.crates-io]
replace-with = "debian"

[source.debian]
directory = "{CARGO_REGISTRY}"
"""


class Missing(Exception):
    """A contestant cannot be built here; the text says why."""


def _tool(name):
    """The distribution's own tool: the libraries are its, and others in PATH may not fit them."""
    path = Path("/usr/bin") / name
    if path.exists():
        return str(path)
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (tools/packages.sh bench installs it)")
    return found


def _make(command, directory=BENCH, environment=None):
    """Runs a build command out of the way of whatever else the machine does."""
    try:
        done = subprocess.run(
            ["nice", "-n", "10", *map(str, command)],
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"not built after {BUILD_SECONDS} s: {command[0]}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Missing("\n".join([" ".join(map(str, command)), *said[:20]]))


def _newest(*sources):
    files = [path for source in sources for path in (source.rglob("*") if source.is_dir() else [source])]
    return max(path.stat().st_mtime for path in files if path.is_file())


def _without_and_with_tls(programs):
    return [p for p in programs if not p.startswith("tls_")], [p for p in programs if p.startswith("tls_")]


def _without_and_with_http(programs):
    with_http = [p for p in programs if p.startswith(("http_", "client_", "model_"))]
    return [p for p in programs if p not in with_http], with_http


class Builder:
    def __init__(self, build_directory):
        self.build_directory = Path(build_directory).resolve()
        self.output = self.build_directory / "bench"

    def command(self, contestant, program):
        """What starts a program that `build` has made."""
        if contestant == "sandbox":
            return [PYTHON, "-B", str(BENCH / "harness/sandbox_server.py"), str(self.build_directory / SANDBOX)]
        if contestant in HTTP_PROGRAMS:
            return [PYTHON, "-B", str(BENCH / "peers" / contestant / f"{program}.py")]
        if contestant in ("asyncio", "uvloop"):
            return [PYTHON, "-B", str(BENCH / "peers/asyncio" / f"{program}.py"), contestant]
        if program == "client_h2":
            return [PYTHON, "-B", str(BENCH / "harness/h2_server.py"), str(self.output / contestant / program)]
        return [str(self.output / contestant / program)]

    def load(self):
        return str(self.output / "load")

    def build_load(self):
        self.output.mkdir(parents=True, exist_ok=True)
        _make([_tool("cc"), *C_FLAGS, "-o", self.load(), BENCH / "load.c"])

    def build(self, contestant, programs):
        """Makes these programs of a contestant up to date, or raises Missing."""
        {
            "weft": self._weft,
            "floors": self._floors,
            "libuv": self._libuv,
            "jansson": self._jansson,
            "libcurl": self._libcurl,
            "go": self._go,
            "tokio": self._tokio,
            "asio": self._asio,
            "asyncio": self._python,
            "uvloop": self._python,
            "sandbox": self._sandbox,
            **dict.fromkeys(HTTP_PROGRAMS, self._installed),
        }[contestant](contestant, sorted(programs))

    def _outdated(self, contestant, programs, *sources):
        """Those programs that are older than any of their sources."""
        directory = self.output / contestant
        directory.mkdir(parents=True, exist_ok=True)
        newest = _newest(BENCH / "measure.h", *sources)
        made = {path.name: path.stat().st_mtime for path in directory.iterdir() if path.is_file()}
        return [program for program in programs if made.get(program, 0) <= newest]

    def _compile(self, contestant, programs, compiler, folder, suffix, libraries, extra=()):
        for program in self._outdated(contestant, programs, folder, *extra):
            output = self.output / contestant / program
            _make([*compiler, "-o", output, folder / (program + suffix), *libraries])

    def _weft(self, contestant, programs):
        libraries = sorted(self.build_directory.rglob("libweft.a")) or sorted(self.build_directory.rglob("libweft.so"))
        if not libraries:
            raise Missing(f"no libweft.a or libweft.so below {self.build_directory}: build weft first")
        library = libraries[0]
        compiler = [_tool("cc"), *C_FLAGS, "-I", ROOT / "include"]
        # Bound at start: resolving a function at its first call costs 3 KiB of whatever stack makes that call.
        libraries = [library, f"-Wl,-z,now,-rpath,{library.parent}", "-pthread"]
        extra = [library, ROOT / "include"]
        plain, tls = _without_and_with_tls(programs)
        plain, http = _without_and_with_http(plain)
        custody = [program for program in plain if program.startswith("custody_")]
        plain = [program for program in plain if program not in custody]
        self._compile(contestant, plain, compiler, BENCH / "weft", ".c", libraries, extra=extra)
        if custody:
            self._sandbox(contestant, custody)
            made = [self.build_directory / "custody/sdk/libcustody.a", *self._beside(library, "http", *HTTP_NEEDS)]
            made += self._beside(library, "tls", "ssl", "crypto")
            compiler_of_it = [*compiler, "-D_GNU_SOURCE", "-I", ROOT / "apps/custody/include"]
            newer = [*extra, made[0], made[1]]
            self._compile(contestant, custody, compiler_of_it, BENCH / "weft", ".c", [*made, *libraries], extra=newer)
        if http:
            made = self._beside(library, "http", *HTTP_NEEDS)
            made += self._beside(library, "tls", "ssl", "crypto")
            newer = [*extra, made[0]]
            self._compile(contestant, http, compiler, BENCH / "weft", ".c", [*made, *libraries], extra=newer)
        if tls:
            made = self._beside(library, "tls", "ssl", "crypto")
            libraries = [*made, *libraries]
            extra += [made[0], BENCH / "tls.h"]
            self._compile(contestant, tls, compiler, BENCH / "weft", ".c", libraries, extra=extra)

    def _sandbox(self, contestant, programs):
        if not (self.build_directory / SANDBOX).is_file():
            raise Missing(f"there is no {self.build_directory / SANDBOX}: tools/custody.sh builds it")

    def _beside(self, library, part, *needed):
        """weft-PART in the form that the library has, and what it needs."""
        made = sorted(self.build_directory.rglob(library.name.replace("libweft", f"libweft-{part}")))
        if not made:
            raise Missing(f"no libweft-{part} below {self.build_directory}: build weft with -D{part}=enabled")
        return [made[0], *(f"-l{name}" for name in needed)]

    def _floors(self, contestant, programs):
        plain, tls = _without_and_with_tls(programs)
        compiler = [_tool("cc"), *C_FLAGS]
        self._compile(contestant, plain, compiler, BENCH / "floors", ".c", ["-luring"])
        self._compile(
            contestant, tls, compiler, BENCH / "floors", ".c", ["-lssl", "-lcrypto"], extra=(BENCH / "tls.h",)
        )

    def _libuv(self, contestant, programs):
        compiler = [_tool("cc"), *C_FLAGS]
        folder = BENCH / "peers/libuv"
        self._compile(contestant, programs, compiler, folder, ".c", ["-luv"], extra=(BENCH / "floors/listener.h",))

    def _jansson(self, contestant, programs):
        self._compile(contestant, programs, [_tool("cc"), *C_FLAGS], BENCH / "peers/jansson", ".c", ["-ljansson"])

    def _libcurl(self, contestant, programs):
        self._compile(contestant, programs, [_tool("cc"), *C_FLAGS], BENCH / "peers/libcurl", ".c", ["-lcurl"])

    def _asio(self, contestant, programs):
        self._compile(contestant, programs, [_tool("g++"), *CXX_FLAGS], BENCH / "peers/asio", ".cpp", ["-pthread"])

    def _go(self, contestant, programs):
        folder = BENCH / "peers/go"
        if not self._outdated(contestant, programs, folder):
            return
        environment = dict(
            GOCACHE=str(self.output / "go-cache"),
            GOPATH=str(self.output / "go-path"),
            GOPROXY="off",
            GOFLAGS="",
            GO111MODULE="on",
        )
        _make([_tool("go"), "build", "-o", f"{self.output / contestant}/", "./..."], folder, environment)

    def _tokio(self, contestant, programs):
        folder = BENCH / "peers/tokio"
        if not self._outdated(contestant, programs, folder):
            return
        if not CARGO_REGISTRY.is_dir():
            raise Missing(f"{CARGO_REGISTRY} is not there (tools/packages.sh bench installs it)")
        # Cargo writes beside its sources: let it do so in a copy.
        work = self.output / "tokio-work"
        shutil.copytree(folder, work, dirs_exist_ok=True)
        (work / ".cargo").mkdir(exist_ok=True)
        (work / ".cargo/config.toml").write_text(_CARGO_CONFIG)
        environment = dict(CARGO_HOME=str(self.output / "cargo-home"), RUSTC=_tool("rustc"))
        _make([_tool("cargo"), "build", "--release", "--offline", "--bins"], work, environment)
        for program in programs:
            shutil.copy(work / "target/release" / program, self.output / contestant / program)

    def _python(self, contestant, programs):
        _make([PYTHON, "-c", f"import {contestant}"])

    def _installed(self, contestant, programs):
        if not Path(HTTP_PROGRAMS[contestant]).exists():
            raise Missing(f"{HTTP_PROGRAMS[contestant]} is not there (tools/packages.sh bench installs it)")

    def fill_in(self, argument):
        """A word of a command line: %CERTIFICATE% and %KEY% are files, of one certificate for everybody; %TOKEN% is
        what a custody service with SECRET takes."""
        if argument == "%TOKEN%":
            return bearer_token()
        files = {"%CERTIFICATE%": self.output / "certificate.pem", "%KEY%": self.output / "key.pem"}
        if argument not in files:
            return argument
        if not all(path.exists() for path in files.values()):
            _make(
                [_tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", "/CN=localhost", "-days", "3650", "-out", files["%CERTIFICATE%"], "-keyout", files["%KEY%"]]
            )  # fmt: skip
        return str(files[argument])

    def warnings(self):
        """What makes a figure of weft's unfit to be reported."""
        return weft_build_warnings(self.build_directory)


def weft_build_warnings(build_directory):
    options_file = build_directory / "meson-info/intro-buildoptions.json"
    if not options_file.exists():
        return []
    options = {option["name"]: option["value"] for option in json.loads(options_file.read_text())}
    warnings = []
    if options.get("optimization", "2") not in ("2", "3"):
        warnings.append(f"weft was built with optimization={options['optimization']}")
    if options.get("b_sanitize", "none") not in ("none", []):
        warnings.append(f"weft was built with b_sanitize={options['b_sanitize']}")
    if options.get("b_coverage"):
        warnings.append("weft was built for coverage")
    return warnings


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
