use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

const PROGRAM: &str = "/opt/Ring desk/ringdesk";

fn folders(home: &TempDir) -> Folders {
    let home = home.path().to_owned();
    Folders::by_environment(|name| (name == "HOME").then(|| home.clone())).unwrap()
}

fn installed(folders: &Folders, autostart: bool) -> Vec<Step> {
    install(folders, Path::new(PROGRAM), autostart).unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_installed_is_removed_and_nothing_else() {
    let home = TempDir::new().unwrap();
    let folders = folders(&home);
    let other = folders.data.join("applications/other.desktop");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, "theirs").unwrap();

    let steps = installed(&folders, true);
    let wrote = steps.iter().filter(|step| matches!(step, Step::Wrote(_)));
    assert_eq!(wrote.count(), 11, "{steps:#?}");
    assert!(steps.contains(&Step::Opens("tel")), "{steps:#?}");
    assert_eq!(autostart(&folders).unwrap(), Autostart::On);
    let again = installed(&folders, true);
    assert!(
        !again.iter().any(|step| matches!(step, Step::Wrote(_))),
        "{again:#?}"
    );

    let gone = uninstall(&folders).unwrap();
    assert!(gone.contains(&Step::OpensNoMore("callto")), "{gone:#?}");
    assert_eq!(files(home.path()), [other]);
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(
        left.len(),
        1,
        "the folders that were made are gone: {left:?}"
    );
    assert_eq!(uninstall(&folders).unwrap(), []);
}

#[test]
fn what_somebody_else_wrote_or_changed_stays() {
    let home = TempDir::new().unwrap();
    let folders = folders(&home);
    let entry = folders.entry();
    fs::create_dir_all(entry.parent().unwrap()).unwrap();
    fs::write(&entry, "theirs").unwrap();
    let steps = installed(&folders, true);
    assert!(steps.contains(&Step::Left(entry.clone())), "{steps:#?}");
    assert_eq!(fs::read_to_string(&entry).unwrap(), "theirs");

    let start = folders.autostart_entry();
    fs::write(&start, "changed").unwrap();
    let steps = uninstall(&folders).unwrap();
    assert!(steps.contains(&Step::Left(start.clone())), "{steps:#?}");
    assert_eq!(files(home.path()), [start, entry]);
}

#[test]
fn a_newer_program_takes_the_place_of_the_older_entry() {
    let home = TempDir::new().unwrap();
    let folders = folders(&home);
    installed(&folders, false);
    let moved = install(&folders, Path::new("/usr/bin/ringdesk"), false).unwrap();
    assert!(moved.contains(&Step::Wrote(folders.entry())), "{moved:#?}");
    uninstall(&folders).unwrap();
    assert_eq!(files(home.path()), [] as [PathBuf; 0]);
}

#[test]
fn the_start_with_the_session_is_switched_on_and_off() {
    let home = TempDir::new().unwrap();
    let folders = folders(&home);
    let set = |on| set_autostart(&folders, Path::new(PROGRAM), on).unwrap();
    let is = || autostart(&folders).unwrap();
    for _ in 0..2 {
        set(true);
        assert_eq!(is(), Autostart::On);
    }
    fs::remove_file(folders.autostart_entry()).unwrap();
    assert_eq!(is(), Autostart::TakenAway);
    for _ in 0..2 {
        set(false);
        assert_eq!(is(), Autostart::Off);
    }
    set(true);
    uninstall(&folders).unwrap();
    assert_eq!(files(home.path()), [] as [PathBuf; 0]);
}
