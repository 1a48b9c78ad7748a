"""What two readers of examples/http_board hear while notes are added: tutorial.py URL."""
import asyncio
import json
import sys
import urllib.error
import urllib.request

import websockets

URL = sys.argv[1]


def ask(path, value=None):
    """Status and JSON."""
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


async def add(text):
    return await asyncio.get_running_loop().run_in_executor(None, ask, "/notes", {"text": text})


async def main():
    live = URL.replace("http", "ws") + "/notes/live"
    async with websockets.connect(live) as ada, websockets.connect(live) as bob:
        for number, text in enumerate(("Milk is out", "\u00e9\"" * 100), 1):
            wanted = {"id": number, "text": text}
            assert await add(text) == (201, wanted)
            for reader in (ada, bob):
                heard = json.loads(await asyncio.wait_for(reader.recv(), 20))
                assert heard == wanted, heard
        status, problems = await add("")
        assert status == 422 and problems["detail"][0]["type"] == "string_too_short", problems
    assert ask("/notes")[1]["notes"][0] == {"id": 1, "text": "Milk is out"}
    for number in range(150):
        assert (await add(f"note {number}"))[0] == 201
    assert len(ask("/notes")[1]["notes"]) == 100


asyncio.run(main())
