#!/usr/bin/env bash
# Makes every run of this folder and sums them up; from the repository's root, with `fsa` on the PATH or named by $FSA.
# SEEDS="0" makes fewer. A run that is done is not made again, and one that was stopped goes on.
set -euo pipefail
fsa=${FSA:-fsa}
here=reports/mini
off_task=trivia_qa,web_questions,wmt14_enfr,wmt16_ende,wmt16_enro,xsum,wiki_lingua
# TASK,TASK → TASK:SHOTS,TASK:SHOTS
with_shots() { echo "$1" | sed "s/,/:$2,/g; s/$/:$2/"; }
pretrained=$(with_shots $off_task 1),$(with_shots $off_task 4),$(with_shots cb,wic 0)

for seed in ${SEEDS:-0 1 2}; do
    "$fsa" label-ratio --steps 0 --eval "$pretrained" --limit all --seed $seed --out $here/pretrained-seed$seed --resume
    "$fsa" gradient-align --seed $seed --out $here/gradient-align-seed$seed --resume
    "$fsa" label-ratio --seed $seed --out $here/label-ratio-seed$seed --resume
    "$fsa" label-ratio --trainable '*layer_norm.weight' --lr 0.1 --schedule cosine --seed $seed --out $here/norms-only-seed$seed --resume
done
"$fsa" mini report $here
