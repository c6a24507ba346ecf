//! The methods of the paper, each a description of its stages: what is attached to the model, what is trained, for how long. The
//! engine knows stages only.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::nearest::nearest;
use crate::error::{Error, Result};

/// What stands beside a model's own parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// Nothing.
    Nothing,
    /// A soft prompt before the encoder's input.
    Prompt,
    /// A soft prompt of uniform noise.
    RandomPrompt,
    /// Low-rank matrices added to some linear maps.
    Lora,
}

/// What is trained; all else is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trained {
    /// The model's own parameters.
    Model,
    /// What is attached.
    Attached,
    /// Both together.
    Both,
}

impl Trained {
    /// It, as patterns over parameter names.
    pub fn patterns(self) -> &'static str {
        match self {
            Self::Model => "*, !prompt_embeddings, !*.lora_A.weight, !*.lora_B.weight",
            Self::Attached => "prompt_embeddings, *.lora_A.weight, *.lora_B.weight",
            Self::Both => "*",
        }
    }
}

/// Whose steps and learning rate a stage has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Fine-tuning's.
    Model,
    /// Fine-tuning's rate, and as many steps as prompt tuning and fine-tuning have together.
    Long,
    /// Prompt tuning's.
    Prompt,
    /// That of training LoRA's matrices.
    Lora,
}

/// One stage of a method.
#[derive(Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name in folders and tables.
    pub name: &'static str,
    /// What is attached in it: what the stage before it trained, else something new.
    pub attached: Attached,
    /// What is trained.
    pub trained: Trained,
    /// For how long.
    pub budget: Budget,
}

/// A method: stages one after the other, each from the checkpoint of the one before that did best on the target.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    stages: &'static [Stage],
    /// Whether what is attached stays so for other tasks than the target.
    stays: bool,
    /// Whether all targets are trained on together.
    mixed: bool,
}

const PROMPT: Stage =
    Stage { name: "prompt", attached: Attached::Prompt, trained: Trained::Attached, budget: Budget::Prompt };
const LORA: Stage = Stage { name: "lora", attached: Attached::Lora, trained: Trained::Attached, budget: Budget::Lora };
const MODEL: Stage =
    Stage { name: "model", attached: Attached::Nothing, trained: Trained::Model, budget: Budget::Model };

const fn kind(name: &'static str, stages: &'static [Stage]) -> Kind {
    Kind { name, stages, stays: false, mixed: false }
}

const KINDS: [Kind; 11] = [
    kind("pretrained", &[]),
    kind("standard", &[MODEL]),
    kind("standard-long", &[Stage { name: "model-long", budget: Budget::Long, ..MODEL }]),
    kind("prompt-tuning", &[PROMPT]),
    kind("promot", &[PROMPT, Stage { attached: Attached::Prompt, ..MODEL }]),
    kind("joint", &[Stage { name: "joint", attached: Attached::Prompt, trained: Trained::Both, ..MODEL }]),
    kind("random-prompt", &[Stage { name: "random", attached: Attached::RandomPrompt, ..MODEL }]),
    Kind { stays: true, ..kind("lora", &[LORA]) },
    kind("promot-lora", &[LORA, Stage { attached: Attached::Lora, ..MODEL }]),
    Kind { mixed: true, ..kind("multitask", &[MODEL]) },
    Kind { mixed: true, ..kind("multitask-promot", &[PROMPT, Stage { attached: Attached::Prompt, ..MODEL }]) },
];

/// How a method with an example in front of every training input ends.
const ONE_SHOT: &str = "+1shot";

/// A method as it is named: one of the paper's, maybe with `+1shot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    kind: &'static Kind,
    /// Examples before each training input, 0 or 1.
    pub shots: usize,
}

impl Method {
    /// Every name, in the order of the tables.
    pub fn names() -> impl Iterator<Item = String> {
        KINDS.iter().flat_map(|kind| {
            let one_shot = (!kind.stages.is_empty()).then(|| format!("{}{ONE_SHOT}", kind.name));
            std::iter::once(kind.name.to_string()).chain(one_shot)
        })
    }

    /// The method of that name.
    ///
    /// # Errors
    /// If there is none; the error names the nearest.
    pub fn named(name: &str) -> Result<Self> {
        let (base, shots) = name.strip_suffix(ONE_SHOT).map_or((name, 0), |base| (base, 1));
        let found = KINDS.iter().find(|kind| kind.name == base).map(|kind| Self { kind, shots });
        found
            .filter(|method| method.shots == 0 || !method.kind.stages.is_empty())
            .ok_or_else(|| Self::unknown(name, &Self::names().collect::<Vec<_>>()).flag("--methods"))
    }

    /// The error that there is none called `name`, where there can be `all`; it names the nearest.
    pub(super) fn unknown(name: &str, all: &[String]) -> Error {
        let next = match nearest(name, all.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? There are {}", all.join(", ")),
            None => format!("there are {}", all.join(", ")),
        };
        Error::input(format!("there is no method `{name}`")).next(next)
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}{}", self.kind.name, if self.shots > 0 { ONE_SHOT } else { "" })
    }

    /// Its stages, in order.
    pub fn stages(&self) -> &'static [Stage] {
        self.kind.stages
    }

    /// Whether all targets are trained on together.
    pub fn is_mixed(&self) -> bool {
        self.kind.mixed
    }

    /// Whether what is attached stays so for other tasks than the target.
    pub fn stays_attached(&self) -> bool {
        self.kind.stays
    }

    /// What is attached to the model when it is done.
    pub fn attached(&self) -> Attached {
        self.stages().last().map_or(Attached::Nothing, |stage| stage.attached)
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_method_and_reads_back() {
        for name in Method::names() {
            assert_eq!(Method::named(&name).unwrap().name(), name);
        }
        assert_eq!(Method::names().count(), 2 * KINDS.len() - 1);
        let promot = Method::named("promot+1shot").unwrap();
        assert_eq!((promot.shots, promot.stages().len(), promot.attached()), (1, 2, Attached::Prompt));
    }

    #[test]
    fn a_misspelt_method_is_told_its_neighbour() {
        let error = |name: &str| Method::named(name).unwrap_err().to_string();
        assert!(error("promt").contains("there is no method `promt`; did you mean `promot`?"), "{}", error("promt"));
        assert!(error("standrad").contains("did you mean `standard`?"));
        assert!(error("xyz").contains("there are pretrained, standard, "));
        assert!(error("pretrained+1shot").starts_with("--methods: "));
    }

    #[test]
    fn a_stage_trains_what_it_says() {
        use crate::spec::Training;
        let trains = |trained: Trained, name: &str| {
            Training { trainable: trained.patterns().into(), ..Training::default() }.trains(name)
        };
        let [own, prompt, lora] =
            ["shared.weight", "prompt_embeddings", "encoder.block.0.layer.0.SelfAttention.q.lora_A.weight"];
        for (trained, wanted) in [
            (Trained::Model, [true, false, false]),
            (Trained::Attached, [false, true, true]),
            (Trained::Both, [true; 3]),
        ] {
            assert_eq!([own, prompt, lora].map(|name| trains(trained, name)), wanted, "{trained:?}");
        }
    }
}
