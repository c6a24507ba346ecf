//! The paper's figures and tables as data: what each claims, which runs it needs, how it is shown, and what the run must measure for
//! the two to agree.

use super::item::{Item, Scores, Show};
use super::quantity::{Bound, Claim, Mean, Quantity};
use crate::spec::paper::{GRADIENT_ALIGN, LABEL_RATIO, PRETRAIN};

/// Methods whose outputs stand side by side.
pub const SIDE_BY_SIDE: [&str; 3] = ["pretrained", "standard", "promot"];
const PLAIN: [&str; 4] = ["pretrained", "prompt-tuning", "standard", "promot"];
const MAIN: [&str; 4] = ["pretrained", "standard", "promot", "promot+1shot"];
const QUESTIONS: [&str; 2] = ["trivia_qa", "web_questions"];

/// How far a score may be below another, in points, and still be "similar".
const SIMILAR: Bound = Bound::Above(-2.0);
const MORE: Bound = Bound::Above(0.0);
const LESS: Bound = Bound::Below(0.0);

/// The difference of a measure between `method` and `over`, both trained on `target`; of the target's own score without shots.
const fn gain(
    target: &'static str,
    shots: Option<u64>,
    measure: &'static str,
    [method, over]: [&'static str; 2],
    bound: Bound,
) -> Claim {
    Claim { quantity: Quantity::Gain { second: false, target, shots, measure, method, over }, bound }
}

/// The same of the second model.
const fn second(claim: Claim) -> Claim {
    match claim.quantity {
        Quantity::Gain { target, shots, measure, method, over, .. } => {
            Claim { quantity: Quantity::Gain { second: true, target, shots, measure, method, over }, ..claim }
        }
        quantity => Claim { quantity, ..claim },
    }
}

const fn claim(quantity: Quantity, bound: Bound) -> Claim {
    Claim { quantity, bound }
}

/// ProMoT's target is as good as standard fine-tuning's, which loses other tasks and ProMoT does not.
const fn tables_7_to_9(target: &'static str) -> [Claim; 3] {
    [
        gain(target, None, "target", ["promot", "standard"], SIMILAR),
        gain(target, Some(1), "norm_avg", ["standard", "pretrained"], LESS),
        gain(target, Some(1), "norm_avg", ["promot", "standard"], MORE),
    ]
}

const fn table(printed: &'static str, targets: &'static [&'static str], methods: &'static [&'static str]) -> Scores {
    Scores { printed, second: false, targets, methods, shots: &[1] }
}

const fn supervised(target: &'static str) -> [Claim; 2] {
    [
        gain(target, None, "target", ["promot", "standard"], SIMILAR),
        gain(target, None, "target", ["promot", "prompt-tuning"], MORE),
    ]
}

const SUPERVISED: [[Claim; 2]; 4] =
    [supervised("rte"), supervised("wmt14_enfr"), supervised("snli"), supervised("openbookqa")];
const SNLI: [Claim; 3] = tables_7_to_9("snli");
const OPENBOOKQA: [Claim; 3] = tables_7_to_9("openbookqa");
const RTE: [Claim; 3] = tables_7_to_9("rte");
const WMT: [Claim; 3] = tables_7_to_9("wmt14_enfr");
const BOTH: &str = "rte+wmt14_enfr";

/// All of them, in the paper's order.
pub static ITEMS: [Item; 20] = [
    Item {
        name: "figure1",
        title: "Figure 1: other tasks are lost while RTE is learned",
        paper: "While the accuracy on RTE rises, the exact match on 1-shot TriviaQA and WebQuestions drops drastically.",
        here: "",
        needs: &[LABEL_RATIO],
        show: Show::Labels { figure: "figure1", tasks: &QUESTIONS, ratios: false },
        claims: &[
            claim(Quantity::Learned, MORE),
            claim(Quantity::Kept { task: "trivia_qa" }, Bound::Below(0.5)),
            claim(Quantity::Kept { task: "web_questions" }, Bound::Below(0.5)),
        ],
    },
    Item {
        name: "figure2",
        title: "Figure 2: outputs on other tasks turn into the labels of RTE",
        paper: "After 300 steps 90 % of the outputs on 1-shot TriviaQA are True or False, after 500 more than 99 % of those on \
                1-shot WMT16 En-De; this comes before the model has learned what RTE means.",
        here: "What RTE means counts as learned from the first probe on whose accuracy is above 50 with its interval.",
        needs: &[LABEL_RATIO],
        show: Show::Labels { figure: "figure2", tasks: &["trivia_qa", "wmt16_ende"], ratios: true },
        claims: &[
            claim(Quantity::LabelsAtEnd { task: "trivia_qa" }, Bound::Above(0.9)),
            claim(Quantity::LabelsAtEnd { task: "wmt16_ende" }, Bound::Above(0.9)),
            claim(Quantity::LearnedAfterLabels { task: "trivia_qa" }, MORE),
        ],
    },
    Item {
        name: "figure3",
        title: "Figure 3: the first gradient is format",
        paper: "In the last decoder layer the full and the format gradient have a cosine of about 1 at step 0 and of about 0.2 \
                after 400 steps.",
        here: "The claim is on the mean over feed-forward and the queries, keys and values of cross-attention: with targets this \
               short, queries and keys of self-attention hardly have a gradient.",
        needs: &[GRADIENT_ALIGN],
        show: Show::Gradients { figure: "figure3", ends: true },
        claims: &[
            claim(Quantity::Cosine { last: false }, Bound::Above(0.9)),
            claim(Quantity::Cosine { last: true }, Bound::Below(0.5)),
        ],
    },
    Item {
        name: "table1",
        title: "Table 1: outputs on XSum after fine-tuning on RTE",
        paper: "One input: the pretrained model and ProMoT answer with a summary, standard fine-tuning with True.",
        here: "",
        needs: &["rte"],
        show: Show::Outputs { run: "rte", tasks: &["xsum"] },
        claims: &[
            claim(Quantity::Labels { target: "rte", method: "standard", task: "xsum" }, Bound::Above(0.5)),
            claim(Quantity::Labels { target: "rte", method: "promot", task: "xsum" }, Bound::Below(0.5)),
        ],
    },
    Item {
        name: "table5.2",
        title: "Table 5.2, first: the fine-tuned tasks",
        paper: "ProMoT is as good as standard fine-tuning or better on three of four tasks, and better than prompt tuning on all four.",
        here: "As good is at most 2 points below, which says little where neither has learned the task.",
        needs: &["rte", "wmt14_enfr", "snli", "openbookqa"],
        show: Show::Scores(Scores {
            shots: &[],
            ..table("5.2", &["rte", "wmt14_enfr", "snli", "openbookqa"], &["prompt-tuning", "standard", "promot"])
        }),
        claims: SUPERVISED.as_flattened(),
    },
    Item {
        name: "table5.2-rte",
        title: "Table 5.2, second: fine-tuned on RTE",
        paper: "Standard fine-tuning loses all tasks but CB and WiC, whose answers are RTE's; ProMoT keeps them, does better than the \
                pretrained model on summaries, and with an example before each training input on average.",
        here: "",
        needs: &["rte"],
        show: Show::Scores(Scores { shots: &[1, 4], ..table("5.2-RTE", &["rte"], &MAIN) }),
        claims: &[
            gain("rte", Some(1), "norm_avg", ["standard", "pretrained"], LESS),
            gain("rte", Some(4), "norm_avg", ["standard", "pretrained"], LESS),
            gain("rte", Some(1), "norm_avg", ["promot", "pretrained"], MORE),
            gain("rte", Some(4), "norm_avg", ["promot", "pretrained"], MORE),
            gain("rte", Some(1), "mismatched", ["promot", "standard"], MORE),
            gain("rte", Some(1), "xsum", ["promot", "pretrained"], MORE),
            gain("rte", Some(1), "wiki_lingua", ["promot", "pretrained"], MORE),
            gain("rte", Some(1), "norm_avg", ["promot+1shot", "promot"], MORE),
        ],
    },
    Item {
        name: "table5.3",
        title: "Table 5.3: fine-tuned on WMT14 En-Fr",
        paper: "Standard fine-tuning loses other tasks, other languages too; ProMoT loses few and does better than the pretrained \
                model on the other languages, and on average.",
        here: "",
        needs: &["wmt14_enfr"],
        show: Show::Scores(Scores { shots: &[1, 4], ..table("5.3-WMT14", &["wmt14_enfr"], &MAIN) }),
        claims: &[
            gain("wmt14_enfr", Some(1), "norm_avg", ["standard", "pretrained"], LESS),
            gain("wmt14_enfr", Some(4), "norm_avg", ["standard", "pretrained"], LESS),
            gain("wmt14_enfr", Some(1), "norm_avg", ["promot", "pretrained"], MORE),
            gain("wmt14_enfr", Some(1), "norm_avg", ["promot", "standard"], MORE),
            gain("wmt14_enfr", Some(1), "wmt16_ende", ["promot", "pretrained"], MORE),
            gain("wmt14_enfr", Some(1), "wmt16_enro", ["promot", "pretrained"], MORE),
            gain("wmt14_enfr", Some(1), "norm_avg", ["promot+1shot", "promot"], MORE),
        ],
    },
    Item {
        name: "table2",
        title: "Table 2: fine-tuned on RTE and WMT14 En-Fr together",
        paper: "Multi-task ProMoT keeps more than multi-task fine-tuning and is about as good on both targets; an example before each \
                training input helps both.",
        here: "",
        needs: &["multitask"],
        show: Show::Scores(table(
            "2",
            &[BOTH],
            &["pretrained", "multitask", "multitask-promot", "multitask+1shot", "multitask-promot+1shot"],
        )),
        claims: &[
            gain(BOTH, Some(1), "norm_avg", ["multitask-promot", "multitask"], MORE),
            gain(BOTH, Some(1), "norm_avg", ["multitask-promot+1shot", "multitask+1shot"], MORE),
            gain(BOTH, Some(0), "rte", ["multitask-promot", "multitask"], SIMILAR),
            gain(BOTH, Some(0), "wmt14_enfr", ["multitask-promot", "multitask"], SIMILAR),
            gain(BOTH, Some(1), "norm_avg", ["multitask+1shot", "multitask"], MORE),
            gain(BOTH, Some(1), "norm_avg", ["multitask-promot+1shot", "multitask-promot"], MORE),
        ],
    },
    Item {
        name: "table3",
        title: "Table 3: it is the two stages that help",
        paper: "Prompt and model together in one stage, an example before each input without a prompt, and a random prompt all lose \
                the tasks of other formats, which ProMoT with an example keeps.",
        here: "",
        needs: &["rte"],
        show: Show::Scores(table("3", &["rte"], &["joint", "standard+1shot", "random-prompt", "promot+1shot"])),
        claims: &[
            gain("rte", Some(1), "mismatched", ["promot+1shot", "joint"], MORE),
            gain("rte", Some(1), "mismatched", ["promot+1shot", "standard+1shot"], MORE),
            gain("rte", Some(1), "mismatched", ["promot+1shot", "random-prompt"], MORE),
        ],
    },
    Item {
        name: "table5",
        title: "Table 5: the data sets",
        paper: "Versions and sizes of the splits. Nothing is claimed.",
        here: "Sizes of the mini world's splits.",
        needs: &[],
        show: Show::Splits,
        claims: &[],
    },
    Item {
        name: "table6",
        title: "Table 6: prompt tuning with an example",
        paper: "With an example before each training input, ProMoT is better than prompt tuning on both targets.",
        here: "",
        needs: &["rte", "wmt14_enfr"],
        show: Show::Scores(Scores {
            shots: &[],
            ..table("6", &["rte", "wmt14_enfr"], &["prompt-tuning+1shot", "promot+1shot"])
        }),
        claims: &[
            gain("rte", None, "target", ["promot+1shot", "prompt-tuning+1shot"], MORE),
            gain("wmt14_enfr", None, "target", ["promot+1shot", "prompt-tuning+1shot"], MORE),
        ],
    },
    Item {
        name: "table7",
        title: "Table 7: fine-tuned on SNLI and on OpenbookQA",
        paper: "As with RTE: standard fine-tuning loses other tasks, on OpenbookQA all of them; ProMoT keeps them, with targets as good.",
        here: "",
        needs: &["snli", "openbookqa"],
        show: Show::Scores(table("7", &["snli", "openbookqa"], &PLAIN)),
        claims: [SNLI, OPENBOOKQA].as_flattened(),
    },
    Item {
        name: "figure5",
        title: "Figure 5: WMT14 En-Fr against classification, checkpoint by checkpoint",
        paper: "Within 20,000 steps ProMoT's checkpoints lie above standard fine-tuning's: for the same BLEU on En-Fr, more accuracy \
                on classification tasks.",
        here: "Within the steps of the preset. The claim is on the mean over the checkpoints of the last stage.",
        needs: &["wmt14_enfr"],
        show: Show::TradeOff { figure: "figure5", run: "wmt14_enfr" },
        claims: &[claim(Quantity::TradeOff { target: "wmt14_enfr", mean: Mean::Classification }, MORE)],
    },
    Item {
        name: "figure6",
        title: "Figure 6: WMT14 En-Fr against other languages, checkpoint by checkpoint",
        paper: "The same with the mean BLEU on other language pairs.",
        here: "Within the steps of the preset. The claim is on the mean over the checkpoints of the last stage.",
        needs: &["wmt14_enfr"],
        show: Show::TradeOff { figure: "figure6", run: "wmt14_enfr" },
        claims: &[claim(Quantity::TradeOff { target: "wmt14_enfr", mean: Mean::Translation }, MORE)],
    },
    Item {
        name: "table8",
        title: "Table 8: another model, fine-tuned on RTE",
        paper: "T5.1.1-XXL does as mT5-XXL does.",
        here: "The second model is smaller, of another seed and of the same corpus.",
        needs: &[PRETRAIN, "second-rte"],
        show: Show::Scores(Scores { second: true, ..table("8", &["rte"], &PLAIN) }),
        claims: &[second(RTE[0]), second(RTE[1]), second(RTE[2])],
    },
    Item {
        name: "table9",
        title: "Table 9: a smaller model, fine-tuned on WMT14 En-Fr",
        paper: "mT5-XL does as mT5-XXL does.",
        here: "The second model is smaller, of another seed and of the same corpus.",
        needs: &[PRETRAIN, "second-wmt14_enfr"],
        show: Show::Scores(Scores { second: true, ..table("9", &["wmt14_enfr"], &PLAIN) }),
        claims: &[second(WMT[0]), second(WMT[1]), second(WMT[2])],
    },
    Item {
        name: "table10",
        title: "Table 10: a decoder-only model",
        paper: "PaLM-8b does as mT5-XXL does.",
        here: "Cannot be made: it needs a decoder-only model, which fsa does not have.",
        needs: &[],
        show: Show::Nothing,
        claims: &[],
    },
    Item {
        name: "table11",
        title: "Table 11: LoRA in the place of the prompt",
        paper: "ProMoT with a soft prompt is better than with LoRA, on the target and on other tasks.",
        here: "",
        needs: &["wmt14_enfr", "wmt14_enfr-lora-r2"],
        show: Show::Scores(table(
            "11",
            &["wmt14_enfr"],
            &["pretrained", "standard", "promot-lora-r2", "promot-lora-r4", "promot"],
        )),
        claims: &[
            gain("wmt14_enfr", None, "target", ["promot", "promot-lora-r2"], MORE),
            gain("wmt14_enfr", None, "target", ["promot", "promot-lora-r4"], MORE),
            gain("wmt14_enfr", Some(1), "norm_avg", ["promot", "promot-lora-r2"], MORE),
            gain("wmt14_enfr", Some(1), "norm_avg", ["promot", "promot-lora-r4"], MORE),
        ],
    },
    Item {
        name: "figure7",
        title: "Figure 7: the gradient's alignment along fine-tuning",
        paper: "The alignment drops after 300 steps, when the share of True and False has risen.",
        here: "Steps of the first probes at which the cosine of Figure 3 is below 0.5 and the label ratio on TriviaQA is above 0.5 with \
               its interval.",
        needs: &[LABEL_RATIO, GRADIENT_ALIGN],
        show: Show::Gradients { figure: "figure7", ends: false },
        claims: &[claim(Quantity::CosineFallsAfterLabels { task: "trivia_qa" }, MORE)],
    },
    Item {
        name: "a.3.8",
        title: "A.3.8: outputs after fine-tuning on WMT14 En-Fr",
        paper: "Standard fine-tuning answers other tasks in French or repeats its input; ProMoT answers them.",
        here: "",
        needs: &["wmt14_enfr"],
        show: Show::Outputs { run: "wmt14_enfr", tasks: &["wmt16_ende", "web_questions", "wiki_lingua"] },
        claims: &[
            gain("wmt14_enfr", Some(1), "wmt16_ende", ["promot", "standard"], MORE),
            gain("wmt14_enfr", Some(1), "web_questions", ["promot", "standard"], MORE),
            gain("wmt14_enfr", Some(1), "wiki_lingua", ["promot", "standard"], MORE),
        ],
    },
];
