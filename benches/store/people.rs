//! Who is in the large store: names, numbers and calls, all from their count.

/// The commonest first names come first: a name's place decides how often it is drawn.
const FIRST: [&str; 60] = [
    "Anna",
    "Michael",
    "Maria",
    "Thomas",
    "Andreas",
    "Ursula",
    "Peter",
    "Sabine",
    "Stefan",
    "Monika",
    "Christian",
    "Petra",
    "Klaus",
    "Susanne",
    "Markus",
    "Claudia",
    "Jürgen",
    "Martina",
    "Martin",
    "Birgit",
    "Frank",
    "Andrea",
    "Daniel",
    "Katharina",
    "Jörg",
    "Julia",
    "Uwe",
    "Stefanie",
    "Alexander",
    "Karin",
    "Jan",
    "Gabriele",
    "Matthias",
    "Heike",
    "Tobias",
    "Nicole",
    "Sebastian",
    "Melanie",
    "Florian",
    "Sandra",
    "Mehmet",
    "Ayşe",
    "Olga",
    "Dmitri",
    "Giulia",
    "Marco",
    "Zoë",
    "Noël",
    "Søren",
    "Łukasz",
    "Agnieszka",
    "Ivan",
    "Elena",
    "Ali",
    "Fatma",
    "Chloé",
    "René",
    "Mónica",
    "José",
    "Ingeborg",
];

const LAST: [&str; 100] = [
    "Müller",
    "Schmidt",
    "Schneider",
    "Fischer",
    "Weber",
    "Meyer",
    "Wagner",
    "Becker",
    "Schulz",
    "Hoffmann",
    "Schäfer",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Schröder",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hofmann",
    "Hartmann",
    "Lange",
    "Schmitt",
    "Werner",
    "Schmitz",
    "Krause",
    "Meier",
    "Lehmann",
    "Schmid",
    "Schulze",
    "Maier",
    "Köhler",
    "Herrmann",
    "König",
    "Walter",
    "Mayer",
    "Huber",
    "Kaiser",
    "Fuchs",
    "Peters",
    "Lang",
    "Scholz",
    "Möller",
    "Weiß",
    "Jung",
    "Hahn",
    "Schubert",
    "Vogel",
    "Friedrich",
    "Keller",
    "Günther",
    "Frank",
    "Berger",
    "Winkler",
    "Roth",
    "Beck",
    "Lorenz",
    "Baumann",
    "Franke",
    "Albrecht",
    "Schuster",
    "Simon",
    "Ludwig",
    "Böhm",
    "Winter",
    "Kraus",
    "Martin",
    "Schumacher",
    "Krämer",
    "Vogt",
    "Stein",
    "Jäger",
    "Otto",
    "Sommer",
    "Groß",
    "Seidel",
    "Heinrich",
    "Brandt",
    "Haas",
    "Schreiber",
    "Graf",
    "Schulte",
    "Dietrich",
    "Ziegler",
    "Kuhn",
    "Kühn",
    "Pohl",
    "Engel",
    "Horn",
    "Busch",
    "Bergmann",
    "Thomas",
    "Voigt",
    "Sauer",
    "Arnold",
    "Wolff",
    "Pfeiffer",
];

const TRADES: [&str; 20] = [
    "Bau",
    "Logistik",
    "Elektro",
    "Druckerei",
    "Optik",
    "Software",
    "Apotheke",
    "Möbel",
    "Reisen",
    "Metallbau",
    "Verlag",
    "Sanitär",
    "Gartenbau",
    "Immobilien",
    "Spedition",
    "Maschinenbau",
    "Bäckerei",
    "Medizintechnik",
    "Autohaus",
    "Versicherung",
];

const FORMS: [&str; 4] = ["GmbH", "AG", "KG", "e.K."];

/// So many people work for one organization.
pub(crate) const COLLEAGUES: u64 = 20;

/// `SplitMix64` of a number: the same person each time.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of a list, the first ones more often.
fn common<'a>(list: &[&'a str], draw: u64) -> &'a str {
    let length = u64::try_from(list.len()).unwrap();
    let at = (draw % length) * (draw / length % length) / length;
    list[usize::try_from(at).unwrap()]
}

pub(crate) fn name(person: u64) -> String {
    let draw = mixed(person);
    format!(
        "{} {}",
        common(&FIRST, draw >> 32),
        common(&LAST, draw & 0xffff_ffff)
    )
}

pub(crate) fn organization(number: u64) -> String {
    let draw = mixed(number ^ 0x0066_6c61);
    let trade = TRADES[usize::try_from(draw % 20).unwrap()];
    let form = FORMS[usize::try_from(draw / 20 % 4).unwrap()];
    format!("{} {trade} {form}", common(&LAST, draw >> 16))
}

/// A person's numbers in international form without `+`: each has one at work, every tenth that of all
/// colleagues, and six of ten a mobile.
pub(crate) fn numbers(person: u64) -> Vec<String> {
    let work = if person.is_multiple_of(10) {
        format!("4930{}", 80_000_000 + person / COLLEAGUES)
    } else {
        format!("4930{}", 20_000_000 + person)
    };
    let mut numbers = vec![work];
    if person % 5 < 3 {
        numbers.push(format!("49171{}", 1_000_000 + person * 7 % 9_000_000));
    }
    numbers
}

/// Who a call is with: a person, some of them far more often, or a number that nobody has.
pub(crate) fn caller(call: u64, people: u64) -> (Option<u64>, String) {
    let draw = mixed(call ^ 0x6361_6c6c);
    if draw.is_multiple_of(10) {
        return (None, format!("4940{}", 20_000_000 + draw % 3_000_000));
    }
    let share = |of: u64| (draw >> 8) % of.max(1);
    let person = match draw % 10 {
        1 => share(50),
        2 | 3 => share(people / 100),
        _ => share(people),
    };
    let numbers = numbers(person);
    let number = &numbers[usize::try_from(draw >> 40).unwrap() % numbers.len()];
    (Some(person), number.clone())
}

/// A name as the store sorts it.
pub(crate) fn folded(name: &str) -> String {
    let mut folded = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'ä' => folded.push('a'),
            'ö' | 'ø' | 'ó' => folded.push('o'),
            'ü' => folded.push('u'),
            'ß' => folded.push_str("ss"),
            'é' | 'ë' => folded.push('e'),
            'ş' => folded.push('s'),
            'ł' => folded.push('l'),
            other => folded.push(other),
        }
    }
    folded
}
