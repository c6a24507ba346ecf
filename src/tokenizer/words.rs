//! A tokenizer made of a list of words instead of learnt from texts: Unigram with T5's special tokens, for a model that is
//! trained from nothing on texts whose words are known.
//!
//! - **Ids.** 0 `<pad>`, 1 `</s>`, 2 `<unk>`; the pieces in the caller's order; the printable ASCII characters and `▁` that are
//!   not among them; and the sentinels, in T5's fashion: `<extra_id_0>` is the last id, `<extra_id_1>` the one before it.
//! - **Scores.** Every piece has the same, and characters a far lower one: a text becomes as few pieces as can be, and any
//!   ASCII text becomes characters where nothing else fits. Other characters are `<unk>`.
//! - **Spaces.** A run of white space is one space, as for T5. Spaces around a sentinel are not seen: `A: <extra_id_0>` is
//!   `▁A`, `:` and the sentinel, and what follows a sentinel begins a word.

use std::collections::HashSet;
use std::path::Path;

use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::{Replace, Sequence, Strip, replace::ReplacePattern};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, NormalizerWrapper};

use super::{EOS, Inner, Tokenizer};
use crate::error::{Error, Result};

/// Sentinels of a tokenizer made here.
pub const SENTINELS: usize = 10;

const PAD: &str = "<pad>";
const UNK: &str = "<unk>";
/// `<unk>`'s place among the special tokens.
const UNK_ID: usize = 2;
/// What stands for a space.
const SPACE: char = '▁';
const PIECE_SCORE: f64 = -1.0;
const CHARACTER_SCORE: f64 = -10.0;

/// `tokenizer_config.json`, by which transformers knows what to do with `tokenizer.json`.
pub fn config_json() -> String {
    let sentinels: Vec<String> = (0..SENTINELS).map(|i| format!("\"<extra_id_{i}>\"")).collect();
    format!(
        "{{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n  \"pad_token\": \"{PAD}\",\n  \"eos_token\": \"{EOS}\",\n  \
         \"unk_token\": \"{UNK}\",\n  \"additional_special_tokens\": [{}],\n  \"clean_up_tokenization_spaces\": false,\n  \
         \"model_max_length\": 512\n}}\n",
        sentinels.join(", ")
    )
}

impl Tokenizer {
    /// The tokenizer of `pieces`.
    ///
    /// # Errors
    /// If a piece is empty, holds white space, or is there twice.
    pub fn of_pieces<S: AsRef<str>>(pieces: &[S]) -> Result<Self> {
        let internal = |error: tokenizers::Error| Error::check(format!("internal: cannot make the tokenizer: {error}"));
        let mut vocabulary: Vec<(String, f64)> = [PAD, EOS, UNK].map(|token| (token.to_string(), 0.0)).into();
        let mut seen: HashSet<String> = vocabulary.iter().map(|(token, _)| token.clone()).collect();
        for piece in pieces.iter().map(AsRef::as_ref) {
            if piece.is_empty() || piece.contains(char::is_whitespace) || !seen.insert(piece.to_string()) {
                return Err(Error::input(format!("`{piece}` is no piece of a tokenizer, or stands in it twice"))
                    .next("give each piece once, with `▁` for the space before it"));
            }
            vocabulary.push((piece.to_string(), PIECE_SCORE));
        }
        let characters = ('!'..='~').chain([SPACE]).map(String::from).filter(|character| !seen.contains(character));
        vocabulary.extend(characters.map(|character| (character, CHARACTER_SCORE)));

        let model = Unigram::from(vocabulary, Some(UNK_ID), false).map_err(internal)?;
        let spaces = Replace::new(ReplacePattern::Regex(r"\s+".into()), " ").map_err(internal)?;
        let normalizers: Vec<NormalizerWrapper> = vec![spaces.into(), Strip::new(true, true).into()];
        let metaspace = Metaspace::new(SPACE, PrependScheme::Always, true);
        let ended = TemplateProcessing::builder()
            .try_single(format!("$A {EOS}"))
            .and_then(|builder| builder.try_pair(format!("$A {EOS} $B {EOS}")))
            .map_err(|error| Error::check(format!("internal: {error}")))?
            .special_tokens(vec![(EOS, 1)])
            .build()
            .map_err(|error| Error::check(format!("internal: {error}")).caused_by(error))?;
        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(Some(Sequence::new(normalizers))).map_err(internal)?;
        inner.with_pre_tokenizer(Some(metaspace.clone()));
        inner.with_decoder(Some(metaspace));
        inner.with_post_processor(Some(ended));
        let special = [PAD, EOS, UNK].map(|token| AddedToken::from(token, true));
        let sentinel = |i: usize| AddedToken::from(format!("<extra_id_{i}>"), true).lstrip(true).rstrip(true);
        let sentinels: Vec<AddedToken> = (0..SENTINELS).rev().map(sentinel).collect();
        inner.add_special_tokens(special.into_iter().chain(sentinels)).map_err(internal)?;
        Ok(Self { inner: Inner::Json(inner.into()), path: Path::new("tokenizer.json").into(), eos: 1 })
    }

    /// The text of its `tokenizer.json`.
    pub fn to_json(&self) -> Result<String> {
        match &self.inner {
            Inner::Json(inner) => inner
                .to_string(true)
                .map_err(|error| Error::check(format!("internal: cannot write the tokenizer: {error}"))),
            Inner::SentencePiece(_) => Err(Error::check("internal: a SentencePiece model has no tokenizer.json")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: [&str; 12] = ["▁Q", ":", "▁Where", "▁does", "▁Anna", "▁live", "s", "?", "▁A", "▁Lund", "ville", "."];

    fn tokenizer() -> (Tokenizer, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let made = Tokenizer::of_pieces(&PIECES).unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), made.to_json().unwrap()).unwrap();
        (Tokenizer::from_dir(folder.path()).unwrap(), folder)
    }

    #[test]
    fn sentences_come_back_and_take_few_pieces() {
        let (tokenizer, _folder) = tokenizer();
        for (text, count) in [
            ("Q: Where does Anna live? A: Lundville.", 12),
            ("Anna lives.", 4),
            ("Q: zebra {x} 42%", 16),
            ("A_b's \"c\" (d), [e]; f/g", 0),
        ] {
            let ids = tokenizer.encode(text).unwrap();
            assert_eq!(tokenizer.decode(&ids, true).unwrap(), text);
            assert!(!ids.contains(&2), "{text}");
            if count > 0 {
                assert_eq!(ids.len(), count + 1, "{text}: {ids:?}");
            }
        }
        let piece = |token: &str| tokenizer.token_to_id(token).unwrap();
        assert_eq!(tokenizer.encode("olive").unwrap(), ["▁", "o", "l", "i", "v", "e", "</s>"].map(piece));
        assert_eq!(tokenizer.encode("Anna \n\t é").unwrap(), ["▁Anna", "▁", "<unk>", "</s>"].map(piece));
        assert_eq!(["<pad>", "</s>", "<unk>", "▁Q"].map(piece), [0, 1, 2, 3]);
    }

    #[test]
    fn a_sentinel_is_one_id_and_hides_the_spaces_around_it() {
        let (tokenizer, _folder) = tokenizer();
        let last = tokenizer.vocab_size() as u32 - 1;
        for i in 0..SENTINELS {
            assert_eq!(tokenizer.token_to_id(&format!("<extra_id_{i}>")), Some(last - i as u32));
        }
        let piece = |token: &str| tokenizer.token_to_id(token).unwrap();
        let expected = ["▁A", ":", "<extra_id_0>", "▁Anna", "<extra_id_1>", "</s>"].map(piece);
        for text in ["A: <extra_id_0> Anna <extra_id_1>", "A:<extra_id_0>Anna<extra_id_1>"] {
            assert_eq!(tokenizer.encode(text).unwrap(), expected, "{text}");
        }
        let text = tokenizer.decode(&expected[2..], false).unwrap();
        assert_eq!(text, "<extra_id_0> Anna<extra_id_1></s>");
    }

    #[test]
    fn a_piece_that_is_none_is_named() {
        for wrong in ["", "a b", "▁Q", "</s>"] {
            let error = Tokenizer::of_pieces(&["▁Q", wrong]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{wrong}` is no piece")), "{error}");
        }
    }
}
