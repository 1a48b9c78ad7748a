#!/usr/bin/env python3
"""What a browser makes of the examples: browser.py BUILD WORK SCREENSHOTS.

It opens /docs, unfolds an operation by the keyboard, sends requests, and is asked whether everything has a name for
who cannot see it, fits a phone, and left no error in the console.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import chromium  # noqa: E402
from chromium import FAINT, check_names  # noqa: E402

BUILD, WORK, SCREENSHOTS = (Path(each) for each in sys.argv[1:4])


class Server:
    def __init__(self, name, folder="examples"):
        self.process = subprocess.Popen([BUILD / folder / name, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


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
        asked = sorted({url.split("?")[0] for url in page.asked if not url.startswith("data:")})
        assert asked == [f"{server.url}/{path}" for path in ("books", "docs", "openapi.json")], asked

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


if __name__ == "__main__":
    sys.exit(chromium.run(TESTS, WORK, SCREENSHOTS))
