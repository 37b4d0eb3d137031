//! With the feature `pseudo-locale`: the window's texts in a language that nobody speaks.
//!
//! And what is asked of the linker where it knows it:
//!
//! - The short form of the program's relocations (RELR): the long one is 0.6 MiB that are read into memory at each
//!   start.
//! - In a release, the functions that run side by side (build/order.py says why): 4 MB less in memory.

#[path = "build/pseudo_locale.rs"]
mod pseudo_locale;

use std::env;
use std::path::PathBuf;
use std::process::Command;

const SHORT_RELOCATIONS: &str = "-Wl,-z,pack-relative-relocs";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PSEUDO_LOCALE").is_some() {
        pseudo_locale::write();
    }
    let on = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    let gnu_linux = on("CARGO_CFG_TARGET_OS", "linux") && on("CARGO_CFG_TARGET_ENV", "gnu");
    let native = env::var_os("HOST") == env::var_os("TARGET");
    if !gnu_linux || !native {
        return;
    }
    if works(SHORT_RELOCATIONS) {
        println!("cargo::rustc-link-arg-bins={SHORT_RELOCATIONS}");
    }
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let order = format!("{folder}/build/order.ld");
    // By its whole path: where the project was moved with what was built, that names another place.
    println!("cargo::rerun-if-changed={order}");
    let order = format!("-Wl,-T,{order}");
    if on("PROFILE", "release") && works(&order) {
        println!("cargo::rustc-link-arg-bins={order}");
    }
}

/// Whether a program that is linked so starts.
fn works(option: &str) -> bool {
    let (Some(compiler), Some(folder)) = (env::var_os("RUSTC"), env::var_os("OUT_DIR")) else {
        return false;
    };
    let folder = PathBuf::from(folder);
    let (source, program) = (folder.join("probe.rs"), folder.join("probe"));
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut build = Command::new(compiler);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    build.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        build.arg("-C");
        build.arg(format!("linker={}", PathBuf::from(linker).display()));
    }
    build.arg("-C").arg(format!("link-arg={option}"));
    build.arg("-o").arg(&program).arg(&source);
    let succeeds = |command: &mut Command| command.output().is_ok_and(|it| it.status.success());
    succeeds(&mut build) && succeeds(&mut Command::new(&program))
}
