//! Beam search for one example, on plain numbers, as transformers or as T5X does it.

use super::Output;
use crate::spec::LengthPenalty;

/// What Σ log p of an output of `length` tokens, eos included, is divided by.
fn divisor(penalty: LengthPenalty, length: usize) -> f64 {
    match penalty {
        LengthPenalty::Hf(power) => (length as f64).powf(power),
        LengthPenalty::T5x(alpha) => ((5.0 + length as f64) / 6.0).powf(alpha),
    }
}

/// A token that may come next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Its log-probability.
    pub log_p: f64,
    pub token: u32,
}

#[derive(Debug, Clone)]
struct Hypothesis {
    /// eos included, if it ended.
    ids: Vec<u32>,
    score: f64,
}

/// The live and finished beams of one example.
#[derive(Debug)]
pub(super) struct Beams {
    width: usize,
    penalty: LengthPenalty,
    limit: usize,
    eos: u32,
    /// Best first; scores are plain Σ log p.
    live: Vec<Hypothesis>,
    /// Best first; scores are divided by the penalty.
    finished: Vec<Hypothesis>,
    decided: bool,
}

impl Beams {
    pub fn new(width: usize, penalty: LengthPenalty, limit: usize, eos: u32) -> Self {
        let live = vec![Hypothesis { ids: Vec::new(), score: 0.0 }];
        Self { width, penalty, limit, eos, live, finished: Vec::new(), decided: false }
    }

    /// Takes each live beam's best candidates, and returns the next live beams as (beam that it continues, token to feed);
    /// none when the example is decided.
    pub fn advance(&mut self, of_beams: &[Vec<Candidate>]) -> Vec<(usize, u32)> {
        let mut all: Vec<(f64, usize, u32)> = of_beams
            .iter()
            .enumerate()
            .flat_map(|(beam, candidates)| candidates.iter().map(move |c| (beam, c)))
            .map(|(beam, candidate)| (self.live[beam].score + candidate.log_p, beam, candidate.token))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        all.truncate(2 * self.width);
        let length = self.live.first().map_or(0, |beam| beam.ids.len()) + 1;
        let at_limit = length == self.limit;
        let mut next = Vec::with_capacity(self.width);
        let mut places = Vec::with_capacity(self.width);
        for (rank, &(score, beam, token)) in all.iter().enumerate() {
            let continued = |score: f64| {
                let mut ids = self.live[beam].ids.clone();
                ids.push(token);
                Hypothesis { ids, score }
            };
            let (may_finish, counts_at_limit) = match self.penalty {
                LengthPenalty::Hf(_) => (rank < self.width, true),
                LengthPenalty::T5x(_) => (true, false),
            };
            if token == self.eos || (at_limit && counts_at_limit) {
                if may_finish {
                    self.finished.push(continued(score / divisor(self.penalty, length)));
                }
            } else if next.len() < self.width {
                next.push(continued(score));
                places.push((beam, token));
            }
        }
        // Stable: of equal scores the one that finished first stays ahead.
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.finished.truncate(self.width);
        self.live = next;
        self.decided = at_limit || self.cannot_improve(length);
        if self.decided { Vec::new() } else { places }
    }

    /// Whether no live beam can beat the worst finished one: exact for T5X, transformers' heuristic for `Hf`.
    fn cannot_improve(&self, length: usize) -> bool {
        let Some(best) = self.live.first() else { return true };
        let Some(worst) = self.finished.last().filter(|_| self.finished.len() == self.width) else { return false };
        match self.penalty {
            LengthPenalty::Hf(_) => best.score / divisor(self.penalty, length) <= worst.score,
            LengthPenalty::T5x(_) => worst.score > best.score / divisor(self.penalty, self.limit),
        }
    }

    /// The best output.
    pub fn finish(self) -> Output {
        let (eos, penalty) = (self.eos, self.penalty);
        let unfinished = self.live.into_iter().next().map(|mut beam| {
            beam.score /= divisor(penalty, beam.ids.len().max(1));
            beam
        });
        let best = self.finished.into_iter().next().or(unfinished);
        let Hypothesis { mut ids, score } = best.unwrap_or(Hypothesis { ids: Vec::new(), score: 0.0 });
        let ended = ids.last() == Some(&eos);
        if ended {
            ids.pop();
        }
        Output { ids, ended, score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOS: u32 = 1;

    fn candidates(of: &[(u32, f64)]) -> Vec<Candidate> {
        of.iter().map(|&(token, p)| Candidate { log_p: p.ln(), token }).collect()
    }

    #[test]
    fn a_longer_output_wins_by_the_penalty_and_by_nothing_else() {
        // eos at once has 0.4; "5 eos" has 0.6·0.5 = 0.3.
        let run = |penalty| {
            let mut beams = Beams::new(2, penalty, 10, EOS);
            let next = beams.advance(&[candidates(&[(5, 0.6), (EOS, 0.4)])]);
            assert_eq!(next, [(0, 5)]);
            beams.advance(&[candidates(&[(EOS, 0.5), (6, 0.3), (7, 0.2)])]);
            beams.finish().ids
        };
        assert_eq!(run(LengthPenalty::Hf(0.0)), [] as [u32; 0]);
        // ln 0.4 = −0.92; ln 0.3 / 2 = −0.60.
        assert_eq!(run(LengthPenalty::Hf(1.0)), [5]);
        // ln 0.3 / (7/6)^0.6 = −1.098.
        assert_eq!(run(LengthPenalty::T5x(0.6)), [] as [u32; 0]);
    }

    #[test]
    fn at_the_limit_hf_lets_an_unfinished_beam_win_and_t5x_does_not() {
        let run = |penalty| {
            let mut beams = Beams::new(2, penalty, 2, EOS);
            beams.advance(&[candidates(&[(5, 0.9), (EOS, 0.1)])]);
            beams.advance(&[candidates(&[(6, 0.9), (7, 0.1)])]);
            let output = beams.finish();
            (output.ids, output.ended)
        };
        assert_eq!(run(LengthPenalty::Hf(1.0)), (vec![5, 6], false));
        assert_eq!(run(LengthPenalty::T5x(0.6)), (vec![], true));
        let mut none = Beams::new(2, LengthPenalty::T5x(0.6), 1, EOS);
        none.advance(&[candidates(&[(5, 0.9), (6, 0.1)])]);
        assert_eq!(none.finish().ids, [5]);
    }
}
