"""Chromium without a window, for tests of pages: driven by its DevTools protocol, with a profile of its own.

    async def the_page_opens(page):
        await page.open("http://127.0.0.1:8080/")
        await page.until("document.title === 'Books'")

    sys.exit(chromium.run([the_page_opens], work, screenshots))
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

try:
    import websockets
except ImportError:  # the system's own Python may have it, where another comes first
    websockets = None
    if Path(sys.executable).resolve() != Path("/usr/bin/python3").resolve() and Path("/usr/bin/python3").exists():
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

PATIENCE_S = 30


class Page:
    """A tab. What goes wrong in it is collected in `errors`, what it asks for in `asked`."""

    def __init__(self, socket, screenshots):
        self.socket, self.screenshots = socket, screenshots
        self.last, self.answers, self.events = 0, {}, asyncio.Queue()
        self.errors, self.asked = [], []

    async def listen(self):
        """Until the tab is closed, by whatever way; nobody waits for its answers then."""
        with contextlib.suppress(websockets.ConnectionClosed):
            await self.take_messages()
        for answer in self.answers.values():
            answer.cancel()

    async def take_messages(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                self.errors.append(message["params"]["exceptionDetails"]["exception"].get("description", "exception"))
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                if not entry.get("url", "").endswith("/favicon.ico"):
                    self.errors.append(entry["text"])
            elif message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            elif message["method"] == "Page.loadEventFired":
                self.events.put_nowait("load")

    async def call(self, method, **parameters):
        self.last += 1
        self.answers[self.last] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": self.last, "method": method, "params": parameters}))
        answer = await asyncio.wait_for(self.answers[self.last], PATIENCE_S)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    async def run(self, expression):
        """The value of an expression in the page, awaited there."""
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    async def until(self, expression):
        """Waits in the page, where nothing else can be asked what it waits for."""
        await self.run("new Promise((done, fail) => { const end = Date.now() + 20000; const look = () => {"
                       f"if ({expression}) done(); else if (Date.now() > end) fail('waited for nothing');"
                       "else setTimeout(look, 20); }; look(); })")

    async def leave(self):
        """Closes the tab, which would go on by itself."""
        with contextlib.suppress(websockets.ConnectionClosed, asyncio.CancelledError):
            await self.call("Page.close")
        await self.socket.close()

    async def open(self, url):
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self.events.get(), PATIENCE_S)

    async def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                            text=text if kind == "keyDown" else "")

    async def type(self, text):
        await self.call("Input.insertText", text=text)

    async def look(self, width, scheme, name):
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for height in (900, None):  # all of it is seen at once
            await self.call("Emulation.setDeviceMetricsOverride", width=width, deviceScaleFactor=1, mobile=width < 600,
                            height=height or await self.run("document.documentElement.scrollHeight"))
        await self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
        shot = await self.call("Page.captureScreenshot", format="png")
        (self.screenshots / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        wide = await self.run("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} pixels wide, there are {width}"


async def check_names(page):
    """Whatever takes the focus has a name in the tree of accessibility."""
    tree = await page.call("Accessibility.getFullAXTree")
    for node in tree["nodes"]:
        named = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
        role = node.get("role", {}).get("value")
        if named.get("focusable") and role not in ("RootWebArea", "main") and not node.get("ignored"):
            assert node.get("name", {}).get("value"), f"a {role} has no name"


# Texts whose colour is too near to what is behind them, by WCAG 2.2 (1.4.3): less than 4.5 to 1.
FAINT = """(() => {
    const numbers = (color) => color.match(/[0-9.]+/g).map(Number);
    const light = (color) => numbers(color).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
        const color = getComputedStyle(element).backgroundColor;
        return numbers(color)[3] === 0 && element.parentElement ? behind(element.parentElement) : color;
    };
    const ratio = (element) => {
        const [low, high] = [getComputedStyle(element).color, behind(element)].map(light).sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const texts = [...document.body.querySelectorAll('*')].filter((element) => element.checkVisibility()
        && !element.disabled && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return {count: texts.length, faint: texts.filter((element) => ratio(element) < 4.5).map((each) => each.outerHTML)};
})()"""


async def new_page(port, screenshots):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
    target = json.loads(urllib.request.urlopen(request, timeout=PATIENCE_S).read())
    page = Page(await websockets.connect(target["webSocketDebuggerUrl"], max_size=None), screenshots)
    page.listener = asyncio.ensure_future(page.listen())
    for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
        await page.call(f"{domain}.enable")
    return page


def skip(*why):
    print("skip:", *why)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)


async def wait_for_port(browser, work):
    """Chromium writes it into a file of its profile."""
    path = work / "profile" / "DevToolsActivePort"
    while not path.is_file() or not path.read_text().strip():
        if browser.poll() is not None:
            skip("chromium does not start here:", *(work / "chromium.log").read_text().splitlines()[-2:])
        await asyncio.sleep(0.05)  # real time: the browser is another process
    return int(path.read_text().split()[0])


async def run_tests(tests, browser, work, screenshots):
    port, failed = await asyncio.wait_for(wait_for_port(browser, work), 60), 0
    for test in tests:
        page = await new_page(port, screenshots)
        try:
            await test(page)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAILED {test.__name__}: {type(error).__name__}: {error}", *page.errors, sep="\n    ")
        await page.leave()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run(tests, work, screenshots):
    """Each test has a tab of its own. Says what they counted; the exit status."""
    if websockets is None or not shutil.which("chromium"):
        skip("there is no chromium, or no websockets for Python")
    screenshots.mkdir(parents=True, exist_ok=True)
    arguments = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={work}/profile", "--disable-gpu",
                 "--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--no-sandbox", "about:blank"]  # the pages are our own
    with (work / "chromium.log").open("w") as log:
        browser = subprocess.Popen(["chromium", *arguments], stdout=log, stderr=log)
    try:
        return asyncio.run(run_tests(tests, browser, work, screenshots))
    finally:
        browser.terminate()
        browser.wait(PATIENCE_S)
