//! The folder that a pretrained model is published in, in Hugging Face layout: what each file says. How files are written is the
//! run folder's business.

use super::setup::Setup;
use crate::error::Result;
use crate::model::T5;
use crate::report::files::{
    MODEL_CARD, MODEL_CONFIG, MODEL_GENERATION, MODEL_TOKENIZER, MODEL_TOKENIZER_CONFIG, MODEL_WEIGHTS,
};
use crate::report::{PretrainRow, ScoreRow, summary};
use crate::spec::Pretrain;
use crate::tokenizer::words;

const TEMPLATE: &str = include_str!("card.md");
/// How transformers decodes where nobody says otherwise.
const GENERATION: &str = "{\n  \"decoder_start_token_id\": 0,\n  \"eos_token_id\": 1,\n  \"pad_token_id\": 0,\n  \"max_new_tokens\": 64\n}\n";

/// Every file's name in the run folder, with its bytes.
pub(super) fn files(
    spec: &Pretrain,
    setup: &Setup,
    model: &T5,
    losses: &[PretrainRow],
    scores: &[ScoreRow],
    signature: &str,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let tokens = setup.tokenizer.vocab_size();
    Ok(vec![
        (MODEL_CONFIG, spec.config_json(tokens).into()),
        (MODEL_GENERATION, GENERATION.into()),
        (MODEL_TOKENIZER, setup.tokenizer.to_json()?.into()),
        (MODEL_TOKENIZER_CONFIG, words::config_json().into()),
        (MODEL_CARD, card(spec, setup, model, losses, scores, signature).into()),
        (MODEL_WEIGHTS, model.to_safetensors()?),
    ])
}

/// The model card.
fn card(
    spec: &Pretrain,
    setup: &Setup,
    model: &T5,
    losses: &[PretrainRow],
    scores: &[ScoreRow],
    signature: &str,
) -> String {
    let loss = losses.iter().rev().find(|row| row.step == spec.steps && row.family == "all");
    let t = &spec.training;
    let values = [
        ("corpus", spec.corpus.clone()),
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("parameters", model.params().count().to_string()),
        ("documents", (spec.steps * t.batch_size as u64).to_string()),
        ("fingerprint", setup.fingerprint.chars().take(12).collect()),
        ("layers", format!("{} + {}", spec.num_layers, spec.num_decoder_layers)),
        ("d_model", spec.d_model.to_string()),
        ("d_kv", spec.d_kv.to_string()),
        ("d_ff", spec.d_ff.to_string()),
        ("heads", spec.num_heads.to_string()),
        ("tokens", setup.tokenizer.vocab_size().to_string()),
        ("rows", model.config().shape.vocab_size.to_string()),
        ("steps", spec.steps.to_string()),
        ("batch", t.batch_size.to_string()),
        ("optimizer", t.optimizer.name().to_string()),
        ("lr", t.lr.to_string()),
        ("warmup", t.warmup_steps.to_string()),
        ("schedule", t.schedule.name().to_string()),
        ("dropout", t.dropout.to_string()),
        ("smoothing", t.label_smoothing.to_string()),
        ("signature", signature.to_string()),
        ("held_out", spec.held_out.to_string()),
        ("loss", loss.map_or_else(|| "not measured".to_string(), |row| format!("{:.4}", row.held_out_loss))),
        ("scores", summary::scores(scores, spec.steps).trim_end().to_string()),
    ];
    values.iter().fold(TEMPLATE.to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
