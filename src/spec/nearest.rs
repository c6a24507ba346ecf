//! "Did you mean": the candidate that looks most like what was asked for.

/// The candidate nearest to `wanted`, if any is near enough to be a likely slip.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Below one half, suggestions are noise: `label` would be offered for `table`'s neighbours and worse.
    const NEAR_ENOUGH: f64 = 0.5;
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_slip_and_keeps_quiet_otherwise() {
        assert_eq!(nearest("premis", ["index", "premise", "label"]), Some("premise"));
        assert_eq!(nearest("Label", ["index", "label"]), Some("label"));
        assert_eq!(nearest("hypothesis", ["index", "label"]), None);
        assert_eq!(nearest("rte", []), None);
    }
}
