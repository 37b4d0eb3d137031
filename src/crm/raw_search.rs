//! Looks for a person in the bytes of files, whatever format they have.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::crm::person::Person;

/// What is read at once.
const CHUNK: usize = 1 << 20;

/// Fewer bytes are found anywhere.
const LEAST: usize = 6;

/// A person's name, address and numbers as they stand in files: as text and as keys.
pub(crate) fn patterns(person: &Person) -> Vec<Vec<u8>> {
    let mut patterns = Vec::new();
    // A name of one word may be that of something else.
    let name = person
        .name
        .as_deref()
        .filter(|name| name.trim().contains(' '));
    for text in name.into_iter().chain(person.email.as_deref()) {
        patterns.push(text.trim().to_owned());
        patterns.push(text.trim().to_lowercase());
    }
    for (keys, _) in person.numbers.iter().filter(|(_, shared)| !shared) {
        let digits = keys.digits.as_deref().unwrap_or_default();
        patterns.push(digits.trim_start_matches(['+', '0']).to_owned());
        patterns.extend(keys.reversed.clone());
        patterns.extend(keys.address.clone());
    }
    let mut patterns: Vec<Vec<u8>> = patterns.into_iter().map(String::into_bytes).collect();
    patterns.retain(|pattern| pattern.len() >= LEAST);
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}

/// The files of a folder, and of the folders in it, that hold one of the patterns. What cannot be read
/// is named too: nobody knows what is in it.
pub(crate) fn files_with(folder: &Path, patterns: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else {
            found.push(folder);
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                // Neither links nor sockets hold anything themselves; sound has no letters.
                Ok(kind) if !kind.is_file() || path.extension().is_some_and(|it| it == "wav") => {}
                Ok(_) | Err(_) => {
                    if holds(&path, patterns).unwrap_or(true) {
                        found.push(path);
                    }
                }
            }
        }
    }
    found.sort();
    found
}

fn holds(path: &Path, patterns: &[Vec<u8>]) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let overlap = patterns.iter().map(Vec::len).max().unwrap_or(1) - 1;
    let mut window = Vec::with_capacity(CHUNK + overlap);
    loop {
        let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        let read = file.by_ref().take(limit).read_to_end(&mut window)?;
        if read == 0 {
            return Ok(false);
        }
        if patterns.iter().any(|pattern| contains(&window, pattern)) {
            return Ok(true);
        }
        let gone = window.len().saturating_sub(overlap);
        window.drain(..gone);
    }
}

/// The first byte is searched for fast, the rest compared.
fn contains(window: &[u8], pattern: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some(at) = window
        .get(from..)
        .and_then(|left| left.iter().position(|byte| byte == first))
    {
        from += at + 1;
        if window
            .get(from..)
            .is_some_and(|left| left.starts_with(rest))
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_wherever_it_stands_also_across_two_reads() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        let patterns = [b"Berger".to_vec(), b"301234567".to_vec()];
        for (name, before, found) in [
            ("start", 0, true),
            ("middle", 100, true),
            ("across", CHUNK - 3, true),
            ("later", 2 * CHUNK + 5, true),
            ("none", 50, false),
        ] {
            let mut bytes = vec![b'B'; before];
            bytes.extend_from_slice(if found { b"301234567" } else { b"30123456" });
            std::fs::write(below.join(name), bytes).unwrap();
            let files = files_with(folder.path(), &patterns);
            assert_eq!(files.contains(&below.join(name)), found, "{name}");
        }
    }
}
