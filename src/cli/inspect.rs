//! `fsa inspect`: what a model's folder is and what fsa can do with it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use fsa::Result;
use fsa::experiment::inspect::{self, AdapterFacts, Block, Inspected, Model, TokenizerFacts, WeightFiles};
use fsa::model::survey::HeadOf;
use fsa::spec::MINI;
use fsa::tokenizer::describe::{Place, Sentinels};

use super::preset::{self, ADAPTER_HELP};
use super::term;

/// Show what a model's folder holds, what is wrong with it, and what fsa can do with it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The folder: of a model in Hugging Face layout, of an adapter in PEFT's, or of a trainer's checkpoints; or a name on the hub,
    /// which is fetched first; or `mini` for the embedded model
    #[arg(value_name = "MODEL", default_value = MINI)]
    model: PathBuf,
    #[arg(long, value_name = "DIR", help_heading = "Input", help = ADAPTER_HELP)]
    adapter: Option<PathBuf>,
    /// Print one JSON object on stdout instead of text
    #[arg(long, help_heading = "Output")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fsa inspect
  fsa inspect path/to/model
  fsa inspect path/to/output/checkpoint-500 --json

Values are not read, so that large models take no time and no memory. The exit code is 1 if
something keeps the folder from being used.";

/// Where what is said of something begins.
const INDENT: usize = 12;
/// Columns of a line.
const WIDTH: usize = 96;

impl Arguments {
    /// Prints what is known, and fails if the folder cannot be used.
    pub fn run(self) -> Result<()> {
        preset::fetch_with_base(&self.model, self.json)?;
        preset::fetch_adapter(self.adapter.as_deref(), &self.model, self.json)?;
        let inspected = inspect::run(&self.model, self.adapter.as_deref())?;
        match self.json {
            true => term::print_json(&inspected)?,
            false => term::print(text(&inspected).as_bytes())?,
        }
        inspected.check()
    }
}

/// Everything, for people.
fn text(inspected: &Inspected) -> String {
    let mut text = String::new();
    let mut say = |label: &str, what: &str| text.push_str(&entry(label, what));
    say("folder", &inspected.path.display().to_string());
    if let Some(adapter) = &inspected.adapter {
        say("adapter", &adapter_in_words(adapter));
        let found = adapter.base_path.as_ref().map_or("which is not here".into(), |path| path.display().to_string());
        say("base model", &adapter.base.as_ref().map_or(found.clone(), |name| format!("`{name}`: {found}")));
    }
    if !inspected.checkpoints.is_empty() {
        say("checkpoints", &checkpoints(inspected));
    }
    if let Some(model) = &inspected.model {
        let shape = &model.architecture;
        say(
            "model",
            &format!(
                "{} ({}), {} parameters, {:.1} MiB in float32",
                shape.name,
                shape.model_type,
                grouped(model.params),
                model.mib
            ),
        );
        say(
            "shape",
            &format!(
                "{} + {} blocks, width {}, {} heads of {}, feed-forward {} {}, vocabulary {}",
                shape.encoder_blocks,
                shape.decoder_blocks,
                shape.d_model,
                shape.heads,
                shape.d_kv,
                shape.d_ff,
                shape.activation,
                grouped(shape.vocab_size as u64)
            ),
        );
        if let Some(weights) = &model.weights {
            say("weights", &files(weights));
            say("tensors", &tensors(weights));
        }
        say("tokenizer", &model.tokenizer.as_ref().map_or("none that can be read".into(), tokenizer));
    }
    if let Some(model) = &inspected.model {
        text.push_str(&format!("\n{}", blocks(model)));
        text.push_str(&format!("\n{}", memory(model)));
    }
    text.push('\n');
    text.push_str(&entry(
        "usable by",
        &match inspected.usable_by.is_empty() {
            true => "nothing".into(),
            false => inspected.usable_by.join(", "),
        },
    ));
    inspected.problems.iter().for_each(|problem| text.push_str(&entry("problem", problem)));
    inspected.note.iter().for_each(|note| text.push_str(&entry("note", note)));
    text
}

/// `label` and what is said of it, in lines that are not too long.
fn entry(label: &str, what: &str) -> String {
    let mut lines = vec![String::new()];
    for word in what.split(' ') {
        let line = lines.last_mut().map(|line| line.chars().count()).unwrap_or(0);
        if line > 0 && INDENT + line + 1 + word.chars().count() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let space = if line.is_empty() { "" } else { " " };
            *line += &format!("{space}{word}");
        }
    }
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    lines.iter().zip(labels).map(|(line, label)| format!("{label:INDENT$}{line}\n")).collect()
}

fn adapter_in_words(adapter: &AdapterFacts) -> String {
    let AdapterFacts { rows, width, rank, scale, maps, targets, params, .. } = adapter;
    let what = match (rows, width, rank, scale, maps) {
        (Some(rows), Some(width), ..) => format!("{rows} rows of {width}"),
        (_, _, Some(rank), Some(scale), Some(maps)) => {
            format!("rank {rank} on {maps} maps ({}), times {scale}", targets.join(", "))
        }
        _ => String::new(),
    };
    let files: Vec<&str> = adapter.files.iter().map(|file| file.name.as_str()).collect();
    format!("{}, {what}, {} parameters, {}", adapter.kind, grouped(*params), files.join(", "))
}

fn checkpoints(inspected: &Inspected) -> String {
    let all = &inspected.checkpoints;
    let mut kinds: Vec<String> = Vec::new();
    for kind in [Some("model"), Some("soft prompt"), Some("LoRA"), None] {
        let count = all.iter().filter(|checkpoint| checkpoint.kind == kind).count();
        if count > 0 {
            kinds.push(format!("{count} {}", kind.map_or("that cannot be read".into(), |kind| format!("of a {kind}"))));
        }
    }
    let (first, last) = (all.first().map_or(0, |it| it.step), all.last().map_or(0, |it| it.step));
    format!("{}, steps {first} to {last}", kinds.join(", "))
}

fn files(weights: &WeightFiles) -> String {
    let bytes: u64 = weights.files.iter().map(|file| file.bytes).sum();
    let size = format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let what = match &weights.files[..] {
        [one] => format!("{}, {size}", one.name),
        several => format!("{} shards, {} and so on, {size}", several.len(), several.first().map_or("", |it| &it.name)),
    };
    let dtypes: Vec<String> = match &weights.dtypes[..] {
        [one] => vec![one.dtype.clone()],
        several => several.iter().map(|it| format!("{} {} tensors", it.tensors, it.dtype)).collect(),
    };
    format!("{what}, {}, {}", weights.layout, dtypes.join(", "))
}

fn tensors(weights: &WeightFiles) -> String {
    let tensors = &weights.tensors;
    let bad = tensors.missing.len() + tensors.misshapen.len();
    let mut parts = vec![match bad {
        0 => format!("all {} are there", tensors.needed),
        bad => format!("{} of {} are there", tensors.needed - bad, tensors.needed),
    }];
    let named = |names: &[String]| {
        let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
        format!("{}{}", first.join(", "), if names.len() > 3 { ", …" } else { "" })
    };
    if !tensors.missing.is_empty() {
        parts.push(format!("{} missing: {}", tensors.missing.len(), named(&tensors.missing)));
    }
    if !tensors.misshapen.is_empty() {
        let names: Vec<String> = tensors.misshapen.iter().map(|it| it.name.clone()).collect();
        parts.push(format!("{} of another shape: {}", names.len(), named(&names)));
    }
    parts.push(match tensors.unused.is_empty() {
        true => "none is unused".into(),
        false => format!("{} unused: {}", tensors.unused.len(), named(&tensors.unused)),
    });
    parts.push(match tensors.head {
        HeadOf::Embedding => "the head is the embedding".into(),
        HeadOf::Own => "the head is one of its own".into(),
    });
    parts.join("; ")
}

fn tokenizer(facts: &TokenizerFacts) -> String {
    let TokenizerFacts { file, description, embedding_rows, spare_rows } = facts;
    let bytes = if description.byte_fallback { " with bytes" } else { "" };
    let mut parts = vec![format!("{file}, {}{bytes}, {} tokens", description.kind, grouped(description.tokens as u64))];
    parts.push(match &description.sentinels {
        None => "no sentinels".into(),
        Some(Sentinels { count, first_id, last_id, place }) => {
            let place = match place {
                Place::BehindPieces => "behind the pieces",
                Place::AmongPieces => "among the pieces",
            };
            format!("{count} sentinels {place} (<extra_id_0> is {first_id}, <extra_id_{}> {last_id})", count - 1)
        }
    });
    let special: Vec<String> = description.special.iter().map(|it| format!("{} {}", it.token, it.id)).collect();
    parts.push(special.join(", "));
    if !description.others.is_empty() {
        let others: Vec<String> =
            description.others.iter().take(3).map(|it| format!("{} {}", it.token, it.id)).collect();
        let more = if description.others.len() > 3 { ", …" } else { "" };
        parts.push(format!("{} added: {}{more}", description.others.len(), others.join(", ")));
    }
    parts.push(match spare_rows {
        0 => format!("the embedding's {} rows all have a token", grouped(*embedding_rows as u64)),
        1.. => format!("{spare_rows} of the embedding's {} rows have none", grouped(*embedding_rows as u64)),
        _ => format!("{} ids have no row in the embedding's {}", -spare_rows, grouped(*embedding_rows as u64)),
    });
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

/// A table of the layers, blocks of a stack together.
fn blocks(model: &Model) -> String {
    let mut rows: Vec<(String, Vec<&Block>)> = Vec::new();
    for block in &model.blocks {
        let stack = block.name.split_once('.').filter(|(_, number)| number.parse::<usize>().is_ok());
        let name = stack.map_or(block.name.clone(), |(stack, _)| stack.to_string());
        match rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, blocks)) => blocks.push(block),
            None => rows.push((name, vec![block])),
        }
    }
    let mut text = format!("{:30}{:>8}{:>16}{:>11}{:>8}\n", "", "tensors", "parameters", "MiB", "share");
    let mut line = |name: &str, blocks: &[&Block]| {
        let tensors: usize = blocks.iter().map(|block| block.tensors).sum();
        let params: u64 = blocks.iter().map(|block| block.params).sum();
        let mib: f64 = blocks.iter().map(|block| block.mib).sum();
        let share = 100.0 * params as f64 / model.params.max(1) as f64;
        let _ = writeln!(text, "{name:30}{tensors:>8}{:>16}{mib:>11.1}{share:>6.1} %", grouped(params));
    };
    for (name, blocks) in &rows {
        let name = match blocks.len() {
            1 if name.ends_with(".final") => name.replace(".final", ", last norm"),
            1 => name.clone(),
            count => format!("{name}, {count} blocks"),
        };
        line(&name, blocks);
    }
    line("all", &model.blocks.iter().collect::<Vec<_>>());
    text
}

fn memory(model: &Model) -> String {
    let mut text = String::new();
    for (place, memory) in model.memory.iter().enumerate() {
        let label = if place == 0 { "memory" } else { "" };
        text.push_str(&entry(
            label,
            &format!(
                "{}: about {} MiB, {} with --low-memory (batch of {} × {} source tokens)",
                memory.work,
                grouped(memory.mib),
                grouped(memory.low_memory_mib),
                memory.batch_size,
                memory.source_tokens
            ),
        ));
    }
    text
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_lines_end_at_words() {
        assert_eq!([0, 999, 1000, 76_961_152].map(grouped), ["0", "999", "1,000", "76,961,152"]);
        let text = entry("label", &["word"; 40].join(" "));
        assert!(text.lines().all(|line| line.len() <= WIDTH && line[INDENT..].starts_with("word")), "{text}");
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn the_embedded_model_is_told_on_narrow_lines() {
        let text = text(&inspect::run(MINI.as_ref(), None).unwrap());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        for label in ["folder", "model", "shape", "weights", "tensors", "tokenizer", "memory", "usable by", "note"] {
            assert!(text.lines().any(|line| line.starts_with(label)), "{label}: {text}");
        }
        assert!(!text.contains("problem"));
    }
}
