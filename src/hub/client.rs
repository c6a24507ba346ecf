//! Requests: redirects followed by hand, so that the token goes to the hub's own host alone; attempts that are made again.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::http::HeaderMap;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::Progress;
use super::address::{Origin, host, join};
use super::retry::{ATTEMPTS, ATTEMPTS_TO_CONNECT, Attempts, Trouble};
use crate::error::{Error, Result};

/// Redirects that one request may go through.
const HOPS: usize = 8;
/// How long a server may take to be found and to accept.
const TO_CONNECT: Duration = Duration::from_secs(10);
/// How long it may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// What a hub says of a file that lies elsewhere: it stands in the redirect, not in what is found there.
const OF_FILE: [&str; 3] = ["x-linked-etag", "x-linked-size", "x-repo-commit"];
/// Bytes of a message by a server that are passed on.
const MESSAGE: usize = 200;

/// What says who is asking. It is shown to nobody but the hub.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token in `text`, if there is one; `from` says where the text is from.
    pub fn of(text: &str, from: &str) -> Result<Option<Self>> {
        let text = text.trim();
        match text.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok((!text.is_empty()).then(|| Self(text.to_string()))),
            false => Err(Error::input("it is no token: tokens hold no spaces or unusual characters")
                .flag(from)
                .next("set it anew")),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Whoever asks the hub.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    endpoint: String,
    origin: Origin,
    token: Option<Token>,
    first_pause: Duration,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub enum Ask {
    /// What the hub itself says of it; where it lies elsewhere, elsewhere is not asked.
    Head,
    /// It, wherever it lies, from this byte on.
    From(u64),
}

/// An answer.
pub struct Reply {
    pub status: u16,
    headers: HeaderMap,
    body: Body,
}

impl Reply {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// The bytes that follow.
    pub fn into_reader(self) -> impl Read {
        self.body.into_reader()
    }
}

/// Why there is no answer.
pub struct Failed {
    pub error: Error,
    /// Whether the server is to blame, or the way to it, as against what was asked for.
    pub is_unreachable: bool,
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, is_unreachable: false }
    }
}

enum Once {
    Again(Trouble),
    Never(Error),
}

impl Client {
    /// Asks the hub at `endpoint`, whose certificate `roots` must vouch for; `first_pause` is what lies between the first two attempts.
    pub fn new(endpoint: &str, token: Option<Token>, roots: RootCerts, first_pause: Duration) -> Result<Self> {
        let bad = |what: &str| {
            Error::input(format!("it is no address of a hub: {what}")).flag("HF_ENDPOINT").next("give https://HOST")
        };
        let endpoint = endpoint.trim_end_matches('/');
        if endpoint.contains(['@', '?', '#']) {
            return Err(bad("it may hold a host and a path alone"));
        }
        let origin = Origin::of(endpoint).ok_or_else(|| bad(&format!("`{endpoint}`")))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(TO_CONNECT))
            .timeout_connect(Some(TO_CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            // Sizes and ranges are of the files themselves.
            .accept_encoding("identity")
            .user_agent(concat!("fsa/", env!("CARGO_PKG_VERSION")));
        Ok(Self { agent: config.build().new_agent(), endpoint: endpoint.into(), origin, token, first_pause })
    }

    /// The address of the hub's `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.endpoint)
    }

    /// The hub's host.
    pub fn host(&self) -> String {
        host(&self.endpoint)
    }

    /// Whether it can say who is asking.
    pub fn is_known(&self) -> bool {
        self.token.is_some()
    }

    #[cfg(test)]
    pub fn has_token(&self, token: &str) -> bool {
        self.token.as_ref().is_some_and(|own| own.0 == token)
    }

    /// Attempts at something, none made yet.
    pub fn attempts(&self) -> Attempts {
        Attempts::new(self.first_pause)
    }

    /// Asks until there is an answer, which may be a refusal.
    pub fn ask(&self, ask: Ask, url: &str, progress: &mut dyn Progress) -> Result<Reply, Failed> {
        let mut attempts = self.attempts();
        loop {
            let (at, trouble) = match self.once(ask, url) {
                Ok(reply) => return Ok(reply),
                Err((_, Once::Never(error))) => return Err(error.into()),
                Err((at, Once::Again(trouble))) => (host(&at), trouble),
            };
            if attempts.wait(&at, &trouble, progress)? {
                continue;
            }
            return Err(Failed { error: given_up(&at, &trouble), is_unreachable: true });
        }
    }

    /// One attempt; a failure comes with the address at which it happened.
    fn once(&self, ask: Ask, url: &str) -> Result<Reply, (String, Once)> {
        let (mut url, mut of_file) = (url.to_string(), HeaderMap::new());
        for _ in 0..=HOPS {
            let reply = self.hop(ask, &url).map_err(|once| (url.clone(), once))?;
            for name in OF_FILE {
                if let (false, Some(value)) = (of_file.contains_key(name), reply.headers.get(name)) {
                    of_file.insert(name, value.clone());
                }
            }
            let next = match reply.header("location").filter(|_| matches!(reply.status, 301 | 302 | 303 | 307 | 308)) {
                Some(location) => join(&url, location).map_err(|what| (url.clone(), Once::Never(wrong(&url, what))))?,
                None => {
                    let mut headers = reply.headers;
                    of_file.iter().for_each(|(name, value)| drop(headers.insert(name.clone(), value.clone())));
                    return Ok(Reply { headers, ..reply });
                }
            };
            if matches!(ask, Ask::Head) && Origin::of(&next).is_none_or(|origin| origin != self.origin) {
                return Ok(reply);
            }
            url = next;
        }
        let error = wrong(&url, "redirected without end");
        Err((url, Once::Never(error)))
    }

    /// One request, without what it redirects to.
    fn hop(&self, ask: Ask, url: &str) -> Result<Reply, Once> {
        let mut request = match ask {
            Ask::Head => self.agent.head(url),
            Ask::From(_) => self.agent.get(url),
        };
        if let (Some(token), Some(true)) = (&self.token, Origin::of(url).map(|origin| origin == self.origin)) {
            request = request.header("Authorization", format!("Bearer {}", token.0));
        }
        if let Ask::From(byte @ 1..) = ask {
            request = request.header("Range", format!("bytes={byte}-"));
        }
        let response = request.call().map_err(|error| self.failure(url, &error))?;
        let (parts, body) = response.into_parts();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
        match reply.status {
            408 | 429 | 500 | 502..=504 => Err(Once::Again(Trouble {
                what: format!("answered {}", status(&parts.status)),
                attempts: ATTEMPTS,
                pause: asked_pause(&reply),
                is_unreachable: false,
            })),
            _ => Ok(reply),
        }
    }

    /// What an error of the connection means.
    fn failure(&self, url: &str, error: &ureq::Error) -> Once {
        use std::io::ErrorKind as Io;
        use ureq::Error as E;
        // Without what the library puts before the system's own words.
        let text = match error {
            E::Io(error) => error.to_string(),
            _ => error.to_string(),
        };
        let text = self.plain(&text);
        let again = |what: String, attempts| Once::Again(Trouble { what, attempts, pause: None, is_unreachable: true });
        match error {
            E::HostNotFound => again("is not known to this network".into(), ATTEMPTS_TO_CONNECT),
            E::ConnectionFailed => again("does not accept connections".into(), ATTEMPTS_TO_CONNECT),
            E::Timeout(_) => again("does not answer".into(), ATTEMPTS_TO_CONNECT),
            E::Io(error) => match error.kind() {
                Io::ConnectionRefused | Io::HostUnreachable | Io::NetworkUnreachable => {
                    again("does not accept connections".into(), ATTEMPTS_TO_CONNECT)
                }
                // The system's resolver gives no kind.
                _ if text.contains("lookup address") => {
                    again("is not known to this network".into(), ATTEMPTS_TO_CONNECT)
                }
                // What TLS does not believe.
                Io::InvalidData => Once::Never(distrusted(url, &text)),
                _ => again(format!("broke the connection off ({text})"), ATTEMPTS),
            },
            E::Protocol(_) => again(format!("gave no answer in HTTP ({text})"), ATTEMPTS),
            E::Tls(_) | E::Rustls(_) => Once::Never(distrusted(url, &text)),
            _ => Once::Never(wrong(url, &format!("cannot be asked: {text}"))),
        }
    }

    /// What a server or a library says, on one line, of reasonable length, and without the token, which a server may send back.
    pub fn plain(&self, text: &str) -> String {
        let text = match &self.token {
            Some(token) => text.replace(&token.0, "…"),
            None => text.to_string(),
        };
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE).collect();
        text.trim().trim_end_matches('.').to_string()
    }
}

/// The certificates in the file at `path`, in the place of those that come with fsa: of a proxy that looks into what passes, or of a
/// hub of one's own.
pub fn roots(path: &Path) -> Result<RootCerts> {
    let pem = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(Error::input("it holds no certificates").at(path).next("give a file of certificates in PEM")),
        false => Ok(certificates.into()),
    }
}

fn wrong(url: &str, what: &str) -> Error {
    Error::input(format!("{} {what}", host(url))).next("check HF_ENDPOINT and the proxy's variables")
}

fn distrusted(url: &str, text: &str) -> Error {
    wrong(url, &format!("cannot be trusted ({text})"))
        .next("check HF_ENDPOINT, or name your own authority's file in SSL_CERT_FILE")
}

fn given_up(host: &str, trouble: &Trouble) -> Error {
    let error = Error::input(format!("{host} {}", trouble.what));
    match (trouble.pause, trouble.is_unreachable) {
        (Some(pause), _) if !pause.is_zero() => {
            error.next(format!("it asks for a pause of {}s: try again then", pause.as_secs()))
        }
        (_, true) => error.next("check the network, the proxy's variables and HF_ENDPOINT, and run it again"),
        (_, false) => error.next("it is in trouble: run it again later"),
    }
}

fn status(status: &ureq::http::StatusCode) -> String {
    let reason = status.canonical_reason().map(|reason| format!(" ({})", reason.to_lowercase())).unwrap_or_default();
    format!("{}{reason}", status.as_u16())
}

/// The pause that a server asks for: `Retry-After` in seconds, or the end of the window in `RateLimit` (`"api";r=0;t=42`).
fn asked_pause(reply: &Reply) -> Option<Duration> {
    let after = || reply.header("retry-after")?.parse().ok();
    let window = || {
        let limit = reply.header("ratelimit")?;
        limit.split([';', ',']).find_map(|part| part.trim().strip_prefix("t=")?.parse().ok())
    };
    after().or_else(window).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_token() {
        let token = Token::of("hf_secret", "HF_TOKEN").unwrap();
        let client = Client::new("https://hub.example", token, RootCerts::WebPki, Duration::ZERO).unwrap();
        assert_eq!(client.plain("no\nhf_secret here."), "no … here");
    }
}
