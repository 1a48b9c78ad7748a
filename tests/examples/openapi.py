#!/usr/bin/env python3
"""Documents of apps against the schema of OpenAPI 3.1, and the typed CRUD against its own document: openapi.py BUILD.

The schema (openapi_schema.json) is the one that the OpenAPI Initiative publishes. What it leaves to words is checked
here: references lead somewhere, operations have ids of their own, names of a path are its parameters.
"""

import copy
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from jsonschema import Draft202012Validator

HERE = Path(__file__).resolve().parent
VALIDATOR = Draft202012Validator(json.loads((HERE / "openapi_schema.json").read_text()))
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def look_up(document, reference):
    for part in reference.removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def check_operations(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)), f"ids meet: {ids}"
    shapes = [re.sub(r"{[^}]*}", "{}", path) for path in document["paths"]]
    assert len(shapes) == len(set(shapes)), f"paths meet: {shapes}"
    for path, method, operation in operations(document):
        parameters = [(each["in"], each["name"]) for each in operation.get("parameters", [])]
        assert len(parameters) == len(set(parameters)), f"{method} {path}: {parameters}"
        named = {name for place, name in parameters if place == "path"}
        assert named == set(re.findall(r"{([^}]*)}", path)), f"{method} {path}: {named}"
        for name in [scheme for needed in operation.get("security", []) for scheme in needed]:
            assert name in document["components"]["securitySchemes"], f"no scheme {name}"


def schemas(document):
    yield from document["components"]["schemas"].values()
    for _, _, operation in operations(document):
        yield from (each["schema"] for each in operation.get("parameters", []) if "schema" in each)


def check(document):
    """Raises what is wrong with it."""
    for error in VALIDATOR.iter_errors(document):
        raise AssertionError(f"{error.json_path}: {error.message[:300]}")
    for reference in references(document):
        look_up(document, reference)
    for schema in schemas(document):
        Draft202012Validator.check_schema(schema)
    check_operations(document)


def broken(document):
    """What a validator must refuse."""
    def change(path, value):
        other = copy.deepcopy(document)
        *before, last = path
        node = other
        for step in before:
            node = node[step]
        if value is None:
            del node[last]
        else:
            node[last] = value
        return other

    place = ["paths", "/things/{id}", "put"]
    yield change(["info", "version"], None)
    yield change(["openapi"], "3.0.0")
    yield change([*place, "parameters", 0, "required"], False)
    yield change([*place, "parameters", 0, "name"], "other")
    yield change([*place, "responses", "20"], {"description": "no status"})
    yield change([*place, "responses", "200", "description"], None)
    yield change([*place, "operationId"], "remove")
    yield change(["components", "schemas", "tag"], None)
    yield change(["components", "schemas", "tag", "type"], "thing")


def check_everything(build):
    done = subprocess.run([build / "tests" / "http_openapi_document"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check(document)
    for number, other in enumerate(broken(document)):
        try:
            check(other)
        except Exception as error:  # noqa: BLE001
            assert not isinstance(error, (TypeError, AttributeError)), error
            continue
        raise AssertionError(f"broken document {number} was taken")


# ---- The typed CRUD ----

class Server:
    def __init__(self, program, driver):
        self.process = subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "WEFT_DRIVER": driver})
        self.url = self.process.stdout.readline().split()[-1]

    def ask(self, method, path, body=None):
        """Status, headers and JSON of the answer."""
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None

    def end(self):
        """Drains it; what it printed since it began to listen."""
        self.process.terminate()
        status = self.process.wait(30)
        assert status == 0, f"the server's exit status is {status}"
        return self.process.stdout.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


BOOK = {"isbn": "9780131103627", "title": "The C Programming Language", "year": 1988}
STEPS = [  # method, path, body, status, a part of the answer
    ("GET", "/books", None, 200, {"items": [], "total": 0}),
    ("POST", "/books", BOOK, 201, {"id": 1, **BOOK}),
    ("POST", "/books", BOOK, 409, {"detail": "9780131103627 is book 1 already"}),
    ("POST", "/books", {**BOOK, "isbn": "9780262510875", "year": None}, 201, {"id": 2, "isbn": "9780262510875"}),
    ("POST", "/books", {**BOOK, "isbn": "x", "more": 1}, 422, {}),
    ("POST", "/books", '{"isbn": ', 400, {}),
    ("GET", "/books?limit=1&offset=1", None, 200, {"total": 2}),
    ("GET", "/books?limit=101", None, 422, {}),
    ("GET", "/books/1", None, 200, {"id": 1, **BOOK}),
    ("GET", "/books/3", None, 404, {"detail": "there is no book 3"}),
    ("GET", "/books/x", None, 422, {}),
    ("PATCH", "/books/1", {"title": "K&R"}, 200, {**BOOK, "id": 1, "title": "K&R"}),
    ("PATCH", "/books/1", {"title": None}, 422, {}),
    ("PATCH", "/books/1", {"year": None}, 200, {"id": 1, "isbn": BOOK["isbn"], "title": "K&R"}),
    ("PATCH", "/books/3", {}, 404, {}),
    ("DELETE", "/books/1", None, 204, None),
    ("DELETE", "/books/1", None, 404, {}),
    ("GET", "/books", None, 200, {"total": 1}),
    ("PUT", "/books", None, 405, {}),
]


def fits(document, path, method, status, answer):
    """What was answered is what the document says of it."""
    path = re.sub(r"/books/.*", "/books/{id}", path.split("?")[0])
    if method.lower() not in document["paths"][path]:
        return
    responses = document["paths"][path][method.lower()]["responses"]
    content = responses.get(str(status), responses["default"]).get("content")
    if content is None:
        assert answer is None, answer
        return
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    for error in Draft202012Validator(schema).iter_errors(answer):
        raise AssertionError(f"{method} {path} {status}: {error.message}")


def check_crud(build, driver):
    with Server(build / "examples" / "http_crud", driver) as server:
        _, _, document = server.ask("GET", "/openapi.json")
        check(document)
        for method, path, body, wanted, part in STEPS:
            status, headers, answer = server.ask(method, path, body)
            assert status == wanted, f"{method} {path}: {status} {answer}"
            assert part is None or {key: answer[key] for key in part} == part, f"{method} {path}: {answer}"
            assert status != 201 or headers["Location"] == f"/books/{answer['id']}"
            fits(document, path, method, status, answer)
        server.end()


# ---- Work that is done later ----

def state_of(server, number, wanted):
    """Asks until it is so."""
    for _ in range(400):
        _, _, answer = server.ask("GET", f"/transfers/{number}")
        if answer["state"] in wanted:
            return answer["state"]
        time.sleep(0.05)  # real time: the server is another process
    return answer["state"]


def check_jobs(build, driver):
    with Server(build / "examples" / "http_jobs", driver) as server:
        check(server.ask("GET", "/openapi.json")[2])
        began = time.monotonic()
        status, headers, answer = server.ask("POST", "/transfers", {"amount": 5, "delay_ms": 5000})
        assert status == 202 and answer["state"] == "queued" and headers["Location"] == "/transfers/1", answer
        assert time.monotonic() - began < 4, "the answer waited for the work"
        server.ask("POST", "/transfers", {"amount": 5, "delay_ms": 50})
        server.ask("POST", "/transfers", {"amount": 5000, "delay_ms": 0})
        assert state_of(server, 2, ["done"]) == "done"
        assert state_of(server, 3, ["failed"]) == "failed"
        assert server.ask("GET", "/transfers/4")[0] == 404
        said = server.end()  # waits for the first
        assert said.count("transfer-3 failed: 5000 is too much") == 1 and "transfer-1" not in said, said
        assert time.monotonic() - began > 4, "the drain did not wait for the work"


def main():
    build = Path(sys.argv[1])
    tests = [("an app with everything", check_everything, []), ("the CRUD on uring", check_crud, ["uring"]),
             ("the CRUD on epoll", check_crud, ["epoll"]), ("work done later", check_jobs, ["uring"])]
    failed = 0
    for name, test, arguments in tests:
        try:
            test(build, *arguments)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
