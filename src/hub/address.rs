//! Addresses: where a redirect leads, to whom a token may go, and what of an address may be shown.

use ureq::http::Uri;

/// Scheme, host and port: what a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String, String, u16);

impl Origin {
    /// Of an address that fsa can ask.
    pub fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_lowercase();
        let usual = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_lowercase();
        Some(Self(scheme, host, uri.port_u16().unwrap_or(usual)))
    }
}

/// The host of an address, with its port if that is unusual: what may be shown, since the rest can hold a signature.
pub fn host(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let host = |uri: Uri| {
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        uri.host().map(|host| format!("{host}{port}"))
    };
    uri.and_then(host).unwrap_or_else(|| "the server".into())
}

/// Where `location` leads from `url`.
pub fn join(url: &str, location: &str) -> Result<String, &'static str> {
    let from: Uri = url.parse().map_err(|_| "is no address")?;
    let scheme = from.scheme_str().unwrap_or("https");
    let authority = from.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let next = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.contains("://") {
        location.to_string()
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let next = next.split('#').next().unwrap_or_default().to_string();
    match Origin::of(&next) {
        None => Err("redirected to what is no address"),
        Some(Origin(to, ..)) if scheme == "https" && to == "http" => Err("redirected to an unprotected address"),
        Some(_) => Ok(next),
    }
}

/// `text` as a part of an address, `/` included.
pub fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_they_say() {
        let from = "https://hub.example/a/b?c=d";
        for (location, want) in [
            ("https://cdn.example/x?sign=1#f", Ok("https://cdn.example/x?sign=1")),
            ("//cdn.example/x", Ok("https://cdn.example/x")),
            ("/x/y", Ok("https://hub.example/x/y")),
            ("y", Ok("https://hub.example/a/y")),
            ("http://hub.example/x", Err("redirected to an unprotected address")),
            ("file:///etc/passwd", Err("redirected to what is no address")),
        ] {
            assert_eq!(join(from, location), want.map(String::from), "{location}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        let same = |a, b| Origin::of(a).unwrap() == Origin::of(b).unwrap();
        assert!(same("https://Hub.example", "https://hub.example:443/x"));
        for other in
            ["http://hub.example", "https://hub.example:444", "https://hub.example.evil", "https://a.hub.example"]
        {
            assert!(!same("https://hub.example", other), "{other}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_signature() {
        assert_eq!(host("https://cdn.example:8443/x?sign=1"), "cdn.example:8443");
        assert_eq!(escaped("refs/pr/3 é"), "refs%2Fpr%2F3%20%C3%A9");
    }
}
