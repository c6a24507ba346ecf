//! From flags and config files to specs.

use std::fs;
use std::path::Path;

use clap::Parser;
use fsa::spec::{AdafactorState, Estimator, Optimizer, Preset, ProbeSplit, Smoothing, Training};

use super::*;
use crate::cli::options::keys;
use crate::cli::stages::StageOptions;

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
fn resolved(flags: &str, toml: &str) -> std::result::Result<GradientAlign, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    fs::write(&file, toml).unwrap();
    let said = resolve(typed(flags), &How { config: Some(file.clone()), ..How::default() });
    said.map_err(|error| error.to_string().replace(&file.display().to_string(), "run.toml"))
}

#[test]
fn what_nobody_says_gets_its_default() {
    let spec = resolve(typed("--model m --train t"), &How::default()).unwrap();
    assert_eq!((spec.task.as_str(), spec.seed), ("rte", 0));
    assert_eq!((spec.steps, spec.probe_every, spec.probe_batches, spec.shuffles), (1000, 100, 4, 4));
    assert_eq!((spec.probe_split, spec.probe_dropout, spec.dev), (ProbeSplit::Train, false, None));
    assert_eq!(spec.estimators, Estimator::ALL);
    assert_eq!(spec.training, Training::default());
    assert_eq!(spec.out, Path::new("reports/gradient-align-rte-seed0"));
    assert!(spec.threads >= 1);
}

#[test]
fn with_nothing_said_it_is_the_embedded_model_with_its_preset() {
    let spec = resolve(typed(""), &How::default()).unwrap();
    let defaults = Preset::Mini.defaults();
    assert_eq!((spec.model.as_path(), spec.train.as_path()), (Path::new("mini"), Path::new("mini:rte/train")));
    assert_eq!((spec.steps, spec.probe_every), (defaults.align.steps, defaults.align.probe_every));
    assert_eq!(spec.training, defaults.training());
    let paper = resolve(typed("--preset paper --steps 7"), &How::default()).unwrap();
    assert_eq!((paper.steps, paper.probe_every, &paper.training), (7, 100, &Training::default()));
    let mini = resolved("--lr 0.5", "preset = 'mini'\nmodel = 'm'\ntrain = 't'\ndropout = 0").unwrap();
    assert_eq!(mini.steps, defaults.align.steps);
    assert_eq!(mini.training, Training { lr: 0.5, dropout: 0.0, ..defaults.training() });
    assert_eq!(resolved("", &toml::to_string(&paper).unwrap()), Ok(paper));
}

#[test]
fn flags_win_over_the_config_and_the_config_over_defaults() {
    let toml = "model = 'm'\ntrain = 't'\nsteps = 7\nseed = 3\nestimators = 'flip'\nprobe-dropout = 'on'";
    let spec = resolved("--steps 9 --task cb --probe-dropout off", toml).unwrap();
    assert_eq!((spec.steps, spec.seed, spec.probe_dropout), (9, 3, false));
    assert_eq!(spec.estimators, [Estimator::Flip]);
    assert_eq!(spec.out, Path::new("reports/gradient-align-cb-seed3"));
    assert_eq!(spec.shuffles, Preset::Paper.defaults().shuffles);
}

#[test]
fn the_learning_rate_follows_the_optimizer_unless_given() {
    let lr = |flags, toml: &str| resolved(flags, &format!("model = 'm'\ntrain = 't'\n{toml}")).unwrap().training.lr;
    assert_eq!(lr("", ""), 1e-3);
    assert_eq!(lr("--optimizer adamw", ""), 1e-4);
    assert_eq!(lr("", "[training]\noptimizer = 'adamw'"), 1e-4);
    assert_eq!(lr("--optimizer adamw", "lr = 0.5"), 0.5);
}

#[test]
fn every_flag_reaches_the_spec_and_its_toml_is_a_config_for_it() {
    let flags = "--model m --task tasks/own.toml --train t --dev d --sample 5 --steps 10 --probe-every 2 --probe-batches 3 \
        --probe-split validation --probe-dropout on --shuffles 5 --estimators expected,batch,expected --estimand summed \
        --batch-size 8 --micro-batch-tokens 100 --low-memory --lr 0.25 --warmup-steps 4 --weight-decay 0.5 --dropout 0.2 \
        --label-smoothing 0.3 --smoothing hf --z-loss 1e-4 --schedule cosine --lr-floor 0.1 --beta1 0.8 \
    --beta2 0.95 --max-grad-norm 2 --trainable *norm* --preset mini --optimizer adafactor-hf --adafactor-state fresh --scale-parameter off --seed 18446744073709551615 --threads 3 \
        --adapter a --out o";
    let options = typed(flags);
    // All but --method, --checkpoints and --strict, and those of other stages, which have tests of their own.
    let others = 3 + keys::<StageOptions>().len();
    assert_eq!(options.given().len() + others, keys::<Options>().len(), "a flag is missing from this test");
    let spec = resolve(options, &How::default()).unwrap();
    let want = GradientAlign {
        model: "m".into(),
        task: "tasks/own.toml".into(),
        method: Vec::new(),
        train: "t".into(),
        sample: Some(5),
        dev: Some("d".into()),
        adapter: Some("a".into()),
        checkpoints: None,
        strict: false,
        out: "o".into(),
        seed: u64::MAX,
        threads: 3,
        steps: 10,
        probe_every: 2,
        probe_batches: 3,
        probe_split: ProbeSplit::Validation,
        probe_dropout: true,
        shuffles: 5,
        estimators: vec![Estimator::Batch, Estimator::Expected],
        estimand: fsa::spec::Estimand::Summed,
        training: Training {
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
        },
        stages: None,
    };
    assert_eq!(spec, want);
    assert_eq!(resolved("", &toml::to_string(&spec).unwrap()), Ok(want));
}

#[test]
fn every_flag_of_other_stages_reaches_the_spec_and_its_toml_is_a_config_for_it() {
    let flags = "--model m --train t --dev d --method promot-lora,promot,standard,promot --batch-size 8 --lr 0.25 \
        --prompt-length 7 --prompt-init uniform --prompt-text words --prompt-steps 11 --prompt-probe-every 3 --prompt-lr 0.1 \
        --prompt-weight-decay 0.01 --lora-rank 2 --lora-alpha 3 --lora-targets q,wo --lora-steps 12 --lora-probe-every 5 \
        --lora-lr 0.02";
    let options = typed(flags);
    let given = options.given();
    let missing: Vec<String> = keys::<StageOptions>().into_iter().filter(|key| !given.contains(key)).collect();
    assert_eq!(missing, ["prompt-file"], "a flag is missing from this test");
    let spec = resolve(options, &How::default()).unwrap();
    assert_eq!(
        spec.method.iter().map(|method| method.name()).collect::<Vec<_>>(),
        ["promot-lora", "promot", "standard"]
    );
    let stages = spec.stages.clone().unwrap();
    let [prompt, lora] = [&stages.prompt_stage, &stages.lora_stage];
    assert_eq!((prompt.steps, prompt.probe_every, prompt.training.lr), (11, 3, 0.1));
    assert_eq!((lora.steps, lora.probe_every, lora.training.lr), (12, 5, 0.02));
    // What is said of fine-tuning holds for every stage, but for its rate.
    assert_eq!((spec.training.batch_size, prompt.training.batch_size, lora.training.batch_size), (8, 8, 8));
    assert_eq!((stages.prompt.length, stages.prompt.text.as_deref()), (7, Some("words")));
    assert_eq!((stages.lora.rank, stages.lora.alpha, stages.lora.targets.join(",")), (2, 3.0, "q,wo".to_string()));
    assert_eq!(resolved("", &toml::to_string(&spec).unwrap()), Ok(spec.clone()));
    let file = resolved("--lora-rank 3", &toml::to_string(&spec).unwrap()).unwrap().stages.unwrap();
    assert_eq!((file.lora.rank, file.lora.alpha, file.prompt), (3, 6.0, stages.prompt));
}

#[test]
fn a_validation_split_is_asked_for_where_a_checkpoint_is_chosen() {
    let of = |flags: &str| resolve(typed(flags), &How::default()).map_err(|error| error.to_string());
    for none in ["standard", "joint,random-prompt", "lora,prompt-tuning+1shot,standard-long", "promot --adapter a"] {
        assert_eq!(of(&format!("--model m --train t --method {none}")).unwrap().dev, None, "{none}");
    }
    for some in ["promot", "joint,promot-lora+1shot"] {
        let error = of(&format!("--model m --train t --method {some}")).unwrap_err();
        assert!(error.starts_with("--dev: missing: the validation split"), "{error}");
    }
    assert_eq!(of("--method promot").unwrap().dev, Some("mini:rte/validation".into()));
    assert_eq!(of("--method standard").unwrap(), of("").unwrap());
}

#[test]
fn what_must_be_given_is_asked_for_by_its_flag() {
    let error = resolve(typed("--train t"), &How::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "--model: missing: the model's folder; give --model path/to/model, its name on the hub, or mini for the embedded one (or `model` in a --config file)"
    );
    assert!(resolve(typed("--model m"), &How::default()).unwrap_err().to_string().starts_with("--train: missing"));
}

#[test]
fn mistakes_in_a_config_name_their_line() {
    let base = "model = 'm'\ntrain = 't'\n";
    let error = |line: &str| resolved("", &format!("{base}{line}")).unwrap_err();
    assert_eq!(error("probe-evry = 5"), "run.toml:3: unknown key `probe-evry`; did you mean `probe-every`?");
    assert_eq!(error("resume = true"), "run.toml:3: `resume` can only be given as the flag --resume");
    assert_eq!(error("[training]\nlr = -1"), "run.toml:4: --lr: must be a positive number, not -1");
    assert!(error("estimators = ['flop']").starts_with("run.toml:3: `estimators`: `flop` is not one of the names"));
    assert!(error("estimators = 'dataset,flop'").contains("`expected`"));
    assert!(error("probe-dropout = 'maybe'").ends_with("expected true or false, or \"on\" or \"off\""));
    assert!(error("probe-dropout = 1").contains("\"on\""));
    let flag = resolved("--lr=-1", &format!("{base}lr = 1")).unwrap_err();
    assert_eq!(flag, "--lr: must be a positive number, not -1");
}

#[test]
fn checkpoints_take_what_probes_need_and_nothing_that_fine_tunes() {
    let over = "--model m --train t --checkpoints c";
    let spec = resolve(typed(&format!("{over} --strict --batch-size 8 --dropout 0.3 --preset paper")), &How::default())
        .unwrap();
    assert_eq!((spec.checkpoints.as_deref(), spec.strict, spec.steps), (Some("c".as_ref()), true, 0));
    assert_eq!(spec.training, Training { batch_size: 8, dropout: 0.3, ..Training::default() });
    // Its own spec is a config, also under another preset, and flags win over it.
    let own = toml::to_string(&spec).unwrap();
    assert_eq!(resolved("", &own).unwrap(), spec);
    assert_eq!(resolved("--strict=off --z-loss 0.1", &own).unwrap().training.z_loss, 0.1);
    let said = |flags: &str| resolve(typed(flags), &How::default()).unwrap_err().to_string();
    for flag in
        ["--lr 0.5", "--steps 3", "--probe-every 2", "--optimizer adamw", "--trainable decoder*", "--method joint"]
    {
        let (key, said) = (flag.split(' ').next().unwrap(), said(&format!("{over} {flag}")));
        assert!(said.starts_with(&format!("{key}: cannot be used with --checkpoints")), "{said}");
    }
    // What is as it would be anyway is in nobody's way.
    assert!(said(&format!("{over} --steps 0 --warmup-steps 0 --lr 0.5")).starts_with("--lr: cannot be used"));
    assert!(said("--strict").starts_with("--strict: says something about --checkpoints only"));
}
