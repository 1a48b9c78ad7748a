#!/usr/bin/env python3
"""What examples/model says of a text and what its schema says are the same: model_schema.py BUILD.

The schema is held against the meta-schema of JSON Schema 2020-12, by a validator that knows nothing of weft.
"""

import json
import subprocess
import sys
from pathlib import Path

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skip: python3-jsonschema is not installed")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

GOOD = {"customer_email": "a@b.example", "items": [{"sku": "AB-1", "count": 2}]}
INSTANCES = [
    GOOD,
    {},
    [],
    None,
    {**GOOD, "state": "paid"},
    {**GOOD, "state": "sent"},
    {**GOOD, "state": None},
    {**GOOD, "note": "x" * 500},
    {**GOOD, "note": "x" * 501},
    {**GOOD, "note": "\U0001f600" * 500},
    {**GOOD, "note": 5},
    {**GOOD, "other": 1},
    {**GOOD, "customer_email": 7},
    {**GOOD, "items": []},
    {**GOOD, "items": {}},
    {**GOOD, "items": [{"sku": "AB-1"}]},
    {**GOOD, "items": [{"sku": "AB-1"}] * 100},
    {**GOOD, "items": [{"sku": "AB-1"}] * 101},
    {**GOOD, "items": [{"sku": "ab-1"}]},
    {**GOOD, "items": [{"sku": "xAB-1"}]},
    {**GOOD, "items": [{"sku": "AB-1", "count": 0}]},
    {**GOOD, "items": [{"sku": "AB-1", "count": 1.0}]},
    {**GOOD, "items": [{"sku": "AB-1", "count": 1.5}]},
    {**GOOD, "items": [{"sku": "AB-1", "count": "1"}]},
    {**GOOD, "items": [{"sku": "AB-1", "count": True}]},
    {**GOOD, "items": [{"sku": "AB-1", "more": 1}]},
    {**GOOD, "items": [{"count": 1}]},
    {**GOOD, "items": [1]},
]


def say(program, texts):
    """A line for each text, and one with the schemas."""
    done = subprocess.run([program, *texts], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def main():
    program = Path(sys.argv[1]) / "examples" / "model"
    *answers, schemas = say(program, [json.dumps(instance) for instance in INSTANCES])
    document = {"components": {"schemas": json.loads(schemas)}, "$ref": "#/components/schemas/order"}
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(document)
    passed, failed = 1, 0
    for instance, answer in zip(INSTANCES, answers, strict=True):
        accepted = not answer.startswith('{"detail"')
        if accepted == validator.is_valid(instance):
            passed += 1
        else:
            failed += 1
            print(f"FAILED {json.dumps(instance)[:100]}: the schema does not agree with {answer[:200]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
