//! Which program opens which links: the user's `mimeapps.list`, of which each line that is not ours
//! stays as it is.

/// The links that the phone opens.
pub(super) const SCHEMES: [&str; 4] = ["tel", "sip", "sips", "callto"];

/// The program that a link opens at once, the first that is installed of a list.
const DEFAULTS: &str = "[Default Applications]";
/// The programs to choose from.
const ADDED: &str = "[Added Associations]";

/// The list with the entry as the first program for each link. What was first before comes second,
/// and is first again once the entry is gone.
pub(super) fn with(list: &str, entry: &str) -> String {
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    for group in [DEFAULTS, ADDED] {
        for scheme in SCHEMES {
            let key = key(scheme);
            match place(&lines, group, &key) {
                Place::Line(number) => {
                    if let Some(line) = lines.get_mut(number) {
                        let others = programs(line).filter(|program| *program != entry);
                        *line = written(&key, std::iter::once(entry).chain(others));
                    }
                }
                Place::EndOfGroup(number) => {
                    lines.insert(number, written(&key, std::iter::once(entry)));
                }
                Place::NoGroup => {
                    if lines.last().is_some_and(|last| !last.trim().is_empty()) {
                        lines.push(String::new());
                    }
                    lines.push(group.to_owned());
                    lines.push(written(&key, std::iter::once(entry)));
                }
            }
        }
    }
    joined(&lines)
}

/// The list without the entry; groups that hold nothing else go too.
pub(super) fn without(list: &str, entry: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut group = String::new();
    let mut taken = false;
    for line in list.lines() {
        if line.trim_start().starts_with('[') {
            line.trim().clone_into(&mut group);
        }
        let ours = (group == DEFAULTS || group == ADDED)
            && SCHEMES.iter().any(|scheme| is_key(line, &key(scheme)));
        if !ours || programs(line).all(|program| program != entry) {
            lines.push(line.to_owned());
            continue;
        }
        taken = true;
        let mut others = programs(line)
            .filter(|program| *program != entry)
            .peekable();
        if others.peek().is_some() {
            let name = line.split('=').next().unwrap_or_default().trim();
            lines.push(written(name, others));
        }
    }
    if !taken {
        return list.to_owned();
    }
    joined(&without_empty_groups(lines))
}

/// Where a key of a group stands, or would.
enum Place {
    Line(usize),
    EndOfGroup(usize),
    NoGroup,
}

fn place(lines: &[String], group: &str, key: &str) -> Place {
    let Some(start) = lines.iter().position(|line| line.trim() == group) else {
        return Place::NoGroup;
    };
    let mut end = start + 1;
    for (number, line) in lines.iter().enumerate().skip(start + 1) {
        if line.trim_start().starts_with('[') {
            break;
        }
        if is_key(line, key) {
            return Place::Line(number);
        }
        if !line.trim().is_empty() {
            end = number + 1;
        }
    }
    Place::EndOfGroup(end)
}

/// Drops the two groups where no line is left in them.
fn without_empty_groups(lines: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut rest = lines.into_iter().peekable();
    while let Some(line) = rest.next() {
        if line.trim() != DEFAULTS && line.trim() != ADDED {
            kept.push(line);
            continue;
        }
        let mut blank = Vec::new();
        while let Some(next) = rest.next_if(|next| next.trim().is_empty()) {
            blank.push(next);
        }
        let empty = rest
            .peek()
            .is_none_or(|next| next.trim_start().starts_with('['));
        if !empty {
            kept.push(line);
            kept.extend(blank);
        }
    }
    while kept.last().is_some_and(|last| last.trim().is_empty()) {
        kept.pop();
    }
    kept
}

fn key(scheme: &str) -> String {
    format!("x-scheme-handler/{scheme}")
}

fn is_key(line: &str, key: &str) -> bool {
    line.split_once('=')
        .is_some_and(|(name, _)| name.trim() == key)
}

fn programs(line: &str) -> impl Iterator<Item = &str> {
    let (_, value) = line.split_once('=').unwrap_or_default();
    value
        .split(';')
        .map(str::trim)
        .filter(|program| !program.is_empty())
}

fn written<'a>(key: &str, programs: impl Iterator<Item = &'a str>) -> String {
    let mut line = format!("{key}=");
    for program in programs {
        line.push_str(program);
        line.push(';');
    }
    line
}

fn joined(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "ringdesk.desktop";

    #[test]
    fn an_empty_list_gets_both_groups_and_is_empty_again() {
        let list = with("", OURS);
        assert!(
            list.starts_with(
                "[Default Applications]\nx-scheme-handler/tel=ringdesk.desktop;\n\
                 x-scheme-handler/sip=ringdesk.desktop;\n"
            ),
            "{list}"
        );
        assert_eq!(list.matches("x-scheme-handler/").count(), 8, "{list}");
        assert_eq!(with(&list, OURS), list, "the second time changes nothing");
        assert_eq!(without(&list, OURS), "");
    }

    #[test]
    fn who_was_first_comes_second_and_is_first_again() {
        let before = "# mine\n[Default Applications]\ntext/html=firefox.desktop\n\
                      x-scheme-handler/tel=calls.desktop;other.desktop;\n\n\
                      [Removed Associations]\nx-scheme-handler/sip=linphone.desktop;\n";
        let list = with(before, OURS);
        assert!(
            list.contains("x-scheme-handler/tel=ringdesk.desktop;calls.desktop;other.desktop;\n"),
            "{list}"
        );
        assert!(
            list.contains("x-scheme-handler/sips=ringdesk.desktop;\n"),
            "{list}"
        );
        assert!(
            list.contains("[Removed Associations]\nx-scheme-handler/sip=linphone.desktop;\n"),
            "{list}"
        );
        assert_eq!(without(&list, OURS), before);
    }

    #[test]
    fn a_list_that_never_named_the_entry_stays_as_it_is() {
        let list = "[Default Applications]\r\nx-scheme-handler/tel=calls.desktop\r\n\r\n\r\n";
        assert_eq!(without(list, OURS), list);
    }
}
