//! What a `--model` stands for: a model's folder or name, or an adapter's, which names the model that it belongs to.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::peft::{self, is_adapter};
use super::series::Series;
use crate::error::{Error, Result};
use crate::model_folder;
use crate::spec::is_mini;

/// A model, and what is to be attached to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The model's folder.
    pub model: PathBuf,
    /// The adapter's.
    pub adapter: Option<PathBuf>,
}

impl Given {
    /// The model's folder, which must be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn existing(self) -> Result<PathBuf> {
        model_folder::refuse_missing(&self.model).map(|()| self.model)
    }
}

/// What `model` and `adapter` come to, as typed: an adapter in the model's place brings its base with it.
///
/// # Errors
/// If two adapters are given, a base cannot be found, or the folder is a trainer's with several checkpoints and no model of its own.
pub fn resolve(model: PathBuf, adapter: Option<PathBuf>) -> Result<Given> {
    if is_mini(&model) || !is_adapter(&model) {
        return refuse_series(&model).map(|()| Given { model, adapter });
    }
    match adapter {
        None => Ok(Given { model: base_of(&model)?, adapter: Some(model) }),
        Some(other) => Err(Error::input(format!("it is an adapter, and {} is another", other.display()))
            .at(model)
            .flag("--model")
            .next("give their base model as --model, or leave --adapter out")),
    }
}

fn refuse_series(model: &Path) -> Result<()> {
    let has_own = model_folder::on_disk(model).join("config.json").exists();
    let series = (!has_own).then(|| Series::in_folder(model).ok()).flatten().unwrap_or_default();
    match series.checkpoints.last() {
        None => Ok(()),
        Some((_, last)) => Err(Error::input(format!("it holds {} checkpoints, and is none", series.checkpoints.len()))
            .at(model)
            .flag("--model")
            .next(format!(
                "give one of them, such as {}, or all as --checkpoints of fsa gradient-align or label-ratio",
                last.display()
            ))),
    }
}

/// The model that the adapter in `dir` belongs to, by what its description calls it: a folder, seen from the adapter's or else from the
/// current one, or a name on the hub.
///
/// # Errors
/// If it is neither, or a folder that holds an adapter itself.
pub fn base_of(dir: &Path) -> Result<PathBuf> {
    let advice = |error: Error| {
        error
            .at(dir.join(peft::CONFIG))
            .column(peft::BASE)
            .next(format!("give the model itself: --model path/to/model --adapter {}", dir.display()))
    };
    let Some(name) = peft::base_name(dir)? else {
        return Err(advice(Error::input("it does not name the model that the adapter belongs to")));
    };
    if is_mini(Path::new(&name)) {
        return Ok(name.into());
    }
    let found = [seen_from(dir, &name), PathBuf::from(&name)].into_iter().find(|path| path.is_dir());
    let on_hub = || Some(PathBuf::from(&name)).filter(|name| model_folder::name(name).is_some());
    let base = found.or_else(on_hub).ok_or_else(|| {
        advice(Error::input(format!("its base model `{name}` is no folder, seen from there or from here")))
    })?;
    match is_adapter(&base) {
        true => Err(advice(Error::input(format!("its base model `{name}` is an adapter itself")))),
        false => Ok(base),
    }
}

/// Warnings, where `adapters` plainly belong to another model than `model`: a line for each base that they name, with the first that does.
/// One of another base with the same shapes would be attached in silence. A name says little of where a model lies: the same one is
/// `google/mt5-small`, a folder in a cache, or `./mt5-small/`. So only last parts are compared, in any case, both as typed and as they
/// are on the disk; what names nothing is no other.
pub fn other_bases<'a>(adapters: impl IntoIterator<Item = &'a Path>, model: &Path) -> Vec<String> {
    let own = last_parts(model, model);
    let mut others = BTreeMap::new();
    for adapter in adapters {
        // What cannot be read is an error of whoever reads the adapter.
        let Ok(Some(base)) = peft::base_name(adapter) else { continue };
        let parts = last_parts(Path::new(&base), &seen_from(adapter, &base));
        if !own.is_empty() && !parts.is_empty() && !parts.iter().any(|part| own.contains(part)) {
            others.entry(base).or_insert(adapter);
        }
    }
    let line = |(base, adapter): (String, &Path)| {
        let (config, model) = (adapter.join(peft::CONFIG), model.display());
        format!("{}: it belongs to `{base}`, which is by its name another model than `{model}`", config.display())
    };
    others.into_iter().map(line).collect()
}

/// The last part of the name or path `typed`, and of the folder that it is when it is looked for at `place` or from here.
fn last_parts(typed: &Path, place: &Path) -> Vec<String> {
    let folder = |path: &Path| model_folder::on_disk(path).canonicalize().ok();
    let folders = [place, typed].into_iter().filter_map(folder);
    std::iter::once(typed.to_path_buf()).chain(folders).filter_map(|path| last_part(&path)).collect()
}

/// `mt5-small` of `google/mt5-small@main`, `/models/MT5-small/`, `C:\models\mt5-small`, and of that model's snapshot in a hub's cache.
fn last_part(path: &Path) -> Option<String> {
    let text = path.to_string_lossy().to_lowercase();
    let parts: Vec<&str> = text.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
    let name = match &parts[..] {
        [.., repository, "snapshots", _] if repository.starts_with("models--") => repository.rsplit("--").next(),
        [.., ".."] => None,
        [.., name] => name.split('@').next(),
        [] => None,
    };
    name.filter(|name| !name.is_empty()).map(String::from)
}

/// The path `name` seen from `dir`, as short as can be said without knowing what is there.
fn seen_from(dir: &Path, name: &str) -> PathBuf {
    let mut path = dir.to_path_buf();
    for component in Path::new(name).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if path.file_name().is_some() && !path.is_symlink() => drop(path.pop()),
            other => path.push(other),
        }
    }
    if path.as_os_str().is_empty() { ".".into() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(dir: &Path, base: &str) {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join(peft::CONFIG), format!("{{\"peft_type\": \"LORA\", {base}}}")).unwrap();
    }

    #[test]
    fn an_adapter_brings_its_base() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let of = |name: &str| resolve(at(name), None).map_err(|error| error.to_string());
        std::fs::create_dir(at("base")).unwrap();
        for (name, base) in [
            ("own", "\"base_model_name_or_path\": \"../base\""),
            ("null", "\"r\": 4"),
            ("nowhere", "\"base_model_name_or_path\": \"./t5\""),
            ("on_hub", "\"base_model_name_or_path\": \"google/t5\""),
        ] {
            adapter(&at(name), base);
        }
        adapter(&at("second"), "\"base_model_name_or_path\": \"../own\"");
        adapter(&at("small"), "\"base_model_name_or_path\": \"mini\"");
        assert_eq!(of("base"), Ok(Given { model: at("base"), adapter: None }));
        assert_eq!(of("own"), Ok(Given { model: at("base"), adapter: Some(at("own")) }));
        assert_eq!(of("on_hub"), Ok(Given { model: "google/t5".into(), adapter: Some(at("on_hub")) }));
        assert_eq!(seen_from(Path::new("run/adapter"), ".."), Path::new("run"));
        assert_eq!(seen_from(Path::new("adapter"), "./.."), Path::new("."));
        assert_eq!(of("small"), Ok(Given { model: "mini".into(), adapter: Some(at("small")) }));
        for (name, why) in [
            ("null", "it does not name the model that the adapter belongs to"),
            ("nowhere", "its base model `./t5` is no folder, seen from there or from here"),
            ("second", "its base model `../own` is an adapter itself"),
        ] {
            let path = at(name).display().to_string();
            let want = format!(
                "{path}/adapter_config.json: column base_model_name_or_path: {why}; give the model itself: \
                 --model path/to/model --adapter {path}"
            );
            assert_eq!(of(name), Err(want));
        }
        let twice = resolve(at("own"), Some(at("small"))).unwrap_err().to_string();
        assert!(
            twice.contains("--model: it is an adapter, and") && twice.ends_with("or leave --adapter out"),
            "{twice}"
        );
    }

    #[test]
    fn a_base_is_another_one_if_no_name_of_it_is_the_models() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("models/mt5-small")).unwrap();
        let cached = "hub/models--google--mt5-small/snapshots/0123";
        std::fs::create_dir_all(at(cached)).unwrap();
        let others = |base: &str, model: &Path| {
            adapter(&at("models/adapter"), &format!("\"base_model_name_or_path\": {base}"));
            other_bases([at("models/adapter").as_path()], model)
        };
        let (local, on_hub) = (at("models/mt5-small"), PathBuf::from("google/mt5-small"));
        for base in [
            "null",
            "\"\"",
            "\"google/mt5-small\"",
            "\"Google/MT5-Small@main\"",
            "\"/home/somebody/models/mt5-small/\"",
            "\"C:\\\\models\\\\mt5-small\"",
            "\"../mt5-small/.\"",
            "\"/cache/models--google--mt5-small/snapshots/4567\"",
        ] {
            for model in [&local, &local.join("."), &local.join("../mt5-small"), &on_hub, &at(cached)] {
                assert_eq!(others(base, model), [] as [&str; 0], "{base}: {}", model.display());
            }
        }
        let config = at("models/adapter/adapter_config.json").display().to_string();
        for (base, model) in [("google/mt5-base", &local), ("../mt5-small", &at("models/mt5-base")), ("mini", &on_hub)]
        {
            let model_name = model.display();
            let line =
                format!("{config}: it belongs to `{base}`, which is by its name another model than `{model_name}`");
            assert_eq!(others(&format!("\"{base}\""), model), [line]);
        }
        // What a link leads to has two names.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&local, at("base")).unwrap();
            assert_eq!(others("\"google/mt5-small\"", &at("base")), [] as [&str; 0]);
            assert_eq!(others("\"../../base\"", &local), [] as [&str; 0]);
        }
        // A series says it once for each base.
        let series = ["models/adapter", "a", "b"].map(at);
        series.iter().zip(["x/y", "x/y", "x/z"]).for_each(|(dir, base)| {
            adapter(dir, &format!("\"base_model_name_or_path\": \"{base}\""));
        });
        let lines = other_bases(series.iter().map(PathBuf::as_path), &local);
        assert!(lines.len() == 2 && lines[0].starts_with(&config) && lines[1].contains("`x/z`"), "{lines:?}");
    }
}
