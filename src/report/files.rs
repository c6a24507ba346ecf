//! The names of what fsa writes into a run folder, command by command. Names only: [`folder`](super::folder) does the writing.

/// The resolved spec that made the run.
pub const SPEC: &str = "spec.toml";
/// Where, when and with what the run was made: [`RunInfo`](super::RunInfo).
pub const RUN: &str = "run.json";
/// Every row, in the order it was measured.
pub const ROWS: &str = "rows.jsonl";
/// The table of `fsa gradient-align`.
pub const GRADIENT_ALIGN: &str = "gradient_align.csv";
/// Its table of several methods.
pub const METHODS: &str = "methods.csv";
/// The table of `fsa label-ratio`.
pub const LABEL_RATIO: &str = "label_ratio.csv";
/// Its table of the target task's own scores.
pub const TARGET: &str = "target.csv";
/// The rows of that table, in the order they were measured.
pub const TARGET_ROWS: &str = "target.jsonl";
/// The table of `fsa pretrain`.
pub const PRETRAIN: &str = "pretrain.csv";
/// Its table of few-shot scores.
pub const SCORES: &str = "scores.csv";
/// The rows of that table, in the order they were measured.
pub const SCORE_ROWS: &str = "scores.jsonl";
/// The table of `fsa compare`.
pub const COMPARE: &str = "compare.csv";
/// Its table of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints.csv";
/// Its table of means over tasks and seeds.
pub const COMPARE_SUMMARY: &str = "summary.csv";
/// Its table of tests between methods.
pub const PAIRED: &str = "paired.csv";
/// The paper's table, as Markdown.
pub const TABLE_MD: &str = "table.md";
/// The same as LaTeX.
pub const TABLE_TEX: &str = "table.tex";
/// The first inputs of each task with every method's outputs.
pub const OUTPUTS_MD: &str = "outputs.md";
/// What `fsa paper` says of the paper's figures and tables.
pub const README: &str = "README.md";
/// The table of `fsa bench --grow`.
pub const GROWTH: &str = "growth.csv";
/// Its slopes, as Markdown.
pub const GROWTH_MD: &str = "growth.md";
/// The sub-folder of its tables.
pub const TABLES: &str = "tables";
/// The sub-folder of the rows behind its figures and tables.
pub const DATA: &str = "data";
/// The sub-folder of the model that `fsa pretrain` leaves.
pub const MODEL: &str = "model";
/// The model's architecture.
pub const MODEL_CONFIG: &str = "model/config.json";
/// How transformers decodes by default.
pub const MODEL_GENERATION: &str = "model/generation_config.json";
/// Its tokenizer.
pub const MODEL_TOKENIZER: &str = "model/tokenizer.json";
/// What transformers has to know about it.
pub const MODEL_TOKENIZER_CONFIG: &str = "model/tokenizer_config.json";
/// The model card.
pub const MODEL_CARD: &str = "model/README.md";
/// The weights.
pub const MODEL_WEIGHTS: &str = "model/model.safetensors";
/// Every file of the model.
pub const MODEL_FILES: [&str; 6] =
    [MODEL_CONFIG, MODEL_GENERATION, MODEL_TOKENIZER, MODEL_TOKENIZER_CONFIG, MODEL_CARD, MODEL_WEIGHTS];
/// The sub-folder of figures.
pub const FIGURES: &str = "figures";
/// The sub-folder of what the model answered, example by example; see [`output`].
pub const OUTPUTS: &str = "outputs";

/// What one command writes beside [`SPEC`], [`RUN`] and [`ROWS`], which every command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// Tables, and rows that are not in [`ROWS`].
    pub tables: &'static [&'static str],
    /// Figures in [`FIGURES`], without extension, in their order.
    pub figures: &'static [&'static str],
    /// Files of a model.
    pub model: &'static [&'static str],
}

/// Of `fsa gradient-align`.
pub const GRADIENT_ALIGN_FILES: Files =
    Files { tables: &[GRADIENT_ALIGN], figures: &["figure3", "figure7", "heatmap", "norms"], model: &[] };

/// Of its runs of several methods, each of which has a sub-folder with those of one.
pub const METHODS_FILES: Files = Files { tables: &[METHODS], figures: &["methods"], model: &[] };

/// Of `fsa label-ratio`; its [`OUTPUTS`] are as many as there are probes and evaluations, and known by their pattern.
pub const LABEL_RATIO_FILES: Files =
    Files { tables: &[LABEL_RATIO, TARGET, TARGET_ROWS], figures: &["figure1", "figure2"], model: &[] };

/// Of `fsa pretrain`.
pub const PRETRAIN_FILES: Files = Files { tables: &[PRETRAIN, SCORES, SCORE_ROWS], figures: &[], model: &MODEL_FILES };

/// Of `fsa compare`.
pub const COMPARE_FILES: Files = Files {
    tables: &[COMPARE, CHECKPOINTS, COMPARE_SUMMARY, PAIRED, TABLE_MD, TABLE_TEX, OUTPUTS_MD],
    figures: &["figure5", "figure6", "trade_off", "label_ratio_by_method", "tasks"],
    model: &[],
};

/// Of `fsa bench --grow`.
pub const GROWTH_FILES: Files = Files { tables: &[GROWTH, GROWTH_MD], figures: &["growth"], model: &[] };

/// Of every command: `--force` may put a run of one in the place of a run of another.
pub const COMMANDS: [Files; 6] =
    [GRADIENT_ALIGN_FILES, METHODS_FILES, LABEL_RATIO_FILES, PRETRAIN_FILES, COMPARE_FILES, GROWTH_FILES];

/// Both files of a figure.
pub fn figure(name: &str) -> [String; 2] {
    ["svg", "png"].map(|extension| format!("{FIGURES}/{name}.{extension}"))
}

/// Every file with a fixed name besides [`SPEC`], and so, with [`is_output`], all that `--force` may remove. [`RUN`] goes first: it
/// may say that the run is finished.
pub fn written() -> impl Iterator<Item = String> {
    let common = [RUN, ROWS].into_iter().map(String::from);
    common.chain(COMMANDS.iter().flat_map(|command| {
        let tables = command.tables.iter().chain(command.model).map(|name| name.to_string());
        tables.chain(command.figures.iter().flat_map(|name| figure(name)))
    }))
}

/// The name of a task as part of a file's. It is anybody's, so what a file's name may not hold everywhere is written as `%` and
/// two digits, as in addresses; two tasks never share a file.
pub fn plain(task: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let mut name = String::new();
    for (place, byte) in task.bytes().enumerate() {
        // A leading dot would hide the file.
        if plain(byte) && (place, byte) != (0, b'.') {
            name.push(byte.into());
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

/// Where the outputs of one evaluation at one probe stand: `outputs/step-50/trivia_qa-1shot.jsonl`.
pub fn output(step: u64, task: &str, shots: u64) -> String {
    format!("{OUTPUTS}/step-{step}/{}-{shots}shot.jsonl", plain(task))
}

/// Whether a sub-folder of [`OUTPUTS`] of this name is fsa's.
pub fn is_output_step(name: &str) -> bool {
    name.strip_prefix("step-").is_some_and(is_number)
}

/// Whether a file of this name in such a folder is.
pub fn is_output(name: &str) -> bool {
    let shots = name.strip_suffix("shot.jsonl").and_then(|name| name.rsplit_once('-'));
    shots.is_some_and(|(task, shots)| !task.is_empty() && is_number(shots))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_have_a_name_and_are_known_by_it() {
        assert_eq!(output(50, "trivia_qa", 1), "outputs/step-50/trivia_qa-1shot.jsonl");
        for (task, file) in
            [("../a/b", "%2E.%2Fa%2Fb-0shot.jsonl"), ("a_b", "a_b-0shot.jsonl"), ("ä%:", "%C3%A4%25%3A-0shot.jsonl")]
        {
            let path = output(0, task, 0);
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!(parts, [OUTPUTS, "step-0", file]);
            assert!(is_output_step(parts[1]) && is_output(parts[2]));
        }
        for name in ["notes.txt", "shot.jsonl", "-1shot.jsonl", "rte-shot.jsonl", "rte-oneshot.jsonl", "rte-1shot.csv"]
        {
            assert!(!is_output(name), "{name}");
        }
        for name in ["step-", "step-x", "step--1", "mine"] {
            assert!(!is_output_step(name), "{name}");
        }
    }

    #[test]
    fn no_two_commands_share_a_file() {
        let mut names: Vec<String> = written().collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
