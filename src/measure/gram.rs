//! Dot products between K gradients: all that cosines and norms need.

/// The K×K dot products between K gradients over some parameters, in f64. Grams of disjoint parameters add up.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    losses: usize,
    values: Vec<f64>,
}

impl Gram {
    /// Of gradients that are all zero.
    pub fn zero(losses: usize) -> Self {
        Self { losses, values: vec![0.0; losses * losses] }
    }

    /// ⟨g_a, g_b⟩.
    pub fn dot(&self, a: usize, b: usize) -> f64 {
        self.values[a * self.losses + b]
    }

    /// ‖g_a‖.
    pub fn norm(&self, a: usize) -> f64 {
        self.dot(a, a).sqrt()
    }

    /// cos(g_a, g_b); none if either is zero.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a) * self.norm(b);
        (norms > 0.0).then(|| (self.dot(a, b) / norms).clamp(-1.0, 1.0))
    }

    /// Adds the dot products over further coordinates.
    pub fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += value);
    }

    /// Adds the upper triangle `[K, K]` of dot products, and its mirror image.
    pub fn add_upper(&mut self, upper: &[f64]) {
        let k = self.losses;
        for a in 0..k {
            for b in a..k {
                self.values[a * k + b] += upper[a * k + b];
                if a != b {
                    self.values[b * k + a] += upper[a * k + b];
                }
            }
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_with_zero_is_missing_not_zero() {
        let mut gram = Gram::zero(2);
        assert_eq!(gram.cosine(0, 1), None);
        gram.add_upper(&[4.0, 3.0, 0.0, 9.0]);
        assert_eq!(gram.cosine(0, 1), Some(0.5));
        assert_eq!(gram.cosine(1, 0), Some(0.5));
        gram.add(&gram.clone());
        assert_eq!(gram.cosine(0, 1), Some(0.5));
        assert_eq!(gram.norm(0), 8f64.sqrt());
    }
}
