//! The menu entry and the one that starts the phone with the session.

use std::path::Path;

use super::InstallError;

/// The entry as packages install it.
const ENTRY: &str = include_str!("../../../assets/ringdesk.desktop");
/// The program of that entry.
const PACKAGED: &str = "Exec=ringdesk %u\n";

/// The entry of the menu, which opens links too.
pub(super) fn menu(program: &Path) -> Result<String, InstallError> {
    let ours = format!("Exec={} %u\n", exec(program)?);
    Ok(ENTRY.replace(PACKAGED, &ours))
}

/// The entry of the session's start: without what is for menus.
pub(super) fn autostart(program: &Path) -> Result<String, InstallError> {
    let ours = format!("Exec={}\n", exec(program)?);
    let mut text: String = ENTRY
        .replace(PACKAGED, &ours)
        .split_inclusive('\n')
        .filter(|line| {
            let for_menus = ["Categories=", "Keywords=", "MimeType="];
            !for_menus.iter().any(|key| line.starts_with(key))
        })
        .collect();
    text.push_str("X-GNOME-Autostart-enabled=true\n");
    Ok(text)
}

/// The program as an argument of the key Exec: first the quoting of arguments, then the escapes of
/// every string, then the field codes.
fn exec(program: &Path) -> Result<String, InstallError> {
    let refused = || InstallError::Program(program.to_owned());
    let path = program.to_str().ok_or_else(refused)?;
    // The specification forbids the equals sign in the program's path.
    if path
        .chars()
        .any(|letter| letter.is_control() || letter == '=')
    {
        return Err(refused());
    }
    // Without need it is not quoted: xdg-open (1.1.3), where it reads entries itself, takes the quotes
    // for a part of the name.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,@:".contains(letter);
    if path.chars().all(plain) {
        return Ok(path.to_owned());
    }
    let mut quoted = String::from("\"");
    for letter in path.chars() {
        match letter {
            '"' | '`' | '$' => {
                quoted.push_str("\\\\");
                quoted.push(letter);
            }
            '\\' => quoted.push_str("\\\\\\\\"),
            '%' => quoted.push_str("%%"),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::install::associations;

    #[test]
    fn a_path_is_quoted_twice_and_its_percent_signs_are_no_field_codes() {
        let exec = |path: &str| exec(Path::new(path)).unwrap();
        assert_eq!(exec("/usr/bin/ringdesk"), "/usr/bin/ringdesk");
        assert_eq!(
            exec("/home/a b/100%/ringdesk"),
            "\"/home/a b/100%%/ringdesk\""
        );
        assert_eq!(exec(r"/o/$x`y\z"), r#""/o/\\$x\\`y\\\\z""#);
    }

    #[test]
    fn a_path_that_no_entry_can_name_is_refused() {
        for path in ["/home/a=b/ringdesk", "/home/a\nb/ringdesk"] {
            let refused = menu(Path::new(path)).unwrap_err().to_string();
            assert!(refused.contains("move it"), "{refused}");
        }
    }

    #[test]
    fn only_the_entry_of_the_menu_takes_links() {
        let program = Path::new("/usr/bin/ringdesk");
        let (menu, start) = (menu(program).unwrap(), autostart(program).unwrap());
        assert!(menu.contains("Exec=/usr/bin/ringdesk %u\n"), "{menu}");
        let schemes = associations::SCHEMES.map(|scheme| format!("x-scheme-handler/{scheme};"));
        let types = format!("MimeType={}\n", schemes.concat());
        assert!(menu.contains(&types), "{menu}");
        assert!(start.contains("Exec=/usr/bin/ringdesk\n"), "{start}");
        assert!(!start.contains("MimeType"), "{start}");
    }
}
