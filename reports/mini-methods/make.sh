#!/usr/bin/env bash
# Makes the run of this folder; from the repository's root, with `fsa` on the PATH or named by $FSA. SEEDS="0 1 2" makes more.
set -euo pipefail
for seed in ${SEEDS:-0}; do
    "${FSA:-fsa}" gradient-align --method standard,promot,random-prompt --threads 1 --seed "$seed" \
        --out "reports/mini-methods/rte-seed$seed" --resume
done
