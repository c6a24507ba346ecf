//! Unigram: the pieces of a text whose scores have the highest sum, found from the left to the right (Viterbi).
//!
//! Sums are float32 and the first of equals wins, as in Google's encoder (0.2.3): a row of equal characters has many ways of
//! nearly the same score, and rounding decides between them. Up to 0.2.0 it compared in float64 and cut such rows otherwise.

use super::vocabulary::{Kind, Vocabulary};

/// How much less than the worst piece's score an unknown character's is.
const UNKNOWN_PENALTY: f32 = 10.0;

#[derive(Debug)]
pub(super) struct Unigram {
    unknown_score: f32,
    best_score: f32,
}

/// The best way to cut a text up to some place: where its last piece begins, and which one it is.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    score: f32,
    last: Option<(usize, u32)>,
}

impl Best {
    fn offer(&mut self, score: f32, start: usize, id: u32) {
        if self.last.is_none() || score > self.score {
            *self = Self { score, last: Some((start, id)) };
        }
    }
}

impl Unigram {
    pub fn of(vocabulary: &Vocabulary) -> Self {
        let normal = || vocabulary.pieces.iter().filter(|piece| piece.kind == Kind::Normal).map(|piece| piece.score);
        let worst = normal().fold(f32::MAX, |worst, score| if score < worst { score } else { worst });
        // Google's starts from the smallest positive number, which no logarithm of a probability exceeds.
        let best_score = normal().fold(f32::MIN_POSITIVE, |best, score| if best < score { score } else { best });
        Self { unknown_score: worst - UNKNOWN_PENALTY, best_score }
    }

    /// The pieces of `text` with their lengths, an unknown character being one of its own.
    pub fn cut(&self, text: &str, vocabulary: &Vocabulary) -> Vec<(usize, u32)> {
        let mut best = vec![Best::default(); text.len() + 1];
        for (start, character) in text.char_indices() {
            let so_far = best[start].score;
            let mut covered = false;
            for (length, id) in vocabulary.cut.prefixes(&text[start..]) {
                let score = match vocabulary.kind(id) {
                    Kind::Unused => continue,
                    Kind::UserDefined => length as f32 * self.best_score - 0.1,
                    _ => vocabulary.score(id),
                };
                best[start + length].offer(score + so_far, start, id);
                covered |= length == character.len_utf8();
            }
            if !covered {
                let score = self.unknown_score + so_far;
                best[start + character.len_utf8()].offer(score, start, vocabulary.unknown);
            }
        }
        let mut pieces = Vec::new();
        let mut end = text.len();
        while let Some((start, id)) = best[end].last {
            pieces.push((end - start, id));
            end = start;
        }
        pieces.reverse();
        pieces
    }
}
