//! A soft prompt or LoRA that was trained before and goes with a model: read once, and attached to each model that it is asked with.

use std::path::{Path, PathBuf};

use crate::data::Tokenized;
use crate::error::{Error, Result};
use crate::model::given::{self, Given};
use crate::model::peft::{self, Adapter, read_adapter};
use crate::model::{self, T5, lora, prompt};
use crate::report::run_info::{HashedFile, hash_file};
use crate::spec::Training;
use crate::spec::method::Trained;

/// The flag that names its folder.
const FLAG: &str = "--adapter";

/// It.
#[derive(Clone)]
pub(super) struct Attachment {
    dir: PathBuf,
    adapter: Adapter,
    /// The files that it was read from.
    pub files: Vec<HashedFile>,
}

impl Attachment {
    /// Reads the one in `dir`, if there is to be one.
    pub fn read(dir: Option<&Path>) -> Result<Option<Self>> {
        let Some(dir) = dir else { return Ok(None) };
        let adapter = read_adapter(dir).map_err(|error| error.flag(FLAG))?;
        let files = hashed(dir)?;
        Ok(Some(Self { dir: dir.to_path_buf(), adapter, files }))
    }

    /// `model` with it.
    ///
    /// # Errors
    /// If it belongs to a model of other sizes.
    pub fn attach(&self, model: &T5) -> Result<T5> {
        model.with_adapter(self.adapter.clone()).map_err(|error| error.at(&self.dir).flag(FLAG))
    }

    /// `model` with it merged into its weights.
    ///
    /// # Errors
    /// If it cannot be, as a soft prompt, or belongs to a model of other sizes.
    pub fn merge(&self, model: &T5) -> Result<T5> {
        self.refuse_prompt()?;
        self.attach(model)?.merged()
    }

    /// Errors if it cannot be merged.
    pub fn refuse_prompt(&self) -> Result<()> {
        match self.adapter {
            Adapter::Lora(..) => Ok(()),
            Adapter::Prompt(_) => Err(Error::input("it is a soft prompt, and methods attach prompts of their own")
                .at(&self.dir)
                .flag(FLAG)
                .next("give its base as --model; --prompt-file starts new prompts from this one")),
        }
    }

    /// The names of its parameters.
    pub fn names(&self) -> Vec<String> {
        match &self.adapter {
            Adapter::Prompt(_) => vec![prompt::NAME.to_string()],
            Adapter::Lora(pairs, _) => pairs.iter().flat_map(|(module, ..)| lora::names(module)).collect(),
        }
    }

    /// What it is.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The part of a signature that names it.
    pub fn signature(&self) -> String {
        let hash: String = self.files.last().into_iter().flat_map(|file| file.sha256.chars().take(12)).collect();
        match &self.adapter {
            Adapter::Prompt(_) => format!("adapter:prompt:{hash}"),
            Adapter::Lora(_, scale) => format!("adapter:lora:{hash}:scale{scale}"),
        }
    }
}

/// The files of the adapter in `dir`, the weights last. By the adapter's name where it has one: the same file of another commit is that
/// file changed, and where a cache lies is nobody's business.
pub(super) fn hashed(dir: &Path) -> Result<Vec<HashedFile>> {
    let hashed = |path: &PathBuf| {
        let path_in = path.file_name().map_or_else(|| dir.to_path_buf(), |name| dir.join(name));
        Ok(HashedFile { path: path_in, ..hash_file(path)? })
    };
    peft::files(dir).iter().map(hashed).collect()
}

/// The model that `folder` stands for: with what is attached, if the folder is an adapter's.
pub(super) fn load(folder: &Path) -> Result<T5> {
    let Given { model, adapter } = given::resolve(folder.to_path_buf(), None)?;
    let attachment = Attachment::read(adapter.as_deref())?;
    attached(model::load(&model)?.0, attachment.as_ref())
}

/// `model` with what is attached to it, if something is.
pub(super) fn attached(model: T5, attachment: Option<&Attachment>) -> Result<T5> {
    attachment.map_or(Ok(None), |it| it.attach(&model).map(Some)).map(|with| with.unwrap_or(model))
}

/// `training` where something is attached: that stays as it is, unless the user has said what is trained.
pub(super) fn frozen(training: &Training, attachment: Option<&Attachment>) -> Training {
    let mut training = training.clone();
    if attachment.is_some() && training.trains_everything() {
        training.trainable = Trained::Model.patterns().to_string();
    }
    training
}

/// `examples` with the ids `prefix` before every source.
pub(super) fn behind(prefix: &[u32], examples: &[Tokenized]) -> Vec<Tokenized> {
    let mut examples = examples.to_vec();
    examples.iter_mut().for_each(|example| drop(example.source.splice(..0, prefix.iter().copied())));
    examples
}
