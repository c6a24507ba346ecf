//! A place with a tiny model, a target and two tasks to ask in context.

use serde_json::json;

pub use crate::ratio::support::{assert_same, fields, number, questions, table};
pub use crate::run::support::*;

/// The columns of `compare.csv`.
pub const COLUMNS: &str = "target,method,seed,checkpoint_step,prompt_attached,task,shots,n,metric,score,score_lo,score_hi,\
    label_ratio,label_mass,matched";
/// The columns of `checkpoints.csv`.
pub const CHECKPOINT_COLUMNS: &str = "target,method,seed,stage,step,target_score,mean_classification,mean_qa,mean_translation,\
    mean_summarization,mean_matched,mean_mismatched";

/// The columns of `paired.csv`.
pub const PAIRED_COLUMNS: &str =
    "target,seed,task,shots,method,other,n,metric,difference,difference_lo,difference_hi,p,test";

/// `compare.toml`: what every run here has in common.
const CONFIG_TOML: &str = "\
model = 'model'
methods = ['standard', 'prompt-tuning', 'promot']
eval = ['cb:1', 'web_questions:1']
threads = 1
beams = 1
max-new-tokens = 4
limit = 6
report = 'test'
steps = 10
probe-every = 4
batch-size = 8
lr = 0.02
prompt-length = 3
prompt-steps = 10
prompt-probe-every = 5
lora-rank = 2
lora-steps = 10
lora-probe-every = 5

[files]
'rte.train' = 'train.tsv'
'rte.validation' = 'dev.tsv'
'rte.test' = 'dev.tsv'
'cb.train' = 'cb.jsonl'
'cb.validation' = 'cb.jsonl'
'web_questions.train' = 'wq-train.jsonl'
'web_questions.test' = 'wq-test.jsonl'
";

/// A run, to which `--out` is added.
pub const RUN: &str = "compare --config compare.toml --quiet";

/// A [`Place`] with a target task's dev split, two other tasks and the config.
pub fn place() -> Place {
    let place = Place::new();
    place.write("dev.tsv", train(11));
    place.write("wq-train.jsonl", questions(0..9));
    place.write("wq-test.jsonl", questions(9..21));
    let claims = (0..12).map(|i| {
        let (premise, hypothesis) = (format!("House {i} is long."), format!("The river {} was found.", i % 5));
        format!("{}\n", json!({"premise": premise, "hypothesis": hypothesis, "idx": i, "label": i % 3}))
    });
    place.write("cb.jsonl", claims.collect::<String>());
    place.write("compare.toml", CONFIG_TOML);
    place
}
