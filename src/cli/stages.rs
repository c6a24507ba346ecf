//! The options as typed of stages that train a soft prompt or LoRA: every command that has such stages has them.

use std::path::PathBuf;

use clap::Args;
use fsa::spec::Defaults;
use fsa::spec::compare::{Lora, PromptInit, SoftPrompt, StageTraining};
use serde::Deserialize;

use super::choice::{self, one_of};
use super::lenient;
use super::options::every_option;
use super::preset::by_preset;
use super::training::TrainingOptions;

/// What is attached anew, and how it is trained; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct StageOptions {
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Soft prompts")]
    #[arg(help = format!("Rows [default: {}]", by_preset(|of| of.compare.prompt_length)))]
    prompt_length: Option<usize>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&PromptInit::ALL, PromptInit::name), help_heading = "Soft prompts")]
    #[arg(help = format!("What they start from [default: {}]", PromptInit::SampledVocab.name()))]
    prompt_init: Option<PromptInit>,
    /// A text whose embeddings are the first rows
    #[arg(long, value_name = "TEXT", help_heading = "Soft prompts")]
    prompt_text: Option<String>,
    /// A folder with a soft prompt in PEFT's layout to start from
    #[arg(long, value_name = "DIR", help_heading = "Soft prompts")]
    prompt_file: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Soft prompts")]
    #[arg(help = format!("Steps of prompt tuning [default: {}]", by_preset(|of| of.compare.prompt.steps)))]
    prompt_steps: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "Soft prompts")]
    #[arg(help = format!("Steps between its checkpoints [default: {}]", by_preset(|of| of.compare.prompt.probe_every)))]
    prompt_probe_every: Option<u64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Soft prompts")]
    #[arg(help = format!("Its learning rate, not multiplied by a scale [default: {}]", by_preset(|of| of.compare.prompt_lr)))]
    prompt_lr: Option<f64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "Soft prompts")]
    #[arg(help = format!("Its weight decay [default: {}]", by_preset(|of| of.compare.prompt_weight_decay)))]
    prompt_weight_decay: Option<f64>,

    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "LoRA")]
    #[arg(help = format!("Rank [default: {}]", by_preset(|of| of.compare.lora_rank)))]
    lora_rank: Option<usize>,
    /// The product of the matrices is multiplied by this over the rank [default: twice the rank]
    #[arg(long, value_name = "NUMBER", value_parser = choice::number, help_heading = "LoRA")]
    lora_alpha: Option<f64>,
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "LoRA")]
    #[arg(help = format!("Linear maps that it is added to, with commas between [default: {}]", Lora::TARGETS.join(",")))]
    #[serde(deserialize_with = "lenient::names")]
    lora_targets: Option<Vec<String>>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "LoRA")]
    #[arg(help = format!("Steps of its training [default: {}]", by_preset(|of| of.compare.lora.steps)))]
    lora_steps: Option<u64>,
    #[arg(long, value_name = "N", value_parser = choice::whole, help_heading = "LoRA")]
    #[arg(help = format!("Steps between its checkpoints [default: {}]", by_preset(|of| of.compare.lora.probe_every)))]
    lora_probe_every: Option<u64>,
    #[arg(long, value_name = "RATE", value_parser = choice::number, help_heading = "LoRA")]
    #[arg(help = format!("Its learning rate, not multiplied by a scale [default: {}]", by_preset(|of| of.compare.lora_lr)))]
    lora_lr: Option<f64>,
}

every_option! {
    StageOptions {
        prompt_length prompt_init prompt_text prompt_file prompt_steps prompt_probe_every prompt_lr prompt_weight_decay lora_rank
        lora_alpha lora_targets lora_steps lora_probe_every lora_lr
    }
}

/// The tables of a run's own `spec.toml` that group these options.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct StageTables {
    pub prompt_stage: Option<StageTraining>,
    pub lora_stage: Option<StageTraining>,
    pub prompt: Option<SoftPrompt>,
    pub lora: Option<Lora>,
}

impl StageTables {
    /// Their keys in a config.
    pub const KEYS: [&'static str; 4] = ["prompt-stage", "lora-stage", "prompt", "lora"];
}

/// What these options come to.
pub struct NewStages {
    pub prompt: SoftPrompt,
    pub lora: Lora,
    pub prompt_stage: StageTraining,
    pub lora_stage: StageTraining,
}

impl StageOptions {
    /// What they come to over `tables` of a config, with a default for everything; `training` is what is said of fine-tuning.
    pub fn resolve(self, tables: StageTables, defaults: &Defaults, training: &TrainingOptions) -> NewStages {
        let prompt_stage = Own {
            steps: self.prompt_steps,
            probe_every: self.prompt_probe_every,
            lr: self.prompt_lr,
            weight_decay: self.prompt_weight_decay,
        }
        .over(tables.prompt_stage.unwrap_or_else(|| defaults.prompt_stage()), training);
        let lora_stage =
            Own { steps: self.lora_steps, probe_every: self.lora_probe_every, lr: self.lora_lr, weight_decay: None }
                .over(tables.lora_stage.unwrap_or_else(|| defaults.lora_stage()), training);
        let prompt = tables.prompt.unwrap_or(SoftPrompt {
            length: defaults.compare.prompt_length,
            init: PromptInit::SampledVocab,
            text: None,
            file: None,
        });
        let lora = tables.lora.unwrap_or_else(|| Lora::of_rank(defaults.compare.lora_rank));
        let rank = self.lora_rank.unwrap_or(lora.rank);
        // Another rank has an alpha of its own.
        let alpha = if rank == lora.rank { lora.alpha } else { Lora::of_rank(rank).alpha };
        NewStages {
            prompt: SoftPrompt {
                length: self.prompt_length.unwrap_or(prompt.length),
                init: self.prompt_init.unwrap_or(prompt.init),
                text: self.prompt_text.or(prompt.text),
                file: self.prompt_file.or(prompt.file),
            },
            lora: Lora {
                rank,
                alpha: self.lora_alpha.unwrap_or(alpha),
                targets: self.lora_targets.unwrap_or(lora.targets),
            },
            prompt_stage,
            lora_stage,
        }
    }
}

/// `stage`, trained as `training` says where it says something. Steps are each kind of stage's own.
pub fn over(stage: StageTraining, training: &TrainingOptions) -> StageTraining {
    StageTraining { training: training.clone().resolve_over(stage.training), ..stage }
}

/// What is said of one kind of stage alone.
struct Own {
    steps: Option<u64>,
    probe_every: Option<u64>,
    lr: Option<f64>,
    weight_decay: Option<f64>,
}

impl Own {
    /// `stage` with it. Everything else that is said of fine-tuning holds for it too, but for rate, decay and scale.
    fn over(self, stage: StageTraining, training: &TrainingOptions) -> StageTraining {
        let mut own = over(stage.clone(), training);
        own.training.lr = self.lr.unwrap_or(stage.training.lr);
        own.training.weight_decay = self.weight_decay.unwrap_or(stage.training.weight_decay);
        own.training.scale_parameter = stage.training.scale_parameter;
        StageTraining {
            steps: self.steps.unwrap_or(stage.steps),
            probe_every: self.probe_every.unwrap_or(stage.probe_every),
            ..own
        }
    }
}
