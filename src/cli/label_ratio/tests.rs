//! From flags and config files to specs.

use std::fs;
use std::path::Path;

use clap::Parser;
use fsa::spec::label_ratio::Source;
use fsa::spec::{AdafactorState, Decoding, Evaluation, LengthPenalty, Optimizer, Preset, Smoothing, Training};

use super::*;
use crate::cli::options::keys;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    arguments: Arguments,
}

fn typed(flags: &str) -> Options {
    let flags = flags.split_whitespace();
    Typed::try_parse_from(std::iter::once("fsa").chain(flags)).unwrap().arguments.options
}

/// The spec, or the error's text, of `flags` over a config that holds `toml`.
fn resolved(flags: &str, toml: &str) -> std::result::Result<LabelRatio, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    fs::write(&file, toml).unwrap();
    let said = resolve(typed(flags), &How { config: Some(file.clone()), ..How::default() });
    said.map_err(|error| error.to_string().replace(&file.display().to_string(), "run.toml"))
}

/// The error's text of `flags` alone.
fn refused(flags: &str) -> String {
    resolve(typed(flags), &How::default()).unwrap_err().to_string()
}

/// The data files of a spec.
fn files(spec: &LabelRatio) -> Vec<(&str, &str)> {
    spec.files.iter().map(|(key, path)| (key.as_str(), path.to_str().unwrap())).collect()
}

fn evaluation(task: &str, shots: usize) -> Evaluation {
    Evaluation { task: task.into(), shots }
}

const COMMON: &str = "--model m --adapter a --task tasks/own.toml --train t --dev d --file wmt16_ende.test=w \
    --file trivia_qa.validation=v --eval trivia_qa:5,wmt16_ende,trivia_qa:5 --limit 7 --sample 5 --prompt-sentinel off --onset 0.25 \
    --bleu-tokenizer intl --preset mini --beams 2 --max-new-tokens 9 --min-new-tokens 1 --length-penalty hf \
    --length-penalty-exponent 0.5 --seed 18446744073709551615 --threads 3 --out o";
const TRAIN: &str = "--steps 10 --probe-every 2 --batch-size 8 --micro-batch-tokens 100 --low-memory --lr 0.25 --warmup-steps 4 \
    --weight-decay 0.5 --dropout 0.2 --label-smoothing 0.3 --smoothing hf --z-loss 1e-4 --schedule cosine --lr-floor 0.1 --beta1 0.8 \
    --beta2 0.95 --max-grad-norm 2 --trainable *norm* --optimizer adafactor-hf \
    --adafactor-state fresh --scale-parameter off";
const CHECKPOINTS: &str = "--checkpoints c --strict";

/// What [`COMMON`] comes to.
fn common(source: Source) -> LabelRatio {
    let files = [
        ("tasks/own.toml.train", "t"),
        ("tasks/own.toml.validation", "d"),
        ("trivia_qa.validation", "v"),
        ("wmt16_ende.test", "w"),
    ];
    LabelRatio {
        model: "m".into(),
        adapter: Some("a".into()),
        task: "tasks/own.toml".into(),
        out: "o".into(),
        seed: u64::MAX,
        threads: 3,
        eval: vec![evaluation("trivia_qa", 5), evaluation("wmt16_ende", 1)],
        files: files.into_iter().map(|(key, path)| (key.into(), path.into())).collect(),
        sample: Some(5),
        limit: Some(7),
        prompt_sentinel: false,
        onset: 0.25,
        bleu_tokenizer: "intl".into(),
        decoding: Decoding {
            num_beams: 2,
            max_new_tokens: 9,
            min_new_tokens: 1,
            length_penalty: LengthPenalty::Hf(0.5),
        },
        source,
    }
}

/// What [`TRAIN`] comes to.
fn train() -> Source {
    let training = Training {
        optimizer: Optimizer::AdafactorHf,
        adafactor_state: AdafactorState::Fresh,
        scale_parameter: false,
        lr: 0.25,
        warmup_steps: 4,
        weight_decay: 0.5,
        batch_size: 8,
        micro_batch_tokens: 100,
        low_memory: true,
        dropout: 0.2,
        label_smoothing: 0.3,
        smoothing: Smoothing::Hf,
        z_loss: 1e-4,
        schedule: fsa::spec::Schedule::Cosine,
        lr_floor: 0.1,
        beta1: 0.8,
        beta2: 0.95,
        max_grad_norm: 2.0,
        trainable: "*norm*".into(),
    };
    Source::Train { steps: 10, probe_every: 2, training }
}

fn checkpoints(strict: bool) -> Source {
    Source::Checkpoints { dir: "c".into(), strict }
}

#[test]
fn every_flag_reaches_the_spec_and_its_toml_is_a_config_for_it() {
    let mut given = Vec::new();
    for (flags, source) in [(TRAIN, train()), (CHECKPOINTS, checkpoints(true))] {
        let options = typed(&format!("{COMMON} {flags}"));
        given.extend(options.given());
        let (spec, want) = (resolve(options, &How::default()).unwrap(), common(source));
        assert_eq!(spec, want);
        assert_eq!(resolved("", &toml::to_string(&spec).unwrap()), Ok(want));
    }
    given.sort();
    given.dedup();
    assert_eq!(given.len(), keys::<Options>().len(), "a flag is missing from this test");
}

#[test]
fn what_nobody_says_gets_its_default() {
    let spec = resolve(typed("--model m"), &How::default()).unwrap();
    assert_eq!((spec.task.as_str(), spec.seed, spec.limit, spec.prompt_sentinel), ("rte", 0, None, true));
    assert_eq!((spec.onset, spec.bleu_tokenizer.as_str(), spec.decoding), (0.5, "intl", Decoding::default()));
    assert_eq!(spec.eval, ["trivia_qa", "web_questions", "wmt16_ende"].map(|task| evaluation(task, 1)));
    assert_eq!(spec.source, Source::Train { steps: 1000, probe_every: 100, training: Training::default() });
    assert_eq!(spec.out, Path::new("reports/label-ratio-rte-seed0"));
    assert!(spec.files.is_empty() && spec.threads >= 1);
    let spec = resolve(typed("--model m --checkpoints c"), &How::default()).unwrap();
    assert_eq!(spec.source, checkpoints(false));
}

#[test]
fn the_papers_preset_scores_bleu_with_intl_unless_told_otherwise() {
    let tokenizer = |flags: &str| resolve(typed(flags), &How::default()).unwrap().bleu_tokenizer;
    assert_eq!(tokenizer("--preset paper"), "intl");
    assert_eq!(tokenizer("--preset paper --bleu-tokenizer 13a"), "13a");
    assert_eq!((tokenizer("").as_str(), tokenizer("--model m").as_str()), ("13a", "intl"));
}

#[test]
fn with_nothing_said_it_is_the_embedded_model_with_its_preset() {
    let spec = resolve(typed(""), &How::default()).unwrap();
    let defaults = Preset::Mini.defaults();
    assert_eq!((spec.model.as_path(), spec.limit), (Path::new("mini"), defaults.limit));
    assert_eq!(spec.decoding, defaults.decoding());
    let (steps, probe_every) = (defaults.ratio.steps, defaults.ratio.probe_every);
    assert_eq!(spec.source, Source::Train { steps, probe_every, training: defaults.training() });
}

#[test]
fn a_limit_of_a_preset_can_be_lifted_and_stays_so() {
    let paper = resolve(typed("--preset paper"), &How::default()).unwrap();
    assert_eq!((paper.limit, resolve(typed("--limit all"), &How::default()).unwrap().limit), (None, None));
    assert_eq!(resolved("", &toml::to_string(&paper).unwrap()), Ok(paper));
    assert_eq!(resolved("", "limit = 3").unwrap().limit, Some(3));
    let wrong = resolved("", "limit = 'some'").unwrap_err();
    assert!(wrong.starts_with("run.toml:1: `limit`: ") && wrong.contains("a whole number, or \"all\""), "{wrong}");
}

#[test]
fn flags_win_over_the_config_and_the_config_over_defaults() {
    let toml = "model = 'm'\nsteps = 7\nseed = 3\neval = ['cb:2', { task = 'rte', shots = 0 }]\nprompt-sentinel = 'off'\n\
        length-penalty = 'hf'\n[training]\nlr = 0.5";
    let spec = resolved("--steps 9 --task cb --prompt-sentinel on --beams 1", toml).unwrap();
    assert_eq!(spec.eval, [evaluation("cb", 2), evaluation("rte", 0)]);
    assert_eq!((spec.seed, spec.prompt_sentinel), (3, true));
    assert_eq!(spec.decoding, Decoding { num_beams: 1, length_penalty: LengthPenalty::Hf(1.0), ..Decoding::default() });
    assert_eq!(spec.out, Path::new("reports/label-ratio-cb-seed3"));
    let training = Training { lr: 0.5, ..Training::default() };
    assert_eq!(spec.source, Source::Train { steps: 9, probe_every: 100, training });
    assert_eq!(resolved("--eval wmt16_ende", toml).unwrap().eval, [evaluation("wmt16_ende", 1)]);
}

#[test]
fn data_files_are_merged_one_by_one() {
    let toml = "model = 'm'\ntrain = 'a'\n[files]\n'cb.validation' = 'b'\ntrivia_qa.train = 'c'\ntrivia_qa.test = 'd'";
    let spec = resolved("--task cb --dev x --file trivia_qa.train=y", toml).unwrap();
    let want = [("cb.train", "a"), ("cb.validation", "x"), ("trivia_qa.test", "d"), ("trivia_qa.train", "y")];
    assert_eq!(files(&spec), want);
    let twice = "; keep one of the two";
    assert_eq!(
        refused("--model m --dev x --file rte.validation=y"),
        format!("--dev: the file of `rte.validation` is given twice{twice}")
    );
    assert_eq!(
        refused("--model m --file rte.test=x --file rte.test=y"),
        format!("--file: the file of `rte.test` is given twice{twice}")
    );
    assert_eq!(
        resolved("--task cb", &toml.replace("train = 'a'", "dev = 'a'")).unwrap_err(),
        format!("run.toml:2: --dev: the file of `cb.validation` is given twice{twice}")
    );
}

#[test]
fn checkpoints_exclude_what_fine_tunes() {
    let next = "cannot be used with --checkpoints, which are fine-tuned already; leave one of the two out";
    assert_eq!(refused("--model m --checkpoints c --lr 1"), format!("--lr: {next}"));
    assert_eq!(refused("--model m --checkpoints c --probe-every 5"), format!("--probe-every: {next}"));
    assert_eq!(
        resolved("--checkpoints c", "model = 'm'\nsteps = 4").unwrap_err(),
        format!("run.toml:2: --steps: {next}")
    );
    assert_eq!(resolved("--steps 4", "model = 'm'\ncheckpoints = 'c'").unwrap_err(), format!("--steps: {next}"));
    assert!(
        refused("--model m --strict").starts_with("--strict: says something about --checkpoints only; leave it out")
    );
    assert!(resolved("", "model = 'm'\nstrict = true").unwrap_err().starts_with("run.toml:2: --strict: "));
}

#[test]
fn a_spec_can_be_run_again_with_another_source_or_decoding() {
    let spec = |source| toml::to_string(&common(source)).unwrap();
    let again = |flags, source| resolved(flags, &spec(source)).unwrap();
    assert_eq!(again("--checkpoints c", train()), common(checkpoints(false)));
    assert_eq!(again("--strict=off", checkpoints(true)), common(checkpoints(false)));
    let Source::Train { steps, training, .. } = again("--steps 3", train()).source else { panic!("no training") };
    assert_eq!((steps, training.lr), (3, 0.25));
    assert!(resolved("--steps 3", &spec(checkpoints(true))).unwrap_err().starts_with("--steps: cannot be used with"));
    // An exponent belongs to its length penalty.
    assert_eq!(again("--length-penalty t5x", train()).decoding.length_penalty, LengthPenalty::T5x(0.6));
    assert_eq!(again("--length-penalty hf", train()).decoding.length_penalty, LengthPenalty::Hf(0.5));
    assert_eq!(again("--beams 4", train()).decoding.num_beams, 4);
}

#[test]
fn what_must_be_given_is_asked_for_by_its_flag() {
    assert_eq!(
        refused("--train t"),
        "--model: missing: the model's folder; give --model path/to/model, its name on the hub, or mini for the embedded one (or `model` in a --config file)"
    );
    assert!(refused("--model m --eval trivia_qa:x").starts_with("--eval: `trivia_qa:x` is not a task with"));
    assert!(refused("--model m --eval trivia_qa,,rte").starts_with("--eval: `` names no task"));
    assert!(resolved("", "model = 'm'\neval = []").unwrap_err().starts_with("run.toml:2: --eval: needs at least one"));
}

#[test]
fn mistakes_in_a_config_name_their_line() {
    let error = |lines: &str| resolved("", &format!("model = 'm'\n{lines}")).unwrap_err();
    assert_eq!(error("probe-evry = 5"), "run.toml:2: unknown key `probe-evry`; did you mean `probe-every`?");
    assert_eq!(error("file = 'x'"), "run.toml:2: unknown key `file`; did you mean `files`?");
    assert_eq!(error("dry_run = true"), "run.toml:2: `dry_run` can only be given as the flag --dry-run");
    assert_eq!(error("[training]\nlr = -1"), "run.toml:3: --lr: must be a positive number, not -1");
    assert_eq!(error("onset = 2"), "run.toml:2: --onset: must be at least 0 and below 1, not 2");
    assert!(error("steps = 'x'").starts_with("run.toml:2: `steps`: invalid type"));
    assert!(error("beams = 'x'").starts_with("run.toml:2: `beams`: invalid type"));
    assert!(error("beams = 0").starts_with("run.toml:2: --beams: must be at least 1"));
    assert!(error("eval = ['x:y']").starts_with("run.toml:2: --eval: `x:y` is not a task"));
    assert!(error("eval = [\n'rte', 3]").starts_with("run.toml:3: `eval`: invalid type: integer `3`"));
    assert!(error("length-penalty = 'wu'").contains("run.toml:2: `length-penalty`: invalid value: string \"wu\""));
    assert!(error("bleu-tokenizer = 'zh'").starts_with("run.toml:2: --bleu-tokenizer: there is no tokenizer `zh`"));
    let flag = resolved("--lr=-1", "model = 'm'\nlr = 1").unwrap_err();
    assert_eq!(flag, "--lr: must be a positive number, not -1");
}

#[test]
fn mistakes_in_a_configs_tables_name_their_line() {
    let error = |lines: &str| resolved("", &format!("model = 'm'\n{lines}")).unwrap_err();
    let dev = error("[files]\n'rte.train' = 't'\nrte.dev = 'd'");
    assert!(dev.starts_with("run.toml:4: ") && dev.contains("`rte.dev` is not a task and its split"), "{dev}");
    assert!(error("files = 'x'").starts_with("run.toml:2: `files`: invalid type"));
    let number = error("[files]\n'rte.train' = 't'\n'rte.test' = 3");
    assert!(number.starts_with("run.toml:4: ") && number.ends_with("expected a path in quotes"), "{number}");
    let beams = error("[decoding]\nbeams = 3");
    assert!(beams.starts_with("run.toml:3: ") && beams.contains("`num_beams`"), "{beams}");
    let lr = error("[source.train.training]\nlr = 'x'");
    assert!(lr.starts_with("run.toml:3: "), "{lr}");
    let spec = toml::to_string(&common(train())).unwrap();
    let twice = resolved("", &format!("lr = 1.0\n{spec}")).unwrap_err();
    assert_eq!(twice, "run.toml:1: --lr: is given twice, once in a table of its own; keep one of the two");
}
