#!/bin/sh
# Runs the samples of the documents, each as its head says: seeds.sh BUILD
exec "${PYTHON:-python3}" "$(dirname "$0")/seeds.py" "$@"
