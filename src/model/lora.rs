//! LoRA (Hu et al. 2021): a product of two thin matrices added to some of a model's linear maps, W + (alpha/rank)·B A.

use candle_core::Tensor;

use super::array::tensor;
use super::layers::LowRank;
use super::params::{Param, Params};
use super::t5::T5;
use crate::error::{Error, Result};
use crate::spec::Seeds;

const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";
/// The last parts of the linear maps' names that matrices are added to: those of the blocks.
const MAPS: [&str; 8] = ["q", "k", "v", "o", "wi", "wi_0", "wi_1", "wo"];

/// How large LoRA's matrices are and what they are added to.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraShape {
    /// Rows of A and columns of B.
    pub rank: usize,
    /// The product is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// The last parts of the linear maps' names, such as `q` and `v`.
    pub target_modules: Vec<String>,
}

impl LoraShape {
    /// What the product is multiplied by.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank.max(1) as f64
    }

    /// Whether it is added to the linear map of weight `name`.
    fn has(&self, name: &str) -> bool {
        map_of(name).is_some_and(|map| self.target_modules.iter().any(|target| target == map))
    }
}

/// The last part of the name of the linear map whose weight is `name`, if matrices can be added to it.
fn map_of(name: &str) -> Option<&'static str> {
    let map = name.strip_suffix(".weight")?.rsplit('.').next()?;
    MAPS.into_iter().find(|known| *known == map)
}

/// Whether the parameter `name` is one of LoRA's matrices.
pub fn is_part(name: &str) -> bool {
    name.ends_with(A) || name.ends_with(B)
}

/// The names of the two matrices that are added to the map at `module`.
pub fn names(module: &str) -> [String; 2] {
    [A, B].map(|part| format!("{module}{part}"))
}

/// What `params` have to add to the linear map of weight `path`.
pub(super) fn of(params: &Params, path: &str, scale: f64) -> Option<LowRank> {
    let module = path.strip_suffix(".weight")?;
    let part = |end: &str| params.find(&format!("{module}{end}")).cloned();
    Some(LowRank { a: part(A)?, b: part(B)?, scale })
}

/// Errors if matrices of these shapes cannot be added to the map at `module`, whose weight has the shape `weight` if there is one.
pub(super) fn fits(module: &str, a: &[usize], b: &[usize], weight: Option<&[usize]>) -> Result<()> {
    // Anything else would be kept and never computed with.
    if map_of(&format!("{module}.weight")).is_none() && weight.is_some() {
        return Err(Error::input("fsa has no LoRA on it")
            .parameter(module)
            .next("merge the adapter into its model with PEFT's merge_and_unload, and give the merged folder"));
    }
    match (a, b, weight) {
        (&[rank, inner], &[out, columns], Some(&[rows, width])) if (rank, rows, width) == (columns, out, inner) => {
            Ok(())
        }
        _ => Err(Error::input(format!(
            "LoRA's matrices are {a:?} and {b:?}, and the model {}",
            weight.map_or("has no such map".to_string(), |shape| format!("has {shape:?}"))
        ))
        .parameter(module)
        .next("use an adapter that was trained for this model")),
    }
}

/// One linear map's matrices: the module's path, A `[rank, in]` and B `[out, rank]`.
pub type Pair = (String, Tensor, Tensor);

impl T5 {
    /// The same model with fresh matrices as PEFT makes them: A uniform in ±1/√in (Kaiming's with a = √5), from the stream
    /// `init/NAME`, and B zero, so that nothing changes yet.
    ///
    /// # Errors
    /// If no linear map of the model has one of the names.
    pub fn with_new_lora(&self, shape: &LoraShape, seeds: Seeds) -> Result<Self> {
        use rand_distr::{Distribution, Uniform};
        let names: Vec<&str> = self.params().iter().filter_map(|param| map_of(param.name())).collect();
        if let Some(target) = shape.target_modules.iter().find(|target| !names.contains(&target.as_str())) {
            let there: Vec<&str> = MAPS.into_iter().filter(|map| names.contains(map)).collect();
            return Err(Error::input(format!("the model has no linear map called `{target}`"))
                .flag("--lora-targets")
                .next(format!("its maps are called {}", there.join(", "))));
        }
        let mut pairs = Vec::new();
        for param in self.params().iter().filter(|param| shape.has(param.name())) {
            let &[out, inner] = param.value().dims() else { continue };
            let module = param.name().trim_end_matches(".weight").to_string();
            let bound = (inner.max(1) as f64).powf(-0.5);
            let uniform = Uniform::new_inclusive(-bound, bound)
                .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))?;
            let mut rng = seeds.rng(&format!("init/{module}{A}"), &[]);
            let values: Vec<f32> = (0..shape.rank * inner).map(|_| uniform.sample(&mut rng) as f32).collect();
            let b = tensor(vec![0f32; out * shape.rank], (out, shape.rank))?;
            pairs.push((module, tensor(values, (shape.rank, inner))?, b));
        }
        self.with_lora(pairs, shape.scale())
    }

    /// The same model with these matrices instead of those that it may have, the products times `scale`.
    ///
    /// # Errors
    /// If the model has no such map, or one of another size.
    pub fn with_lora(&self, pairs: Vec<Pair>, scale: f64) -> Result<Self> {
        self.recomposed(scale, |params| {
            params.retain(|name| !is_part(name));
            for (module, a, b) in pairs {
                let weight = params.find(&format!("{module}.weight")).map(|param| param.value().dims());
                fits(&module, a.dims(), b.dims(), weight)?;
                let [name_a, name_b] = names(&module);
                params.insert(Param::new(&name_a, a))?;
                params.insert(Param::new(&name_b, b))?;
            }
            Ok(())
        })
    }

    /// The same model without LoRA's matrices, their products added to its weights.
    ///
    /// # Errors
    /// None that its loading has not had.
    pub fn merged(&self) -> Result<Self> {
        let scale = self.lora_scale();
        self.recomposed(1.0, |params| {
            let mut merged = Params::default();
            for param in params.iter().filter(|param| !is_part(param.name())) {
                let value = match of(params, param.name(), scale) {
                    None => param.value().clone(),
                    Some(LowRank { a, b, scale }) => {
                        (param.value() + b.value().matmul(a.value())?.affine(scale, 0.0)?)?
                    }
                };
                merged.insert(Param::new(param.name(), value))?;
            }
            *params = merged;
            Ok(())
        })
    }

    /// Its LoRA matrices, in the order of its parameters.
    pub fn lora(&self) -> impl Iterator<Item = &Param> {
        self.params().iter().filter(|param| is_part(param.name()))
    }
}
