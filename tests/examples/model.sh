#!/bin/sh
# The schema of examples/model agrees with what the program accepts: model.sh BUILD
here=$(dirname "$0")
if ! [ -x "$1/examples/model" ]; then
    echo "skip: examples/model was not built: there is no weft-http"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
exec python3 "$here/model_schema.py" "$1"
