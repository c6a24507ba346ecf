//! Presets: named sets of defaults. A preset says what nobody else does; any flag or config key wins over it.

use std::path::Path;

use super::compare::{Report, StageTraining};
use super::{Decoding, Training, is_mini};

/// A named set of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// For the embedded model: minutes on two cores.
    Mini,
    /// The paper's, for models as large as its own.
    Paper,
}

/// How long to fine-tune, and how often to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Fine-tuning steps.
    pub steps: u64,
    /// Steps between probes.
    pub probe_every: u64,
}

/// What a preset says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defaults {
    /// Of `fsa gradient-align`.
    pub align: Pace,
    /// Of `fsa label-ratio`, whose probes take longer: they decode.
    pub ratio: Pace,
    /// Learning rate of Adafactor.
    pub lr: f64,
    /// Examples per step.
    pub batch_size: usize,
    /// Dropout rate in training.
    pub dropout: f64,
    /// Label smoothing ε.
    pub label_smoothing: f64,
    /// Batches that every probe of `fsa gradient-align` measures on.
    pub probe_batches: usize,
    /// Shuffles per estimator that draws any.
    pub shuffles: usize,
    /// Off-task evaluations.
    pub eval: &'static [&'static str],
    /// Evaluation examples of each task; all of them without.
    pub limit: Option<usize>,
    /// BLEU's tokenizer.
    pub bleu_tokenizer: &'static str,
    /// Beams; 1 is greedy.
    pub num_beams: usize,
    /// Longest output in tokens, its end included.
    pub max_new_tokens: usize,
    /// Of `fsa compare`.
    pub compare: Comparison,
}

/// What a preset says of comparing methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Stages that train the model.
    pub model: Pace,
    /// Stages that train a soft prompt.
    pub prompt: Pace,
    /// Their learning rate.
    pub prompt_lr: f64,
    /// Their weight decay.
    pub prompt_weight_decay: f64,
    /// Rows of a soft prompt.
    pub prompt_length: usize,
    /// Stages that train low-rank matrices.
    pub lora: Pace,
    /// Their learning rate.
    pub lora_lr: f64,
    /// Their rank.
    pub lora_rank: usize,
    /// Methods.
    pub methods: &'static [&'static str],
    /// Shots of the in-context evaluations.
    pub shots: &'static [usize],
    /// Which split of the target is reported.
    pub report: Report,
}

/// Chosen so that the paper's effects are plain on the embedded model.
const MINI: Defaults = Defaults {
    align: Pace { steps: 400, probe_every: 25 },
    ratio: Pace { steps: 400, probe_every: 25 },
    lr: 1e-2,
    // As in its pretraining: so small a model loses what it can do with a tenth of its values missing.
    dropout: 0.0,
    limit: Some(100),
    bleu_tokenizer: "13a",
    num_beams: 1,
    max_new_tokens: 32,
    compare: Comparison {
        model: Pace { steps: 400, probe_every: 100 },
        prompt: Pace { steps: 600, probe_every: 200 },
        prompt_length: 20,
        lora: Pace { steps: 600, probe_every: 200 },
        shots: &[1],
        report: Report::Test,
        ..PAPER.compare
    },
    ..PAPER
};

/// The paper's (A.2.4) where it gives them. BLEU's tokenizer is that of T5's own metric, with 13a beside it.
const PAPER: Defaults = Defaults {
    align: Pace { steps: 1000, probe_every: 100 },
    ratio: Pace { steps: 1000, probe_every: 100 },
    lr: 1e-3,
    batch_size: 64,
    dropout: 0.1,
    label_smoothing: 0.1,
    probe_batches: 4,
    shuffles: 4,
    eval: &["trivia_qa:1", "web_questions:1", "wmt16_ende:1"],
    limit: None,
    bleu_tokenizer: "intl",
    num_beams: 4,
    max_new_tokens: 64,
    compare: Comparison {
        model: Pace { steps: 1000, probe_every: 100 },
        prompt: Pace { steps: 5000, probe_every: 1000 },
        prompt_lr: 0.2,
        prompt_weight_decay: 1e-5,
        prompt_length: 100,
        // The paper gives the rank alone; steps and checkpoints are the other first stage's.
        lora: Pace { steps: 5000, probe_every: 1000 },
        lora_lr: 1e-3,
        lora_rank: 4,
        methods: &["pretrained", "standard", "prompt-tuning", "promot", "promot+1shot"],
        shots: &[1, 4],
        report: Report::Validation,
    },
};

/// The paper's in-context tasks, in the order of its tables.
pub const IN_CONTEXT: [&str; 8] =
    ["cb", "wic", "trivia_qa", "web_questions", "wmt16_ende", "wmt16_enro", "xsum", "wiki_lingua"];

impl Preset {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mini, Self::Paper];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mini => "mini",
            Self::Paper => "paper",
        }
    }

    /// The preset where none is named: that of the model.
    pub fn of(model: &Path) -> Self {
        if is_mini(model) { Self::Mini } else { Self::Paper }
    }

    /// What it says.
    pub fn defaults(self) -> Defaults {
        match self {
            Self::Mini => MINI,
            Self::Paper => PAPER,
        }
    }
}

fn stage(pace: Pace, training: Training) -> StageTraining {
    StageTraining { steps: pace.steps, probe_every: pace.probe_every, training }
}

impl Defaults {
    /// How the model is fine-tuned.
    pub fn training(&self) -> Training {
        Training {
            lr: self.lr,
            batch_size: self.batch_size,
            dropout: self.dropout,
            label_smoothing: self.label_smoothing,
            ..Training::default()
        }
    }

    /// Stages that train the model.
    pub fn model_stage(&self) -> StageTraining {
        stage(self.compare.model, self.training())
    }

    /// Stages that train a soft prompt: without the parameter's scale, which for a prompt means nothing (prompt-tuning's choice).
    pub fn prompt_stage(&self) -> StageTraining {
        let Comparison { prompt_lr: lr, prompt_weight_decay: weight_decay, .. } = self.compare;
        stage(self.compare.prompt, Training { lr, weight_decay, scale_parameter: false, ..self.training() })
    }

    /// Stages that train low-rank matrices, one of which starts as zero, so that it has no scale.
    pub fn lora_stage(&self) -> StageTraining {
        stage(self.compare.lora, Training { lr: self.compare.lora_lr, scale_parameter: false, ..self.training() })
    }

    /// How outputs are decoded.
    pub fn decoding(&self) -> Decoding {
        Decoding { num_beams: self.num_beams, max_new_tokens: self.max_new_tokens, ..Decoding::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_training_and_decoding_are_those_of_who_says_nothing() {
        assert_eq!(Preset::Paper.defaults().training(), Training::default());
        assert_eq!(Preset::Paper.defaults().decoding(), Decoding::default());
    }

    #[test]
    fn a_preset_goes_with_its_model() {
        assert_eq!(Preset::of(Path::new("mini")), Preset::Mini);
        assert_eq!(Preset::of(Path::new("./mini")), Preset::Paper);
    }
}
