//! A model folder's tokenizer files → the tokenizers crate.
