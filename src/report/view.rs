//! What readers of `gradient_align` rows ask: which probes, which layers in which order, which is the last one, the row of a
//! name at a step. Looks rows up; computes nothing.

use std::collections::BTreeMap;

use super::rows::{GradientAlignRow, Scope};
use super::table::Table;
use crate::error::{Error, Result};

/// The row of the whole model that papers compare: the embedding is a table of tokens that rarely occur.
pub const WITHOUT_EMBEDDINGS: &str = "model_without_embeddings";

/// The rows of one run and one estimator.
pub struct View<'a> {
    first: &'a GradientAlignRow,
    rows: BTreeMap<(Scope, &'a str, u64), &'a GradientAlignRow>,
    steps: Vec<u64>,
    layers: Vec<&'a str>,
}

impl<'a> View<'a> {
    /// The rows of the estimator that figures show: `dataset`, the paper's, or the first there is.
    ///
    /// Errors if there are no rows, if they come from more than one run, or if two speak of the same thing.
    pub fn new(rows: &'a [GradientAlignRow]) -> Result<Self> {
        let Some(first) = rows.iter().find(|row| row.estimator == "dataset").or(rows.first()) else {
            return Err(Error::input("there are no rows: the run was stopped before its first probe was done")
                .next("go on with it (--resume) or make it again"));
        };
        let run = |row: &'a GradientAlignRow| (row.target.as_str(), row.method.as_str(), row.stage, row.seed);
        if let Some(other) = rows.iter().find(|row| run(row) != run(first)) {
            return Err(Error::input(format!(
                "the rows are of more than one run: {:?} and {:?}",
                run(first),
                run(other)
            ))
            .next("give the rows of one run at a time"));
        }
        let mut found = BTreeMap::new();
        let mut layers = Vec::new();
        for row in rows.iter().filter(|row| row.estimator == first.estimator) {
            if found.insert((row.scope, row.name.as_str(), row.step), row).is_some() {
                return Err(Error::input(format!("there are two rows of {}", row.describe()))
                    .next("remove one of them, or make the run again"));
            }
            if row.scope == Scope::Layer && !layers.contains(&row.name.as_str()) {
                layers.push(row.name.as_str());
            }
        }
        let mut steps: Vec<u64> = found.keys().map(|(_, _, step)| *step).collect();
        steps.sort_unstable();
        steps.dedup();
        // Stable: layers that the order does not know stay as the run wrote them.
        layers.sort_by_key(|name| place(name));
        Ok(Self { first, rows: found, steps, layers })
    }

    /// The steps that were probed, in order; at least one.
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// The first and the last probe; the same one, once, if there is only one.
    pub fn ends(&self) -> Vec<u64> {
        let mut ends: Vec<u64> = self.steps.first().into_iter().chain(self.steps.last()).copied().collect();
        ends.dedup();
        ends
    }

    /// The layers in model order: embedding, encoder, decoder, head.
    pub fn layers(&self) -> &[&'a str] {
        &self.layers
    }

    /// The last layer of the decoder, such as `decoder.7`; of a model without layers of that name, the last numbered one.
    pub fn last_layer(&self) -> Option<&'a str> {
        let groups = self.rows.keys().filter(|(scope, ..)| *scope == Scope::Group);
        let of_groups = groups.filter_map(|(_, name, _)| name.split_once('/').map(|(layer, _)| layer));
        let numbered = self.layers.iter().copied().chain(of_groups).filter(|name| layer_number(name).is_some());
        numbered.max_by_key(|name| place(name))
    }

    /// The row of `name` at `step`.
    pub fn row(&self, scope: Scope, name: &str, step: u64) -> Option<&'a GradientAlignRow> {
        self.rows.get(&(scope, name, step)).copied()
    }

    /// The row of a group of a layer at `step`.
    pub fn group(&self, layer: &str, group: &str, step: u64) -> Option<&'a GradientAlignRow> {
        self.row(Scope::Group, &format!("{layer}/{group}"), step)
    }

    /// What every number of the rows goes with: `rte, standard, seed 0, estimator dataset, 256 examples, 4 shuffles`.
    pub fn signature(&self) -> String {
        let stage = if self.first.stage > 1 { format!(" stage {}", self.first.stage) } else { String::new() };
        format!("{}, {}{stage}, {}", self.first.target, self.method(), self.setting())
    }

    /// The method.
    pub fn method(&self) -> &'a str {
        &self.first.method
    }

    /// The fine-tuned task.
    pub fn target(&self) -> &'a str {
        &self.first.target
    }

    /// What the rows of several methods share: `seed 0, estimator dataset, 256 examples, 4 shuffles`.
    pub fn setting(&self) -> String {
        let GradientAlignRow { seed, estimator, examples, shuffles, .. } = self.first;
        format!("seed {seed}, estimator {estimator}, {}, {}", count(*examples, "example"), count(*shuffles, "shuffle"))
    }
}

fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The index in `encoder.3`; none in `encoder.final`.
pub fn layer_number(name: &str) -> Option<u64> {
    name.split_once('.').and_then(|(_, index)| index.parse().ok())
}

/// Sorts layers into model order.
fn place(name: &str) -> (usize, u64) {
    let stack = match name.split('.').next() {
        Some("embedding") => 0,
        Some("encoder") => 1,
        Some("decoder") => 3,
        Some("head") => 4,
        _ => 2,
    };
    // `encoder.final` comes after every number.
    (stack, layer_number(name).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::rows_file::tests::row;

    #[test]
    fn layers_are_in_model_order() {
        let names = ["decoder.final", "head", "decoder.10", "decoder.9", "encoder.final", "encoder.0", "embedding"];
        let rows: Vec<_> = names.iter().flat_map(|name| [row(50, name), row(0, name)]).collect();
        let view = View::new(&rows).unwrap();
        let ordered = ["embedding", "encoder.0", "encoder.final", "decoder.9", "decoder.10", "decoder.final", "head"];
        assert_eq!(view.layers(), ordered);
        assert_eq!(view.last_layer(), Some("decoder.10"));
        assert_eq!((view.steps(), view.ends()), (&[0, 50][..], vec![0, 50]));
    }

    #[test]
    fn one_estimator_is_shown() {
        let expected = GradientAlignRow { estimator: "expected".into(), ..row(0, "decoder.0/mlp") };
        let rows = [expected.clone(), row(0, "decoder.0/mlp")];
        let view = View::new(&rows).unwrap();
        assert_eq!(view.group("decoder.0", "mlp", 0), Some(&rows[1]));
        assert_eq!(view.ends(), [0]);
        assert!(view.signature().contains("seed 0, estimator dataset, 256 examples, 4 shuffles"));
        let rows = [expected];
        assert_eq!(View::new(&rows).unwrap().group("decoder.0", "mlp", 0), Some(&rows[0]));
    }

    #[test]
    fn no_rows_two_runs_and_doubled_rows_are_errors() {
        let error = |rows: &[GradientAlignRow]| View::new(rows).err().unwrap().to_string();
        assert!(error(&[]).contains("no rows"));
        assert!(
            error(&[row(0, "model"), GradientAlignRow { seed: 1, ..row(0, "model") }]).contains("more than one run")
        );
        assert!(error(&[row(0, "model"), row(0, "model")]).contains("two rows of step 0, dataset, model"));
    }
}
