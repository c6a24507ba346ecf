#!/usr/bin/env bash
# Makes the comparison of this folder; from the repository's root, with `fsa` on the PATH or named by $FSA.
set -euo pipefail
"${FSA:-fsa}" compare --config reports/mini-compare/rte/spec.toml --jobs 2 --resume
