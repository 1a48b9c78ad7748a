#!/usr/bin/env bash
# Documents of apps against the schema of OpenAPI 3.1, by a validator that knows nothing of weft; and the typed CRUD
# against what its document says: openapi.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: openapi.sh BUILD" >&2; exit 2; }
build=$(realpath "$1")
here=$(dirname "$0")

python=""
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c "import jsonschema" 2>/dev/null && python=$candidate
done
if ! [ -x "$build/examples/http_crud" ] || [ -z "$python" ]; then
    echo "skip: weft-http was not built, or there is no python3-jsonschema"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
exec "$python" -W ignore "$here/openapi.py" "$build"
