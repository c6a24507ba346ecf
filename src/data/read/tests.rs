use std::sync::Arc;

use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::data::testing::{file, message};

fn records(name: &str, content: impl AsRef<[u8]>) -> Result<Vec<Record>, String> {
    let (folder, path) = file(name, content);
    open(&path).and_then(Iterator::collect).map_err(|error| message(&error, &folder))
}

fn refusal(name: &str, content: impl AsRef<[u8]>) -> String {
    records(name, content).unwrap_err()
}

/// Lines and values of a file's records.
fn rows(name: &str, content: impl AsRef<[u8]>) -> Vec<(usize, Vec<Value>)> {
    records(name, content).unwrap().into_iter().map(|record| (record.line, record.values)).collect()
}

/// A parquet file with the columns of SuperGLUE's tasks and one object: two rows.
fn parquet_bytes() -> Vec<u8> {
    let schema = "message schema {
        REQUIRED BYTE_ARRAY premise (UTF8);
        OPTIONAL INT64 label;
        REQUIRED GROUP translation { REQUIRED BYTE_ARRAY en (UTF8); }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[text("a \"b\""), text("é")], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1], Some(&[1, 0]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&[text("x"), text("y")], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn tsv_keeps_quotes_and_takes_any_line_end() {
    let expected = vec![(2, vec![json!("say \"hi"), json!("")]), (3, vec![json!("\"x\""), json!(" y ")])];
    assert_eq!(rows("a.tsv", "t\tu\nsay \"hi\t\n\"x\"\t y \n"), expected);
    assert_eq!(rows("a.TSV", "\u{feff}t\tu\r\nsay \"hi\t\r\n\"x\"\t y "), expected);
    assert_eq!(rows("a.tsv", "t\tu\nsay \"hi\t\n\"x\"\t y \n\n\n"), expected);
}

#[test]
fn csv_quotes_as_rfc_4180() {
    let expected = vec![(2, vec![json!("a, \"b\"\nc"), json!("")]), (4, vec![json!("x"), json!("y")])];
    assert_eq!(rows("a.csv", "t,u\n\"a, \"\"b\"\"\nc\",\nx,y\n"), expected);
    assert_eq!(rows("a.csv", "\u{feff}t,u\r\n\"a, \"\"b\"\"\nc\",\r\nx,y\r\n\r\n"), expected);
    let named = records("a.csv", "\u{feff}\"t\",u\nx,y").unwrap();
    assert_eq!(named[0].columns(), ["t", "u"]);
}

#[test]
fn json_lines_keep_the_order_of_keys_and_reach_into_objects() {
    let read = records("a.json", "\u{feff}{\"z\":1,\"a\":{\"b\":[\"p\",\"q\"]},\"a.b\":true}\r\n\r\n{}\n").unwrap();
    assert_eq!(read[0].columns(), ["z", "a", "a.b"]);
    assert_eq!(read[0].get("z"), Some(&json!(1)));
    assert_eq!(read[0].get("a.b"), Some(&json!(true)));
    assert_eq!(read[0].get("a.b.1"), Some(&json!("q")));
    let nested = records("a.jsonl", "{\"a\":{\"b\":[\"p\",\"q\"]}}").unwrap();
    assert_eq!(nested[0].get("a.b.1"), Some(&json!("q")));
    assert_eq!((nested[0].get("a.b.2"), nested[0].get("a.c"), nested[0].get("")), (None, None, None));
    assert_eq!((read[1].line, read[1].columns().len()), (3, 0));
}

#[test]
fn parquet_rows_are_generic_records() {
    let read = records("a.parquet", parquet_bytes()).unwrap();
    assert_eq!(read[0].columns(), ["premise", "label", "translation"]);
    assert_eq!((read[0].line, read[0].values()), (1, &[json!("a \"b\""), json!(1), json!({"en": "x"})][..]));
    assert_eq!((read[1].line, read[1].values()), (2, &[json!("é"), Value::Null, json!({"en": "y"})][..]));
    assert_eq!(read[1].get("translation.en"), Some(&json!("y")));
}

/// TriviaQA's and OpenBookQA's lists, as the hub's parquet holds them.
#[test]
fn parquet_lists_within_objects() {
    let schema = "message schema {
        REQUIRED GROUP answer {
            OPTIONAL BYTE_ARRAY value (UTF8);
            OPTIONAL GROUP aliases (LIST) { REPEATED GROUP list { OPTIONAL BYTE_ARRAY element (UTF8); } }
        }
    }";
    let mut bytes = Vec::new();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts(&["Paris", "Rome"]), Some(&[1, 1]), None).unwrap();
    column.close().unwrap();
    // Two elements, then an empty list: its definition level is that of the list itself.
    let mut column = group.next_column().unwrap().unwrap();
    let (definition, repetition) = ([3, 3, 1], [0, 1, 0]);
    column.typed::<ByteArrayType>().write_batch(&texts(&["a", "b"]), Some(&definition), Some(&repetition)).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let read = records("a.parquet", bytes).unwrap();
    assert_eq!(read[0].get("answer.aliases"), Some(&json!(["a", "b"])));
    assert_eq!(
        (read[0].get("answer.aliases.1"), read[0].get("answer.value")),
        (Some(&json!("b")), Some(&json!("Paris")))
    );
    assert_eq!(read[1].get("answer.aliases"), Some(&json!([])));
}

#[test]
fn places_that_are_no_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| message(&open(folder.path().join(name)).err().unwrap(), &folder);
    assert_eq!(at("none.tsv"), "none.tsv: cannot read it: No such file or directory (os error 2); check the path");
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    assert_eq!(at("folder"), "folder: this is a folder, not a file; give one of the files in it");
    let list = "give one of .tsv, .csv, .jsonl, .ndjson, .json, .parquet (the JSON ones hold one object per line), \
                each also with .gz or .zst behind it";
    assert_eq!(refusal("a.xlsx", ""), format!("a.xlsx: files ending in .xlsx cannot be read; {list}"));
    assert_eq!(refusal("a.xlsx.gz", ""), format!("a.xlsx.gz: files ending in .xlsx cannot be read; {list}"));
    assert_eq!(refusal("data", ""), format!("data: the file has no extension to tell its format by; {list}"));
}

#[test]
fn wrong_numbers_of_fields() {
    let cut = "the file ends within this line and was probably cut off: get it again";
    assert_eq!(
        refusal("a.tsv", "t\tu\na\tb\na\tb\tc\n"),
        "a.tsv:3: the line has 3 fields and the header has 2; correct the line"
    );
    assert_eq!(
        refusal("a.tsv", "t\tu\na\tb\na"),
        format!("a.tsv:3: the line has 1 fields and the header has 2; {cut}")
    );
    assert_eq!(
        refusal("a.csv", "t,u\na,b\na\n"),
        "a.csv:3: the line has 1 fields and the header has 2; correct the line"
    );
    assert_eq!(refusal("a.csv", "t,u\na,b\na"), format!("a.csv:3: the line has 1 fields and the header has 2; {cut}"));
    assert_eq!(refusal("a.tsv", "t\tu\n\na\tb\n"), "a.tsv:2: the line is empty and rows follow it; remove the line");
    assert_eq!(refusal("a.tsv", "\na\tb\n"), "a.tsv:1: the first line is empty; begin the file with a header line");
}

#[test]
fn quotes_that_never_close() {
    let open = "a quote (\") in the record that begins here is never closed; \
                close the field and double the quotes inside it, or get the file again if it was cut off";
    assert_eq!(refusal("a.csv", "t,u\r\na,\"b\r\n\"\r\nc,\"d\r\ne,f\r\n"), format!("a.csv:4: {open}"));
    assert_eq!(refusal("a.csv", "t,u\na,\"b"), format!("a.csv:2: {open}"));
    assert_eq!(
        refusal("a.csv", "t,u\na,5\" long\nb,6\" long\n"),
        "a.csv:2: a quote (\") stands within a field that does not begin with one; check the quotes of this record"
    );
}

#[test]
fn text_that_is_not_utf8() {
    let what = |byte| format!("the text is not UTF-8 (byte {byte} of the line); save the file as UTF-8");
    assert_eq!(refusal("a.tsv", b"t\tu\na\t\xE9\n"), format!("a.tsv:2: {}", what(3)));
    assert_eq!(refusal("a.csv", b"t,u\nb,b\na,\xE9\n"), format!("a.csv:3: {}", what(3)));
    assert_eq!(refusal("a.jsonl", b"{}\n\xFF"), format!("a.jsonl:2: {}", what(1)));
    // UTF-16, as some spreadsheet programs save "Unicode text".
    assert_eq!(refusal("a.tsv", b"\xFF\xFEt\0\n\0"), format!("a.tsv:1: {}", what(1)));
}

#[test]
fn json_that_is_not_one_object_per_line() {
    assert_eq!(
        refusal("a.jsonl", "{\"a\":1}\n{\"a\" 1}\n"),
        "a.jsonl:2: bad JSON at character 6 of the line: expected `:`; correct the line: one JSON object"
    );
    assert!(refusal("a.jsonl", "{\"a\":1}\n{\"a\":").ends_with("probably cut off: get it again"));
    assert!(refusal("a.json", "{\n\"a\":1}\n").ends_with("write one whole object per line"));
    assert!(
        refusal("a.json", "[{\"a\":1}]\n").starts_with("a.json:1: the line begins a JSON list; one object per line")
    );
    assert!(refusal("a.jsonl", "7\n").contains("invalid type: integer `7`, expected a JSON object"));
    assert!(refusal("a.jsonl", "{\"a\":1,\"a\":2}").contains("the key `a` stands twice"));
    assert!(refusal("a.jsonl", "{\"a\":1} {\"a\":2}").contains("trailing characters"));
    // Nested so deeply that a recursive reader without a limit would overflow its stack.
    assert!(refusal("a.jsonl", format!("{{\"a\":{}", "[".repeat(100_000))).contains("recursion limit exceeded"));
}

#[test]
fn lines_that_would_take_much_memory() {
    let many = |comma: &str, count| comma.repeat(count) + "\n";
    let said =
        "the line has 10001 fields, and no table has more than 10000; check that the file is what its extension says";
    assert_eq!(refusal("a.tsv", many("\t", 10_000)), format!("a.tsv:1: {said}"));
    assert_eq!(refusal("a.csv", many(",", 10_000)), format!("a.csv:1: {said}"));
    assert_eq!(refusal("a.csv", format!("t\n\"x\"\"\n\"{}", many(",", 10_000))), format!("a.csv:2: {said}"));
    assert!(refusal("a.tsv", format!("t\n{}", many("\t", 10_000))).contains("has 10001 fields and the header has 1; "));
    assert_eq!(rows("a.tsv", many("\t", 9_999)).len() + rows("a.csv", many(",", 9_999)).len(), 0);
    // Commas of a text are no columns, whatever quotes stand in it.
    let text = ",\"\",".repeat(10_000);
    assert_eq!(
        rows("a.csv", format!("t,u\n\"{text}\",\"\"\n")),
        [(2, vec![json!(text.replace("\"\"", "\"")), json!("")])]
    );
    let list = |count| format!("{{\"a\":[{}0]}}", "{},".repeat(count));
    let said = "a.jsonl:1: the line has 200002 values, and more than 200000 are not read; \
                leave out the fields that the task does not need";
    assert_eq!(rows("a.jsonl", list(99_999)).len(), 1);
    assert_eq!(refusal("a.jsonl", list(100_000)), said);
    let long = vec![b'x'; (8 << 20) + 1];
    assert!(refusal("a.tsv", &long).starts_with("a.tsv:1: the line is longer than 8 MiB; "));
}

#[test]
fn many_names_are_compared_at_once() {
    // Each with each would take minutes.
    let fields: Vec<String> = (0..190_000).map(|number| format!("\"{number:06}\":0")).collect();
    assert_eq!(records("a.jsonl", format!("{{{}}}\n", fields.join(","))).unwrap()[0].columns().len(), 190_000);
}

#[test]
fn columns_of_one_name() {
    assert_eq!(
        refusal("a.tsv", "t\tt\n"),
        "a.tsv:1: column t: the file has two columns of this name; rename one of them"
    );
    assert_eq!(rows("a.csv", ",,t\n1,2,3\n").len(), 1);
}

#[test]
fn parquet_that_is_none_or_damaged() {
    let not = "this is not a parquet file: it does not begin with PAR1; \
               check that it was downloaded whole, and that its extension is right";
    assert_eq!(refusal("a.parquet", "PAR1"), format!("a.parquet: {not}"));
    assert_eq!(refusal("a.parquet", "version https://git-lfs.github.com/spec/v1"), format!("a.parquet: {not}"));
    let whole = parquet_bytes();
    assert_eq!(
        refusal("a.parquet", &whole[..whole.len() - 9]),
        "a.parquet: cannot read it as parquet: it does not end with PAR1; the file may be cut off or damaged: get it again"
    );
    assert!(refusal("a.parquet", "PAR1\0\0\0\0PAR1").starts_with("a.parquet: cannot read it as parquet: "));
}

#[test]
fn an_error_ends_the_records() {
    let (_folder, path) = file("a.tsv", "t\tu\na\na\tb\n");
    let mut records = open(&path).unwrap();
    assert!(records.next().is_some_and(|record| record.is_err()));
    assert!(records.next().is_none());
}

#[test]
fn sha256_of_known_content() {
    // FIPS 180-2, appendix B.1.
    let (_folder, path) = file("a", "abc");
    assert_eq!(sha256(path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// Reads to the end; the message must be one line that begins with the file.
fn survives(name: &str, content: &[u8]) {
    if let Err(text) = records(name, content) {
        assert!(text.starts_with(name) && !text.contains('\n'), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_a_reader_panic(content in prop::collection::vec(any::<u8>(), 0..300)) {
        for name in ["a.tsv", "a.csv", "a.jsonl", "a.parquet"] {
            survives(name, &content);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(content in "[ -~\\t\\r\\n\"{}\\[\\],:é\u{feff}]{0,200}") {
        for name in ["a.tsv", "a.csv", "a.jsonl"] {
            survives(name, content.as_bytes());
        }
    }

    #[test]
    fn no_damage_makes_the_parquet_reader_panic(
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut content = parquet_bytes();
        for (index, byte) in hits {
            let at = index.index(content.len());
            content[at] = byte;
        }
        if let Some(cut) = cut {
            let at = cut.index(content.len());
            content.remove(at);
        }
        survives("a.parquet", &content);
    }
}
