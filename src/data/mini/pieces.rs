//! The pieces that the world's words are written with: what a tokenizer needs to know.

use std::collections::BTreeSet;

use super::World;
use super::languages::Language;
use crate::data::Task;

impl World {
    /// Every piece, sorted: words with a leading `▁`, endings and punctuation without. Any text of the world is made of
    /// them; the words are those of `samples` documents and of every task's examples and template.
    pub fn pieces(&self, samples: u64) -> Vec<String> {
        let mut pieces: BTreeSet<String> = BTreeSet::new();
        for (language, lexicon) in Language::ALL.into_iter().zip(&self.lexicons) {
            pieces.extend(language.pieces().iter().map(|piece| piece.to_string()));
            for stem in lexicon.stems.values() {
                pieces.insert(format!("▁{stem}"));
                pieces.insert(format!("▁{}", super::words::capital(stem)));
            }
        }
        let foreign = |word: &str| {
            self.lexicons.iter().any(|lexicon| {
                let word = word.to_lowercase();
                lexicon.stems.values().any(|stem| word.starts_with(&stem.to_lowercase()))
            })
        };
        let mut words: BTreeSet<String> = BTreeSet::new();
        let mut read = |text: &str| {
            for word in text.split_whitespace().filter(|word| !word.starts_with("<extra_id_")) {
                let bare = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
                pieces.extend(word[bare.len()..].chars().map(String::from));
                if !bare.is_empty() && !foreign(bare) {
                    words.insert(bare.to_string());
                }
            }
        };
        for index in 0..samples {
            let document = self.document(index);
            read(&document.source);
            read(&document.target);
        }
        for text in self.task_texts() {
            read(&text);
        }
        for template in Task::names().filter_map(|name| Task::named(name).ok()).map(|task| task.template().to_string())
        {
            // What stands in braces is a column.
            template.split(['{', '}']).step_by(2).for_each(&mut read);
        }
        // A remark may begin with any of them, though few documents may show it.
        for word in super::senses::kinds().into_iter().flat_map(|(_, _, members)| members) {
            read(&super::words::capital(word));
        }
        // A plural is its singular and an ending.
        for word in &words {
            match word.strip_suffix('s').filter(|stem| stem.len() > 1 && words.contains(*stem)) {
                Some(_) => pieces.insert("s".into()),
                None => pieces.insert(format!("▁{word}")),
            };
        }
        pieces.into_iter().collect()
    }
}
