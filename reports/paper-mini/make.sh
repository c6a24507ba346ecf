#!/usr/bin/env bash
# Makes this folder, and the rows behind its figures in notebooks-data/paper-mini; from the repository's root, with `fsa` on the PATH
# or named by $FSA. What is done is not made again; SEEDS=4 would add a seed. About half an hour a seed on two cores.
set -euo pipefail
"${FSA:-fsa}" paper --threads 1 --jobs 2 --seeds "${SEEDS:-3}" --resume
mkdir -p notebooks-data/paper-mini
cp reports/paper-mini/data/*.csv notebooks-data/paper-mini/
sed "s:\"data/:\"notebooks-data/paper-mini/:" reports/paper-mini/data/README.md > notebooks-data/paper-mini/README.md
