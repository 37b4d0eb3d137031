//! What a table's columns mean: guessed by their headings, or said by the user.
//!
//! The headings are those that Outlook, Google Contacts and telephone systems write, in English,
//! German, French, Spanish, Italian, Dutch, Portuguese and Polish; marks, blanks and case do not
//! matter.

use crate::crm::exchange_row::ColumnView;
use crate::crm::import::ImportError;
use crate::crm::import::person::label;
use crate::crm::search::folded;

/// What a column's cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Ignore,
    Name,
    First,
    Middle,
    Last,
    /// A title before the name.
    Prefix,
    Suffix,
    Nickname,
    Organization,
    Role,
    Email,
    /// A number with its label; the column with this number has a better one in each line.
    Number(String, Option<usize>),
    /// What kind the number or address is that has this key, such as `phone1`.
    KindOf(String),
    Notes,
    Uid,
}

impl Meaning {
    /// How it is written in a mapping.
    fn word(&self) -> String {
        let word = match self {
            Self::Ignore => "ignore",
            Self::Name => "name",
            Self::First => "first-name",
            Self::Middle => "middle-name",
            Self::Last => "last-name",
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Nickname => "nickname",
            Self::Organization => "organization",
            Self::Role => "role",
            Self::Email => "email",
            Self::Notes => "notes",
            Self::Uid => "uid",
            Self::KindOf(of) => return format!("label of {of}"),
            Self::Number(label, None) => return format!("number:{label}"),
            Self::Number(label, Some(_)) => return format!("number:{label} or as labelled"),
        };
        word.to_owned()
    }

    /// Reads what [`Self::word`] writes, as far as a user can say it.
    fn said(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        if word.trim() == "number" {
            let label = if rest.trim().is_empty() {
                "Phone"
            } else {
                rest.trim()
            };
            return Some(Self::Number(label.to_owned(), None));
        }
        [
            Self::Ignore,
            Self::Name,
            Self::First,
            Self::Middle,
            Self::Last,
            Self::Prefix,
            Self::Suffix,
            Self::Nickname,
            Self::Organization,
            Self::Role,
            Self::Email,
            Self::Notes,
            Self::Uid,
        ]
        .into_iter()
        .find(|meaning| meaning.word() == text.trim())
    }
}

/// What a mapping may say.
const WORDS: &str = "name, first-name, middle-name, last-name, prefix, suffix, nickname, organization, role, email, number or number:LABEL, notes, uid and ignore";

/// A table's columns.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) headings: Vec<String>,
    pub(super) meanings: Vec<Meaning>,
}

impl Columns {
    /// Guesses what each column means and follows the mapping.
    pub(super) fn of(headings: &[String], map: &[String]) -> Result<Self, ImportError> {
        let mut meanings: Vec<Meaning> = headings.iter().map(|heading| guessed(heading)).collect();
        settle_titles(headings, &mut meanings);
        for said in map {
            let (column, meaning) = said.rsplit_once('=').unwrap_or((said, ""));
            let meaning = Meaning::said(meaning).ok_or_else(|| {
                ImportError::Map(format!(
                    "{said:?}: what stands behind = must be one of {WORDS}"
                ))
            })?;
            let place = place_of(headings, column.trim()).ok_or_else(|| {
                ImportError::Map(format!(
                    "{said:?}: there is no column {:?}; there are {}",
                    column.trim(),
                    listed(headings)
                ))
            })?;
            if let Some(slot) = meanings.get_mut(place) {
                *slot = meaning;
            }
        }
        settle_names(&mut meanings);
        settle_kinds(headings, &mut meanings);
        let useful = meanings.iter().any(|meaning| {
            !matches!(
                meaning,
                Meaning::Ignore | Meaning::KindOf(_) | Meaning::Notes | Meaning::Uid
            )
        });
        if !useful {
            return Err(ImportError::NoColumns(listed(headings)));
        }
        Ok(Self {
            headings: headings.to_vec(),
            meanings,
        })
    }

    /// Shows them, with an example of each.
    pub(super) fn views(&self, examples: &[String]) -> Vec<ColumnView> {
        let columns = self.headings.iter().zip(&self.meanings).enumerate();
        columns
            .map(|(place, (heading, meaning))| ColumnView {
                heading: heading.clone(),
                meaning: meaning.word(),
                example: examples.get(place).cloned().unwrap_or_default(),
            })
            .collect()
    }
}

fn listed(headings: &[String]) -> String {
    let quoted: Vec<String> = headings.iter().map(|it| format!("{it:?}")).collect();
    quoted.join(", ")
}

/// Finds a column by its heading, by what its heading folds to, or by its number.
fn place_of(headings: &[String], column: &str) -> Option<usize> {
    let exact = headings.iter().position(|heading| heading.trim() == column);
    exact
        .or_else(|| {
            let wanted = squeezed(column);
            headings
                .iter()
                .position(|heading| squeezed(heading) == wanted)
        })
        .or_else(|| {
            let number: usize = column.trim_start_matches('#').parse().ok()?;
            number
                .checked_sub(1)
                .filter(|place| *place < headings.len())
        })
}

/// A heading without case, marks, blanks and signs.
fn squeezed(heading: &str) -> String {
    folded(heading)
        .chars()
        .filter(|character| character.is_alphanumeric())
        .collect()
}

/// The key of Google's pairs, such as `phone1` of `Phone 1 - Value`, and the part behind it.
fn pair(heading: &str) -> Option<(String, String)> {
    let (key, part) = heading.rsplit_once(" - ")?;
    Some((squeezed(key), squeezed(part)))
}

fn guessed(heading: &str) -> Meaning {
    if let Some((key, part)) = pair(heading) {
        let kind = key.trim_end_matches(|last: char| last.is_ascii_digit());
        return match (kind, part.as_str()) {
            ("phone", "value") => Meaning::Number("Phone".to_owned(), None),
            ("email", "value") => Meaning::Email,
            ("phone", "type" | "label") => Meaning::KindOf(key),
            ("organization", "name") => Meaning::Organization,
            ("organization", "title") => Meaning::Role,
            _ => Meaning::Ignore,
        };
    }
    let word = squeezed(heading);
    known(&word)
        .or_else(|| {
            // Telefon 2, Telefon geschäftlich 2, E-Mail 2: Adresse.
            let without: String = word.chars().filter(|it| !it.is_ascii_digit()).collect();
            (without != word).then(|| known(&without)).flatten()
        })
        .unwrap_or(Meaning::Ignore)
}

fn known(word: &str) -> Option<Meaning> {
    let in_list = |list: &str| list.split_whitespace().any(|known| known == word);
    TEXTS
        .iter()
        .find(|(_, list)| in_list(list))
        .map(|(meaning, _)| meaning.clone())
        .or_else(|| {
            let (label, _) = NUMBERS.iter().find(|(_, list)| in_list(list))?;
            Some(Meaning::Number((*label).to_owned(), None))
        })
}

/// Headings of texts, squeezed.
const TEXTS: [(Meaning, &str); 12] = [
    (
        Meaning::Name,
        "name fullname displayname contactname fileas anzeigename vollername vollstandigername kontakt ansprechpartner contact nom nomcomplet nomaffiche nombre nombrecompleto nome nomecompleto nominativo naam volledigenaam nazwa imieinazwisko",
    ),
    (
        Meaning::First,
        "firstname givenname forename vorname prenom nombredepila primernombre primeironome voornaam imie",
    ),
    (
        Meaning::Middle,
        "middlename additionalname weiterevornamen weiterervorname zweitervorname deuxiemeprenom segundonombre secondonome tweedenaam drugieimie",
    ),
    (
        Meaning::Last,
        "lastname surname familyname nachname familienname zuname nomdefamille apellidos apellido cognome achternaam sobrenome apelido ultimonome nazwisko",
    ),
    (
        Meaning::Prefix,
        "nameprefix honorificprefix prefix anrede salutation civilite tratamiento titolo aanhef tratamento",
    ),
    (
        Meaning::Suffix,
        "suffix namesuffix suffixe sufijo suffisso achtervoegsel sufixo",
    ),
    (
        Meaning::Nickname,
        "nickname spitzname surnom apodo soprannome bijnaam apelidos alcunha",
    ),
    (
        Meaning::Organization,
        "company companyname organization organisation organizationname organisationname employer account accountname firma firmenname unternehmen organisationsname societe entreprise nomdelasociete raisonsociale empresa compania organizacion sociedad societa azienda ditta organizzazione bedrijf organisatie bedrijfsnaam organizacao przedsiebiorstwo organizacja",
    ),
    (
        Meaning::Role,
        "role jobtitle position title occupation organizationtitle funktion rolle beruf stellung titel fonction poste titre cargo puesto funcion posizione qualifica mansione functie funcao stanowisko",
    ),
    (
        Meaning::Email,
        "email mail emailaddress emailaddresses mailaddress primaryemail workemail homeemail personalemail businessemail emailadresse mailadresse emailgeschaftlich emailprivat courriel adresseemail adressedemessagerie adressemail messagerie correo correoelectronico direcciondecorreoelectronico emailprincipal postaelettronica indirizzoemail indirizzopostaelettronica indirizzodipostaelettronica emailadres enderecodeemail adresemail",
    ),
    (
        Meaning::Notes,
        "notes note comment comments remark remarks description notizen notiz bemerkung bemerkungen anmerkung anmerkungen kommentar beschreibung remarque remarques commentaire commentaires notas nota observaciones comentarios commenti annotazioni notities opmerking opmerkingen observacoes notatki uwagi",
    ),
    (
        Meaning::Uid,
        "uid uuid contactid externalid kundennummer customernumber",
    ),
];

/// Headings of numbers, squeezed, by the label that they get.
const NUMBERS: [(&str, &str); 12] = [
    (
        "Phone",
        "phone phonenumber phonenumbers telephone telephonenumber tel telno number primaryphone otherphone telefon telefonnummer rufnummer nummer fon festnetz telefonnr telnr weiterestelefon haupttelefon numerodetelephone autretelephone telephoneprincipal telefono numerodetelefono otrotelefono telefonoprincipal altrotelefono telefoonnummer telefoon telefone numerodetelefone numertelefonu",
    ),
    (
        "Work",
        "work workphone businessphone business office officephone telefongeschaftlich geschaftlich telefonarbeit telefonburo buro dienstlich telefondienstlich firmentelefon telephonebureau bureau telephoneprofessionnel telprofessionnel telbureau telefonodeltrabajo telefonotrabajo trabajo telefonooficina telefonoufficio ufficio telefonolavoro telefoonwerk werktelefoon zakelijk telefonecomercial telefonedotrabalho telefonsluzbowy",
    ),
    (
        "Home",
        "home homephone private privatephone telefonprivat privat privattelefon telephonedomicile domicile telephonepersonnel telephoneprive telefonoparticular particular telefonocasa telefonodecasa casa abitazione telefonoabitazione telefoonthuis thuis telefoneresidencial telefonedecasa telefondomowy",
    ),
    (
        "Mobile",
        "mobile mobilephone mobilenumber cell cellphone cellular handy handynummer mobil mobiltelefon mobilnummer mobilfunk handyprivat mobilprivat portable telephoneportable telportable telmobile telephonemobile mobilepersonnel movil telefonomovil celular telefonocelular cellulare telefonocellulare mobiel mobieltelefoon gsm telemovel telefonecelular komorka telefonkomorkowy",
    ),
    (
        "Work mobile",
        "workmobile businessmobile handygeschaftlich mobilgeschaftlich mobiltelefongeschaftlich mobildienstlich handydienstlich mobilebureau mobileprofessionnel moviltrabajo",
    ),
    (
        "Main",
        "main mainphone companymainphone companyphone telefonfirma zentrale hauptnummer telefonzentrale standard telephonesociete centralita telefonodelaempresa centralino",
    ),
    (
        "Work fax",
        "workfax businessfax faxgeschaftlich faxburo faxdienstlich telecopiebureau faxbureau faxdeltrabajo faxtrabajo faxufficio faxwerk",
    ),
    (
        "Home fax",
        "homefax faxprivat telecopiedomicile faxdomicile faxparticular faxabitazione faxthuis",
    ),
    (
        "Fax",
        "fax faxnumber telefax faxnummer otherfax weiteresfax telecopie telecopieur autretelecopie fakes faks",
    ),
    (
        "Pager",
        "pager buscapersonas cercapersone recepteurderadiomessagerie",
    ),
    ("Car", "carphone autotelefon telephonevoiture telefonoauto"),
    ("SIP", "sip sipaddress sipuri sipadresse voip"),
];

/// `Title` is the job, unless another column is: then it stands before the name (Outlook).
fn settle_titles(headings: &[String], meanings: &mut [Meaning]) {
    let is_title =
        |heading: &str| ["title", "titel", "titre"].contains(&squeezed(heading).as_str());
    let job = headings
        .iter()
        .zip(meanings.iter())
        .any(|(heading, meaning)| *meaning == Meaning::Role && !is_title(heading));
    let mut titles = 0;
    for (heading, meaning) in headings.iter().zip(meanings) {
        if *meaning == Meaning::Role && is_title(heading) {
            titles += 1;
            // French Outlook calls both so: the first stands before the name.
            let several = headings.iter().filter(|it| is_title(it)).count() > 1;
            if job || (several && titles == 1) {
                *meaning = Meaning::Prefix;
            }
        }
    }
}

/// `Name` beside a column of first names is the last name, beside one of last names the first.
fn settle_names(meanings: &mut [Meaning]) {
    let first = meanings.contains(&Meaning::First);
    let last = meanings.contains(&Meaning::Last);
    let part = match (first, last) {
        (true, false) => Meaning::Last,
        (false, true) => Meaning::First,
        (true, true) | (false, false) => return,
    };
    if let Some(name) = meanings.iter_mut().find(|it| **it == Meaning::Name) {
        *name = part;
    }
}

/// Gives each number of a pair the column with its label.
fn settle_kinds(headings: &[String], meanings: &mut [Meaning]) {
    let kinds: Vec<(usize, String)> = meanings
        .iter()
        .enumerate()
        .filter_map(|(place, meaning)| match meaning {
            Meaning::KindOf(of) => Some((place, of.clone())),
            _ => None,
        })
        .collect();
    for (heading, meaning) in headings.iter().zip(meanings) {
        if let (Meaning::Number(_, kind @ None), Some((key, _))) = (meaning, pair(heading)) {
            *kind = kinds
                .iter()
                .find(|(_, of)| *of == key)
                .map(|(place, _)| *place);
        }
    }
}

/// The label that a cell of Google's gives, such as `* Mobile` or `workFax`; none when it says nothing.
pub(super) fn label_of_cell(cell: &str) -> Option<String> {
    let word = cell.trim().trim_start_matches('*').trim();
    if word.is_empty() || word.eq_ignore_ascii_case("other") {
        return None;
    }
    let types: Vec<String> = match word.to_lowercase().as_str() {
        "workfax" | "work fax" => vec!["work".to_owned(), "fax".to_owned()],
        "homefax" | "home fax" => vec!["home".to_owned(), "fax".to_owned()],
        "work" | "home" | "mobile" | "cell" | "fax" | "pager" | "main" | "car" | "sip" => {
            vec![word.to_lowercase()]
        }
        _ => return Some(word.to_owned()),
    };
    Some(label(&types))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(header: &str) -> Vec<String> {
        let headings: Vec<String> = header.split(',').map(str::to_owned).collect();
        let columns = Columns::of(&headings, &[]).unwrap();
        columns.meanings.iter().map(Meaning::word).collect()
    }

    fn used(header: &str) -> Vec<String> {
        let mut words = words(header);
        words.retain(|word| word != "ignore");
        words
    }

    /// The headings as the programs write them.
    #[test]
    fn outlook_speaks_many_languages() {
        assert_eq!(
            used(
                "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,Business Fax,Business Phone,Business Phone 2,Callback,Home Phone,Mobile Phone,Pager,E-mail Address,E-mail Type,E-mail 2 Address,Notes,Web Page"
            ),
            [
                "prefix",
                "first-name",
                "middle-name",
                "last-name",
                "suffix",
                "organization",
                "role",
                "number:Work fax",
                "number:Work",
                "number:Work",
                "number:Home",
                "number:Mobile",
                "number:Pager",
                "email",
                "email",
                "notes"
            ]
        );
        assert_eq!(
            used(
                "Anrede,Vorname,Weitere Vornamen,Nachname,Suffix,Firma,Abteilung,Position,Fax geschäftlich,Telefon geschäftlich,Telefon geschäftlich 2,Telefon (privat),Mobiltelefon,E-Mail-Adresse,E-Mail 2: Adresse,Notizen"
            ),
            [
                "prefix",
                "first-name",
                "middle-name",
                "last-name",
                "suffix",
                "organization",
                "role",
                "number:Work fax",
                "number:Work",
                "number:Work",
                "number:Home",
                "number:Mobile",
                "email",
                "email",
                "notes"
            ]
        );
        assert_eq!(
            used(
                "Titre,Prénom,Deuxième prénom,Nom,Suffixe,Société,Service,Titre,Télécopie (bureau),Téléphone (bureau),Téléphone 2 (bureau),Téléphone (domicile),Tél. mobile,Adresse de messagerie,Notes"
            ),
            [
                "prefix",
                "first-name",
                "middle-name",
                "last-name",
                "suffix",
                "organization",
                "role",
                "number:Work fax",
                "number:Work",
                "number:Work",
                "number:Home",
                "number:Mobile",
                "email",
                "notes"
            ]
        );
        assert_eq!(
            used(
                "Tratamiento,Nombre,Segundo nombre,Apellidos,Sufijo,Organización,Cargo,Fax del trabajo,Teléfono del trabajo,Teléfono particular,Teléfono móvil,Dirección de correo electrónico,Notas"
            ),
            [
                "prefix",
                "first-name",
                "middle-name",
                "last-name",
                "suffix",
                "organization",
                "role",
                "number:Work fax",
                "number:Work",
                "number:Home",
                "number:Mobile",
                "email",
                "notes"
            ]
        );
        assert_eq!(
            used("Nome,Cognome,Società,Posizione,Telefono ufficio,Abitazione,Cellulare,Note"),
            [
                "first-name",
                "last-name",
                "organization",
                "role",
                "number:Work",
                "number:Home",
                "number:Mobile",
                "notes"
            ]
        );
    }

    #[test]
    fn google_has_pairs_of_label_and_value() {
        assert_eq!(
            used(
                "Name,Given Name,Additional Name,Family Name,Notes,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Organization 1 - Name,Organization 1 - Title"
            ),
            [
                "name",
                "first-name",
                "middle-name",
                "last-name",
                "notes",
                "email",
                "label of phone1",
                "number:Phone or as labelled",
                "label of phone2",
                "number:Phone or as labelled",
                "organization",
                "role"
            ]
        );
        for (cell, label) in [
            ("* Mobile", Some("Mobile")),
            ("workFax", Some("Work fax")),
            ("Zentrale", Some("Zentrale")),
            ("Other", None),
            ("", None),
        ] {
            assert_eq!(label_of_cell(cell).as_deref(), label);
        }
    }

    #[test]
    fn a_name_means_what_the_other_columns_leave() {
        assert_eq!(
            used("Name,Vorname,Tel."),
            ["last-name", "first-name", "number:Phone"]
        );
        assert_eq!(
            used("Nombre,Apellidos,Tel"),
            ["first-name", "last-name", "number:Phone"]
        );
        assert_eq!(used("Name,Telefon"), ["name", "number:Phone"]);
        assert_eq!(used("Title,Name"), ["role", "name"]);
    }

    #[test]
    fn a_mapping_wins_and_is_told_when_it_is_wrong() {
        let headings: Vec<String> = ["Wer", "Telefon 2", "a=b"].map(str::to_owned).to_vec();
        let map = ["wer=name", "Telefon 2=number:Work", "#3=notes"].map(str::to_owned);
        let columns = Columns::of(&headings, &map).unwrap();
        assert_eq!(
            columns.meanings,
            [
                Meaning::Name,
                Meaning::Number("Work".to_owned(), None),
                Meaning::Notes
            ]
        );
        let error = |map: &str| {
            let error = Columns::of(&headings, &[map.to_owned()]).unwrap_err();
            error.to_string()
        };
        assert!(Columns::of(&headings, &["a=b=name".to_owned()]).is_ok());
        assert!(error("Wen=name").contains("there are \"Wer\", \"Telefon 2\", \"a=b\""));
        assert!(error("Wer=nam").contains("first-name"));
        assert!(error("Wer").contains("first-name"));
        let unknown = ["x".to_owned(), "y".to_owned()];
        let error = Columns::of(&unknown, &[]).unwrap_err();
        assert!(error.to_string().contains("--map"), "{error}");
    }
}
