"""What is measured: groups of runs that belong side by side, and the entries of the report made from them.

A run is one contestant doing one thing; it gives one number in every round. Runs of one group are made one after the
other (servers: all at once, asked in turn), so that their ratio is taken under the same conditions. An entry compares
weft's run with its floor and lists the peers.
"""

from dataclasses import dataclass, field, replace

from .tokens import SECRET

RAW_SERVERS = {"raw_uring": "echo_uring", "raw_uring_multishot": "echo_uring_multishot", "raw_epoll": "echo_epoll"}
RAW_SERVERS_IDLE = {key: RAW_SERVERS[key] for key in ("raw_uring", "raw_epoll")}  # a descriptor for each idle one
ECHO_PEERS = ("libuv", "go", "tokio", "asio", "asyncio", "uvloop")
TIMER_PEERS = ECHO_PEERS
TASK_PEERS = ("go", "tokio", "asio", "asyncio", "uvloop")  # libuv has no tasks

PAGE_AND_ITS_TABLE_ENTRIES = 4096 + 128  # one touched page of a 64 KiB slot, and 16 entries of 8 bytes


@dataclass(frozen=True)
class Load:
    """What the load client does to every server of a group."""

    size: int
    connections: int
    seconds: float  # for each server
    datagrams: bool = False  # UDP instead of TCP
    figure: str = "cpu_us"  # of what is found, the one that counts


@dataclass(frozen=True)
class Streams:
    """What h2load does to every server of a group."""

    connections: int
    streams: int  # of each, at once
    requests: int  # in a slice
    options: tuple = ()
    scheme: str = "http"
    figure: str = "cpu_us"


@dataclass(frozen=True)
class Idle:
    """Connections that have said something and then say nothing more, to every server of a group."""

    connections: int
    seconds: float  # from the last word to the look at the server's memory
    websocket: bool = False
    figure: str = "bytes"


@dataclass(frozen=True)
class Calls:
    """What wrk asks of a custody service: check, list or create."""

    route: str
    connections: int
    seconds: int  # of a slice
    figure: str = "cpu_us"


@dataclass(frozen=True)
class Run:
    key: str
    contestant: str
    program: str
    arguments: tuple = ()
    environment: tuple = ()  # pairs
    idle: int = 0  # connections to this server that never say anything
    language: str = ""  # what is said to it instead of an echo: get, pipelined or post
    rounds: int | None = None  # at most so many, where a figure hardly varies and takes long


@dataclass(frozen=True)
class Mark:
    """What weft set itself: an absolute value in the entry's unit, or a ratio to the floor."""

    value: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class Entry:
    name: str
    unit: str
    weft: str  # key of a run
    floor_is: str
    floors: tuple = ()  # keys of runs; the one with the lowest median is the floor
    floor_value: float | None = None  # instead of runs: a constant
    peers: dict = field(default_factory=dict)  # name -> key of a run
    mark: Mark = Mark()
    better: str = "lower"


@dataclass(frozen=True)
class Group:
    runs: tuple  # those that entries compare first, next to each other; then the peers
    entries: tuple
    load: Load | Streams | Calls | Idle | None = None  # for servers
    server: Run | None = None  # that the runs ask, on the other processor; %PORT% and %PID% in their arguments are its


def peer_runs(peers, program, arguments, rounds=None):
    """Runs of the same program by several peers; arguments(peer) gives each peer's."""
    return tuple(Run(peer, peer, program, tuple(map(str, arguments(peer))), rounds=rounds) for peer in peers)


def same(names):
    return {name: name for name in names}


def small_cost(name, floor_is, counts, mark, scale):
    """A cost in nanoseconds, from a program that takes how often it shall do the thing."""

    def arguments(contestant):
        return (max(2, counts[contestant] // scale),)

    runs = (
        Run("weft", "weft", name, tuple(map(str, arguments("weft")))),
        Run("floor", "floors", name, tuple(map(str, arguments("floors")))),
    )
    entry = Entry(name, "ns", "weft", floor_is, ("floor",), peers=same(TASK_PEERS), mark=Mark(value=mark))
    return Group(runs + peer_runs(TASK_PEERS, name, arguments), (entry,))


def tool_cost(name, count, mark, scale):
    """A cost in nanoseconds of a tool that stands on the scheduler, beside a bare switch of stacks."""
    runs = (
        Run("weft", "weft", name, (str(count // scale),)),
        Run("floor", "floors", "switch", (str(40_000_000 // scale),)),
    )
    return Group(runs, (Entry(name, "ns", "weft", "one bare switch of stacks", ("floor",), mark=Mark(value=mark)),))


def own_cost(name, floor_is, counts, mark, scale):
    """The same for what the peers have no likeness of."""
    runs = tuple(
        Run(key, contestant, name, (str(max(2, counts[contestant] // scale)),))
        for key, contestant in (("weft", "weft"), ("floor", "floors"))
    )
    return Group(runs, (Entry(name, "ns", "weft", floor_is, ("floor",), mark=Mark(value=mark)),))


def tls(name, count, scale):
    """Processor time of a server over TLS; each program brings its own client, a process on the other processor."""
    arguments = (str(count // scale),)
    runs = (
        Run("weft", "weft", name, arguments, environment=(("WEFT_DRIVER", "uring"),)),
        Run("floor", "floors", name, arguments),
        Run("weft_epoll", "weft", name, arguments, environment=(("WEFT_DRIVER", "epoll"),)),
    )
    common = dict(floors=("floor",), mark=Mark(ratio=1.1))
    entries = tuple(
        Entry(name + suffix, "us", "weft" + suffix, "one epoll set, and OpenSSL on the socket itself", **common)
        for suffix in ("", "_epoll")
    )
    return Group(runs, entries)


def client_h2(scale):
    """Processor time of a client; each run has a server of its own, on the other processor (h2_server.py)."""
    requests = str(100_000 // scale)
    runs = (
        Run("weft", "weft", "client_h2", (requests,), environment=(("WEFT_DRIVER", "uring"),)),
        Run("h2load", "floors", "client_h2", ("h2load", requests)),
        Run("nghttp", "floors", "client_h2", ("nghttp", requests)),
        Run("weft_epoll", "weft", "client_h2", (requests,), environment=(("WEFT_DRIVER", "epoll"),)),
        Run("go", "go", "client_h2", (requests,)),
    )
    floor = "nghttp2's own client, nghttp"
    common = dict(floors=("nghttp",), peers={"go": "go", "h2load": "h2load"}, mark=Mark(ratio=1))
    entries = tuple(Entry("client_h2" + suffix, "us", "weft" + suffix, floor, **common) for suffix in ("", "_epoll"))
    return Group(runs, entries)


def timers(name, words, mark):
    arguments = ("100000", *words)
    runs = (Run("weft", "weft", "timers", arguments), Run("floor", "floors", "timers", arguments))
    entry = Entry(
        name, "s", "weft", "a binary heap alone", ("floor",), peers=same(TIMER_PEERS), mark=Mark(value=mark)
    )
    return Group(runs + peer_runs(TIMER_PEERS, "timers", lambda peer: arguments), (entry,))


def timer_op(scale):
    counts = dict(libuv=4_000_000, go=1_000_000, tokio=500_000, asio=500_000, asyncio=150_000, uvloop=200_000)
    operations = str(2_000_000 // scale)
    runs = (
        Run("weft", "weft", "timer_op", ("100000", operations)),
        Run("weft_100", "weft", "timer_op", ("100", operations)),
    )
    entry = Entry(
        "timer_op", "ns", "weft", "weft itself with 100 live timers instead of 100,000", ("weft_100",),
        peers=same(TIMER_PEERS), mark=Mark(ratio=2),
    )  # fmt: skip
    return Group(runs + peer_runs(TIMER_PEERS, "timer_op", lambda peer: (100000, counts[peer] // scale)), (entry,))


def parked(scale):
    count = 1_000_000 // scale
    runs = (Run("weft", "weft", "parked", (str(count),)),)
    entry = Entry(
        "parked_1m_bytes", "B", "weft", "one page of stack and its page table entries",
        floor_value=PAGE_AND_ITS_TABLE_ENTRIES, peers=same(TASK_PEERS), mark=Mark(value=4600),
    )  # fmt: skip
    return Group(runs + peer_runs(TASK_PEERS, "parked", lambda peer: (count,), rounds=3), (entry,))


def model_roundtrip(scale):
    """JSON into a struct and back; there is no floor but what the usual library costs."""
    counts = dict(weft=2_000_000, jansson=400_000)
    runs = tuple(Run(key, key, "model_roundtrip", (str(count // scale),)) for key, count in counts.items())
    entry = Entry(
        "model_roundtrip", "ns", "weft", "jansson: trees both ways", ("jansson",), mark=Mark(value=1000),
    )  # fmt: skip
    return Group(runs, (entry,))


def file_read(scale):
    peers = ("libuv", "go")
    reads = 500_000 // scale
    runs = (
        Run("weft", "weft", "file_read_4k", (str(reads),)),
        Run("floor", "floors", "file_read_4k", (str(reads),)),
    )
    entry = Entry("file_read_4k", "ns", "weft", "pread(2) alone, one after the other", ("floor",), peers=same(peers))
    return Group(runs + peer_runs(peers, "file_read_4k", lambda peer: (reads,)), (entry,))


def process_spawn(scale):
    times = str(max(20, 2_000 // scale))
    runs = (Run("weft", "weft", "process_spawn", (times,)), Run("floor", "floors", "process_spawn", (times,)))
    entry = Entry(
        "process_spawn", "us", "weft", "posix_spawn(3) and waitid(2)", ("floor",), mark=Mark(ratio=1.1),
    )  # fmt: skip
    return Group(runs, (entry,))


def waiting(scale):
    """What tasks of one loop do to each other; the floor is one switch between two of them."""
    counts = dict(mutex=50_000_000, semaphore=50_000_000, channel_roundtrip=5_000_000, switch=20_000_000)
    runs = tuple(Run(name, "weft", name, (str(count // scale),)) for name, count in counts.items())
    marks = dict(mutex=5, semaphore=5, channel_roundtrip=40)
    entries = tuple(
        Entry(name, "ns", name, "weft's own switch", ("switch",), mark=Mark(value=mark))
        for name, mark in marks.items()
    )
    return Group(runs, entries)


def weft_server(key, driver, idle=0):
    return Run(key, "weft", "echo", environment=(("WEFT_DRIVER", driver),), idle=idle)


def raw_servers(servers, suffix="", idle=0):
    return tuple(Run(key + suffix, "floors", program, idle=idle) for key, program in servers.items())


def echo(size, connections, seconds):
    name = f"echo_{size}_{connections}"
    runs = (weft_server("weft", "uring"), *raw_servers(RAW_SERVERS), weft_server("weft_epoll", "epoll"))
    peers = tuple(Run(peer, peer, "echo") for peer in ECHO_PEERS)
    common = dict(peers=same(ECHO_PEERS), mark=Mark(ratio=1.05))
    entries = (
        Entry(name, "us", "weft", "the best raw server, epoll or io_uring", tuple(RAW_SERVERS), **common),
        Entry(name + "_epoll", "us", "weft_epoll", "the raw epoll server", ("raw_epoll",), **common),
    )
    return Group(runs + peers, entries, Load(size, connections, seconds))


def two_loops(seconds, connections=50):
    """The same load on one loop and on two; all of it on one processor, so that what is seen is what a loop costs."""
    drivers = ("uring", "epoll")
    runs = tuple(
        Run(f"weft_{count}_{driver}", "weft", "echo_loops", (str(count),), (("WEFT_DRIVER", driver),))
        for count in (1, 2)
        for driver in drivers
    )
    entries = tuple(
        Entry(
            "two_loops" + ("_epoll" if driver == "epoll" else ""), "us", f"weft_2_{driver}", "weft itself on one loop",
            (f"weft_1_{driver}",), mark=Mark(ratio=1.05),
        )
        for driver in drivers
    )  # fmt: skip
    return Group(runs, entries, Load(64, connections, seconds))


def echo_idle(seconds, few=10, many=5000):
    runs = (
        weft_server("weft_few", "uring", few),
        weft_server("weft_many", "uring", many),
        *raw_servers(RAW_SERVERS_IDLE, "_few", few),
        *raw_servers(RAW_SERVERS_IDLE, "_many", many),
    )
    entries = (
        Entry(
            f"echo_idle_{few}", "us", "weft_few", f"the best raw server with {few} idle connections",
            tuple(key + "_few" for key in RAW_SERVERS_IDLE),
        ),
        Entry(
            f"echo_idle_{many}", "us", "weft_many", f"weft itself with {few} idle connections", ("weft_few",),
            peers={key: key + "_many" for key in RAW_SERVERS_IDLE},
        ),
    )  # fmt: skip
    return Group(runs, entries, Load(64, 50, seconds))


def udp_echo(size, clients, seconds):
    """One by one, and as many at once as are there; weft beside the same in plain blocking calls."""
    drivers = ("uring", "epoll")
    runs = tuple(
        run
        for how in ("one", "many")
        for run in (
            *(
                Run(f"weft_{how}_{driver}", "weft", "udp_echo", (how,), (("WEFT_DRIVER", driver),))
                for driver in drivers
            ),
            Run(f"raw_{how}", "floors", "udp_echo", (how,)),
        )
    )
    entries = tuple(
        Entry(
            f"udp_echo_{size}_{how}" + ("_epoll" if driver == "epoll" else ""), "us", f"weft_{how}_{driver}",
            f"a blocking server that answers {'one by one' if how == 'one' else 'many at once'}", (f"raw_{how}",),
            mark=Mark(ratio=1.1),
        )
        for how in ("one", "many")
        for driver in drivers
    )  # fmt: skip
    return Group(runs, entries, Load(size, clients, seconds, datagrams=True))


def splice_copy(scale):
    """A large file over a connection: processor time of the sender."""
    arguments = (str(1024 // scale),)
    runs = (
        Run("weft", "weft", "splice_copy", arguments, (("WEFT_DRIVER", "uring"),)),
        Run("floor", "floors", "splice_copy", arguments),
        Run("weft_epoll", "weft", "splice_copy", arguments, (("WEFT_DRIVER", "epoll"),)),
    )
    names = (("splice_copy", "weft"), ("splice_copy_epoll", "weft_epoll"))
    entries = tuple(
        Entry(name, "ms", run, "sendfile until it is done", ("floor",), mark=Mark(ratio=1.05)) for name, run in names
    )
    return Group(runs, entries)


def http_server(key, contestant="weft", language="get", driver=None, arguments=()):
    environment = (("WEFT_DRIVER", driver),) if driver else ()
    return Run(key, contestant, "http_server", arguments, environment, language=language)


def http(name, language, seconds, mark, peers):
    """HTTP/1.1 over connections that stay; the floor answers a fixed text."""
    runs = (
        http_server("weft", driver="uring", language=language),
        http_server("raw_epoll", "floors", language),
        http_server("weft_epoll", driver="epoll", language=language),
    )
    common = dict(peers=same(peers), mark=Mark(ratio=mark))
    entries = tuple(
        Entry(
            name + suffix, "us", "weft" + suffix, "a raw epoll loop that answers a fixed text", ("raw_epoll",), **common
        )
        for suffix in ("", "_epoll")
    )  # fmt: skip
    return Group(runs + tuple(http_server(peer, peer, language) for peer in peers), entries, Load(1, 64, seconds))


def http_json(seconds):
    """A model in and out, beside weft's own plain text."""
    peers = ("go", "fastapi")
    drivers = ("uring", "epoll")
    runs = tuple(
        http_server(f"{language}_{driver}", language=language, driver=driver)
        for driver in drivers
        for language in ("post", "get")
    )
    entries = tuple(
        Entry(
            "http_json" + ("_epoll" if driver == "epoll" else ""), "us", f"post_{driver}", "weft's own plain text",
            (f"get_{driver}",), peers=same(peers), mark=Mark(ratio=1.25),
        )
        for driver in drivers
    )  # fmt: skip
    return Group(runs + tuple(http_server(peer, peer, "post") for peer in peers), entries, Load(1, 64, seconds))


def http_streams(name, load, arguments, peers=()):
    """By h2load; weft is to be below both nginx and h2o."""
    servers = ("nginx", "h2o")
    runs = (
        http_server("weft", driver="uring", arguments=arguments),
        *(http_server(server, server, arguments=arguments) for server in servers),
        http_server("weft_epoll", driver="epoll", arguments=arguments),
    )
    entries = tuple(
        Entry(
            name + suffix, "us", "weft" + suffix, "the better of nginx and h2o", servers, peers=same(peers),
            mark=Mark(ratio=1),
        )
        for suffix in ("", "_epoll")
    )  # fmt: skip
    return Group(runs + tuple(http_server(peer, peer, arguments=arguments) for peer in peers), entries, load)


CLIENT_SERVER = Run("server", "nginx", "http_server")


def client_get(scale):
    """What a call costs the client: 64 tasks share one, over connections that stay."""
    arguments = ("%PORT%", str(max(500, 20_000 // scale)))
    peers = ("go", "libcurl")
    runs = (
        Run("weft", "weft", "http_client_get", arguments, (("WEFT_DRIVER", "uring"),)),
        Run("raw_epoll", "floors", "http_client_get", arguments),
        Run("weft_epoll", "weft", "http_client_get", arguments, (("WEFT_DRIVER", "epoll"),)),
        *(Run(peer, peer, "http_client_get", arguments) for peer in peers),
    )
    common = dict(floors=("raw_epoll",), peers=same(peers), mark=Mark(ratio=1.4))
    entries = tuple(
        Entry("client_get" + suffix, "us", "weft" + suffix, "an epoll loop that looks for the end of a head", **common)
        for suffix in ("", "_epoll")
    )
    return Group(runs, entries, server=CLIENT_SERVER)


def client_reuse(scale):
    """What it saves to keep one client: calls over TLS, one after the other."""
    arguments = ("%PORT%", str(max(20, 500 // scale)), "%CERTIFICATE%")
    runs = tuple(Run(how, "weft", "http_client_reuse", (how, *arguments)) for how in ("one", "each"))
    entry = Entry("client_reuse", "us", "one", "a client for each call", ("each",), mark=Mark(ratio=0.1))
    return Group(runs, (entry,), server=replace(CLIENT_SERVER, arguments=("%CERTIFICATE%", "%KEY%")))


def client_download(scale):
    """A large file over one connection, thrown away as it comes: the client's processor time."""
    arguments = ("%PORT%", str(1024 // scale))
    runs = (
        Run("weft", "weft", "http_client_download", arguments, (("WEFT_DRIVER", "uring"),)),
        Run("libcurl", "libcurl", "http_client_download", arguments),
        Run("weft_epoll", "weft", "http_client_download", arguments, (("WEFT_DRIVER", "epoll"),)),
        Run("go", "go", "http_client_download", arguments),
    )
    common = dict(floors=("libcurl",), peers=same(("go",)), mark=Mark(ratio=1.1))
    entries = tuple(
        Entry("client_download" + suffix, "ms", "weft" + suffix, "libcurl", **common) for suffix in ("", "_epoll")
    )
    return Group(runs, entries, server=CLIENT_SERVER)


def http_idle(name, load, mark, peers):
    runs = (http_server("weft", driver="uring"), *(http_server(peer, peer) for peer in peers))
    runs = tuple(replace(run, rounds=3) for run in runs)  # it varies by less than a per cent and takes long
    return Group(runs, (Entry(name, "B", "weft", "nothing", peers=same(peers), mark=Mark(value=mark)),), load)


def http_groups(scale, seconds):
    everybody = ("nginx", "h2o", "go", "fastapi")
    idle = max(100, 5000 // scale)
    return (
        http("http_plaintext", "get", seconds, 1.05, everybody),
        http("http_pipelined", "pipelined", seconds, 1.6, ("nginx", "h2o", "go")),
        http_json(seconds),
        http_streams("http2_32", Streams(8, 32, 60_000 // scale), ("h2",)),
        http_streams(
            "https", Streams(64, 1, 20_000 // scale, ("--h1",), "https"), ("%CERTIFICATE%", "%KEY%"), ("go",)
        ),
        client_get(scale),
        client_reuse(scale),
        client_download(scale),
        http_idle("http_idle_bytes", Idle(idle, 3), 6144, ("nginx", "h2o", "go")),
        http_idle("ws_idle_bytes", Idle(idle, 3, websocket=True), 8192, ()),
    )


def custody(scale, seconds):
    """The sandbox by the SDK, and beside a twin of three of its routes: processor time of the servers, SQLite's too."""
    sandbox = Run("server", "sandbox", "custody", (SECRET,))

    def check(name, how, floor_is, mark, count):
        arguments = (how, "%PORT%", "%PID%", "%TOKEN%", str(max(200, count // scale)))
        runs = (Run(how, "weft", "custody_check", arguments),)
        return Group(runs, (Entry(name, "us", how, floor_is, floor_value=mark, mark=Mark(value=mark)),), server=sandbox)

    def route(name):
        runs = (replace(sandbox, key="weft"), Run("fastapi", "fastapi", "custody", (SECRET,)))
        entry = Entry(
            f"custody_{name}", "us", "weft", "the same route on FastAPI, SQLAlchemy and SQLite", ("fastapi",),
            mark=Mark(ratio=0.125),
        )  # fmt: skip
        return Group(runs, (entry,), Calls(name, 16, seconds))

    return (
        check("custody_check_cpu", "cost", "the mark", 25, 40_000),
        check("custody_check_one_core", "rate", "5,000 a second", 200, 20_000),
        *map(route, ("check", "list", "create")),
    )


def groups(quick):
    """Everything there is to measure; `quick` only shows that it works."""
    scale = 20 if quick else 1
    seconds = 0.2 if quick else 1.5
    return (
        small_cost(
            "switch", "a bare switch of stacks, without a scheduler",
            dict(weft=20_000_000, floors=40_000_000, go=4_000_000, tokio=2_000_000, asio=4_000_000, asyncio=200_000,
                 uvloop=300_000),
            mark=8, scale=scale,
        ),
        small_cost(
            "spawn_join", "functions queued and run on pooled stacks",
            dict(weft=8_000, floors=20_000, go=2_000, tokio=2_000, asio=800, asyncio=150, uvloop=200),
            mark=30, scale=scale,
        ),
        tool_cost("generator_item", 20_000_000, mark=15, scale=scale),
        own_cost(
            "guarded_call", "the same call without a guard", dict(weft=20_000_000, floors=100_000_000), mark=20,
            scale=scale,
        ),
        own_cost(
            "rate_limit", "a reading of the clock", dict(weft=20_000_000, floors=20_000_000), mark=30, scale=scale
        ),
        own_cost(
            "cache_hit", "the same lookup in a plain hash table with a list by use",
            dict(weft=10_000_000, floors=10_000_000), mark=60, scale=scale,
        ),
        own_cost(
            "dns_numeric", "inet_pton(3) alone", dict(weft=5_000_000, floors=5_000_000), mark=1200, scale=scale,
        ),
        own_cost(
            "log_line", "the date, and snprintf into memory", dict(weft=50_000, floors=1_000_000),
            mark=1000, scale=scale,
        ),
        own_cost(
            "metric", "an addition in memory", dict(weft=100_000_000, floors=100_000_000), mark=3, scale=scale,
        ),
        model_roundtrip(scale),
        timers("timers_100k_cpu", (), mark=0.25),
        timers("timers_100k_cpu_warm", ("warm",), mark=0.08),
        timer_op(scale),
        parked(scale),
        waiting(scale),
        file_read(scale),
        process_spawn(scale),
        splice_copy(scale),
        echo(64, 50, seconds),
        echo(64, 1000, seconds),
        echo(1024, 50, seconds),
        echo_idle(seconds),
        two_loops(seconds),
        udp_echo(64, 50, seconds),
        tls("tls_echo", 200_000, scale),
        tls("tls_handshake", 4_000, scale),
        *http_groups(scale, seconds),
        client_h2(scale),
        *custody(scale, 1),
    )  # fmt: skip


def select(everything, names):
    """The groups that are needed for these entries, each with only the runs that those entries need."""
    known = [entry.name for group in everything for entry in group.entries]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no measurement is called {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = []
    for group in everything:
        entries = tuple(entry for entry in group.entries if not names or entry.name in names)
        needed = {key for entry in entries for key in (entry.weft, *entry.floors, *entry.peers.values())}
        if entries:
            chosen.append(replace(group, runs=tuple(run for run in group.runs if run.key in needed), entries=entries))
    return tuple(chosen)
