//! The files of `tally apply`, read with every mistake in all of them.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use tally_store::documents::{Document, Format, duplicates, parse_documents};

const STDIN: &str = "-";
/// Folders within folders beyond this are a loop, not a configuration.
const DEPTH_MAX: usize = 16;

/// Every document of the paths, in their order.
///
/// # Errors
/// A path cannot be read, or all mistakes of all files, one per line.
pub(super) fn read(paths: &[String]) -> anyhow::Result<Vec<Document>> {
    read_all(paths).map_err(|mistakes| anyhow!("{mistakes}; nothing was applied"))
}

/// Every document of the paths, in their order.
///
/// # Errors
/// A path cannot be read, or all mistakes of all files, one per line.
pub(crate) fn read_all(paths: &[String]) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    let mut mistakes = Vec::new();
    for (name, text, format) in texts(paths)? {
        match parse_documents(&name, &text, format) {
            Ok(found) => documents.extend(found),
            Err(found) => mistakes.extend(found),
        }
    }
    // Within one file they are found when it is parsed.
    if mistakes.is_empty() {
        mistakes.extend(duplicates(&documents));
    }
    if mistakes.is_empty() {
        return Ok(documents);
    }
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let count = match lines.len() {
        1 => "1 mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    Err(anyhow!("{}\n{count}", lines.join("\n")))
}

/// The set's name when none is given.
///
/// # Errors
/// Standard input has no name.
pub(super) fn set_name(paths: &[String]) -> anyhow::Result<String> {
    let first = paths.first().map_or(STDIN, String::as_str);
    if first == STDIN {
        bail!("standard input has no name; say which file set this is with `--set NAME`");
    }
    // `.` has no name until it is resolved.
    let path = fs::canonicalize(first).with_context(|| format!("cannot read {first}"))?;
    let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let stem = stem.and_then(|stem| stem.to_str()).filter(|stem| !stem.trim().is_empty());
    stem.map(str::to_owned).with_context(|| {
        format!("{first} gives no name; say which file set this is with `--set NAME`")
    })
}

/// Name, text and format of every file.
fn texts(paths: &[String]) -> anyhow::Result<Vec<(String, String, Format)>> {
    let mut texts = Vec::new();
    for path in paths {
        if path == STDIN {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            let format = guess(&text);
            texts.push(("standard input".to_owned(), text, format));
            continue;
        }
        for file in expand(Path::new(path))? {
            let name = file.display().to_string();
            let format = Format::from_path(&file).with_context(|| {
                format!("{name} has no known ending; expected .yaml, .yml, .toml or .json")
            })?;
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            texts.push((name, text, format));
        }
    }
    Ok(texts)
}

/// JSON is YAML as well; TOML gives itself away by its tables.
fn guess(text: &str) -> Format {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match first {
        Some(line) if line.starts_with("[[resource") => Format::Toml,
        Some(line) if line.starts_with(['{', '[']) => Format::Json,
        _ => Format::Yaml,
    }
}

/// The file, or the files of the folder in order of their paths.
fn expand(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = path.display();
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, 0, &mut found)?;
    if found.is_empty() {
        bail!("there is no .yaml, .yml, .toml or .json file in {shown}");
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("{} lies more than {DEPTH_MAX} folders deep", folder.display());
    }
    let cannot_read = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, depth + 1, found)?;
        } else if Format::from_path(&path).is_some() {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAM: &str =
        "kind: CostCenter\nname: cc\nspec: { owner: grace, chargeback: { model: showback } }\n";

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let path = folder.path().display().to_string();
        (folder, path)
    }

    #[test]
    fn a_folder_is_read_in_order_without_hidden_and_other_files() {
        let (_keep, path) = folder(&[
            ("b.yaml", &TEAM.replace("name: cc", "name: second")),
            ("a/x.yml", &TEAM.replace("name: cc", "name: first")),
            (".git/x.yaml", "not: ours"),
            ("README.md", "# no"),
        ]);
        let documents = read(std::slice::from_ref(&path)).unwrap();
        let names: Vec<&str> = documents.iter().map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!(
            set_name(std::slice::from_ref(&path)).unwrap(),
            path.rsplit('/').next().unwrap()
        );
    }

    #[test]
    fn every_mistake_of_every_file_is_listed() {
        let (_keep, path) = folder(&[
            ("a.yaml", "kind: Tema\nname: x\nspec: {}\n"),
            ("b.yaml", &TEAM.replace("owner: grace", "ownr: grace")),
        ]);
        let error = read(&[path]).unwrap_err().to_string();
        assert!(error.contains("a.yaml:1:") && error.contains("did you mean `Team`"), "{error}");
        assert!(error.contains("b.yaml:3:") && error.contains("ownr"), "{error}");
        assert!(error.ends_with("nothing was applied"), "{error}");
    }

    #[test]
    fn the_same_resource_in_two_files_is_a_mistake() {
        let (_keep, path) = folder(&[("a.yaml", TEAM), ("b.yaml", TEAM)]);
        let error = read(&[path]).unwrap_err().to_string();
        assert!(error.contains("stands twice"), "{error}");
    }

    #[test]
    fn what_has_no_name_or_ending_says_so() {
        let (_keep, path) = folder(&[("a.txt", "")]);
        assert!(
            read(std::slice::from_ref(&path))
                .unwrap_err()
                .to_string()
                .contains("there is no .yaml")
        );
        let file = format!("{path}/a.txt");
        assert!(read(&[file]).unwrap_err().to_string().contains("no known ending"));
        assert!(set_name(&["-".to_owned()]).unwrap_err().to_string().contains("--set"));
    }

    #[test]
    fn standard_input_tells_its_format() {
        assert_eq!(guess("# x\n[[resource]]\n"), Format::Toml);
        assert_eq!(guess("\n[{}]"), Format::Json);
        assert_eq!(guess("kind: Team"), Format::Yaml);
    }
}
