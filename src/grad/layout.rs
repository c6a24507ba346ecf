//! The map parameter → layer and group, from Hugging Face paths. Layers partition the parameters; within a block, so do groups.

/// Where a parameter belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// `encoder.3`, `decoder.3`, `embedding`, `head`, `encoder.final` or `decoder.final`.
    pub layer: String,
    /// `mlp`, `self.query`, `cross.key`, `norm`, `relative_bias`, …; none in `embedding` and `head`, which are one parameter.
    pub group: Option<String>,
}

impl Place {
    fn new(layer: impl Into<String>, group: Option<&str>) -> Self {
        Self { layer: layer.into(), group: group.map(String::from) }
    }

    /// Whether the place counts in `model_without_embeddings`.
    pub fn is_embedding_or_head(&self) -> bool {
        self.layer == "embedding" || self.layer == "head"
    }
}

/// The place of the T5 parameter `name`; none if it has none, which a caller must treat as an error.
pub fn place(name: &str) -> Option<Place> {
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["shared", "weight"] => Some(Place::new("embedding", None)),
        ["lm_head", "weight"] => Some(Place::new("head", None)),
        [stack @ ("encoder" | "decoder"), "final_layer_norm", "weight"] => {
            Some(Place::new(format!("{stack}.final"), Some("norm")))
        }
        [stack @ ("encoder" | "decoder"), "block", block, "layer", _, rest @ ..] => {
            let group = match rest {
                ["layer_norm", "weight"] => "norm",
                [_, "relative_attention_bias", "weight"] => "relative_bias",
                ["DenseReluDense", "wi" | "wi_0" | "wi_1" | "wo", "weight"] => "mlp",
                ["SelfAttention", "q", "weight"] => "self.query",
                ["SelfAttention", "k", "weight"] => "self.key",
                ["SelfAttention", "v", "weight"] => "self.value",
                ["SelfAttention", "o", "weight"] => "self.output",
                ["EncDecAttention", "q", "weight"] => "cross.query",
                ["EncDecAttention", "k", "weight"] => "cross.key",
                ["EncDecAttention", "v", "weight"] => "cross.value",
                ["EncDecAttention", "o", "weight"] => "cross.output",
                _ => return None,
            };
            Some(Place::new(format!("{stack}.{block}"), Some(group)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_map_to_layers_and_groups() {
        let of = |name: &str| place(name).map(|place| (place.layer, place.group));
        let some = |layer: &str, group: &str| Some((layer.to_string(), Some(group.to_string())));
        assert_eq!(of("encoder.block.0.layer.0.SelfAttention.q.weight"), some("encoder.0", "self.query"));
        assert_eq!(of("decoder.block.3.layer.1.EncDecAttention.k.weight"), some("decoder.3", "cross.key"));
        assert_eq!(of("decoder.block.3.layer.2.DenseReluDense.wi_0.weight"), some("decoder.3", "mlp"));
        assert_eq!(
            of("decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
            some("decoder.0", "relative_bias")
        );
        assert_eq!(of("decoder.final_layer_norm.weight"), some("decoder.final", "norm"));
        assert_eq!(of("shared.weight"), Some(("embedding".to_string(), None)));
        assert_eq!(of("encoder.block.0.layer.0.SelfAttention.z.weight"), None);
    }
}
