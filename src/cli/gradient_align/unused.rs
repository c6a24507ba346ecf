//! Options of soft prompts and LoRA that no method of the run uses: an error, since they would change nothing.

use fsa::spec::Method;
use fsa::spec::align_methods::trained;
use fsa::spec::method::{Attached, Budget, Stage};
use fsa::{Error, Result};

/// A stage that is trained, and whether it is the last of its method.
type Trained = (&'static Stage, bool);

/// Errors on the first of the options `given` that none of `methods` uses.
pub fn refuse_unused(given: &[String], methods: &[Method], has_adapter: bool) -> Result<()> {
    let stages: Vec<Trained> = methods.iter().flat_map(|method| trained(method, has_adapter)).collect();
    let is_used = |key: &String| stages.iter().any(|stage| uses(key, *stage, has_adapter));
    let Some(key) = given.iter().find(|key| !is_used(key)) else { return Ok(()) };
    let names: Vec<String> = methods.iter().map(Method::name).collect();
    let who = match (&names[..], has_adapter) {
        (_, true) => "what --adapter has is not trained again".to_string(),
        ([], _) => "standard fine-tuning does not use it".to_string(),
        ([one], _) => format!("`{one}` does not use it"),
        _ => format!("none of {} uses it", names.join(", ")),
    };
    let next = match key.starts_with("lora-") {
        true => "leave it out, or add promot-lora to --method",
        false => "leave it out, or add promot to --method",
    };
    Err(Error::input(who).flag(format!("--{key}")).next(next))
}

/// Whether a stage uses the option called `key`.
fn uses(key: &str, (stage, is_last): Trained, has_adapter: bool) -> bool {
    let is_new = |attached| stage.attached == attached && !has_adapter;
    let has = |budget| stage.budget == budget;
    match key {
        "prompt-length" => is_new(Attached::Prompt) || is_new(Attached::RandomPrompt),
        "prompt-init" | "prompt-text" | "prompt-file" => is_new(Attached::Prompt),
        "prompt-steps" => has(Budget::Prompt) || has(Budget::Long),
        "prompt-lr" | "prompt-weight-decay" => has(Budget::Prompt),
        "prompt-probe-every" => has(Budget::Prompt) && !is_last,
        "lora-rank" | "lora-alpha" | "lora-targets" => is_new(Attached::Lora),
        "lora-steps" | "lora-lr" => has(Budget::Lora),
        "lora-probe-every" => has(Budget::Lora) && !is_last,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;
    use crate::cli::options::keys;
    use crate::cli::stages::StageOptions;

    fn keys_of<T: Args>() -> Vec<String> {
        keys::<T>()
    }

    #[test]
    fn every_option_is_used_by_a_method_and_not_by_standard() {
        let of = |names: &[&str]| names.iter().map(|name| Method::named(name).unwrap()).collect::<Vec<_>>();
        for key in keys_of::<StageOptions>() {
            let given = [key.clone()];
            refuse_unused(&given, &of(&["promot", "promot-lora"]), false).unwrap();
            let error = refuse_unused(&given, &[], false).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--{key}: standard fine-tuning does not use it; leave it out")),
                "{error}"
            );
            assert!(refuse_unused(&given, &of(&["promot"]), true).is_err());
        }
        let refused = |key: &str, name: &str| refuse_unused(&[key.to_string()], &of(&[name]), false).is_err();
        assert!(refused("prompt-init", "random-prompt") && !refused("prompt-length", "random-prompt"));
        assert!(refused("prompt-steps", "joint") && !refused("prompt-steps", "standard-long"));
        assert!(refused("prompt-probe-every", "prompt-tuning") && refused("lora-probe-every", "lora"));
    }
}
