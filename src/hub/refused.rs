//! What a refusal by the hub means, and what to do about it.

use super::client::{Client, Reply};
use super::{Id, RepoKind};
use crate::error::Error;

/// Why the hub does not give the listing of `id`, or a file of it.
pub fn refused(client: &Client, reply: &Reply, kind: RepoKind, id: &Id, file: Option<&str>) -> Error {
    let (what, host) = (kind.words(), client.host());
    let restricted = |what: String| {
        let error = Error::input(what);
        match client.is_known() {
            true => error.next(format!(
                "ask for access to it on {host}, or give the token of an account that has it in HF_TOKEN"
            )),
            false => error.next(
                "give the token of an account that may read it: set HF_TOKEN, or log in once with `hf auth login`",
            ),
        }
    };
    let code = reply.header("x-error-code").unwrap_or_default();
    match (reply.status, code, file) {
        (401 | 403, "GatedRepo", _) => {
            restricted(format!("access to the {what} `{}` is restricted ({}, by {host})", id.name(), reply.status))
        }
        (_, "RevisionNotFound", _) => {
            Error::input(format!("the {what} `{}` has no revision `{}`", id.name(), id.revision()))
                .next("give a branch, a tag or a commit after the @")
        }
        (404, _, Some(file)) if code != "RepoNotFound" => {
            Error::input(format!("the {what} `{id}` has no file `{file}`")).next("check its files on the hub")
        }
        // Hubs answer 401 for what is not there to those whom they do not know.
        (404, ..) | (401, "RepoNotFound", _) => {
            let hidden = match client.is_known() {
                true => "or the token's account may not see it",
                false => "or it is private, and needs a token in HF_TOKEN",
            };
            Error::input(format!("{host} has no {what} `{}`", id.name())).next(format!("check its name, {hidden}"))
        }
        (401, ..) if client.is_known() => {
            Error::input(format!("{host} does not accept the token (401), for the {what} `{id}`"))
                .next("set HF_TOKEN to one that is valid, or unset it for what is public")
        }
        (401 | 403, ..) => {
            restricted(format!("{host} does not give the {what} `{id}` to everybody ({})", reply.status))
        }
        (status, ..) => {
            let message = reply.header("x-error-message").map(|text| client.plain(text)).unwrap_or_default();
            let message = if message.is_empty() { message } else { format!(": {message}") };
            Error::input(format!("{host} answered {status} for the {what} `{id}`{message}")).next("check HF_ENDPOINT")
        }
    }
}
