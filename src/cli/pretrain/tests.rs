use clap::Parser;

use super::*;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    options: Options,
}

fn spec(arguments: &str) -> Pretrain {
    let arguments = std::iter::once("fsa").chain(arguments.split_whitespace());
    resolve(Typed::try_parse_from(arguments).unwrap().options, None).unwrap()
}

#[test]
fn defaults_are_those_of_the_spec() {
    let spec = spec("");
    assert_eq!(spec.training, Pretrain::training());
    assert_eq!((spec.steps, spec.probe_every, spec.num_decoder_layers), (8000, 1000, 3));
    assert_eq!(spec.out, Path::new("reports/pretrain-mini-seed0"));
    assert_eq!(spec.embedding_deviation, 128f64.powf(-0.5));
    assert!(spec.eval.is_empty());
}

#[test]
fn a_runs_own_spec_is_a_config() {
    let want = spec("--out o --d-model 64 --num-layers 2 --beta2 0.95 --eval rte:2,cb --lr 0.01 --seed 3 --threads 2");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, toml::to_string(&want).unwrap()).unwrap();
    assert_eq!(resolve(Options::default(), Some(&path)).unwrap(), want);
}

#[test]
fn a_wrong_size_names_its_flag() {
    let typed = Typed::try_parse_from(["fsa", "--d-kv", "0"]).unwrap();
    assert_eq!(resolve(typed.options, None).unwrap_err().to_string(), "--d-kv: must be at least 1, not 0");
}
