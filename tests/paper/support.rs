//! A plan whose runs take no time.

use std::path::Path;

use fsa::experiment::paper::Plan;
use fsa::spec::label_ratio::Source;
use fsa::spec::paper::SubSpec;
use fsa::spec::{Compare, Evaluation, Paper, Training};

/// The items that are made: one of each kind, and one of the second model.
pub const ONLY: [&str; 8] = ["figure1", "figure2", "figure3", "figure5", "figure7", "table1", "table5", "table8"];

fn training(training: &Training) -> Training {
    Training { batch_size: 4, ..training.clone() }
}

fn compare(spec: &mut Compare) {
    spec.limit = Some(2);
    spec.decoding.max_new_tokens = 3;
    spec.prompt.length = 2;
    // A matched task, one with a short answer, one with another language and one that table 1 shows.
    spec.eval =
        ["cb:1", "web_questions:1", "wmt16_ende:1", "xsum:1"].map(|text| Evaluation::parse(text).unwrap()).into();
    // What the items claim something of.
    spec.methods
        .retain(|method| ["pretrained", "prompt-tuning", "standard", "promot"].contains(&method.name().as_str()));
    for stage in [&mut spec.model_stage, &mut spec.prompt_stage, &mut spec.lora_stage] {
        stage.training = training(&stage.training);
        (stage.steps, stage.probe_every) = (2, 1);
    }
}

/// The plan of these items and seeds, each run made small.
pub fn plan(out: &Path, seeds: u64, only: &[&str]) -> Plan {
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let spec = Paper { out: out.into(), seed: 0, seeds, threads: 1 };
    let mut plan = Plan::new(spec, &only).unwrap();
    for run in &mut plan.runs {
        match &mut run.spec {
            SubSpec::Pretrain(spec) => {
                (spec.steps, spec.probe_every, spec.held_out, spec.limit, spec.max_new_tokens) = (1, 1, 4, 1, 2);
                (spec.d_model, spec.d_kv, spec.d_ff, spec.num_layers, spec.num_decoder_layers) = (16, 8, 16, 1, 1);
                spec.training = training(&spec.training);
                spec.eval = vec![Evaluation { task: "web_questions".into(), shots: 0 }];
            }
            SubSpec::LabelRatio(spec) => {
                spec.limit = Some(2);
                spec.decoding.max_new_tokens = 3;
                if let Source::Train { steps, probe_every, training: how } = &mut spec.source {
                    (*steps, *probe_every, *how) = (2, 1, training(how));
                }
            }
            SubSpec::GradientAlign(spec) => {
                (spec.steps, spec.probe_every, spec.probe_batches, spec.shuffles) = (2, 1, 1, 1);
                spec.training = training(&spec.training);
            }
            SubSpec::Compare(spec) => compare(spec),
        }
    }
    plan
}
