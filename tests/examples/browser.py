#!/usr/bin/env python3
"""What a browser makes of the examples: browser.py BUILD WORK SCREENSHOTS.

Chromium is driven by its DevTools protocol: it opens /docs, unfolds an operation by the keyboard, sends requests, and
is asked whether everything has a name for who cannot see it, fits a phone, and left no error in the console.
"""

import asyncio
import base64
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import websockets

BUILD, WORK, SCREENSHOTS = (Path(each) for each in sys.argv[1:4])
PATIENCE_S = 30


class Server:
    def __init__(self, name, folder="examples"):
        self.process = subprocess.Popen([BUILD / folder / name, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Page:
    """A tab. What goes wrong in it is collected in `errors`."""

    def __init__(self, socket):
        self.socket, self.last, self.answers, self.errors, self.events = socket, 0, {}, [], asyncio.Queue()

    async def listen(self):
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

    async def open(self, url):
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self.events.get(), PATIENCE_S)

    async def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                            text=text if kind == "keyDown" else "")

    async def look(self, width, scheme, name):
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for height in (900, None):  # all of it is seen at once
            await self.call("Emulation.setDeviceMetricsOverride", width=width, deviceScaleFactor=1, mobile=width < 600,
                            height=height or await self.run("document.documentElement.scrollHeight"))
        await self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
        shot = await self.call("Page.captureScreenshot", format="png")
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
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

OPERATION = "document.getElementById('add_book')"
ANSWER = f"{OPERATION}.querySelector('.answer')"
STATUS = f"{ANSWER}.querySelector('[role=status]').textContent"


async def the_docs_page_lists_and_sends(page):
    with Server("http_crud") as server:
        await page.open(f"{server.url}/docs")
        await page.until("document.querySelectorAll('details.operation').length === 5")
        assert await page.run("document.title") == "Books"
        assert await page.run("document.querySelector('h2 + details').id") == "list_books"

        await page.run(f"{OPERATION}.querySelector('summary').focus()")
        await page.press("Enter", 13, "\r")
        await page.until(f"{OPERATION}.open && {OPERATION}.querySelector('form')")
        body = json.loads(await page.run(f"{OPERATION}.querySelector('textarea').value"))
        assert body == {"isbn": "9780131103627", "title": "The C Programming Language", "year": 1988}, body
        await check_names(page)

        await page.run(f"{OPERATION}.querySelector('form').requestSubmit()")
        await page.until(f"{STATUS}.startsWith('201 Created, ')")
        answer = json.loads(await page.run(f"{ANSWER}.querySelector('.body').textContent"))
        assert answer["id"] == 1 and answer["isbn"] == body["isbn"], answer
        assert "location: /books/1" in await page.run(f"{ANSWER}.textContent")
        for width, scheme in ((1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")):
            await page.look(width, scheme, f"docs-{scheme}-{width}")
            found = await page.run(FAINT)
            assert found["count"] > 20 and found["faint"] == [], found
        assert page.errors == [], page.errors

        await page.run(f"{OPERATION}.querySelector('form').requestSubmit()")
        await page.until(f"{STATUS}.startsWith('409 Conflict, ')")  # the browser tells of it in the console
        assert all("409" in error for error in page.errors), page.errors
        page.errors.clear()


async def the_docs_page_fills_in_what_is_asked_for(page):
    with Server("http_crud") as server:
        await page.open(f"{server.url}/docs#list_books")
        await page.until("document.getElementById('list_books')?.open && document.querySelector('#list_books form')")
        assert await page.run("document.querySelector('#list_books input').value") == "20"
        await page.run("document.querySelector('#list_books form').requestSubmit()")
        await page.until("document.querySelector('#list_books .body').textContent.includes('total')")
        shown = await page.run("document.querySelector('#list_books .answer').textContent")
        assert "/books?limit=20&offset=0" in shown, shown

        await page.run("{ const field = document.getElementById('filter'); field.value = 'delete';"
                       "field.dispatchEvent(new Event('input')); }")
        assert await page.run("document.querySelectorAll('details.operation:not([hidden])').length") == 1
        assert page.errors == [], page.errors


async def every_kind_of_input_can_be_sent(page):
    with Server("http_openapi_document", "tests") as server:
        await page.open(f"{server.url}/docs#show_inputs")
        await page.until("document.querySelector('#show_inputs form')")
        await page.run("for (const label of document.querySelectorAll('#show_inputs label')) {"
                       "const field = document.getElementById(label.htmlFor), name = label.firstChild.textContent;"
                       "field.value = {limit: '7', word: 'one\\ntwo\\n', order: 'down', theme: 'dark=',"
                       "like: '{\"label\": \"x\"}', 'user-agent': 'weft'}[name]; }")
        await page.run("document.querySelector('#show_inputs form').requestSubmit()")
        await page.until("document.querySelector('#show_inputs .body').textContent !== ''")
        shown = await page.run("document.querySelector('#show_inputs .body').textContent")
        assert shown.startswith("7, 2 words, order 1, like x, ") and shown.endswith("theme dark="), shown
        await page.look(1200, "light", "fields")
        await page.look(360, "dark", "fields-phone")

        await page.run("location.hash = 'show_thing_3'")  # /guarded
        await page.until("document.querySelector('#show_thing_3 form')")
        await page.run("document.getElementById('credential-bearer').value = 'secret'")
        await page.run("document.querySelector('#show_thing_3 form').requestSubmit()")
        await page.until("document.querySelector('#show_thing_3 [role=status]').textContent.startsWith('200')")
        await check_names(page)

        await page.run("location.hash = 'log_in'")
        await page.until("document.querySelector('#log_in form')")
        assert await page.run("[...document.querySelectorAll('#log_in input')].map((each) => each.type).join()") \
            == "text,password"
        await page.run("document.querySelector('#log_in form').requestSubmit()")
        await page.until("document.querySelector('#log_in [role=status]').textContent.startsWith('204')")
        assert page.errors == [], page.errors


async def a_page_hears_events(page):
    with Server("http_events") as server:
        await page.open(f"{server.url}/")
        await page.until("document.getElementById('count').textContent === '2 seconds'")
        await page.open(f"{server.url}/docs#count_seconds")
        await page.until("document.querySelector('#count_seconds form')")
        await page.run("document.querySelector('#count_seconds form').requestSubmit()")
        await page.until("document.querySelector('#count_seconds .body').textContent.includes('data: 1 seconds')")
        await page.run("document.querySelector('#count_seconds button[type=button]').click()")
        await page.until("document.querySelector('#count_seconds [role=status]').textContent.includes('stopped')")
        assert page.errors == [], page.errors


async def a_page_talks_by_websocket(page):
    with Server("ws_echo") as server, Server("http_events") as other:
        await page.open(other.url)  # from another origin, which the example allows
        url = server.url.replace("http", "ws")
        said = await page.run(
            f"new Promise((done, fail) => {{ const socket = new WebSocket('{url}/'); const got = [];"
            "socket.binaryType = 'arraybuffer'; socket.onerror = () => fail('error');"
            "socket.onopen = () => { socket.send('h\\u00e9llo'); socket.send(new Uint8Array([1, 2, 255]));"
            "socket.send('x'.repeat(100000)); };"
            "socket.onmessage = ({data}) => { got.push(typeof data === 'string' ? data.slice(0, 10) + data.length"
            ": [...new Uint8Array(data)].join()); if (got.length === 3) socket.close(1000, 'enough'); };"
            "socket.onclose = ({code, wasClean}) => done(got.concat(code, wasClean, socket.extensions)); })")
        assert said[:5] == ["h\u00e9llo5", "1,2,255", "xxxxxxxxxx100000", 1000, True], said
        assert said[5].startswith("permessage-deflate"), said
        assert page.errors == [], page.errors


async def a_page_of_the_app_may_listen_to_it(page):
    with Server("http_board") as server:
        await page.open(f"{server.url}/docs#add_note")
        await page.until("document.querySelector('#add_note form')")
        await page.run("new Promise((done, fail) => { window.heard = []; const socket = new WebSocket('/notes/live'"
                       ".replace(/^/, location.origin.replace('http', 'ws'))); socket.onopen = done;"
                       "socket.onerror = () => fail('error'); socket.onmessage = ({data}) => heard.push(data); })")
        await page.run("document.querySelector('#add_note form').requestSubmit()")
        await page.until("heard.length === 1")
        assert json.loads(await page.run("heard[0]")) == {"id": 1, "text": "Milk is out"}
        assert page.errors == [], page.errors


TESTS = [the_docs_page_lists_and_sends, the_docs_page_fills_in_what_is_asked_for,
         every_kind_of_input_can_be_sent, a_page_hears_events, a_page_talks_by_websocket,
         a_page_of_the_app_may_listen_to_it]


async def new_page(port):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
    target = json.loads(urllib.request.urlopen(request, timeout=PATIENCE_S).read())
    page = Page(await websockets.connect(target["webSocketDebuggerUrl"], max_size=None))
    page.listener = asyncio.ensure_future(page.listen())
    for domain in ("Page", "Runtime", "Log", "Accessibility"):
        await page.call(f"{domain}.enable")
    return page


async def wait_for_port(browser):
    """Chromium writes it into a file of its profile."""
    path = WORK / "profile" / "DevToolsActivePort"
    while not path.is_file() or not path.read_text().strip():
        if browser.poll() is not None:
            print("skip: chromium does not start here:", *(WORK / "chromium.log").read_text().splitlines()[-2:])
            print("0 passed, 0 failed, 1 skipped")
            sys.exit(0)
        await asyncio.sleep(0.05)  # real time: the browser is another process
    return int(path.read_text().split()[0])


async def run_tests(browser):
    port, failed = await asyncio.wait_for(wait_for_port(browser), 60), 0
    for test in TESTS:
        page = await new_page(port)
        try:
            await test(page)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAILED {test.__name__}: {type(error).__name__}: {error}", *page.errors, sep="\n    ")
        await page.socket.close()
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    SCREENSHOTS.mkdir(exist_ok=True)
    arguments = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={WORK}/profile", "--disable-gpu",
                 "--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--no-sandbox", "about:blank"]  # the pages are our own
    with (WORK / "chromium.log").open("w") as log:
        browser = subprocess.Popen(["chromium", *arguments], stdout=log, stderr=log)
    try:
        return asyncio.run(run_tests(browser))
    finally:
        browser.terminate()
        browser.wait(PATIENCE_S)


if __name__ == "__main__":
    sys.exit(main())
