"""Takes the samples: round after round, every group once, so that a slow minute of the machine hits all alike."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from . import http_load
from .build import Missing, say
from .plan import Load
from .processes import Failed, Server, processors, run

PROGRAM_SECONDS = 180  # no program of the plan takes a third of that
LOAD_EXTRA_SECONDS = 10  # for each server: connecting, and a stall


@dataclass
class Samples:
    """What was measured: for each group (by index), run and round the number, and for servers the details."""

    values: dict = field(default_factory=dict)  # (group index, run key) -> {round: value}
    details: dict = field(default_factory=dict)  # (group index, run key) -> [load client's line as a dict]
    problems: list = field(default_factory=list)  # what could not be built or did not work, in words

    def of(self, group, key):
        return self.values.get((group, key), {})


def build_contestants(builder, groups, samples):
    """Builds what the groups need; returns the contestants that cannot be built."""
    wanted = {}
    for group in groups:
        for run_ in (*group.runs, *([group.server] if group.server else [])):
            wanted.setdefault(run_.contestant, set()).add(run_.program)
    builder.build_load()
    absent = set()
    for contestant, programs in wanted.items():
        say(f"building {contestant}: {', '.join(sorted(programs))}")
        try:
            builder.build(contestant, programs)
        except Missing as missing:
            absent.add(contestant)
            samples.problems.append(f"{contestant} cannot be built: {missing}")
    return absent


def take_samples(builder, groups, rounds, absent, samples):
    sampler = Sampler(builder, absent, samples)
    for round_number in range(rounds):
        say(f"round {round_number + 1} of {rounds}")
        for index, group in enumerate(groups):
            sampler.take(index, group, round_number)


class Sampler:
    def __init__(self, builder, absent, samples):
        self.builder = builder
        self.absent = absent
        self.samples = samples
        self.broken = set()  # (group index, run key): failed once; every try might take as long as its time limit

    def take(self, index, group, round_number):
        """One number of every run of a group."""
        runs = [
            run_
            for run_ in group.runs
            if run_.contestant not in self.absent
            and (index, run_.key) not in self.broken
            and (run_.rounds is None or round_number < run_.rounds)
        ]
        if round_number % 2:
            runs.reverse()  # so that none always comes first
        if group.load is not None:
            self._ask_servers(index, group, runs, round_number)
            return
        with ExitStack() as stack:
            try:
                server = self._start_server(group.server, stack) if group.server else None
            except Failed as failed:
                for run_ in runs:
                    self._give_up(index, group, run_, failed)
                return
            for run_ in runs:
                try:
                    self._keep(index, run_, round_number, self._run_program(run_, server))
                except Failed as failed:
                    self._give_up(index, group, run_, failed)

    def _keep(self, index, run_, round_number, value, detail=None):
        place = (index, run_.key)
        self.samples.values.setdefault(place, {})[round_number] = value
        if detail:
            self.samples.details.setdefault(place, []).append(detail)

    def _give_up(self, index, group, run_, why):
        self.broken.add((index, run_.key))
        names = ", ".join(entry.name for entry in group.entries)
        self.samples.problems.append(f"{run_.key} failed in {names}: {why}")
        say(self.samples.problems[-1])

    def _command(self, run_):
        return [*self.builder.command(run_.contestant, run_.program), *map(self.builder.fill_in, run_.arguments)]

    def _start_server(self, server, stack):
        if server.contestant in self.absent:
            raise Failed(f"there is no {server.contestant} to ask")
        _, processor = processors()
        return stack.enter_context(Server(self._command(server), processor, server.environment))

    def _run_program(self, run_, server):
        known = {"%PORT%": str(server.port), "%PID%": str(server.pid)} if server else {}
        command = [known.get(word, word) for word in self._command(run_)]
        processor, _ = processors()
        output = run(command, processor, PROGRAM_SECONDS, run_.environment)
        words = output.split()
        if len(words) != 2 or words[0] != run_.program:
            raise Failed(f"expected '{run_.program} <number>' from {' '.join(command)}, got {output!r}")
        return float(words[1])

    def _ask_servers(self, index, group, runs, round_number):
        """All servers of the group at once: the load client asks them in turn, in short slices."""
        processor, _ = processors()
        with ExitStack() as stack:
            servers = {}
            for run_ in runs:
                try:
                    servers[run_] = stack.enter_context(Server(self._command(run_), processor, run_.environment))
                except Failed as failed:
                    self._give_up(index, group, run_, failed)
            if not servers:
                return
            try:
                answers = self._run_load(group.load, servers)
            except Failed as failed:
                for run_ in servers:
                    self._give_up(index, group, run_, failed)
                return
            for run_, server in servers.items():
                detail = answers.get(server.port, "nothing was said about it")
                if isinstance(detail, str):
                    self._give_up(index, group, run_, f"{detail}\n{server.last_words()}".strip())
                else:
                    self._keep(index, run_, round_number, detail[group.load.figure], detail)

    def _run_load(self, load, servers):
        """What the load client says: port -> numbers by name, or a text where a server failed."""
        _, processor = processors()
        if not isinstance(load, Load):
            return http_load.measure(load, [(server.port, server.pid) for server in servers.values()], processor)
        targets = [
            f"{server.port}:{server.pid}:{run_.idle}" + (f":{run_.language}" if run_.language else "")
            for run_, server in servers.items()
        ]
        numbers = (load.connections, load.size, load.seconds, *(["udp"] if load.datagrams else []))
        limit = len(servers) * (2 * load.seconds + LOAD_EXTRA_SECONDS)
        answers = {}
        for line in run([self.builder.load(), *map(str, numbers), *targets], processor, limit).splitlines():
            _, port, *words = line.split()
            failed = words[0] == "failed:"
            answers[int(port)] = " ".join(words) if failed else dict(zip(words[::2], map(float, words[1::2])))
        return answers
