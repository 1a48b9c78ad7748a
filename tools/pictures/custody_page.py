#!/usr/bin/env python3
"""Takes docs/pictures/custody-page.png: the live page of the custody sandbox, with a little that happened.

    tools/pictures/custody_page.py BUILD

It is what Chromium shows of the service of the build.
"""

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "apps" / "custody" / "tests")]
sys.dont_write_bytecode = True

import chromium  # noqa: E402
import page as live  # noqa: E402

WIDTH, HEIGHT = 1280, 1000
PERSONS = ["driver-2040", "driver-7731", "carrier-118"]


def let_something_happen(sandbox):
    for vin in ("VIN000000000007", "VIN000000000003", "VIN000000000014", live.HELD, live.VIN):
        sandbox.ask(f"/releasability/{vin}")
    made = [sandbox.authorize(person) for person in PERSONS]
    for each in made[:2]:
        sandbox.ask(f"/authorizations/{each}:approve", {"by": "dispatch"})
    sandbox.ask("/transfers", {"vin": live.VIN, "transfer_type": "PICKUP", "credential_id": made[0],
                               "location_id": live.NEW["origin"]})


async def take_it(page):
    with live.Sandbox() as sandbox:
        await page.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1,
                        mobile=False)
        await live.open_page(page, sandbox)
        let_something_happen(sandbox)
        await page.until("document.querySelectorAll('#events li').length >= 7")
        await page.until("document.querySelector('#vehicles tbody tr:nth-child(5)')")
        await page.until("document.querySelectorAll('.fresh').length && document.getAnimations()"
                         ".every((each) => each.animationName !== 'flash')")
        shot = await page.call("Page.captureScreenshot", format="png")
        (page.screenshots / "custody-page.png").write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        sys.exit(chromium.run([take_it], Path(work), ROOT / "docs" / "pictures"))
