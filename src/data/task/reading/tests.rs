use std::io::Write;

use super::*;
use crate::data::MiniSplit;
use crate::data::source::Reading;
use crate::data::testing::{rte_parquet, rte_row};

const ROWS: usize = 60;

fn rte() -> Task {
    Task::named("rte").unwrap()
}

fn read(path: &Path, sample: Option<usize>) -> Result<Split, String> {
    let task = rte();
    let reading = Reading { task: &task, split: MiniSplit::Train, sample, seeds: Seeds::new(3) };
    let folder = format!("{}/", path.parent().unwrap().display());
    reading.read(path).map_err(|error| error.to_string().replace(&folder, ""))
}

/// The rows in every format that is text.
fn text(format: &str, rows: usize) -> String {
    let rows = (0..rows).map(rte_row);
    match format {
        "jsonl" | "json" | "ndjson" => rows
            .map(|(premise, hypothesis, idx, label)| {
                format!(
                    "{{\"premise\":\"{premise}\",\"hypothesis\":\"{hypothesis}\",\"idx\":{idx},\"label\":{label}}}\n"
                )
            })
            .collect(),
        _ => {
            let tab = if format == "csv" { "," } else { "\t" };
            let lines = rows.map(|(premise, hypothesis, idx, label)| {
                [premise, hypothesis, idx.to_string(), label.to_string()].join(tab) + "\n"
            });
            ["premise", "hypothesis", "idx", "label"].join(tab) + "\n" + &lines.collect::<String>()
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 0).unwrap()
}

/// Rows and examples alone.
fn examples(split: Split) -> Vec<(usize, String, String)> {
    split.examples.into_iter().map(|example| (example.row, example.source, example.target)).collect()
}

#[test]
fn every_format_packed_or_not_and_every_sharding_gives_the_same_examples() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = Vec::new();
    for format in ["tsv", "csv", "jsonl", "json", "ndjson", "parquet"] {
        let bytes = if format == "parquet" { rte_parquet(0..ROWS, 7) } else { text(format, ROWS).into_bytes() };
        for (ending, bytes) in [("", bytes.clone()), (".gz", gzip(&bytes)), (".zst", zstd(&bytes))] {
            let path = folder.path().join(format!("a.{format}{ending}"));
            std::fs::write(&path, bytes).unwrap();
            places.push(path);
        }
    }
    let shards = folder.path().join("shards");
    std::fs::create_dir(&shards).unwrap();
    for (number, rows) in [0..11, 11..12, 12..40, 40..41, 41..60].into_iter().enumerate() {
        std::fs::write(shards.join(format!("train-{number:05}-of-00005.parquet")), rte_parquet(rows, 5)).unwrap();
    }
    places.extend([shards.join("train-*.parquet"), shards]);
    for sample in [None, Some(ROWS), Some(13), Some(1)] {
        let all: Vec<Split> = places.iter().map(|path| read(path, sample).unwrap()).collect();
        assert_eq!(all[0].len(), sample.unwrap_or(ROWS));
        assert!(all.iter().all(|split| split.rows == ROWS as u64));
        assert!(all.iter().all(|split| split.is_sample() == sample.is_some_and(|size| size < ROWS)));
        let first = examples(all[0].clone());
        let (row, source, target) = &first[0];
        let (premise, hypothesis, _, label) = rte_row(*row);
        assert_eq!(*source, format!("{premise} question: {hypothesis} Is it true or false? answer:"));
        assert_eq!(target, ["True", "False"][label as usize]);
        for split in all {
            let path = split.path.clone();
            assert!(examples(split) == first, "{} differs with {sample:?}", path.display());
        }
    }
}

#[test]
fn a_sample_is_another_one_for_another_seed_or_split_and_the_same_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, rte_parquet(0..ROWS, 7)).unwrap();
    let task = rte();
    let rows = |seed, split| -> Vec<usize> {
        let reading = Reading { task: &task, split, sample: Some(10), seeds: Seeds::new(seed) };
        reading.read(&path).unwrap().examples.iter().map(|example| example.row).collect()
    };
    let first = rows(0, MiniSplit::Train);
    assert_eq!(first, rows(0, MiniSplit::Train));
    assert!(first != rows(1, MiniSplit::Train) && first != rows(0, MiniSplit::Test));
    assert!(first.windows(2).all(|pair| pair[0] < pair[1]));
    let world = Reading { task: &task, split: MiniSplit::Train, sample: Some(10), seeds: Seeds::new(0) };
    let world = world.read(Path::new("mini")).unwrap();
    assert_eq!((world.len(), world.is_sample()), (10, true));
}

#[test]
fn several_files_have_a_hash_of_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in [("b.parquet", 3..5), ("a.parquet", 0..3)] {
        std::fs::write(folder.path().join(name), rte_parquet(rows, 5)).unwrap();
    }
    let split = read(folder.path(), None).unwrap();
    let hashes: Vec<&str> = split.files.iter().map(|(_, hash)| hash.as_str()).collect();
    assert_eq!(hashes[0], read::sha256(folder.path().join("a.parquet")).unwrap());
    assert_eq!(split.sha256, read::sha256_of(format!("{}\n{}\n", hashes[0], hashes[1])));
    let one = read(&folder.path().join("a.parquet"), None).unwrap();
    assert_eq!((one.sha256.as_str(), one.files.len()), (hashes[0], 0));
}

fn refused(name: &str, bytes: &[u8], sample: Option<usize>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, sample).unwrap_err()
}

#[test]
fn files_that_were_cut_off_say_so() {
    let rows = text("jsonl", ROWS).into_bytes();
    let again = "the file may be cut off or damaged: get it again";
    for (name, packed, word) in [("a.jsonl.gz", gzip(&rows), "gzip"), ("a.jsonl.zst", zstd(&rows), "zstd")] {
        let said = refused(name, &packed[..packed.len() - 20], None);
        assert!(said.starts_with(&format!("{name}: cannot unpack it as {word}: ")) && said.ends_with(again), "{said}");
        let said = refused(name, b"plain text", None);
        assert!(said.starts_with(&format!("{name}: cannot unpack it as {word}: ")) && said.ends_with(again), "{said}");
        assert_eq!(refused(name, b"", None), format!("{name}: the file is empty; give a file with examples in it"));
    }
    let whole = rte_parquet(0..ROWS, 7);
    for (name, bytes) in [("a.parquet", whole.clone()), ("a.parquet.gz", gzip(&whole[..whole.len() - 9]))] {
        let said = refused(name, &bytes[..bytes.len() - 9], Some(3));
        assert!(said.starts_with(&format!("{name}: cannot ")) && said.ends_with(again), "{said}");
    }
}

#[test]
fn a_shard_with_other_columns_or_labels_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("1.tsv", "premise\thypothesis\tlabel\na\tb\t0\n");
    write("2.tsv", "premise\thypotheses\tlabel\na\tb\t0\n");
    assert_eq!(
        read(folder.path(), Some(1)).unwrap_err().rsplit_once("/2.tsv").unwrap().1,
        ":1: there is no column `hypothesis` or `sentence2`; the file has premise, hypotheses, label (nearest: `hypotheses`); \
         rename the column in the file, or name it in the task's description"
    );
    write("2.tsv", "premise\thypothesis\tlabel\na\tb\t0\na\tb\t7\n");
    assert!(read(folder.path(), None).unwrap_err().ends_with(
        "/2.tsv:3: column label: label `7` is not one of True, False, 0, 1, entailment, not_entailment; \
         correct it, or remove the row (a test split's hidden labels cannot be used)"
    ));
}

#[test]
fn what_an_object_lacks_is_said_with_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, "{\"translation\":{\"en\":\"a\",\"de\":\"b\"},\"id\":1}\n").unwrap();
    let said = Task::named("wmt14_enfr").unwrap().read(&path).unwrap_err().to_string();
    assert!(
        said.contains(
            "there is no column `translation.fr`; the file has translation.de, translation.en, id (nearest: "
        ),
        "{said}"
    );
}

#[test]
fn a_split_that_is_too_long_for_memory_is_refused_in_formats_that_do_not_say_so_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    std::fs::write(&path, text("tsv", 5)).unwrap();
    let read = |most| {
        let mut split = Split::of_file(path.clone(), Vec::new(), 0, String::new());
        let wanted = ["premise", "hypothesis", "label"];
        // The rows of the files before count too.
        rte().read_all(&mut split, &path, u64::MAX, &wanted).unwrap();
        rte().read_all(&mut split, &path, most, &wanted).map(|()| split.rows).map_err(|error| error.to_string())
    };
    assert_eq!(read(11), Ok(10));
    assert!(read(10).unwrap_err().ends_with(
        "a.tsv: the split has 10 rows or more, and all would be read into memory; give --sample N, such as --sample 100000"
    ));
}
