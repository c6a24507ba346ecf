//! The resolved description of one `fsa paper` run, and the runs that it is made of: each in a sub-folder, each as its own command
//! would make it with the preset `mini`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::compare::{AttachPrompt, Lora, Mix, PromptInit, SoftPrompt};
use super::label_ratio::{Evaluation, Source};
use super::preset::{Defaults, IN_CONTEXT};
use super::training::at_least_one;
use super::{Compare, GradientAlign, LabelRatio, MINI, Method, Preset, Pretrain, TASK};
use crate::error::{Error, Result};

/// Everything that decides what `fsa paper` computes, with the preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The folder of all runs.
    pub out: PathBuf,
    /// The first root seed.
    pub seed: u64,
    /// How many root seeds, one after the other.
    pub seeds: u64,
    /// Threads of the engine.
    pub threads: usize,
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubRun {
    /// Its folder in that of all.
    pub name: String,
    /// What items call it: its folder's name without the seed.
    pub family: &'static str,
    /// What it does.
    pub spec: SubSpec,
}

/// What one of the runs does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum SubSpec {
    /// `fsa pretrain`.
    Pretrain(Pretrain),
    /// `fsa label-ratio`.
    LabelRatio(LabelRatio),
    /// `fsa gradient-align`.
    GradientAlign(Box<GradientAlign>),
    /// `fsa compare`.
    Compare(Box<Compare>),
}

/// The run that makes the second model.
pub const PRETRAIN: &str = "pretrain";
/// The runs that watch outputs along fine-tuning, a seed each.
pub const LABEL_RATIO: &str = "label-ratio";
/// The runs that watch gradients along fine-tuning, a seed each.
pub const GRADIENT_ALIGN: &str = "gradient-align";

/// A comparison: every method that any table needs of its target, once.
struct Comparison {
    name: &'static str,
    /// Whether it is of the second model, which [`PRETRAIN`] makes.
    second: bool,
    targets: &'static [&'static str],
    methods: &'static [&'static str],
    shots: &'static [usize],
    /// Whether every checkpoint is asked other tasks, for the trade-off of figures 5 and 6.
    trade_off: bool,
    /// The rank of LoRA's matrices; the preset's without.
    lora_rank: Option<usize>,
}

const fn of(name: &'static str, targets: &'static [&'static str], methods: &'static [&'static str]) -> Comparison {
    Comparison { name, second: false, targets, methods, shots: &[1], trade_off: false, lora_rank: None }
}

/// Methods of the tables that have no `+1shot`.
const PLAIN: [&str; 4] = ["pretrained", "prompt-tuning", "standard", "promot"];

const COMPARISONS: [Comparison; 8] = [
    Comparison {
        shots: &[1, 4],
        ..of(
            "rte",
            &["rte"],
            &[
                "pretrained",
                "prompt-tuning",
                "standard",
                "promot",
                "prompt-tuning+1shot",
                "standard+1shot",
                "promot+1shot",
                "joint",
                "random-prompt",
            ],
        )
    },
    Comparison {
        shots: &[1, 4],
        trade_off: true,
        ..of(
            "wmt14_enfr",
            &["wmt14_enfr"],
            &[
                "pretrained",
                "prompt-tuning",
                "standard",
                "promot",
                "prompt-tuning+1shot",
                "promot+1shot",
                "promot-lora",
            ],
        )
    },
    Comparison { lora_rank: Some(2), ..of("wmt14_enfr-lora-r2", &["wmt14_enfr"], &["promot-lora"]) },
    of("snli", &["snli"], &PLAIN),
    of("openbookqa", &["openbookqa"], &PLAIN),
    of(
        "multitask",
        &["rte", "wmt14_enfr"],
        &["multitask", "multitask-promot", "multitask+1shot", "multitask-promot+1shot"],
    ),
    Comparison { second: true, ..of("second-rte", &["rte"], &PLAIN) },
    Comparison { second: true, ..of("second-wmt14_enfr", &["wmt14_enfr"], &PLAIN) },
];

impl Paper {
    /// Default of `seeds`: with one there is no interval over seeds, and nothing can be told.
    pub const SEEDS: u64 = 3;
    /// Default of `out`.
    pub const OUT: &str = "reports/paper-mini";
    /// The second model's seed, another than the embedded one's.
    pub const SECOND_SEED: u64 = 1;

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        at_least_one("--seeds", self.seeds)?;
        at_least_one("--threads", self.threads as u64)?;
        match self.seed.checked_add(self.seeds) {
            Some(_) => Ok(()),
            None => Err(Error::input("goes beyond the largest seed that there is").flag("--seeds")),
        }
    }

    /// The root seeds.
    pub fn root_seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.seed;
        (0..self.seeds).map(move |i| first.wrapping_add(i))
    }

    /// Every run, in the order in which they are made.
    ///
    /// # Errors
    /// If fsa does not have a method that it names.
    pub fn sub_runs(&self) -> Result<Vec<SubRun>> {
        let defaults = Preset::Mini.defaults();
        let mut runs = Vec::new();
        let mut add = |family, name: String, spec: &dyn Fn(PathBuf) -> Result<SubSpec>| -> Result<()> {
            runs.push(SubRun { spec: spec(self.out.join(&name))?, name, family });
            Ok(())
        };
        for seed in self.root_seeds() {
            add(LABEL_RATIO, format!("{LABEL_RATIO}-seed{seed}"), &|out| self.label_ratio(&defaults, seed, out))?;
        }
        for seed in self.root_seeds() {
            add(GRADIENT_ALIGN, format!("{GRADIENT_ALIGN}-seed{seed}"), &|out| {
                Ok(SubSpec::GradientAlign(Box::new(self.gradient_align(&defaults, seed, out))))
            })?;
        }
        let comparison = |of: &'static Comparison| {
            move |out: PathBuf| -> Result<SubSpec> { Ok(SubSpec::Compare(Box::new(self.compare(&defaults, of, out)?))) }
        };
        for of in COMPARISONS.iter().filter(|of| !of.second) {
            add(of.name, of.name.into(), &comparison(of))?;
        }
        add(PRETRAIN, PRETRAIN.into(), &|out| Ok(SubSpec::Pretrain(self.pretrain(out))))?;
        for of in COMPARISONS.iter().filter(|of| of.second) {
            add(of.name, of.name.into(), &comparison(of))?;
        }
        Ok(runs)
    }

    fn label_ratio(&self, defaults: &Defaults, seed: u64, out: PathBuf) -> Result<SubSpec> {
        Ok(SubSpec::LabelRatio(LabelRatio {
            adapter: None,
            model: MINI.into(),
            task: TASK.into(),
            out,
            seed,
            threads: self.threads,
            eval: defaults.eval.iter().map(|text| Evaluation::parse(text)).collect::<Result<_>>()?,
            files: Default::default(),
            limit: defaults.limit,
            sample: None,
            prompt_sentinel: LabelRatio::PROMPT_SENTINEL,
            onset: LabelRatio::ONSET,
            bleu_tokenizer: defaults.bleu_tokenizer.into(),
            decoding: defaults.decoding(),
            source: Source::Train {
                steps: defaults.ratio.steps,
                probe_every: defaults.ratio.probe_every,
                training: defaults.training(),
            },
        }))
    }

    fn gradient_align(&self, defaults: &Defaults, seed: u64, out: PathBuf) -> GradientAlign {
        GradientAlign {
            model: MINI.into(),
            task: TASK.into(),
            train: format!("{MINI}:{TASK}/train").into(),
            sample: None,
            method: Vec::new(),
            dev: None,
            adapter: None,
            checkpoints: None,
            strict: false,
            out,
            seed,
            threads: self.threads,
            steps: defaults.align.steps,
            probe_every: defaults.align.probe_every,
            probe_batches: defaults.probe_batches,
            probe_split: GradientAlign::PROBE_SPLIT,
            probe_dropout: GradientAlign::PROBE_DROPOUT,
            shuffles: defaults.shuffles,
            estimators: GradientAlign::ESTIMATORS.to_vec(),
            estimand: GradientAlign::ESTIMAND,
            training: defaults.training(),
            stages: None,
        }
    }

    fn compare(&self, defaults: &Defaults, of: &Comparison, out: PathBuf) -> Result<Compare> {
        let shots = of.shots.iter();
        let eval = shots.flat_map(|&shots| IN_CONTEXT.map(|task| Evaluation { task: task.into(), shots }));
        // Of another model than the embedded one, data has to be named.
        let split = |(task, split): (&str, &str)| (format!("{task}.{split}"), PathBuf::from(MINI));
        let own = of.targets.iter().flat_map(|task| ["train", "validation", "test"].map(|split| (*task, split)));
        let others = IN_CONTEXT.iter().flat_map(|task| ["train", "test"].map(|split| (*task, split)));
        Ok(Compare {
            adapter: None,
            model: if of.second { self.second_model() } else { MINI.into() },
            target: of.targets.iter().map(ToString::to_string).collect(),
            methods: of.methods.iter().map(|name| Method::named(name)).collect::<Result<_>>()?,
            out,
            seed: self.seed,
            seeds: self.seeds,
            threads: self.threads,
            eval: eval.collect(),
            trade_off: of.trade_off,
            files: own.chain(others).filter(|_| of.second).map(split).collect(),
            limit: defaults.limit,
            sample: None,
            prompt_sentinel: LabelRatio::PROMPT_SENTINEL,
            bleu_tokenizer: defaults.bleu_tokenizer.into(),
            attach_prompt: AttachPrompt::Target,
            target_shots: 0,
            report: defaults.compare.report,
            decoding: defaults.decoding(),
            mix: Mix::Equal,
            prompt: SoftPrompt {
                length: defaults.compare.prompt_length,
                init: PromptInit::SampledVocab,
                text: None,
                file: None,
            },
            lora: Lora::of_rank(of.lora_rank.unwrap_or(defaults.compare.lora_rank)),
            model_stage: defaults.model_stage(),
            prompt_stage: defaults.prompt_stage(),
            lora_stage: defaults.lora_stage(),
        })
    }

    /// Three quarters as wide as the embedded model: smaller, as the paper's mT5-XL is.
    fn pretrain(&self, out: PathBuf) -> Pretrain {
        let smaller = |width: usize| (width * 3 / 4).max(1);
        let d_model = smaller(Pretrain::D_MODEL);
        Pretrain {
            corpus: Pretrain::CORPUS.into(),
            out,
            seed: Self::SECOND_SEED,
            threads: self.threads,
            steps: Pretrain::STEPS,
            probe_every: Pretrain::PROBE_EVERY,
            held_out: Pretrain::HELD_OUT,
            limit: Pretrain::LIMIT,
            max_new_tokens: Pretrain::MAX_NEW_TOKENS,
            d_model,
            d_kv: Pretrain::D_KV,
            d_ff: smaller(Pretrain::D_FF),
            num_layers: Pretrain::NUM_LAYERS,
            num_decoder_layers: Pretrain::NUM_LAYERS,
            num_heads: smaller(Pretrain::NUM_HEADS),
            embedding_deviation: Pretrain::embedding_deviation(d_model),
            bias_slope: Pretrain::BIAS_SLOPE,
            self_avoidance: Pretrain::SELF_AVOIDANCE,
            likeness: Pretrain::LIKENESS,
            eval: Vec::new(),
            training: Pretrain::training(),
        }
    }

    /// The folder of the second model.
    pub fn second_model(&self) -> PathBuf {
        self.out.join(PRETRAIN).join("model")
    }
}

impl SubSpec {
    /// Its run folder.
    pub fn out(&self) -> &PathBuf {
        match self {
            Self::Pretrain(spec) => &spec.out,
            Self::LabelRatio(spec) => &spec.out,
            Self::GradientAlign(spec) => &spec.out,
            Self::Compare(spec) => &spec.out,
        }
    }

    /// Errors on what cannot be meant.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Pretrain(spec) => spec.validate(),
            Self::LabelRatio(spec) => spec.validate(),
            Self::GradientAlign(spec) => spec.validate(),
            Self::Compare(spec) => spec.validate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(seeds: u64) -> Paper {
        Paper { out: "out".into(), seed: 3, seeds, threads: 2 }
    }

    #[test]
    fn every_run_is_valid_and_has_a_folder_of_its_own() {
        let runs = paper(2).sub_runs().unwrap();
        for (index, run) in runs.iter().enumerate() {
            run.spec.validate().unwrap_or_else(|error| panic!("{}: {error}", run.name));
            assert_eq!(run.spec.out(), &PathBuf::from("out").join(&run.name));
            assert!(run.name.starts_with(run.family));
            assert!(runs[..index].iter().all(|other| other.name != run.name), "{}", run.name);
        }
        assert_eq!(runs.iter().filter(|run| run.family == LABEL_RATIO).count(), 2);
        assert_eq!(runs.len(), 2 * 2 + COMPARISONS.len() + 1);
    }

    #[test]
    fn the_second_model_is_made_before_it_is_used_and_is_another_one() {
        let runs = paper(1).sub_runs().unwrap();
        let place = |name: &str| runs.iter().position(|run| run.name == name).unwrap();
        let SubSpec::Pretrain(made) = &runs[place(PRETRAIN)].spec else { panic!() };
        assert!(made.d_model < Pretrain::D_MODEL && made.d_model % 8 == 0 && made.seed != 0, "{}", made.d_model);
        for name in ["second-rte", "second-wmt14_enfr"] {
            assert!(place(PRETRAIN) < place(name));
            let SubSpec::Compare(spec) = &runs[place(name)].spec else { panic!() };
            assert_eq!(spec.model, made.out.join(crate::report::files::MODEL));
            assert_eq!(spec.files["cb.test"], PathBuf::from(MINI));
        }
    }

    #[test]
    fn no_seeds_and_too_many_are_refused() {
        assert!(paper(0).validate().unwrap_err().to_string().starts_with("--seeds: "));
        assert!(paper(u64::MAX).validate().unwrap_err().to_string().starts_with("--seeds: "));
        assert!(paper(1).validate().is_ok());
    }
}
