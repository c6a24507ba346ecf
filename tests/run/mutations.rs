//! Damaged input, a few hundred times: an error in one line, or a result; never a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fsa::data::Task;
use fsa::grad::Collect;
use fsa::model::loss::LossOptions;
use fsa::model::t5::Pass;
use fsa::model::{Batch, Mix, Packed, T5, load};
use fsa::tokenizer::Tokenizer;
use fsa::{Error, Kind};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::support::*;

/// `bytes` with one to four changes: some make nonsense, some leave the syntax whole and change what it says.
fn mutated(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..40)).min(bytes.len());
        let digits: Vec<usize> = (0..bytes.len()).filter(|&place| bytes[place].is_ascii_digit()).collect();
        match random.random_range(0..9) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => drop(bytes.drain(at..end)),
            3 => bytes.insert(at, random.random()),
            4 => bytes.insert(at, *b"{}[]\",:\t\n-.e0".get(random.random_range(0..13)).unwrap_or(&0)),
            5 => bytes.truncate(at),
            6 => {
                let piece = bytes[at..end].to_vec();
                let to = random.random_range(0..=bytes.len());
                bytes.splice(to..to, piece);
            }
            choice if !digits.is_empty() => {
                let place = digits[random.random_range(0..digits.len())];
                let digit = b'0' + random.random_range(0..10u8);
                match choice {
                    7 => bytes[place] = digit,
                    _ => drop(bytes.splice(place..place, vec![digit; random.random_range(1..12)])),
                }
            }
            _ => {}
        }
    }
    bytes
}

/// The message is one line and, but for numbers that are not finite, the input's fault and not the program's.
fn assert_plain(error: &Error) {
    let text = error.to_string();
    assert!(!text.contains('\n') && !text.contains("internal") && !text.contains("panicked"), "{text}");
    assert!(error.kind() == Kind::Input || text.contains("look at"), "{text}");
}

/// Calls `read` on `count` mutations of the file `name`, and puts the file back; how many were taken for good.
fn survives(place: &Place, name: &str, count: u64, read: impl Fn() -> Result<(), Error>) -> usize {
    let whole = place.read(name);
    let mut taken = 0;
    for seed in 0..count {
        let bytes = mutated(&whole, &mut ChaCha8Rng::seed_from_u64(seed));
        place.write(name, &bytes);
        match catch_unwind(AssertUnwindSafe(&read)) {
            Ok(Ok(())) => taken += 1,
            Ok(Err(error)) => assert_plain(&error),
            Err(_) => panic!("{name}, seed {seed}: {}", String::from_utf8_lossy(&bytes)),
        }
    }
    place.write(name, whole);
    println!("{name}: {taken} of {count} mutations are good input");
    taken
}

/// Forward and backward of a small batch.
fn work(model: &T5) -> Result<(), Error> {
    let sources: [&[u32]; 2] = [&[5, 9, 13, 40, 1], &[7, 1]];
    let (start, pad) = (model.config().start(), model.config().pad());
    let batch = Batch::new(Packed::new(sources), &[0, 1], Packed::new([[6, 1], [8, 1]]), Mix::lanes(1, 2), start, pad)?;
    let batches = [batch];
    let tape =
        model.forward(&batches, Pass { dropout: None, loss: LossOptions::PLAIN, scale: 1.0, low_memory: false })?;
    model.backward(tape, &mut Collect::default())
}

#[test]
fn no_config_makes_loading_or_computing_panic() {
    let place = Place::new();
    let taken = survives(&place, "model/config.json", 400, || work(&load(&place.path("model"))?.0));
    assert!(taken > 0);
}

#[test]
fn no_weights_make_loading_panic() {
    let place = Place::new();
    let whole = place.read("model/model.safetensors");
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    survives(&place, "model/model.safetensors", 100, || load(&place.path("model")).map(|_| ()));
    // Most of a file is numbers: mutate the header alone, with its length as it was and with the length that it has now.
    for seed in 0..400 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let text = mutated(&whole[8..header], &mut random);
        let length = if seed % 2 == 0 { text.len() } else { header - 8 } as u64;
        let bytes = [&length.to_le_bytes(), text.as_slice(), &whole[header..]].concat();
        place.write("model/model.safetensors", &bytes);
        match catch_unwind(|| load(&place.path("model")).map(|_| ())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => assert_plain(&error),
            Err(_) => panic!("seed {seed}: {}", String::from_utf8_lossy(&text)),
        }
    }
}

#[test]
fn no_tokenizer_makes_reading_or_encoding_panic() {
    let place = Place::new();
    survives(&place, "model/tokenizer.json", 400, || {
        let tokenizer = Tokenizer::from_dir(place.path("model"))?;
        tokenizer.check_vocab(288)?;
        for text in ["", "True", "They say that it does not rain.", "é <extra_id_0> \u{1F600}"] {
            let ids = tokenizer.encode(text)?;
            assert!(ids.iter().all(|&id| id < 288), "an id without a row");
        }
        Ok(())
    });
}

#[test]
fn no_data_make_reading_panic() {
    let place = Place::new();
    let task = Task::resolve("rte").unwrap();
    let taken = survives(&place, "train.tsv", 400, || task.read(place.path("train.tsv")).map(|_| ()));
    assert!(taken > 0);
}

#[test]
fn the_command_answers_damaged_files_with_an_exit_code() {
    let place = Place::new();
    place.done("gradient-align --config run.toml --out run --quiet");
    place.write("spec.toml", place.read("run/spec.toml"));
    let run = "gradient-align --config run.toml --out out --force --quiet --steps 0";
    for (name, count, arguments) in [
        ("spec.toml", 60, "gradient-align --config spec.toml --dry-run"),
        ("run/spec.toml", 20, "gradient-align --config run.toml --out run --resume --quiet"),
        ("run/run.json", 20, "gradient-align --config run.toml --out run --resume --quiet"),
        ("run/rows.jsonl", 20, "plot run"),
        ("model/config.json", 20, run),
        ("model/model.safetensors", 10, run),
        ("model/tokenizer.json", 20, run),
        ("train.tsv", 20, run),
    ] {
        let whole = place.read(name);
        for seed in 1000..1000 + count {
            place.write(name, mutated(&whole, &mut ChaCha8Rng::seed_from_u64(seed)));
            let output = place.fsa(arguments);
            let said = stderr(&output);
            let code = output.status.code();
            assert!(matches!(code, Some(0..=2)), "{name}, seed {seed}: {code:?}: {said}");
            assert!(!said.contains("panicked") && !said.contains("internal"), "{name}, seed {seed}: {said}");
            let errors = said.lines().filter(|line| line.starts_with("fsa: error: ")).count();
            assert_eq!(errors, usize::from(code != Some(0)), "{name}, seed {seed}: {said}");
        }
        place.write(name, whole);
    }
}
