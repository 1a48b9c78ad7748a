#!/usr/bin/env python3
"""What a browser makes of the sandbox's live page: page.py BUILD [SCREENSHOTS]

Chromium opens it, checks and authorizes and transfers by keyboard and mouse, while others do the same by the API; the
service goes away and comes back; and everything is looked at: on a phone, in the dark, by who cannot see it.
"""

import base64
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests"))
sys.dont_write_bytecode = True

import chromium  # noqa: E402
from chromium import FAINT, check_names  # noqa: E402

BUILD = Path(sys.argv[1]).resolve()
PROGRAM = BUILD / "custody" / "cli" / "custody"
SECRET = "a secret of these tests, long enough"
VIN, HELD = "2HGCM82633A789012", "1HGCM82633A123456"
NEW = {"vin": VIN, "origin": "LOC-AUCTION-MANHEIM-ATLANTA", "destination": "LOC-DEALER-CARMAX-RICHMOND",
       "authorized_by": "another", "make_model": "Honda Accord"}


class Sandbox:
    """The service, which may be killed and started again with what it had."""

    def __init__(self, database=":memory:"):
        self.database, self.port = database, "0"
        self.start()

    def start(self):
        """The kernel may hold the port for a moment after the one before was killed."""
        deadline = time.monotonic() + 20
        while not (lines := self.try_to_start()) and time.monotonic() < deadline:
            time.sleep(0.2)  # real time: the kernel's
        self.base, self.page, self.token = (line.split()[-1] for line in lines)
        self.root = self.base.removesuffix("v1")
        self.port = self.root.rstrip("/").rsplit(":", 1)[1]

    def try_to_start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "sandbox", "--port", self.port, "--database", self.database, "--secret", SECRET],
            stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(3)]
        if not all(lines):
            self.stop()
        return lines if all(lines) else None

    def stop(self):
        self.process.kill()
        self.process.stdout.close()
        return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        assert status == -signal.SIGKILL, f"the service ended by itself: {status}"

    def ask(self, path, body=None):
        """As another client would."""
        request = urllib.request.Request(self.base + path, json.dumps(body).encode() if body is not None else None,
                                         {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def authorize(self, person):
        return self.ask("/authorizations", {**NEW, "person_identity_key": person})["authorization_id"]

    def fault(self, path, status, count=1):
        self.ask("/_sandbox/faults", {"path": path, "status": status, "count": count})


def make_token(**claims):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    claims = {"sub": "test", "aud": "custody-sandbox", "exp": int(time.time()) + 600, **claims}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


# ---- What is on the page ----

LINE = "document.getElementById('line').textContent"
LIVE = f"{LINE} === 'live' && document.querySelector('#authorizations tbody tr')"


def row_of(table, key):
    return f"document.querySelector('#{table} tr[data-key=\"{key}\"]')"


def has_event(kind, subject):
    return (f"[...document.querySelectorAll('#events [data-kind=\"{kind}\"]')]"
            f".some((each) => each.textContent.includes('{subject}'))")


async def open_page(page, sandbox):
    await page.open(sandbox.page)
    await page.until(LIVE)


async def fill_in(page, values):
    """The fields of the dialog, and off it goes."""
    for name, value in values.items():
        await page.run(f"{{ const field = document.querySelector('dialog form').elements['{name}'];"
                       f"field.value = {json.dumps(value)};"
                       "field.dispatchEvent(new Event('input', {bubbles: true})); }")
    await page.run("document.querySelector('dialog form').requestSubmit()")


async def press_tab_until(page, expression):
    """By the keyboard alone, as far as the whole page; the focus is to be seen at every stop."""
    for _ in range(200):
        await page.press("Tab", 9)
        seen = await page.run("(() => { const at = document.activeElement; if (at === document.body) return true;"
                              "const of = at.matches('.tabs input') ? at.nextElementSibling : at;"
                              "return getComputedStyle(of).outlineStyle !== 'none'; })()")
        assert seen, await page.run("document.activeElement.outerHTML")
        if await page.run(expression):
            return
    raise AssertionError(f"no number of tabs leads to {expression}")


def check_requests(page, sandbox):
    others = [url for url in page.asked if not url.startswith((sandbox.root, "data:"))]
    assert others == [] and not any(sandbox.token in url.split("#")[0] for url in page.asked), others


# ---- The tests ----

async def a_vehicle_is_checked_by_the_keyboard_alone(page):
    with Sandbox() as sandbox:
        await page.open(sandbox.page)
        await page.until(f"{LINE} === 'live'")
        assert await page.run("location.href") == sandbox.root, "the token stays in the address"
        await press_tab_until(page, "document.activeElement.className === 'skip'")
        await page.press("Enter", 13, "\r")
        await press_tab_until(page, "document.activeElement.id === 'check-vin'")
        await page.type(HELD.lower())
        await page.press("Enter", 13, "\r")
        await page.until("document.querySelector('.result.held')")
        shown = await page.run("document.querySelector('.result').textContent")
        assert HELD in shown and "TITLE_HOLD" in shown and "may not be released" in shown, shown
        await page.until(row_of("vehicles", HELD))
        await press_tab_until(page, f"document.activeElement === {row_of('vehicles', HELD)}.querySelector('button')")
        await page.press("Enter", 13, "\r")
        await page.until("document.querySelector('dialog .facts')")
        assert "In the custody of" in await page.run("document.querySelector('dialog').textContent")
        await check_names(page)
        await page.press("Escape", 27)
        await page.until("!document.querySelector('dialog')")
        await press_tab_until(page, "document.activeElement.dataset.does === 'approve'")
        assert page.errors == [], page.errors
        check_requests(page, sandbox)


async def an_authorization_is_made_approved_and_used(page):
    with Sandbox() as sandbox:
        await open_page(page, sandbox)
        sandbox.ask(f"/releasability/{VIN}")
        await page.run("document.getElementById('authorize').click()")
        await fill_in(page, {"vin": VIN, "person_identity_key": "driver-1", "origin": NEW["origin"],
                             "destination": NEW["destination"]})
        await page.until("!document.querySelector('dialog') && document.querySelector('.notice.good')")
        made = (await page.run("document.querySelector('.notice').textContent")).split()[0]
        await page.until(f"{row_of('authorizations', made)}?.textContent.includes('Pending')")
        await page.until(has_event("created", made))
        pending = int(await page.run("document.getElementById('figure-pending').textContent"))

        await page.run(f"{row_of('authorizations', made)}.querySelector('[data-does=approve]').focus()")
        await page.press("Enter", 13, "\r")
        await page.until(f"{row_of('authorizations', made)}?.textContent.includes('Approved')")
        await page.until(has_event("approved", made))
        assert int(await page.run("document.getElementById('figure-pending').textContent")) == pending - 1
        assert await page.run(f"{row_of('authorizations', made)}.contains(document.activeElement)"), "the focus is lost"

        await page.run(f"{row_of('authorizations', made)}.querySelector('[data-does=transfer]').click()")
        assert await page.run("document.querySelector('dialog form').elements.vin.value") == VIN
        await page.run("document.querySelector('dialog form').requestSubmit()")
        await page.until(has_event("transferred", "TRF-"))
        await page.until("document.querySelector('#transfers tbody tr')?.textContent.includes('driver-1')")
        await page.until(f"{row_of('vehicles', VIN)}?.textContent.includes('driver-1')")
        await page.until(f"!{row_of('authorizations', made)}")
        state = sandbox.ask(f"/transfers/{VIN}/status")
        assert state["current_custodian"] == "driver-1", state
        assert page.errors == [], page.errors
        check_requests(page, sandbox)


async def what_others_do_shows_by_itself(page):
    with Sandbox() as sandbox:
        await open_page(page, sandbox)
        made = sandbox.authorize("driver-2")
        await page.until(f"{row_of('authorizations', made)}?.textContent.includes('Pending')")
        await page.until("document.getElementById('news').textContent.includes('Authorization asked for')")
        sandbox.ask(f"/authorizations/{made}:approve", {"by": "another"})
        await page.until(f"{row_of('authorizations', made)}?.textContent.includes('Approved')")
        other = sandbox.ask("/transfers", {"vin": VIN, "transfer_type": "PICKUP", "credential_id": made,
                                           "location_id": NEW["origin"]})["transfer_id"]
        await page.until(f"{row_of('transfers', other)}?.textContent.includes('driver-2')")
        sandbox.ask("/releasability/VIN000000000042")
        await page.until(row_of("vehicles", "VIN000000000042"))

        await page.open(sandbox.root)  # once more, without the token in the address
        await page.until(LIVE)
        await page.until(f"{has_event('transferred', other)} && {row_of('transfers', other)}")
        assert await page.run("document.getElementById('news').textContent") == "", "the past is told as news"
        assert page.errors == [], page.errors


async def a_list_keeps_what_did_not_change(page):
    with Sandbox() as sandbox:
        await open_page(page, sandbox)
        await page.run("document.querySelector('#authorizations tbody tr').marked = true;"
                       "document.querySelector('#authorizations tbody button').focus()")
        made = sandbox.authorize("driver-3")
        await page.until(row_of("authorizations", made))
        assert await page.run("[...document.querySelectorAll('#authorizations tbody tr')].some((each) => each.marked)")
        assert await page.run("document.activeElement.closest('#authorizations tr')?.marked"), "the focus is lost"

        await page.run("document.querySelector('#statuses [value=ALL]').click()")
        more = "document.getElementById('authorizations').closest('section').querySelector('.more')"
        for count in (16, 32, 64, 122):
            await page.run(f"{more}.click()")
            await page.until(f"document.querySelectorAll('#authorizations tbody tr').length === {count}")
        assert await page.run(f"{more}.hidden")
        assert await page.run("document.querySelectorAll('#authorizations .badge:is(.used, .rejected)').length") > 0
        await page.run("document.querySelector('#statuses [value=PENDING]').click()")
        await page.until("[...document.querySelectorAll('#authorizations tbody .badge')]"
                         ".every((each) => each.matches('.pending'))")

        rejected = f"{row_of('authorizations', made)}"
        await page.run(f"{rejected}.querySelector('[data-does=reject]').focus()")
        await page.press("Enter", 13, "\r")
        await fill_in(page, {"by": "test", "reason": "the wrong person"})
        await page.until(f"!document.querySelector('dialog') && !{rejected}")
        assert await page.run("document.activeElement.id") == "authorizations-title", "the focus is lost"
        assert sandbox.ask(f"/authorizations/{made}")["status"] == "REJECTED"


async def a_wrong_token_is_said_and_asked_for_again(page):
    with Sandbox() as sandbox:
        await page.open(f"{sandbox.root}#token=nonsense")
        await page.until("!document.getElementById('gate').hidden")
        await page.until("document.querySelector('#gate .problem').textContent.includes('was not accepted')")
        assert await page.run("document.activeElement.id") == "gate-token"
        assert await page.run("document.getElementById('board').hidden")
        await check_names(page)
        late = make_token(exp=int(time.time()) - 60, scope="custody:read custody:write")
        for token, state in ((late, "not connected"), (make_token(scope="custody:read"), "live")):
            await page.run("document.getElementById('gate-token').focus()")
            await page.type(token)
            await page.press("Enter", 13, "\r")
            await page.until(f"{LINE} === '{state}'")
        await page.until(LIVE)

        await page.run("document.querySelector('[data-does=approve]').click()")  # with a token that may only look
        await page.until("document.querySelector('.notice.bad')?.textContent.includes('may not do that')")
        await page.run("document.getElementById('who').click()")
        assert "custody:read" in await page.run("document.querySelector('dialog').textContent")
        await page.run("document.querySelector('dialog .buttons button').click()")
        await page.until("!document.getElementById('gate').hidden")
        assert await page.run("sessionStorage.length") == 0


async def mistakes_are_said_where_they_are(page):
    with Sandbox() as sandbox:
        await open_page(page, sandbox)
        await page.run("document.getElementById('authorize').click()")
        await fill_in(page, {"vin": "INVALID_VIN", "person_identity_key": "driver-4", "origin": "", "destination": "b"})
        await page.until("document.querySelector('dialog [aria-invalid]')")
        wrong = await page.run("[...document.querySelectorAll('dialog [aria-invalid]')].map((at) => at.name).join()")
        assert wrong == "vin,origin", wrong
        about = "document.querySelector('dialog [name=vin]').getAttribute('aria-describedby')"
        told = await page.run(f"document.getElementById({about}).textContent")
        assert "INVALID_VIN" in told, told
        assert await page.run("document.activeElement.name") == "vin"

        await fill_in(page, {"vin": VIN, "origin": "a"})
        await page.until("!document.querySelector('dialog')")
        await page.run("document.getElementById('authorize').click()")
        await fill_in(page, {"vin": VIN, "person_identity_key": "driver-4", "origin": "a", "destination": "b"})
        general = "document.querySelector('dialog .problem[role=alert]').textContent"
        await page.until(f"{general}.includes('does not go together')")
        await page.press("Escape", 27)

        await page.run("document.getElementById('check').requestSubmit()")
        await page.until("document.querySelector('#check [aria-invalid]')")
        await page.run("document.getElementById('check-vin').value = 'VIN000000000001'")
        for status, text in ((429, "Too many requests. Try again in 1 second."), (503, "failed with 503")):
            sandbox.fault("/releasability/*", status)
            await page.run("document.getElementById('check').requestSubmit()")
            await page.until(f"document.querySelector('#check > .problem').textContent.includes('{text}')")
        await page.run("document.getElementById('check').requestSubmit()")
        await page.until("document.querySelector('#check > .problem').textContent === ''"
                         "&& document.querySelector('.result')")


async def nothing_is_missed_while_the_service_is_away(page):
    with tempfile.TemporaryDirectory() as folder, Sandbox(f"{folder}/custody.db") as sandbox:
        await open_page(page, sandbox)
        first = sandbox.authorize("driver-5")
        await page.until(has_event("created", first))
        sandbox.stop()
        await page.until(f"{LINE} === 'reconnecting …'")
        await page.until("!document.getElementById('trouble').hidden")
        await page.run("document.getElementById('check-vin').value = 'VIN000000000001';"
                       "document.getElementById('check').requestSubmit()")
        await page.until("document.querySelector('#check > .problem').textContent.includes('does not answer')")
        sandbox.start()
        missed = [sandbox.authorize(f"driver-{number}") for number in range(6, 9)]
        await page.until(f"{LINE} === 'live' && document.getElementById('trouble').hidden")
        for each in missed:
            await page.until(f"{has_event('created', each)} && {row_of('authorizations', each)}")
        numbers = await page.run("[...document.querySelectorAll('#events li')].map((each) => +each.dataset.number)")
        assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1)) and len(numbers) >= 4, numbers


async def another_database_is_noticed(page):
    with Sandbox() as sandbox:
        await open_page(page, sandbox)
        for number in range(3):
            gone = sandbox.authorize(f"driver-{number}")
        await page.until(has_event("created", gone))
        sandbox.stop()
        sandbox.start()  # with nothing that it had
        await page.until(f"{LINE} === 'live' && document.querySelectorAll('#events li').length === 0")
        made = sandbox.authorize("driver-9")
        await page.until(has_event("created", made))
        assert await page.run("document.querySelectorAll('#events li').length") == 1


async def it_is_readable_everywhere(page):
    with Sandbox() as sandbox:
        for vin in ("VIN000000000007", "VIN000000000003", HELD, VIN):
            sandbox.ask(f"/releasability/{vin}")
        for person in ("driver-7731", "driver-2040"):
            made = sandbox.authorize(person)
        sandbox.ask(f"/authorizations/{made}:approve", {"by": "another"})
        sandbox.ask("/transfers", {"vin": VIN, "transfer_type": "PICKUP", "credential_id": made,
                                   "location_id": NEW["origin"]})
        await open_page(page, sandbox)
        await page.until("document.querySelectorAll('#events li').length >= 5"
                         "&& document.querySelector('#vehicles tbody tr:nth-child(4)')")
        for width, scheme in ((1280, "light"), (1280, "dark"), (800, "light"), (360, "light"), (360, "dark")):
            await page.look(width, scheme, f"custody-{scheme}-{width}")
            found = await page.run(FAINT)
            assert found["count"] > 60 and found["faint"] == [], found
        await check_names(page)
        for opened in ("document.getElementById('authorize').click()", "document.getElementById('transfer').click()",
                       "document.querySelector('#vehicles .link').click()",
                       "document.querySelector('[data-does=reject]').click()"):
            await page.run(opened)
            await page.until("document.querySelector('dialog :is(input, .facts)')")
            assert await page.run("document.querySelector('dialog').scrollWidth") <= 360
            assert (await page.run(FAINT))["faint"] == []
            await page.look(360, "light", f"custody-dialog-{len(opened)}")
            await page.run("document.querySelector('dialog').close()")
        themes = []
        for _ in range(3):
            await page.run("document.getElementById('theme').click()")
            themes.append(await page.run("getComputedStyle(document.documentElement).colorScheme"))
        assert themes == ["light", "dark", "light dark"], themes
        assert page.errors == [], page.errors


async def the_api_describes_itself_and_can_be_tried(page):
    """By weft's own page, which asks where the description says that the operations are."""
    operation = "document.getElementById('health')"
    with Sandbox() as sandbox:
        await page.open(sandbox.root + "docs")
        await page.until(operation)
        await page.run(f"{operation}.open = true")
        await page.until(f"{operation}.querySelector('form')")
        await page.run(f"{operation}.querySelector('form').requestSubmit()")
        await page.until(f"{operation}.querySelector('.answer [role=status]').textContent.startsWith('200 ')")
        assert f"{sandbox.base}/healthz" in page.asked, page.asked
        assert page.errors == [], page.errors


TESTS = [a_vehicle_is_checked_by_the_keyboard_alone, an_authorization_is_made_approved_and_used,
         what_others_do_shows_by_itself, a_list_keeps_what_did_not_change, a_wrong_token_is_said_and_asked_for_again,
         mistakes_are_said_where_they_are, nothing_is_missed_while_the_service_is_away, another_database_is_noticed,
         the_api_describes_itself_and_can_be_tried, it_is_readable_everywhere]


def main():
    if not PROGRAM.is_file():
        chromium.skip("the custody service was not built")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        return chromium.run(TESTS, Path(work), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(work))


if __name__ == "__main__":
    sys.exit(main())
