//! Translates src/ui/text into a language that nobody speaks: each text is 40 % longer, its letters have
//! accents, and it stands between « and ».
//!
//! The modules are read as they stand; of Rust only as much is understood as tells a text from a comment,
//! a character, an attribute and the tests.

#![expect(
    clippy::string_slice,
    reason = "each end was found as the place of a character"
)]

use std::env;
use std::fs;
use std::path::Path;

/// Writes all modules as one file, `pseudo_text.rs`, where the compiler finds it.
pub(crate) fn write() {
    let folder = Path::new("src/ui/text");
    println!("cargo::rerun-if-changed=build/pseudo_locale.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let mut all = String::new();
    for line in translated(&read("mod.rs")).lines() {
        let declared = line
            .strip_suffix(';')
            .and_then(|line| line.split_once("mod "));
        match declared {
            Some((before, name)) if matches!(before, "" | "pub(crate) ") => {
                let inner = read(&format!("{name}.rs"));
                // Keyboards stay as they are labelled.
                let inner = if name == "keys" {
                    inner.replace("//! ", "// ")
                } else {
                    translated(&inner)
                };
                all.push_str(&format!("{before}mod {name} {{\n{inner}}}\n"));
            }
            _ => all.push_str(&format!("{line}\n")),
        }
    }
    let out = env::var_os("OUT_DIR").map(|out| Path::new(&out).join("pseudo_text.rs"));
    if let Some(out) = out
        && let Err(error) = fs::write(&out, all)
    {
        println!("cargo::error=the pseudo-locale is not written: {error}");
    }
}

/// A module with its texts translated and without its tests and its head.
fn translated(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut out = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            if !rest.starts_with("//!") {
                out.push_str(&rest[..end]);
            }
            end
        } else if rest.starts_with("#[") {
            let end = rest.find("]\n").map_or(rest.len(), |end| end + 1);
            out.push_str(&rest[..end]);
            end
        } else if let Some(end) = character(rest) {
            out.push_str(&rest[..end]);
            end
        } else if next == '"' {
            let end = 1 + closing(&rest[1..]);
            let asked_for = rest[end + 1..].trim_start().starts_with("=>");
            let inner = &rest[1..end];
            out.push('"');
            out.push_str(&if asked_for {
                inner.to_owned()
            } else {
                text(inner)
            });
            out.push('"');
            end + 1
        } else {
            out.push(next);
            next.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// How long a character literal is that stands here.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    let length = if first == '\\' {
        inner[2..].find('\'')? + 2
    } else {
        first.len_utf8()
    };
    inner[length..].starts_with('\'').then_some(length + 2)
}

/// Where a text ends.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    for (place, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => return place,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// One text: what is put in, what is escaped and what names a setting stays.
fn text(text: &str) -> String {
    let names_a_setting = text.contains('_');
    let mut letters = 0;
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let kept = match next {
            '{' => rest.find('}').map_or(1, |end| end + 1),
            '\\' if rest.starts_with("\\u") => rest.find('}').map_or(2, |end| end + 1),
            '\\' => 2,
            _ => 0,
        };
        if kept > 0 {
            out.push_str(&rest[..kept]);
            rest = &rest[kept..];
            continue;
        }
        letters += usize::from(next.is_alphabetic());
        out.push(accented(next));
        rest = &rest[next.len_utf8()..];
    }
    if letters == 0 || names_a_setting {
        return text.to_owned();
    }
    // In words, as a longer language would have them.
    let more: String = "öné twó thréé föur "
        .chars()
        .cycle()
        .take((letters * 2).div_ceil(5))
        .collect();
    format!("«{out} {}»", more.trim_end())
}

fn accented(letter: char) -> char {
    match letter {
        'a' => 'á',
        'e' => 'ë',
        'i' => 'í',
        'o' => 'ø',
        'u' => 'ü',
        'y' => 'ý',
        'n' => 'ñ',
        'c' => 'ç',
        's' => 'š',
        'A' => 'Å',
        'E' => 'É',
        'I' => 'Î',
        'O' => 'Ö',
        'U' => 'Û',
        'C' => 'Č',
        'S' => 'Š',
        other => other,
    }
}
