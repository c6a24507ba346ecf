//! Soft prompts: rows `[P, H]` of their own before the encoder's embedded input (Lester et al. 2021).
//!
//! Each row is a *virtual token*: an id above every vocabulary, which the embedding looks up in the prompt instead. So a prompt
//! stands where its ids stand in a source, and layouts, masks, dropout and micro-batches need not know of it: prompt and input
//! are one sequence of P + S positions.

use candle_core::Tensor;

use super::params::{Param, Params};
use super::t5::T5;
use crate::error::{Error, Result};

/// Its name among a model's parameters, which is PEFT's key too.
pub const NAME: &str = "prompt_embeddings";

/// The id of the first row; no vocabulary is as large.
const FIRST: u32 = 1 << 30;

/// The row that `id` names, if it is a virtual token.
pub(crate) fn row(id: u32) -> Option<usize> {
    id.checked_sub(FIRST).filter(|_| id != super::batch::IGNORED).map(|row| row as usize)
}

/// The ids of `count` rows from row `first` on.
pub fn virtual_tokens(first: usize, count: usize) -> impl Iterator<Item = u32> {
    (first..first + count).map(|row| FIRST + row as u32)
}

/// A prompt of the rows `values`, each of `width` numbers.
pub fn of_rows(values: Vec<f32>, width: usize) -> Result<Tensor> {
    let rows = values.len() / width.max(1);
    super::array::tensor(values, (rows, width))
}

/// Errors if rows of `width` numbers do not go with a model of `wanted`.
pub(super) fn fits(width: usize, wanted: usize) -> Result<()> {
    match width == wanted {
        true => Ok(()),
        false => Err(Error::input(format!("the soft prompt's rows have {width} numbers, and the model's {wanted}"))
            .parameter(NAME)
            .next("use a prompt that was trained for this model")),
    }
}

impl T5 {
    /// The same model with the rows `values` [P, H] as its soft prompt, instead of one that it may have. All other parameters are
    /// shared.
    ///
    /// # Errors
    /// If the rows are not as wide as the model.
    pub fn with_prompt(&self, values: Tensor) -> Result<Self> {
        let (_, width) = values.dims2()?;
        fits(width, self.config().shape.d_model)?;
        self.recomposed(self.lora_scale(), |params| {
            params.retain(|name| name != NAME);
            params.insert(Param::new(NAME, values))
        })
    }

    /// Its soft prompt.
    pub fn prompt(&self) -> Option<&Param> {
        self.params().find(NAME)
    }

    /// The ids of its soft prompt's rows, which go before every source; none without one.
    pub fn prompt_ids(&self) -> Vec<u32> {
        let rows = self.prompt().and_then(|prompt| prompt.value().dims().first().copied());
        virtual_tokens(0, rows.unwrap_or(0)).collect()
    }

    /// The model alone, without soft prompt and LoRA; its parameters are shared.
    pub fn bare(&self) -> Result<Self> {
        self.recomposed(1.0, |params| {
            let own = |name: &str| !is_attached(name);
            Params::retain(params, own);
            Ok(())
        })
    }
}

/// Whether the parameter `name` is not the model's own but attached to it.
pub fn is_attached(name: &str) -> bool {
    name == NAME || super::lora::is_part(name)
}
