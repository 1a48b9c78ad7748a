"""Processes with a bounded life: pinned to a processor, ended by their own id, gone when the harness goes."""

import ctypes
import os
import resource
import select
import signal
import subprocess
import tempfile

PR_SET_PDEATHSIG = 1
START_SECONDS = 20  # until a server prints its port
END_SECONDS = 5  # from SIGTERM to SIGKILL

_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A program did not do what it was started for; the text says what it said."""


def processors():
    """Two processors: one for what is measured, one for the load client."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def raise_descriptor_limit(wanted=16384):
    """Thousands of connections need descriptors; children inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def _prepare(processor):
    """Runs in the child before the program."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {processor})


def _started(command, processor, environment, errors):
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, **dict(environment)},
        preexec_fn=lambda: _prepare(processor),
    )


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    process.stdout.close()


def _last_words(errors):
    errors.seek(0)
    return errors.read()[-2000:].strip()


def run(command, processor, seconds, environment=()):
    """Runs a program to its end and returns what it printed."""
    with tempfile.TemporaryFile("w+") as errors:
        process = _started(command, processor, environment, errors)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"still running after {seconds} s: {' '.join(command)}") from None
        finally:
            _end(process)
        if process.returncode != 0:
            raise Failed(f"status {process.returncode}: {' '.join(command)}\n{_last_words(errors)}")
        return output


class Server:
    """A server, from the port it prints to its SIGTERM; a context manager."""

    def __init__(self, command, processor, environment=()):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = _started(command, processor, environment, self._errors)
        self.pid = self._process.pid
        try:
            self.port = self._read_port()
        except Failed:
            self.stop()
            raise

    def _read_port(self):
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line.strip().isdigit():
            raise Failed(f"no port from {' '.join(self._process.args)}\n{self.last_words()}")
        return int(line)

    def last_words(self):
        """What it wrote to its standard error, if anything."""
        return _last_words(self._errors)

    def stop(self):
        _end(self._process)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()
        self._errors.close()
