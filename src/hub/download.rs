//! One file of a repository, from the hub into the cache.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::address::{escaped, host};
use super::check::fault;
use super::client::{Ask, Reply};
use super::place::{make_folder_of, with_ending};
use super::refused::refused;
use super::retry::{ATTEMPTS, Trouble, stopped};
use super::{Progress, Repo, RepoKind};
use crate::error::{Error, Result};

/// Bytes that go to the disk at once.
const PIECE: usize = 1 << 20;
/// What a file is called while it arrives.
const INCOMPLETE: &str = "incomplete";

/// What the hub says of a file.
struct Meta {
    /// What names its blob.
    hash: String,
    size: Option<u64>,
}

impl Repo {
    /// The path of the repository's file `path`, which is whole: fetched now, if the cache does not have it.
    ///
    /// # Errors
    /// If there is no such file, it cannot be had, or what arrives is not what was announced. What has arrived when a connection ends
    /// or the disk is full stays, and the next attempt goes on from there.
    pub fn file(&self, path: &str, progress: &mut dyn Progress) -> Result<PathBuf> {
        let link = self.snapshot().join(path);
        let listed = self.listing.files.iter().find(|file| file.path == path);
        if let Some(why) = &self.listing.without_hub {
            return self.cached(path, &link, why);
        }
        let listed = listed.ok_or_else(|| self.no_file(path))?;
        if listed.size.is_some() && length(&link) == listed.size {
            // A cache that cannot be written to serves as it is.
            let _ = self.place.refer(self.id.revision(), &self.commit).and_then(|()| self.note_listing());
            return Ok(link);
        }
        let mut meta = self.meta(path, progress)?;
        meta.size = meta.size.or(listed.size);
        let name = format!("{}/{path}", self.id.name());
        let lock = self.place.lock(&meta.hash, &name, progress)?;
        let blob = self.place.blob(&meta.hash);
        let there = length(&blob);
        // Another process may have fetched it meanwhile, or another revision has it too.
        if there.is_none() || (meta.size.is_some() && there != meta.size) {
            if let (Some(there), Some(size)) = (there, meta.size) {
                let what = format!("{there} of {size} bytes");
                progress.warn(&format!("{name} is damaged in the cache ({what}): it is fetched again"));
                std::fs::remove_file(&blob).map_err(|source| Error::io("remove", &blob, source))?;
            }
            self.fetch(path, &name, &meta, lock.is_some(), progress)?;
        }
        self.place.link(&meta.hash, &link)?;
        self.place.refer(self.id.revision(), &self.commit)?;
        self.note_listing()?;
        Ok(link)
    }

    /// Which files a data set's splits are made of, for the time when the hub cannot be asked.
    fn note_listing(&self) -> Result<()> {
        match self.kind {
            RepoKind::Model => Ok(()),
            RepoKind::Dataset => {
                let mut all = self.listing.files.iter().map(|file| file.path.as_str());
                self.place.note_listing(&self.commit, &mut all)
            }
        }
    }

    fn no_file(&self, path: &str) -> Error {
        let what = self.kind.words();
        Error::input(format!("the {what} `{}` has no file `{path}`", self.id)).next("check its files on the hub")
    }

    /// The file as the cache has it, where the hub is not asked: whole by the hash that names it.
    fn cached(&self, path: &str, link: &Path, why: &str) -> Result<PathBuf> {
        let fetch = self.kind.fetched_by(&self.id);
        if !link.is_file() {
            let what = format!("the cache does not have `{path}` of `{}`, and {why}", self.id);
            return Err(Error::input(what).at(self.snapshot()).next(fetch));
        }
        // Where there are no links, there is nothing to hold it against.
        let blob = std::fs::canonicalize(link).map_err(|source| Error::io("read", link, source))?;
        let hash = blob.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match fault(link, hash, None).map_err(|source| Error::io("read", link, source))? {
            None => Ok(link.to_path_buf()),
            Some(what) => Err(Error::input(format!("it is damaged ({what}), and {why}")).at(link).next(fetch)),
        }
    }

    fn address(&self, path: &str) -> String {
        let path: Vec<String> = path.split('/').map(escaped).collect();
        let (prefix, name) = (self.kind.prefix(), self.id.name());
        self.hub.client.url(&format!("{prefix}{name}/resolve/{}/{}", self.commit, path.join("/")))
    }

    fn meta(&self, path: &str, progress: &mut dyn Progress) -> Result<Meta> {
        let client = &self.hub.client;
        let reply = client.ask(Ask::Head, &self.address(path), progress)?;
        if !matches!(reply.status, 200 | 301 | 302 | 303 | 307 | 308) {
            return Err(refused(client, &reply, self.kind, &self.id, Some(path)));
        }
        let number = |name: &str| reply.header(name)?.parse().ok();
        let size = number("x-linked-size").or_else(|| number("content-length").filter(|_| reply.status == 200));
        let tag = reply.header("x-linked-etag").or_else(|| reply.header("etag")).unwrap_or_default();
        let hash = tag.trim_start_matches("W/").trim_matches('"');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match !hash.is_empty() && hash.len() <= 128 && !hash.starts_with('.') && hash.chars().all(plain) {
            true => Ok(Meta { hash: hash.to_string(), size }),
            false => Err(Error::input(format!("{} does not say what `{path}` of `{}` holds", client.host(), self.id))
                .next("check HF_ENDPOINT and the proxy's variables")),
        }
    }

    /// Fetches a file into its blob. `alone` is whether no other process does.
    fn fetch(&self, path: &str, name: &str, meta: &Meta, alone: bool, progress: &mut dyn Progress) -> Result<()> {
        let blob = self.place.blob(&meta.hash);
        let ending = if alone { INCOMPLETE.to_string() } else { format!("{}.{INCOMPLETE}", std::process::id()) };
        let mut part = Part::open(with_ending(&blob, &ending), meta.size)?;
        let mut was_begun = part.done > 0;
        loop {
            progress.begin(name, meta.size, part.done);
            self.stream(path, meta, &mut part, progress)?;
            let read = |source| Error::io("read", &part.path, source);
            let Some(what) = fault(&part.path, &meta.hash, meta.size).map_err(read)? else { break };
            // What an earlier attempt left may have been of something else.
            if std::mem::take(&mut was_begun) {
                part.restart()?;
                continue;
            }
            let _ = std::fs::remove_file(&part.path);
            let from = self.hub.client.host();
            return Err(Error::input(format!("what {from} sent for {name} is not what it announces: {what}"))
                .next("nothing of it is kept; run it again, and if it stays so the repository or a proxy is broken"));
        }
        part.file.sync_all().map_err(|source| part.refused(meta.size, source))?;
        std::fs::rename(&part.path, &blob).map_err(|source| Error::io("create", &blob, source))?;
        progress.end();
        Ok(())
    }

    /// What is missing of `part`.
    fn stream(&self, path: &str, meta: &Meta, part: &mut Part, progress: &mut dyn Progress) -> Result<()> {
        let (client, address) = (&self.hub.client, self.address(path));
        let mut attempts = client.attempts();
        // Only what had never arrived is a reason to go on: a server that sends less than it announces is given up.
        let mut furthest = part.done;
        while meta.size.is_none_or(|size| part.done < size) {
            let reply = client.ask(Ask::From(part.done), &address, progress)?;
            let what = match reply.status {
                200 | 206 if reply.status == 200 || begins_at(&reply, part.done) => {
                    if reply.status == 200 && part.done > 0 {
                        // It was asked for the rest, and sends everything.
                        part.restart()?;
                        progress.begin(&format!("{}/{path}", self.id.name()), meta.size, 0);
                    }
                    let all =
                        meta.size.or_else(|| Some(part.done + reply.header("content-length")?.parse::<u64>().ok()?));
                    let end = part.take(reply, meta.size, progress)?;
                    if part.done > furthest {
                        furthest = part.done;
                        attempts.renew();
                    }
                    match end {
                        None if all.is_none_or(|all| part.done >= all) => return Ok(()),
                        None => "the connection was closed".to_string(),
                        Some(what) => client.plain(&what),
                    }
                }
                206 | 416 if part.done > 0 => {
                    part.restart()?;
                    "it cannot send a part".to_string()
                }
                _ => return Err(refused(client, &reply, self.kind, &self.id, Some(path))),
            };
            let of = meta.size.map(|size| format!(" of {size}")).unwrap_or_default();
            let what = format!("broke off after {}{of} bytes of {path} ({what})", part.done);
            let trouble = Trouble { what, attempts: ATTEMPTS, pause: None, is_unreachable: true };
            let from = host(&address);
            if !attempts.wait(&from, &trouble, progress)? {
                return Err(Error::input(format!("{from} {}", trouble.what))
                    .next("what has arrived is kept: run it again, and it goes on from there"));
            }
        }
        Ok(())
    }
}

/// A file that has not arrived yet.
struct Part {
    path: PathBuf,
    file: File,
    /// Its bytes on disk.
    done: u64,
}

impl Part {
    /// What an earlier attempt left at `path`, or nothing yet.
    fn open(path: PathBuf, size: Option<u64>) -> Result<Self> {
        make_folder_of(&path)?;
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let done = file.metadata()?.len();
            Ok((file, done))
        };
        let (file, done) = open().map_err(|source| Error::io("create", &path, source))?;
        let mut part = Self { path, file, done };
        // Of a file whose size is not known, nobody can tell whether it was all there.
        if size.is_none_or(|size| done > size) && done > 0 {
            part.restart()?;
        }
        Ok(part)
    }

    fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(|source| Error::io("write", &self.path, source))?;
        self.done = 0;
        Ok(())
    }

    /// Writes what the reply brings; how it broke off, if it did. More than `size` bytes are not taken.
    fn take(&mut self, reply: Reply, size: Option<u64>, progress: &mut dyn Progress) -> Result<Option<String>> {
        let mut reader = reply.into_reader();
        let mut piece = vec![0; PIECE];
        while size.is_none_or(|size| self.done < size) {
            match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => {
                    self.file.write_all(&piece[..length]).map_err(|source| self.refused(size, source))?;
                    self.done += length as u64;
                    progress.advance(self.done);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Ok(Some(error.to_string())),
            }
            if progress.interrupted() {
                return Err(stopped());
            }
        }
        Ok(None)
    }

    /// The disk did not take it.
    fn refused(&self, size: Option<u64>, source: std::io::Error) -> Error {
        let is_full =
            matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge);
        let done = self.file.metadata().map_or(self.done, |file| file.len());
        let of = size.map(|size| format!(" of {size}")).unwrap_or_default();
        let error = Error::io("write", &self.path, source);
        match is_full {
            true => error.next(format!(
                "free some space, or set HF_HOME to a folder on another disk; the {done}{of} bytes there are kept, and the same command goes on from there"
            )),
            false => error,
        }
    }
}

/// Whether the reply's bytes begin where they were asked to.
fn begins_at(reply: &Reply, byte: u64) -> bool {
    let start = || reply.header("content-range")?.strip_prefix("bytes ")?.split('-').next()?.parse().ok();
    start() == Some(byte)
}

/// The bytes of the file at `path`, if it is there.
fn length(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len())
}
