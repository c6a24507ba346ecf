//! What the environment says of the hub, by the names and the precedence that `huggingface_hub` gives it.

use std::path::PathBuf;

use ureq::tls::RootCerts;

use super::client::{Client, Token, roots};
use super::{Hub, OFFLINE};
use crate::error::{Error, Result};

/// Where the hub is, if nothing else is said.
const ENDPOINT: &str = "https://huggingface.co";
/// The first pause before a request is repeated, in milliseconds; each further one is twice as long. Tests make it short.
const RETRY_MS: (&str, u64) = ("FSA_HUB_RETRY_MS", 1000);

/// The hub that the variables describe.
pub fn hub(variable: &dyn Fn(&str) -> Option<String>) -> Result<Hub> {
    // An empty variable says nothing, as for most programs.
    let variable = |name: &str| variable(name).map(|value| value.trim().to_string()).filter(|value| !value.is_empty());
    let path = |name: &str| variable(name).map(|value| expand(&value, variable("HOME").as_deref()));
    let is_on = |name: &str| {
        variable(name).is_some_and(|value| matches!(value.to_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE"))
    };
    let home = || {
        let caches = path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|home| home.join(".cache")));
        path("HF_HOME").or_else(|| caches.map(|caches| caches.join("huggingface")))
    };
    let cache = path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE"));
    let cache = cache.or_else(|| home().map(|home| home.join("hub"))).ok_or_else(|| {
        Error::input("nothing says where the cache of models and data sets is").next("set HF_HOME to a folder")
    })?;
    let token =
        variable("HF_TOKEN").or_else(|| variable("HUGGING_FACE_HUB_TOKEN")).map(|token| (token, "HF_TOKEN".into()));
    let token = match token {
        Some(token) => Some(token),
        None if is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") => None,
        // A file that is not there or cannot be read means that nobody has logged in.
        None => path("HF_TOKEN_PATH")
            .or_else(|| home().map(|home| home.join("token")))
            .and_then(|path| Some((std::fs::read_to_string(&path).ok()?, path.display().to_string()))),
    };
    let token = token.map(|(token, from)| Token::of(&token, &from)).transpose()?.flatten();
    let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into());
    let file = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"].into_iter().find_map(|name| Some((path(name)?, name)));
    // Some programs take folders too.
    let file = file.filter(|(path, _)| !path.is_dir());
    let roots = match file {
        Some((path, name)) => roots(&path).map_err(|error| error.flag(name))?,
        None => RootCerts::WebPki,
    };
    let pause = variable(RETRY_MS.0).and_then(|value| value.parse().ok()).unwrap_or(RETRY_MS.1);
    Ok(Hub {
        client: Client::new(&endpoint, token, roots, std::time::Duration::from_millis(pause))?,
        cache,
        offline: is_on(OFFLINE) || is_on("TRANSFORMERS_OFFLINE"),
    })
}

/// The path with the user's folder in the place of `~`.
fn expand(path: &str, home: Option<&str>) -> PathBuf {
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}").into(),
        _ => path.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Hub> {
        hub(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn the_cache_is_where_huggingface_hub_has_it() {
        for (variables, want) in [
            (&[("HOME", "/h")][..], "/h/.cache/huggingface/hub"),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("HOME", "/h"), ("HF_HOME", "~/hf")], "/h/hf/hub"),
            (&[("HF_HOME", "/hf"), ("HUGGINGFACE_HUB_CACHE", "/old")], "/old"),
            (&[("HF_HOME", "/hf"), ("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", " ")], "/hf/hub"),
        ] {
            assert_eq!(of(variables).unwrap().cache(), Path::new(want), "{variables:?}");
        }
        assert!(of(&[]).unwrap_err().to_string().ends_with("set HF_HOME to a folder"));
    }

    #[test]
    fn offline_is_what_says_so() {
        for (value, want) in [("1", true), ("true", true), ("Yes", true), ("0", false), ("", false), ("no", false)] {
            assert_eq!(of(&[("HF_HOME", "/hf"), (OFFLINE, value)]).unwrap().is_offline(), want, "{value}");
        }
    }

    #[test]
    fn the_token_is_found_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "hf_file\n").unwrap();
        let home = dir.path().to_str().unwrap();
        let has = |variables: &[(&str, &str)], token: &str| {
            let hub = of(variables).unwrap();
            assert!(!format!("{hub:?}").contains("hf_"), "{hub:?}");
            hub.client.has_token(token)
        };
        assert!(has(&[("HF_HOME", home)], "hf_file"));
        assert!(has(&[("HF_HOME", home), ("HF_TOKEN", "hf_env")], "hf_env"));
        assert!(has(&[("HF_HOME", home), ("HUGGING_FACE_HUB_TOKEN", "hf_old")], "hf_old"));
        assert!(!has(&[("HF_HOME", home), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")], "hf_file"));
        let said = of(&[("HF_HOME", home), ("HF_TOKEN", "hf_a b")]).unwrap_err().to_string();
        assert_eq!(said, "HF_TOKEN: it is no token: tokens hold no spaces or unusual characters; set it anew");
    }

    #[test]
    fn a_file_of_certificates_holds_some() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("roots.pem");
        std::fs::write(&file, "no PEM").unwrap();
        for (name, path, wanted) in [
            ("SSL_CERT_FILE", file.clone(), "roots.pem: SSL_CERT_FILE: it holds no certificates; give a file"),
            ("REQUESTS_CA_BUNDLE", dir.path().join("none"), "none: REQUESTS_CA_BUNDLE: cannot read it: "),
        ] {
            let said = of(&[("HF_HOME", "/hf"), (name, path.to_str().unwrap())]).unwrap_err().to_string();
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn an_endpoint_is_an_address() {
        let said = |endpoint| of(&[("HF_HOME", "/hf"), ("HF_ENDPOINT", endpoint)]).map(drop).map_err(|e| e.to_string());
        assert_eq!(said("https://hub.example/"), Ok(()));
        for wrong in ["hub.example", "ftp://hub.example", "https://user:secret@hub.example", "https://"] {
            let said = said(wrong).unwrap_err();
            assert!(said.starts_with("HF_ENDPOINT: ") && !said.contains("secret"), "{said}");
        }
    }
}
