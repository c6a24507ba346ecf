//! The options of decoding as typed: every command that generates has them.

use clap::Args;
use fsa::spec::{Decoding, LengthPenalty};
use serde::Deserialize;

use super::choice::{self, one_of};
use super::lenient;
use super::options::{Layered, every_option};
use super::preset::by_preset;

/// How outputs are decoded; `None` where nothing was said.
#[derive(Debug, Default, Clone, PartialEq, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct DecodingOptions {
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Decoding")]
    #[arg(help = format!("Beams; 1 is greedy [default: {}]", by_preset(|of| of.num_beams)))]
    beams: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Decoding")]
    #[arg(help = format!("Tokens of the longest output, its end included [default: {}]", by_preset(|of| of.max_new_tokens)))]
    max_new_tokens: Option<usize>,
    #[arg(long, value_name = "N", value_parser = choice::count, help_heading = "Decoding")]
    #[arg(help = format!("Tokens before an output may end [default: {}]", Decoding::default().min_new_tokens))]
    min_new_tokens: Option<usize>,
    #[arg(long, value_name = "NAME", value_parser = one_of(&LengthPenalty::PRESETS, LengthPenalty::name), help_heading = "Decoding")]
    #[arg(help = format!("Whose beam search: how outputs of different lengths compare and when one is done [default: {}]",
        Decoding::default().length_penalty.name()))]
    #[serde(deserialize_with = "lenient::length_penalty")]
    length_penalty: Option<LengthPenalty>,
    #[arg(long, value_name = "X", value_parser = choice::number, help_heading = "Decoding")]
    #[arg(help = format!("Exponent of the length penalty [default: {}]", exponents()))]
    length_penalty_exponent: Option<f64>,
}

/// `0.6 for t5x, 1 for hf`.
fn exponents() -> String {
    LengthPenalty::PRESETS.map(|preset| format!("{} for {}", preset.exponent(), preset.name())).join(", ")
}

every_option! {
    DecodingOptions { beams max_new_tokens min_new_tokens length_penalty length_penalty_exponent }
}

impl DecodingOptions {
    /// Options that leave nothing open.
    pub fn all_of(decoding: Decoding) -> Self {
        Self {
            beams: Some(decoding.num_beams),
            max_new_tokens: Some(decoding.max_new_tokens),
            min_new_tokens: Some(decoding.min_new_tokens),
            length_penalty: Some(decoding.length_penalty),
            length_penalty_exponent: Some(decoding.length_penalty.exponent()),
        }
    }

    /// These options over those of a spec, where the exponent belongs to its length penalty: another one's is not taken over.
    pub fn over_spec(self, decoding: Decoding) -> Self {
        let mut below = Self::all_of(decoding);
        if self.length_penalty.is_some_and(|penalty| penalty.name() != decoding.length_penalty.name()) {
            below.length_penalty_exponent = None;
        }
        self.or(below)
    }

    /// How to decode, with what `defaults` says for everything that nobody said.
    pub fn resolve_over(self, defaults: Decoding) -> Decoding {
        let penalty = self.length_penalty.unwrap_or(defaults.length_penalty);
        Decoding {
            num_beams: self.beams.unwrap_or(defaults.num_beams),
            max_new_tokens: self.max_new_tokens.unwrap_or(defaults.max_new_tokens),
            min_new_tokens: self.min_new_tokens.unwrap_or(defaults.min_new_tokens),
            length_penalty: match self.length_penalty_exponent {
                Some(exponent) => penalty.with_exponent(exponent),
                None => penalty,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(length_penalty: Option<LengthPenalty>, length_penalty_exponent: Option<f64>) -> DecodingOptions {
        DecodingOptions { length_penalty, length_penalty_exponent, ..Default::default() }
    }

    #[test]
    fn a_length_penalty_brings_its_own_exponent() {
        let [t5x, hf] = LengthPenalty::PRESETS;
        let penalty = |options: DecodingOptions| options.resolve_over(Decoding::default()).length_penalty;
        assert_eq!(DecodingOptions::default().resolve_over(Decoding::default()), Decoding::default());
        assert_eq!(penalty(options(Some(hf), None)), LengthPenalty::Hf(1.0));
        assert_eq!(penalty(options(None, Some(0.0))), LengthPenalty::T5x(0.0));
        let spec = Decoding { num_beams: 2, length_penalty: LengthPenalty::T5x(0.3), ..Default::default() };
        assert_eq!(options(None, None).over_spec(spec).resolve_over(Decoding::default()), spec);
        assert_eq!(penalty(options(Some(t5x), None).over_spec(spec)), LengthPenalty::T5x(0.3));
        assert_eq!(penalty(options(Some(hf), None).over_spec(spec)), LengthPenalty::Hf(1.0));
        assert_eq!(options(Some(hf), Some(2.0)).over_spec(spec).resolve_over(Decoding::default()).num_beams, 2);
    }
}
