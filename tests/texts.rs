//! Every text that a person reads in the window stands in `src/ui/text`, ready for translation: the other
//! files of the room are read with `syn`, and a literal that reads like words is found.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// What is called with words that nobody reads: ids, names of windows and of log lines.
const UNREAD: [&str; 18] = [
    "unique",
    "push_id",
    "with",
    "id_salt",
    "from_id_salt",
    "from_hash_of",
    "scope_id",
    "left",
    "right",
    "expect",
    "run_native",
    "strftime",
    "var",
    "with_app_id",
    "from_name",
    "set",
    "request_discard",
    "write_str",
];
/// Types that are made with an id of their own.
const WITH_ID: [&str; 3] = ["Plot", "Grid", "Area"];
/// Macros whose words go to the log, or to who reads the source.
const UNREAD_MACROS: [&str; 10] = [
    "warn",
    "debug",
    "info",
    "error",
    "trace",
    "assert",
    "assert_eq",
    "panic",
    "include_bytes",
    "write",
];
/// Words that are the same in every language: protocols, and what a file holds.
const SAME_EVERYWHERE: [&str; 5] = ["UDP", "TCP", "TLS", "WebSocket", "Opus"];

/// Finds literals that read like words.
struct Words {
    found: Vec<(usize, String)>,
    unread: usize,
}

impl Words {
    fn look_at(&mut self, literal: &syn::LitStr) {
        let text = literal.value();
        if self.unread == 0 && reads_like_words(&text) {
            self.found.push((literal.span().start().line, text));
        }
    }

    fn look_at_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.look_at_tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                        && self.unread == 0
                        && reads_like_words(&text.value())
                    {
                        self.found.push((literal.span().start().line, text.value()));
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn unread(&mut self, visit: impl FnOnce(&mut Self)) {
        self.unread += 1;
        visit(self);
        self.unread -= 1;
    }
}

/// Two words with a space between, or one that begins with a capital letter; not what is put in.
fn reads_like_words(text: &str) -> bool {
    let mut plain = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '{' => inside = true,
            '}' => inside = false,
            letter if !inside => plain.push(letter),
            _ => {}
        }
    }
    if SAME_EVERYWHERE.contains(&plain.trim()) || plain.contains("://") {
        return false;
    }
    let is_word = |word: &str| {
        let letters: Vec<char> = word
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .collect();
        letters.len() >= 2 && letters.iter().skip(1).any(|letter| letter.is_lowercase())
    };
    let mut words = plain.split_whitespace().filter(|word| is_word(word));
    let (first, second) = (words.next(), words.next());
    second.is_some()
        || first.is_some_and(|word| word.chars().next().is_some_and(char::is_uppercase))
        || first.is_some() && plain.contains(' ')
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && list.is_ok_and(|list| list.tokens.to_string() == "test"))
    })
}

impl<'ast> Visit<'ast> for Words {
    fn visit_attribute(&mut self, _attribute: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.look_at(literal);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let name = called.path.segments.last().unwrap().ident.to_string();
        if !UNREAD_MACROS.contains(&name.as_str()) {
            self.look_at_tokens(called.tokens.clone());
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let syn::Expr::Path(path) = call.func.as_ref() else {
            visit::visit_expr_call(self, call);
            return;
        };
        let names = path
            .path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        let names: Vec<String> = names.collect();
        let last = names.last().unwrap().as_str();
        let with_id = names.iter().any(|name| WITH_ID.contains(&name.as_str()));
        if UNREAD.contains(&last) || with_id {
            self.unread(|words| visit::visit_expr_call(words, call));
        } else {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let unread = UNREAD.contains(&call.method.to_string().as_str());
        for argument in &call.args {
            // What is drawn inside is read all the same.
            if unread && !matches!(argument, syn::Expr::Closure(_)) {
                self.unread(|words| words.visit_expr(argument));
            } else {
                self.visit_expr(argument);
            }
        }
    }
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.push(path);
        }
    }
}

fn words_of(source: &str) -> Vec<(usize, String)> {
    let mut words = Words {
        found: Vec::new(),
        unread: 0,
    };
    words.visit_file(&syn::parse_file(source).unwrap());
    words.found
}

#[test]
fn every_text_of_the_window_stands_in_one_place() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
    let mut files = Vec::new();
    sources(&room, &mut files);
    let elsewhere = |path: &&PathBuf| {
        // How dates and numbers are put together is a locale's own.
        let own = ["text", "tests", "locale.rs", "theme.rs"];
        !own.iter().any(|own| path.starts_with(room.join(own)))
    };
    let mut found = Vec::new();
    for path in files.iter().filter(elsewhere) {
        // What a person reads who starts it in a terminal is no text of the window.
        if path.ends_with("shell.rs") {
            continue;
        }
        for (line, text) in words_of(&fs::read_to_string(path).unwrap()) {
            found.push(format!("{}:{line}: {text:?}", path.display()));
        }
    }
    assert!(files.len() > 80, "{}", files.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_are_found_in_calls_and_macros_and_not_in_ids_logs_and_tests() {
    let found = |body: &str| {
        let source = format!("fn f() {{ {body} }}");
        let words = words_of(&source).into_iter().map(|(_, text)| text);
        words.collect::<Vec<_>>()
    };
    assert_eq!(found(r#"ui.label("Hang up");"#), ["Hang up"]);
    assert_eq!(
        found(r#"let s = format!("{count} calls");"#),
        ["{count} calls"]
    );
    assert_eq!(found(r#"button("Answer");"#), ["Answer"]);
    for unread in [
        r#"Id::unique("dial field");"#,
        r#"tracing::warn!("the engine is gone");"#,
        r#"let s = format!("{name} · {number}");"#,
        r#"let s = text::key(name, "UDP");"#,
        r#"let user = "echo";"#,
    ] {
        assert_eq!(found(unread), [] as [String; 0], "{unread}");
    }
    let test = r#"#[cfg(test)] mod tests { fn f() { label("Hang up"); } }"#;
    assert_eq!(words_of(test), []);
}
