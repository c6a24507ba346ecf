//! The README's tables of what fsa reads, clause by clause with the tests that say so.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of a cell, and the tests that hold it, each as the end of its file's path and its name.
type Clause = (&'static str, &'static [&'static str]);

/// A row: its first cell, and the clauses of the others, which say nothing else.
type Row = (&'static str, &'static [&'static [Clause]]);

/// The tables by the line that heads them.
const TABLES: [(&str, &[Row]); 2] = [
    ("| what | fsa reads | it does not read |\n|---|---|---|\n", MODELS),
    ("| in the place of a path | what is read |\n|---|---|\n", DATA),
];

const MODELS: &[Row] = &[
    (
        "architecture",
        &[
            &[
                (
                    "`model_type` `t5` and `mt5`: T5, T5 v1.1, mT5; tied and separate heads; ",
                    &["golden/model::logits_loss_and_every_gradient_agree_with_transformers"],
                ),
                (
                    "`relu`, `gelu_new`, `silu`, each gated too",
                    &["model/config::activations_have_transformers_names", "layers/tests::feed_forward"],
                ),
            ],
            &[(
                "others: the error names those that there are",
                &["inspect/folders::what_is_no_model_is_refused", "model/config::activations_have_transformers_names"],
            )],
        ],
    ),
    (
        "weights",
        &[
            &[(
                "`model.safetensors`, or its shards with `model.safetensors.index.json`; `pytorch_model.bin`, or its shards \
                 with their index, as PyTorch writes since 1.6",
                &[
                    "golden/layouts::one_model_gives_the_same_bits_in_every_layout",
                    "inspect/folders::every_layout_is_named",
                ],
            )],
            &[(
                "the layout before 1.6: the error has the line that converts it",
                &[
                    "run/bad_model::weights_of_pytorch_that_are_no_weights_are_refused",
                    "weights/torch::the_advice_is_for_a_shell_and_writes_through_no_link",
                ],
            )],
        ],
    ),
    (
        "numbers",
        &[
            &[
                (
                    "float32, float16, bfloat16; computed in float32. ",
                    &[
                        "golden/layouts::one_model_gives_the_same_bits_in_every_layout",
                        "golden/layouts::half_precision_is_read_from_both_layouts",
                    ],
                ),
                ("Files are mapped into memory", &["weights/bytes::a_file_is_mapped"]),
            ],
            &[(
                "float64, integers, quantised weights",
                &[
                    "run/bad_model::tensors_that_do_not_fit_the_config_are_named",
                    "readers/mod::what_is_refused_is_named",
                ],
            )],
        ],
    ),
    (
        "pickles",
        &[
            &[
                (
                    "tensors and plain containers; ",
                    &[
                        "golden/layouts::what_pytorch_saved_is_the_model",
                        "readers/mod::every_file_of_the_corpus_is_read_or_refused_in_one_line",
                    ],
                ),
                ("a pickle is read and never run", &["readers/mod::what_is_refused_is_named"]),
            ],
            &[("anything else in it, which is named", &["readers/mod::what_is_refused_is_named"])],
        ],
    ),
    (
        "tokenizer",
        &[
            &[
                (
                    "`tokenizer.json` with the ids of the tokenizers library; ",
                    &[
                        "golden/spiece::tokenizer_json_has_the_ids_of_the_tokenizers_library_where_they_differ_and_elsewhere",
                    ],
                ),
                (
                    "else `spiece.model` ",
                    &[
                        "golden/spiece::a_folder_says_how_many_sentinels_there_are_and_whether_the_model_is_used_at_all",
                        "run/bad_model::a_sentencepiece_model_alone_is_a_tokenizer",
                    ],
                ),
                (
                    "(Unigram or BPE, byte fallback, normaliser) with the ids and texts of Google's library",
                    &["golden/spiece::every_line_has_the_ids_and_the_text_that_google_gives"],
                ),
            ],
            &[
                ("`spiece.model` of words or characters; ", &["readers/mod::what_is_refused_is_named"]),
                (
                    "a tokenizer with more tokens than the embedding has rows",
                    &[
                        "run/bad_model::a_vocabulary_smaller_than_the_tokenizers_is_named",
                        "run/bad_model::a_sentencepiece_model_alone_is_a_tokenizer",
                    ],
                ),
            ],
        ],
    ),
    (
        "sentinels",
        &[
            &[
                (
                    "T5's behind the pieces, 100 or as many as `extra_ids` in `tokenizer_config.json` says; ",
                    &["golden/spiece::a_folder_says_how_many_sentinels_there_are_and_whether_the_model_is_used_at_all"],
                ),
                (
                    "mT5's among the pieces. ",
                    &["golden/spiece::sentinels_are_found_inside_the_vocabulary_and_behind_it"],
                ),
                (
                    "Spaces around T5's are not seen",
                    &["golden/spiece::every_line_has_the_ids_and_the_text_that_google_gives"],
                ),
            ],
            &[],
        ],
    ),
    (
        "added tokens",
        &[
            &[
                (
                    "beside `spiece.model`: `added_tokens_decoder` and named special tokens of `tokenizer_config.json`; without \
                     the former `added_tokens.json` and `special_tokens_map.json`; ",
                    &[
                        "inspect/added_tokens::texts_are_cut_at_added_tokens_as_transformers_cuts_them",
                        "inspect/added_tokens::the_map_of_special_tokens_overrides_the_names_of_the_config",
                    ],
                ),
                (
                    "with transformers' ids, ",
                    &["inspect/added_tokens::texts_are_cut_at_added_tokens_as_transformers_cuts_them"],
                ),
                (
                    "those of its version 4 where no `added_tokens_decoder` lists them",
                    &["inspect/added_tokens::folders_that_list_no_ids_are_read_as_version_4_reads_them"],
                ),
            ],
            &[(
                "ids that are a piece's or another token's",
                &["inspect/added_tokens::lists_that_cannot_be_are_refused_in_one_line"],
            )],
        ],
    ),
    (
        "adapters",
        &[
            &[
                (
                    "PEFT's `adapter_config.json` with `adapter_model.safetensors` or `.bin`: ",
                    &["ratio/layouts::a_series_of_adapters_gives_what_each_gives_beside_its_base"],
                ),
                (
                    "prompt tuning of the encoder, LoRA on the blocks' linear maps (also rsLoRA)",
                    &["golden/adapters::logits_losses_and_gradients_agree_with_peft"],
                ),
            ],
            &[(
                "DoRA, `modules_to_save`, rank patterns and others: the error names the option, and how to merge",
                &["golden/adapter_files::what_cannot_be_attached_is_refused_in_one_line"],
            )],
        ],
    ),
    (
        "series",
        &[
            &[(
                "`checkpoint-N` folders of whole models or adapters, by `--checkpoints` of `fsa gradient-align` and \
                    `fsa label-ratio`",
                &[
                    "run/series::a_checkpoint_has_the_numbers_of_the_model_that_it_is",
                    "run/series::adapters_have_the_numbers_that_they_have_beside_their_base",
                    "ratio/layouts::a_series_that_pytorch_saved_is_the_series_of_safetensors_bit_for_bit",
                    "ratio/layouts::a_series_of_adapters_gives_what_each_gives_beside_its_base",
                ],
            )],
            &[],
        ],
    ),
];

const DATA: &[Row] = &[
    (
        "`path/to/file`",
        &[&[
            ("`.tsv` (no quoting), ", &["read/tests::tsv_keeps_quotes_and_takes_any_line_end"]),
            ("`.csv` (RFC 4180), ", &["read/tests::csv_quotes_as_rfc_4180"]),
            (
                "`.jsonl`, `.ndjson` or `.json` (an object a line), ",
                &["read/tests::json_that_is_not_one_object_per_line"],
            ),
            ("`.parquet`; ", &["tasks/parquet::every_tasks_parquet_is_read_as_its_json_lines_are"]),
            (
                "each also with `.gz` or `.zst` behind it",
                &["reading/tests::every_format_packed_or_not_and_every_sharding_gives_the_same_examples"],
            ),
        ]],
    ),
    (
        "`path/to/folder`",
        &[&[
            (
                "its files as one split, in the order of their numbers: those called after the split \
                 (`train-00000-of-00005.parquet`, `train/0000.parquet`) if any are, else all; ",
                &[
                    "read/places::a_folder_is_its_files_in_the_order_of_their_numbers",
                    "reading/tests::every_format_packed_or_not_and_every_sharding_gives_the_same_examples",
                ],
            ),
            ("a missing shard is an error", &["read/places::what_is_no_whole_split_is_refused"]),
        ]],
    ),
    (
        "`'path/to/part-*.parquet'`",
        &[&[(
            "the files that fit, in the order of their numbers",
            &[
                "read/places::a_star_stands_for_what_differs",
                "reading/tests::every_format_packed_or_not_and_every_sharding_gives_the_same_examples",
            ],
        )]],
    ),
    (
        "`hub`",
        &[&[(
            "the split that is asked for, of the task's data set on the hub",
            &["hub/registry::every_task_is_read_by_its_name_where_its_data_set_has_it"],
        )]],
    ),
    (
        "`hub:SPLIT`, `hub:TASK/SPLIT`",
        &[&[(
            "another split of it, by the hub's name; one of another task's",
            &[
                "hub/data::both_layouts_are_read_as_the_files_are",
                "hub/registry::a_split_of_another_task_and_a_revision_may_be_named",
            ],
        )]],
    ),
    (
        "`hub@REVISION`, `hub:SPLIT@REVISION`",
        &[&[(
            "a branch, tag or commit of it",
            &[
                "hub/data::both_layouts_are_read_as_the_files_are",
                "hub/registry::a_split_of_another_task_and_a_revision_may_be_named",
            ],
        )]],
    ),
    (
        "`mini`, `mini:TASK/SPLIT`",
        &[&[
            ("the mini world's ", &["data/source::mini_is_the_split_that_is_asked_for_unless_it_names_one"]),
            (
                "(`./mini` and `./hub` are files of these names)",
                &[
                    "data/source::a_description_names_files_of_its_own",
                    "data/source::the_first_of_the_world",
                    "data/hub_split::names",
                ],
            ),
        ]],
    ),
];

/// Every source below `folder`, with the text in it.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
            false => {}
        }
    }
}

/// Whether the text has the test: one that is not ignored.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&format!("fn {name}()")))
}

#[test]
fn every_clause_of_the_tables_is_held_by_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut found = Vec::new();
    ["tests", "src"].iter().for_each(|folder| sources(&root.join(folder), &mut found));
    for (head, rows) in TABLES {
        let table = readme.split(head).nth(1).expect("the table is there");
        let lines: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
        let shown: Vec<Vec<&str>> =
            lines.iter().map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
        let text = |clauses: &&[Clause]| clauses.iter().map(|(text, _)| *text).collect::<String>();
        let held: Vec<Vec<String>> = rows
            .iter()
            .map(|(about, cells)| std::iter::once(about.to_string()).chain(cells.iter().map(text)).collect())
            .collect();
        assert_eq!(shown, held);
        for (clause, tests) in rows.iter().flat_map(|(_, cells)| cells.iter().copied().flatten()) {
            assert!(!tests.is_empty(), "`{clause}` has no test");
            for test in *tests {
                let (file, name) = test.split_once("::").unwrap();
                let is_it =
                    |(path, text): &(PathBuf, String)| path.ends_with(format!("{file}.rs")) && has_test(text, name);
                assert!(found.iter().any(is_it), "`{clause}`: there is no test {test}");
            }
        }
    }
}
