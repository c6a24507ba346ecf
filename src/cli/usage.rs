//! clap's errors on one line, as all of fsa's are.

use fsa::Error;

/// What clap found wrong, with its tip, without the usage that follows.
pub fn one_line(error: &clap::Error) -> Error {
    // The wording is clap's own: only the layout over several lines is undone.
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let mut parts: Vec<String> = Vec::new();
    let mut tip = None;
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("For more information")) {
        let line = line.strip_prefix("error: ").unwrap_or(line);
        match (line.strip_prefix("tip: "), parts.last_mut()) {
            // Its further tips are about passing the text as a value, which no fsa command wants.
            (Some(text), _) => tip = tip.or(Some(text.to_owned())),
            (None, Some(last)) if last.ends_with(':') => last.push_str(&format!(" {line}")),
            (None, _) => parts.push(line.trim_matches(['[', ']']).to_owned()),
        }
    }
    Error::input(parts.join("; ")).next(tip.unwrap_or_else(|| "see --help".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> String {
        one_line(&crate::cli::command().try_get_matches_from(arguments).unwrap_err()).to_string()
    }

    #[test]
    fn each_usage_error_is_one_line_with_what_to_do() {
        assert_eq!(
            said(&["fsa", "gradient-align", "--probe-evry", "5"]),
            "unexpected argument '--probe-evry' found; a similar argument exists: '--probe-every'"
        );
        let text = said(&["fsa", "gradient-align", "--optimizer", "adam"]);
        assert!(text.contains("possible values: adafactor-t5x, adafactor-hf, adamw"), "{text}");
        let text = said(&["fsa", "plot"]);
        assert!(text.contains("not provided: <DIR>"), "{text}");
        let text = said(&["fsa"]);
        assert!(text.contains("gradient-align"), "{text}");
        assert!(said(&["fsa", "gradient-align", "--steps", "x"]).contains("whole number"));
        assert!(said(&["fsa", "gradient-align", "--resume", "--force"]).contains("cannot be used with"));
    }
}
