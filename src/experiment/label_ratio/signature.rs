//! What decides the numbers of a label-ratio run.

use super::tasks::Data;
use crate::error::Result;
use crate::experiment::{asking, checkpoints};
use crate::report::run_info::{DataInfo, HashedFile, ModelInfo};
use crate::spec::LabelRatio;
use crate::spec::label_ratio::Source;

/// One line that goes with every number of the run; `series` are the files of the checkpoints, where fsa does not train itself.
pub(super) fn signature(spec: &LabelRatio, data: &Data, model: &ModelInfo, series: &[HashedFile]) -> Result<String> {
    let mut parts = vec![
        format!("fsa:{}", env!("CARGO_PKG_VERSION")),
        format!("model:{}", model.weights()),
        format!("target:{}", data.target.task.name()),
        format!("decoding:{}", spec.decoding.signature()),
        format!("prompt-sentinel:{}", if spec.prompt_sentinel { "on" } else { "off" }),
        "target-sentinel:off".to_string(),
        format!("limit:{}", spec.limit.map_or_else(|| "none".to_string(), |limit| limit.to_string())),
    ];
    if let Some(attachment) = &data.attachment {
        parts.insert(2, attachment.signature());
    }
    match &spec.source {
        Source::Train { training, steps, .. } => {
            parts.push(format!("train:{}", training.signature(&steps.to_string())));
        }
        Source::Checkpoints { .. } => parts.push(checkpoints::signature(series)),
    }
    for asked in &data.evaluations {
        let scores = asking::signatures(asked)?.join("+").replace('|', ",");
        parts.push(format!("{}:{}shot:n{}({scores})", asked.task.name(), asked.shots, asked.questions.len()));
    }
    let hashes: Vec<String> = data.info().iter().map(DataInfo::signature).collect();
    parts.push(format!("data:{}", hashes.join("+")));
    parts.push(format!("seed:{}", spec.seed));
    parts.push("dtype:f32".to_string());
    parts.push(format!("threads:{}", spec.threads));
    Ok(parts.join("|"))
}
