//! `fsa bench`: how fast this machine is at what fsa does: products of matrices, gradient alignment, training, decoding.
//!
//! Each work is the code that the other commands run, on made-up tokens. Whoever wants to know the memory that one takes measures
//! it in a process of its own.

pub mod growth;
mod operations;

use std::path::PathBuf;
use std::time::Instant;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use self::operations::{Load, gflop};
use super::{attachment, probe};
use crate::data::Tokenized;
use crate::error::{Error, Result};
use crate::grad::{Losses, Targets};
use crate::machine;
use crate::model::loss::LossOptions;
use crate::model::t5::Pass;
use crate::model::{Packed, Shape, T5, T5Config, Whole, given};
use crate::spec::{Decoding, Estimator, LengthPenalty, Seeds, Training};
use crate::train::Trainer;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A probe of `fsa gradient-align`: true labels and shuffles, every parameter's dot products.
    Alignment,
    /// A step of Adafactor with dropout.
    Training,
    /// Greedy decoding of exactly [`Bench::NEW_TOKENS`] tokens.
    Greedy,
    /// The same with 4 beams.
    Beam,
}

impl Work {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Alignment, Self::Training, Self::Greedy, Self::Beam];

    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alignment => "alignment",
            Self::Training => "training",
            Self::Greedy => "greedy",
            Self::Beam => "beam",
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The model in a folder.
    Folder(PathBuf),
    /// Random weights.
    Shape(Shape),
    /// Random weights in the shape that a config.json has.
    Config(PathBuf),
}

impl Subject {
    /// The folder's path or the shape's name.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::Shape(shape) => shape.name().to_string(),
            Self::Config(path) => path.display().to_string(),
        }
    }

    /// The option that says it.
    pub fn flag(&self) -> &'static str {
        match self {
            Self::Folder(_) => "--model",
            Self::Shape(_) | Self::Config(_) => "--shape",
        }
    }

    /// Its configuration.
    ///
    /// # Errors
    /// If there is none.
    pub fn config(&self) -> Result<T5Config> {
        match self {
            Self::Folder(path) => T5Config::read(&given::resolve(path.clone(), None)?.existing()?),
            Self::Shape(shape) => shape.config(),
            Self::Config(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
                T5Config::parse(&text, path)
            }
        }
    }
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// The model.
    pub subject: Subject,
    /// Examples that go through it at once.
    pub batch_size: usize,
    /// Tokens of each source.
    pub source_len: usize,
    /// Tokens of each source in the place of `source_len`, for ragged batches: as many as there are examples.
    pub lengths: Option<Vec<usize>>,
    /// Tokens of each target.
    pub target_len: usize,
    /// Shuffles of an alignment step, beside the true labels.
    pub shuffles: usize,
    /// Times that are measured.
    pub repeats: usize,
    /// Times before them that are not.
    pub warm_up: usize,
    /// Another number of blocks than the shape has, in the encoder and in the decoder.
    pub num_layers: Option<usize>,
    /// Another width than the shape has; heads and the feed-forward's numbers change with it.
    pub d_model: Option<usize>,
    /// Whether alignment and training compute activations a second time instead of keeping them.
    pub low_memory: bool,
}

/// How long something took, and what it needed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Median of the repeats, in seconds.
    pub median_s: f64,
    /// The fastest.
    pub min_s: f64,
    /// The slowest.
    pub max_s: f64,
    /// The most memory that the process had until then, in MiB; none where the system does not say.
    pub peak_rss_mib: Option<f64>,
    /// 10⁹ operations that its products of matrices cannot do without, in each second of the median; none for decoding.
    pub gflops: Option<f64>,
}

impl Measured {
    /// The same, of work that takes `gflop`·10⁹ operations.
    fn of(self, gflop: f64) -> Self {
        Self { gflops: (self.median_s > 0.0).then(|| gflop / self.median_s), ..self }
    }
}

impl Bench {
    /// Tokens that are decoded.
    pub const NEW_TOKENS: usize = 16;
    /// Rows and columns of the matrices of [`sgemm_gflops`].
    pub const SGEMM: usize = 2048;

    /// Errors on the first option that cannot be meant, naming its flag.
    pub fn validate(&self) -> Result<()> {
        for (flag, value, most) in [
            ("--batch-size", self.batch_size, 1 << 16),
            ("--source-len", self.source_len, 1 << 16),
            ("--target-len", self.target_len, 1 << 16),
            ("--shuffles", self.shuffles, 1000),
            ("--repeats", self.repeats, 1 << 16),
        ] {
            if !(1..=most).contains(&value) {
                return Err(Error::input(format!("must be from 1 to {most}, not {value}")).flag(flag));
            }
        }
        let Some(lengths) = &self.lengths else { return Ok(()) };
        if lengths.len() < self.batch_size {
            return Err(Error::input(format!("has {} lengths, for a batch of {}", lengths.len(), self.batch_size))
                .flag("--lengths")
                .next("give as many, or a smaller --batch-size"));
        }
        match lengths.iter().find(|length| !(1..=1 << 16).contains(*length)) {
            None => Ok(()),
            Some(length) => {
                Err(Error::input(format!("a source cannot have {length} tokens")).flag("--lengths").next("1 to 65536"))
            }
        }
    }

    /// Tokens of each source.
    pub fn lengths(&self) -> Vec<usize> {
        match &self.lengths {
            Some(lengths) => lengths[..self.batch_size].to_vec(),
            None => vec![self.source_len; self.batch_size],
        }
    }

    /// What `lanes` different targets of each example and as many gradients take.
    fn load(&self, lanes: usize) -> Load {
        let lengths = self.lengths();
        Load {
            source_tokens: lengths.iter().sum::<usize>() as f64,
            source_squares: lengths.iter().map(|length| (length * length) as f64).sum(),
            examples: self.batch_size as f64,
            target_len: self.target_len as f64,
            lanes: lanes as f64,
            gradients: lanes as f64,
        }
    }

    /// The configuration that is measured.
    ///
    /// # Errors
    /// If there is none, or a folder's weights are to have another shape.
    pub fn config(&self) -> Result<T5Config> {
        let mut config = self.subject.config().map_err(|error| error.flag(self.subject.flag()))?;
        let shape = &mut config.shape;
        for (flag, changed) in [("--num-layers", self.num_layers), ("--d-model", self.d_model)] {
            match (changed, &self.subject) {
                (Some(_), Subject::Folder(_)) => {
                    let error = Error::input("the weights in a folder have the shape that they have").flag(flag);
                    return Err(error.next("give --shape, with a name or the folder's config.json"));
                }
                (Some(value), _) if !(1..=1 << 16).contains(&value) => {
                    return Err(Error::input(format!("must be from 1 to 65536, not {value}")).flag(flag));
                }
                _ => {}
            }
        }
        if let Some(layers) = self.num_layers {
            (shape.num_layers, shape.num_decoder_layers) = (layers, Some(layers));
        }
        if let Some(width) = self.d_model {
            let with = |value: usize| (value * width / shape.d_model).max(1);
            (shape.num_heads, shape.d_ff, shape.d_model) = (with(shape.num_heads), with(shape.d_ff), width);
        }
        Ok(config)
    }

    fn model(&self) -> Result<T5> {
        let config = self.config()?;
        match &self.subject {
            Subject::Folder(path) => attachment::load(path),
            Subject::Shape(_) | Subject::Config(_) => T5::random(config, Seeds::new(0)),
        }
    }

    /// Measures `work` in this process.
    ///
    /// # Errors
    /// If the model cannot be loaded, or what it computes is not finite.
    pub fn measure(&self, work: Work) -> Result<Measured> {
        self.validate()?;
        let model = self.model()?;
        let vocab = model.config().shape.vocab_size;
        let lengths = self.lengths().into_iter().enumerate();
        let prefix = model.prompt_ids();
        let sources: Vec<_> = lengths.map(|(i, length)| [&prefix[..], &ids(i, length, vocab)].concat()).collect();
        match work {
            Work::Alignment => self.alignment(&model, sources),
            Work::Training => self.training(&model, &sources),
            Work::Greedy => self.decoding(&model, &sources, 1),
            Work::Beam => self.decoding(&model, &sources, 4),
        }
    }

    fn alignment(&self, model: &T5, sources: Vec<Vec<u32>>) -> Result<Measured> {
        // Two label words: the paper's RTE.
        let classes: Vec<Vec<u32>> =
            [1, 2].map(|class| ids(1000 * class, self.target_len, model.config().shape.vocab_size)).into();
        let labels: Vec<usize> = (0..self.batch_size).map(|i| i % 2).collect();
        let split: Vec<Tokenized> = sources
            .into_iter()
            .zip(&labels)
            .map(|(source, &label)| Tokenized { source, target: classes[label].clone() })
            .collect();
        let losses =
            Losses::new(Targets::Closed { classes, labels }, &[Estimator::Dataset], self.shuffles, Seeds::new(0));
        let members: Vec<usize> = (0..self.batch_size).collect();
        let training = Training { low_memory: self.low_memory, ..Training::default() };
        let work = gflop(model.config(), &self.load(2));
        let measured = self.time(|_| {
            let whole = losses.batch(&split, 0, &members)?;
            let Training { low_memory, .. } = training;
            let pass = Pass { dropout: None, loss: LossOptions::from(&training), scale: 1.0, low_memory };
            probe::grams(model, &whole, pass, training.micro_batch_tokens, 0).map(drop)
        })?;
        Ok(measured.of(work))
    }

    fn training(&self, model: &T5, sources: &[Vec<u32>]) -> Result<Measured> {
        // A rate at which random weights stay finite: time does not depend on it.
        let Self { batch_size, low_memory, .. } = *self;
        let training = Training { batch_size, low_memory, lr: 1e-6, ..Training::default() };
        let mut trainer = Trainer::new(&training, 1, Seeds::new(0));
        let vocab = model.config().shape.vocab_size;
        let targets: Vec<Vec<u32>> = (0..self.batch_size).map(|i| ids(1000 + i, self.target_len, vocab)).collect();
        let work = gflop(model.config(), &self.load(1));
        let measured = self.time(|_| {
            let whole = Whole::training(
                sources.iter().map(Vec::as_slice).collect(),
                (0..self.batch_size as u64).collect(),
                targets.iter().map(Vec::as_slice).collect(),
            );
            let batches = whole.cut(training.micro_batch_tokens, model.config())?;
            trainer.step(model, &batches).map(drop)
        })?;
        Ok(measured.of(work))
    }

    fn decoding(&self, model: &T5, sources: &[Vec<u32>], beams: usize) -> Result<Measured> {
        let sources = Packed::new(sources);
        let decoding = Decoding {
            num_beams: beams,
            max_new_tokens: Self::NEW_TOKENS,
            min_new_tokens: Self::NEW_TOKENS,
            length_penalty: LengthPenalty::Hf(1.0),
        };
        self.time(|_| model.generate(&sources, &decoding).map(drop))
    }

    /// Runs `work`, which is told which time it is, as often as it is to be measured.
    fn time(&self, mut work: impl FnMut(usize) -> Result<()>) -> Result<Measured> {
        let mut times = Vec::with_capacity(self.repeats);
        for number in 0..self.warm_up + self.repeats {
            let begun = Instant::now();
            work(number)?;
            if number >= self.warm_up {
                times.push(begun.elapsed().as_secs_f64());
            }
        }
        times.sort_by(f64::total_cmp);
        Ok(Measured {
            median_s: median(&times),
            min_s: times.first().copied().unwrap_or_default(),
            max_s: times.last().copied().unwrap_or_default(),
            peak_rss_mib: machine::peak_rss_mib(),
            gflops: None,
        })
    }
}

/// The rate at which candle multiplies square matrices of [`Bench::SGEMM`] rows in float32 on all threads, in 10⁹ operations per
/// second, a multiplication and an addition being two: the fastest of some repeats, since whatever disturbs one is not this
/// machine's limit.
///
/// # Errors
/// If candle has one.
pub fn sgemm_gflops() -> Result<f64> {
    const REPEATS: usize = 7;
    let n = Bench::SGEMM;
    let matrix = |seed: usize| {
        let values: Vec<f32> = (0..n * n).map(|i| ((i * 7919 + seed) % 1009) as f32 / 1009.0 - 0.5).collect();
        Tensor::from_vec(values, (n, n), &Device::Cpu)
    };
    let (a, b) = (matrix(1)?, matrix(2)?);
    let mut fastest = f64::INFINITY;
    for _ in 0..REPEATS {
        let begun = Instant::now();
        let product = a.matmul(&b)?;
        fastest = fastest.min(begun.elapsed().as_secs_f64());
        drop(product);
    }
    Ok(2.0 * (n as f64).powi(3) / fastest / 1e9)
}

/// Of sorted times, the one in the middle.
fn median(times: &[f64]) -> f64 {
    match times.len() {
        0 => 0.0,
        n if n % 2 == 1 => times[n / 2],
        n => (times[n / 2 - 1] + times[n / 2]) / 2.0,
    }
}

/// `len` ids that look random, none of them special.
fn ids(seed: usize, len: usize, vocab: usize) -> Vec<u32> {
    const SPECIAL: usize = 3;
    let others = vocab.saturating_sub(SPECIAL).max(1);
    (0..len).map(|i| ((SPECIAL + (i * 7919 + seed * 104_729) % others).min(vocab - 1)) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 5.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 5.0]), 3.0);
    }

    #[test]
    fn ids_are_in_the_vocabulary() {
        for vocab in [1, 4, 300, 32_128] {
            assert!(ids(5, 40, vocab).iter().all(|&id| (id as usize) < vocab), "{vocab}");
        }
    }
}
