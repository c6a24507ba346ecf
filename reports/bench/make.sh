#!/usr/bin/env bash
# Makes the measurements of this folder, on a machine that does nothing else; from the repository's root, with `fsa` on the PATH or
# named by $FSA. About four minutes on two cores.
set -euo pipefail
"${FSA:-fsa}" bench --shape t5-v1_1-small --batch-size 16 --source-len 128 --target-len 4 --shuffles 1 --repeats 2 \
    --grow --out reports/bench "$@"
