#!/usr/bin/env bash
# Makes the comparison of this folder; from the repository's root, with `fsa` on the PATH or named by $FSA. SEEDS=1 makes fewer.
set -euo pipefail
"${FSA:-fsa}" compare --seeds "${SEEDS:-3}" --out reports/mini-compare/rte --resume \
    --methods pretrained,standard,prompt-tuning,promot,promot+1shot,standard+1shot,joint,random-prompt
