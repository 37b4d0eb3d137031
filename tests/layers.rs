//! The plan of the house, enforced: who may import whom, which crates are fenced in, which rooms
//! are sans-IO, how long a file may be, and whether the tests are there that README.md names.
//!
//! The sources are read with `syn`, so comments and strings do not count, and each path is looked
//! at wherever it stands: in a `use` tree, a type, an expression, a pattern or a macro's tokens.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Each room and what it may import of ours, beside itself.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("config", &["base"]),
    ("sdp", &["base"]),
    ("sip", &["base"]),
    ("presence", &["base"]),
    ("net", &["base"]),
    ("media", &["base", "sdp"]),
    ("call", &["base", "config", "sdp", "sip", "media"]),
    ("crm", &["base"]),
    ("control", &["base", "config", "crm::row"]),
    ("integrations", &["base", "config", "crm", "control"]),
    (
        "app",
        &[
            "base",
            "config",
            "sdp",
            "sip",
            "presence",
            "net",
            "media",
            "call",
            "crm",
            "control",
            "integrations",
        ],
    ),
    (
        "lab",
        &["base", "config", "sdp", "sip", "net", "media", "call"],
    ),
    ("ui", &["base", "config", "control", "crm::row"]),
    ("desktop", &["base", "config", "control", "crm::row", "ui"]),
    (
        "cli",
        &[
            "base", "config", "control", "crm::row", "app", "lab", "ui", "desktop",
        ],
    ),
    ("main", &["cli"]),
];

/// Crates that only one place may name.
const FENCES: &[(&str, &str)] = &[
    ("rsip", "sip"),
    ("rusqlite", "crm"),
    ("mail_parser", "crm::mining"),
    ("cpal", "media::device"),
    ("earshot", "media::processing"),
    ("opusic_sys", "media::codec::libopus"),
    ("sonora", "media::processing"),
    ("sonora_aec3", "media::processing"),
    ("sonora_agc2", "media::processing"),
    ("sonora_ns", "media::processing"),
    ("sonora_simd", "media::processing"),
    ("egui", "ui"),
    ("eframe", "ui"),
    ("egui_extras", "ui"),
    ("egui_material_icons", "ui"),
    ("egui_plot", "ui"),
    ("quick_xml", "presence"),
    ("reqwest", "net"),
    ("zbus", "desktop"),
    ("ksni", "desktop"),
    ("x11rb", "desktop::keys"),
];

/// Places that take time, bytes and randomness as arguments.
const SANS_IO: &[&str] = &[
    "sdp",
    "sip",
    "presence",
    "call",
    "net::locate",
    "media::session",
    "media::jitter",
    "media::steering",
    "media::processing",
    "media::transport::ice",
];

/// What a sans-IO place may not touch outside of its tests.
const IO: &[&str] = &[
    "tokio",
    "getrandom",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::fs",
    "std::thread",
    "std::process",
    "std::time::SystemTime",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
];

/// The longest file, in lines, tests excluded.
const MAX_LINES: usize = 600;

/// One path that a source file names.
#[derive(Debug)]
struct Named {
    line: usize,
    /// Segments; the first is `crate` for our own code, else an outer name.
    segments: Vec<String>,
    in_tests: bool,
}

/// Gathers every path of a file.
struct Paths {
    /// The module that is being read, from the crate's root.
    module: Vec<String>,
    tests: usize,
    named: Vec<Named>,
    test_lines: usize,
}

impl Paths {
    fn of(source: &str, module: &[&str]) -> syn::Result<Self> {
        let file = syn::parse_file(source)?;
        let module = module.iter().map(|part| (*part).to_owned()).collect();
        let mut paths = Self {
            module,
            tests: 0,
            named: Vec::new(),
            test_lines: 0,
        };
        paths.visit_file(&file);
        Ok(paths)
    }

    /// Resolves `crate`, `self`, `super` and our own library's name to a path from the root.
    fn add(&mut self, span: Span, segments: &[String]) {
        let mut rest = segments;
        let mut resolved: Option<Vec<String>> = None;
        while let Some((first, tail)) = rest.split_first() {
            match (first.as_str(), &mut resolved) {
                ("crate" | "ringdesk", None) => resolved = Some(Vec::new()),
                ("self", None) => resolved = Some(self.module.clone()),
                ("super", None) => {
                    let mut module = self.module.clone();
                    let _outermost = module.pop();
                    resolved = Some(module);
                }
                ("super", Some(module)) => {
                    let _outer = module.pop();
                }
                _ => break,
            }
            rest = tail;
        }
        let segments = match resolved {
            Some(mut module) => {
                module.insert(0, "crate".to_owned());
                module.extend_from_slice(rest);
                module
            }
            None => rest.to_vec(),
        };
        self.named.push(Named {
            line: span.start().line,
            segments,
            in_tests: self.tests > 0,
        });
    }

    fn use_tree(&mut self, prefix: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.use_tree(prefix, &path.tree);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(prefix, tree);
                }
            }
            syn::UseTree::Name(syn::UseName { ident, .. })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                let mut segments = prefix.clone();
                if ident != "self" || segments.is_empty() {
                    segments.push(ident.to_string());
                }
                self.add(ident.span(), &segments);
            }
            syn::UseTree::Glob(glob) => self.add(glob.span(), prefix),
        }
    }

    /// A macro's tokens are not parsed: each `a::b::c` in them counts as a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let mut start = Span::call_site();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.flush(start, &mut segments);
                        start = ident.span();
                    }
                    segments.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.flush(start, &mut segments);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.flush(start, &mut segments);
                    colons = 0;
                }
            }
        }
        self.flush(start, &mut segments);
    }

    fn flush(&mut self, span: Span, segments: &mut Vec<String>) {
        if segments.len() > 1 {
            self.add(span, segments);
        }
        segments.clear();
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|ident| ident == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let test = is_test(&item.attrs);
        if test && item.content.is_some() && self.tests == 0 {
            let span = item.span();
            self.test_lines += span.end().line - span.start().line + 1;
        }
        self.tests += usize::from(test);
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.tests -= usize::from(test);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.add(path.span(), &segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

fn within(segments: &[String], place: &str) -> bool {
    let mut place = place.split("::");
    let mut segments = segments.iter();
    place.all(|part| segments.next().is_some_and(|segment| segment == part))
}

/// What a source file breaks, one `line: sentence` each.
fn faults(source: &str, module: &[&str], test_file: bool) -> Vec<String> {
    let paths = match Paths::of(source, module) {
        Ok(paths) => paths,
        Err(error) => return vec![format!("{}: {error}", error.span().start().line)],
    };
    let owned: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
    let mut faults = Vec::new();
    let lines = source.lines().count() - paths.test_lines;
    if !test_file && lines > MAX_LINES {
        faults.push(format!(
            "1: {lines} lines without tests, at most {MAX_LINES}: split it"
        ));
    }
    let Some(room) = module.first() else {
        return faults;
    };
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| name == room) else {
        faults.push(format!("1: the room `{room}` is not in the table"));
        return faults;
    };
    for Named {
        line,
        segments,
        in_tests,
    } in paths.named
    {
        let written = segments.join("::");
        match segments.split_first() {
            Some((root, path)) if root == "crate" => {
                let own = path.first().is_none_or(|first| first == room);
                if !own && !allowed.iter().any(|place| within(path, place)) {
                    faults.push(format!("{line}: `{room}` may not import `{written}`"));
                }
            }
            _ => {
                for (name, place) in FENCES {
                    if within(&segments, name) && !within(&owned, place) {
                        faults.push(format!("{line}: `{name}` belongs to `{place}` alone"));
                    }
                }
                let sans_io = SANS_IO.iter().any(|place| within(&owned, place));
                if sans_io && !in_tests && !test_file && IO.iter().any(|io| within(&segments, io)) {
                    faults.push(format!("{line}: `{room}` is sans-IO and names `{written}`"));
                }
            }
        }
    }
    faults
}

/// All Rust files under `folder`, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The modules of a file that are tests and stand in files of their own.
fn test_modules(source: &str, module: &[String]) -> Vec<Vec<String>> {
    let file = syn::parse_file(source).unwrap();
    let mut modules = Vec::new();
    for item in file.items {
        if let syn::Item::Mod(item) = item
            && item.content.is_none()
            && is_test(&item.attrs)
        {
            let mut path = module.to_vec();
            path.push(item.ident.to_string());
            modules.push(path);
        }
    }
    modules
}

/// The module of `src/sip/ua/mod.rs` is `sip::ua`, of `src/main.rs` `main`, of `src/lib.rs` empty.
fn module_of(relative: &Path) -> Vec<String> {
    let without_extension = relative.with_extension("");
    let mut parts: Vec<String> = without_extension
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        parts.pop();
    }
    parts
}

#[test]
fn every_file_keeps_to_the_plan_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root);
    assert!(
        files.len() > 30,
        "only {} files found in {}",
        files.len(),
        root.display()
    );
    let read = |file: &PathBuf| {
        let relative = file.strip_prefix(&root).unwrap().to_owned();
        (
            module_of(&relative),
            relative,
            fs::read_to_string(file).unwrap(),
        )
    };
    let sources: Vec<_> = files.iter().map(read).collect();
    let tests: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|(module, _, source)| test_modules(source, module))
        .collect();
    let mut all = Vec::new();
    for (module, relative, source) in sources {
        let test_file = tests.iter().any(|test| module.starts_with(test));
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        for fault in faults(&source, &module, test_file) {
            all.push(format!("src/{}:{fault}", relative.display()));
        }
    }
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

#[test]
fn a_forbidden_import_is_found_wherever_it_stands() {
    let source = "\
use crate::base::id::{CallId, AccountId};
use crate::{base::clock, crm::store::Store};
fn f(x: crate::ui::Theme) -> u8 {
    let y = crate::app::engine::NAME;
    println!(\"{}\", crate::net::NAME);
    super::super::media::SAMPLES + self::own()
}
";
    let found = faults(source, &["sip", "endpoint"], false);
    assert_eq!(
        found,
        [
            "2: `sip` may not import `crate::crm::store::Store`",
            "3: `sip` may not import `crate::ui::Theme`",
            "4: `sip` may not import `crate::app::engine::NAME`",
            "5: `sip` may not import `crate::net::NAME`",
            "6: `sip` may not import `crate::media::SAMPLES`",
        ]
    );
}

#[test]
fn a_part_of_a_room_can_be_allowed_alone() {
    let source = "use crate::crm::row::CallRow;\nuse crate::crm::Store;\nuse crate::crm;\n";
    let found = faults(source, &["ui", "view", "calls"], false);
    assert_eq!(
        found,
        [
            "2: `ui` may not import `crate::crm::Store`",
            "3: `ui` may not import `crate::crm`",
        ]
    );
}

#[test]
fn a_fenced_crate_is_found_outside_of_its_fence() {
    let source = "use cpal::traits::HostTrait;\nfn f(d: &cpal::Device) {}\n";
    assert_eq!(faults(source, &["media", "mixer"], false).len(), 2);
    assert_eq!(
        faults(source, &["media", "device", "sound_card"], false).len(),
        0
    );
}

#[test]
fn a_sans_io_room_may_read_the_clock_in_its_tests_only() {
    let outside = "fn f() { let _ = std::time::Instant::now(); }";
    let inside = format!("#[cfg(test)]\nmod tests {{ {outside} }}\n");
    let imported = "use tokio::net::UdpSocket;";
    assert_eq!(faults(outside, &["sip", "timer"], false).len(), 1);
    assert_eq!(faults(imported, &["media", "jitter"], false).len(), 1);
    assert_eq!(faults(&inside, &["sip", "timer"], false).len(), 0);
    assert_eq!(faults(outside, &["media", "recorder"], false).len(), 0);
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let code = "fn f() {}\n";
    let long = code.repeat(601);
    let with_tests = format!(
        "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
        code.repeat(590),
        code.repeat(400)
    );
    assert_eq!(faults(&long, &["base", "id"], false).len(), 1);
    assert_eq!(faults(&with_tests, &["base", "id"], false).len(), 0);
}

/// Where the tests lie that a row of README.md's table of RFCs names, such as
/// `simulator/calls, faults; src/sdp`.
fn named_tests(row: &str) -> Vec<PathBuf> {
    let cell = row.trim_end_matches(['|', ' ']).rsplit(" | ").next();
    let mut paths = Vec::new();
    for group in cell.unwrap().split("; ") {
        let mut names = group.split(", ");
        let (folder, first) = names.next().unwrap().rsplit_once('/').unwrap_or_default();
        let folder = match folder {
            "simulator" => "src/sip/simulator",
            "peers" => "tests/peers",
            "net" => "src/net",
            folder => folder,
        };
        let all = std::iter::once(first).chain(names);
        paths.extend(all.map(|name| Path::new(folder).join(name)));
    }
    paths
}

#[test]
fn each_test_that_the_readme_names_for_an_rfc_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, table) = readme.split_once("## SIP, RFC by RFC").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let named: Vec<PathBuf> = rows.skip(1).flat_map(named_tests).collect();
    assert!(named.len() > 50, "{named:?}");
    let is_there = |path: &&PathBuf| {
        let path = root.join(path);
        path.exists() || path.with_extension("rs").exists()
    };
    let (_, missing): (Vec<&PathBuf>, Vec<&PathBuf>) = named.iter().partition(is_there);
    assert_eq!(missing, Vec::<&PathBuf>::new());
}

/// The names of tests that a row of docs/PROMISES.md gives.
fn promised_tests(row: &str) -> Vec<&str> {
    let cell = row.trim_end_matches(['|', ' ']).rsplit(" | ").next();
    let words = cell.unwrap_or_default().split('`').skip(1).step_by(2);
    words.filter(|word| !word.contains(' ')).collect()
}

#[test]
fn each_test_that_shows_a_promise_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promises = fs::read_to_string(root.join("docs/PROMISES.md")).unwrap();
    let (table, _) = promises.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let named: Vec<&str> = rows.skip(1).flat_map(promised_tests).collect();
    assert!(named.len() > 40, "{named:?}");
    let mut code = String::new();
    for folder in ["src", "tests"] {
        for file in rust_files(&root.join(folder)) {
            code.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    let is_there = |name: &&&str| code.contains(&format!("fn {name}() {{"));
    let (_, missing): (Vec<&&str>, Vec<&&str>) = named.iter().partition(is_there);
    assert_eq!(missing, Vec::<&&str>::new());
}
