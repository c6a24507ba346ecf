//! From flags and config files to specs.

use std::fs;
use std::path::Path;

use clap::Parser;
use fsa::spec::compare::{AttachPrompt, Mix, PromptInit, Report};
use fsa::spec::{Optimizer, Preset};

use super::super::options::keys;
use super::*;

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
fn resolved(flags: &str, toml: &str) -> std::result::Result<Compare, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    fs::write(&file, toml).unwrap();
    let said = resolve(typed(flags), &How { config: Some(file.clone()), ..How::default() }, 1);
    said.map_err(|error| error.to_string().replace(&file.display().to_string(), "run.toml"))
}

#[test]
fn the_papers_numbers_are_the_defaults_of_its_preset() {
    let spec = resolve(typed("--preset paper"), &How::default(), 1).unwrap();
    assert_eq!((spec.model_stage.steps, spec.model_stage.probe_every, spec.model_stage.training.lr), (1000, 100, 1e-3));
    assert_eq!((spec.prompt_stage.steps, spec.prompt_stage.probe_every), (5000, 1000));
    let prompt = &spec.prompt_stage.training;
    assert_eq!((prompt.lr, prompt.weight_decay, prompt.scale_parameter), (0.2, 1e-5, false));
    assert_eq!((prompt.dropout, prompt.label_smoothing, prompt.batch_size), (0.1, 0.1, 64));
    assert_eq!((spec.prompt.length, spec.prompt.init), (100, PromptInit::SampledVocab));
    assert_eq!(
        (spec.report, spec.attach_prompt, spec.decoding.num_beams),
        (Report::Validation, AttachPrompt::Target, 4)
    );
    assert_eq!((spec.lora.rank, spec.lora.alpha), (4, 8.0));
    assert_eq!(spec.eval.len(), 16);
    assert_eq!((spec.eval[0].to_string(), spec.eval[15].to_string()), ("cb:1".into(), "wiki_lingua:4".into()));
    assert_eq!(spec.trade_off_shots(), Some(1));
    let mini = resolve(typed(""), &How::default(), 1).unwrap();
    assert_eq!(
        (mini.model.as_path(), mini.report, mini.limit),
        (Path::new("mini"), Report::Test, Preset::Mini.defaults().limit)
    );
    assert_eq!(mini.out, Path::new("reports/compare-rte-seed0"));
}

#[test]
fn every_flag_reaches_the_spec_and_its_toml_is_a_config_for_it() {
    let flags = "--model m --adapter a --target rte,tasks/own.toml --methods promot,multitask+1shot --file rte.train=a --preset mini --seed 3 \
        --seeds 2 --threads 1 --steps 10 --batch-size 8 --micro-batch-tokens 100 --optimizer adafactor-hf --adafactor-state fresh \
        --scale-parameter on --lr 0.25 --schedule cosine --lr-floor 0.1 --warmup-steps 4 --weight-decay 0.5 --beta1 0.8 \
        --beta2 0.95 --max-grad-norm 2 --low-memory --dropout 0.2 --label-smoothing 0.3 --smoothing hf --z-loss 1e-4 --probe-every 2 \
        --mix proportional:50 --prompt-length 7 --prompt-init uniform --prompt-text words --prompt-steps 11 \
        --prompt-probe-every 3 --prompt-lr 0.1 --prompt-weight-decay 0.01 --attach-prompt matched --lora-rank 2 \
        --lora-alpha 3 --lora-targets q,wo --lora-steps 12 --lora-probe-every 5 --lora-lr 0.02 --eval cb,xsum:2 --shots 0,4 \
        --trade-off off --target-shots 1 --report validation --limit 9 --sample 5 --prompt-sentinel off --bleu-tokenizer intl --beams 2 \
        --max-new-tokens 5 --min-new-tokens 1 --length-penalty hf --length-penalty-exponent 0.5 --out o";
    let options = typed(flags);
    // All but --trainable, which follows from the method, and --prompt-file, which --prompt-text excludes.
    assert_eq!(options.given().len() + 2, keys::<Options>().len(), "a flag is missing from this test");
    let spec = resolve(options, &How::default(), 1).unwrap();
    assert_eq!(spec.target, ["rte", "tasks/own.toml"]);
    assert_eq!(spec.methods.iter().map(|method| method.name()).collect::<Vec<_>>(), ["promot", "multitask+1shot"]);
    assert_eq!(spec.eval.iter().map(ToString::to_string).collect::<Vec<_>>(), ["cb:0", "cb:4", "xsum:2"]);
    assert_eq!((spec.model_stage.steps, spec.prompt_stage.steps, spec.lora_stage.steps), (10, 11, 12));
    assert_eq!((spec.model_stage.probe_every, spec.prompt_stage.probe_every, spec.lora_stage.probe_every), (2, 3, 5));
    let [model, prompt, lora] = [&spec.model_stage, &spec.prompt_stage, &spec.lora_stage].map(|stage| &stage.training);
    assert_eq!((model.lr, prompt.lr, lora.lr), (0.25, 0.1, 0.02));
    assert_eq!((model.weight_decay, prompt.weight_decay, lora.weight_decay), (0.5, 0.01, 0.0));
    // What is said of fine-tuning holds for every stage.
    for training in [model, prompt, lora] {
        assert_eq!((training.optimizer, training.batch_size, training.dropout), (Optimizer::AdafactorHf, 8, 0.2));
    }
    assert_eq!((spec.mix, spec.prompt.length, spec.prompt.text.as_deref()), (Mix::Proportional(50), 7, Some("words")));
    assert_eq!((spec.lora.rank, spec.lora.alpha, spec.lora.targets.join(",")), (2, 3.0, "q,wo".to_string()));
    assert_eq!((spec.trade_off_shots(), spec.target_shots, spec.limit, spec.sample), (None, 1, Some(9), Some(5)));
    assert_eq!(resolved("", &toml::to_string(&spec).unwrap()), Ok(spec));
}

#[test]
fn jobs_share_the_threads_that_nobody_has_counted() {
    let threads = |flags: &str, jobs: usize| resolve(typed(flags), &How::default(), jobs).unwrap().threads;
    assert_eq!(threads("", 1 << 20), 1);
    assert_eq!(threads("--threads 3", 2), 3);
}

#[test]
fn flags_win_over_the_config() {
    let toml = "target = 'cb'\nmethods = 'standard, promot'\nsteps = 7\nlora-rank = 3\nshots = [4]\neval = ['xsum']";
    let spec = resolved("--steps 9 --methods joint", toml).unwrap();
    assert_eq!((spec.model_stage.steps, spec.methods.len(), spec.methods[0].name()), (9, 1, "joint".into()));
    assert_eq!((spec.target[0].as_str(), spec.lora.alpha, spec.eval[0].shots), ("cb", 6.0, 4));
    let error = resolved("", "methods = ['promt']").unwrap_err();
    assert!(error.contains("there is no method `promt`") && error.starts_with("run.toml:1:"), "{error}");
}
