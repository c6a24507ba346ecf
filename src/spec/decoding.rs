//! How outputs are decoded.

use serde::{Deserialize, Serialize};

use super::training::at_least_one;
use crate::error::{Error, Result};

/// How beam scores of outputs of different lengths compare.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthPenalty {
    /// Σ log p / lengthᵖ (transformers, `early_stopping=False`): only candidates among the best beams may finish, and at the
    /// length limit unfinished ones may win.
    Hf(f64),
    /// Σ log p / ((5 + length)/6)^α (T5X, after Wu et al. 2016): unfinished ones win only if none finished.
    T5x(f64),
}

impl LengthPenalty {
    /// The presets, by name, with their usual exponents.
    pub const PRESETS: [Self; 2] = [Self::T5x(0.6), Self::Hf(1.0)];

    /// `hf` or `t5x`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hf(_) => "hf",
            Self::T5x(_) => "t5x",
        }
    }

    /// Its exponent.
    pub fn exponent(self) -> f64 {
        match self {
            Self::Hf(exponent) | Self::T5x(exponent) => exponent,
        }
    }

    /// The same preset with another exponent.
    pub fn with_exponent(self, exponent: f64) -> Self {
        match self {
            Self::Hf(_) => Self::Hf(exponent),
            Self::T5x(_) => Self::T5x(exponent),
        }
    }
}

/// Options of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decoding {
    /// 1 is greedy.
    pub num_beams: usize,
    /// Longest output, eos included.
    pub max_new_tokens: usize,
    /// Tokens before eos may come.
    pub min_new_tokens: usize,
    /// How beam scores of different lengths compare.
    pub length_penalty: LengthPenalty,
}

impl Default for Decoding {
    /// The paper's beam of 4 with T5X's length penalty.
    fn default() -> Self {
        Self { num_beams: 4, max_new_tokens: 64, min_new_tokens: 0, length_penalty: LengthPenalty::T5x(0.6) }
    }
}

impl Decoding {
    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        at_least_one("--beams", self.num_beams as u64)?;
        at_least_one("--max-new-tokens", self.max_new_tokens as u64)?;
        if !self.length_penalty.exponent().is_finite() {
            return Err(Error::input("must be a number").flag("--length-penalty-exponent"));
        }
        Ok(())
    }

    /// For signatures: `beam4:t5x0.6:max64` or `greedy:max64`.
    pub fn signature(&self) -> String {
        let search = match self.num_beams {
            1 => "greedy".to_string(),
            beams => format!("beam{beams}:{}{}", self.length_penalty.name(), self.length_penalty.exponent()),
        };
        let least = if self.min_new_tokens > 0 { format!(":min{}", self.min_new_tokens) } else { String::new() };
        format!("{search}{least}:max{}", self.max_new_tokens)
    }
}
