//! People for the first run. Their numbers come from ranges that regulators keep for fiction
//! (Ofcom, `BNetzA`, NANPA 555-01xx, ARCEP, ACMA, PTS), so none belongs to anybody. They are written
//! in international form, since the first run does not know the country.

/// A demo contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoContact {
    /// The whole name, as shown.
    pub name: &'static str,
    /// The organization's name, where there is one.
    pub organization: Option<&'static str>,
    /// The role in the organization.
    pub role: Option<&'static str>,
    /// Phone numbers: label and number as a person would type it.
    pub numbers: &'static [(&'static str, &'static str)],
}

/// The number of the caller who is a demo contact: Zoë Brontë-Okafor's desk phone.
pub(super) const KNOWN: &str = "+442079460142";

/// The number of the caller whom nobody knows.
pub(super) const UNKNOWN: &str = "+12125550187";

/// The number of the caller who may be Jürgen Weiß: his number without its area code, as a
/// telephone system signals a call from the same town.
pub(super) const MAYBE: &str = "23125042";

/// The demo contacts.
pub fn demo_contacts() -> &'static [DemoContact] {
    &[
        DemoContact {
            name: "Zoë Brontë-Okafor",
            organization: Some("Harbour Lights Ltd"),
            role: Some("Head of purchasing"),
            numbers: &[
                ("Work", "+44 (0)20 7946-0142"),
                ("Home", "+44 117 496 0142"),
            ],
        },
        DemoContact {
            name: "Jürgen Weiß",
            organization: Some("Weiß & Söhne GmbH"),
            role: Some("Geschäftsführer"),
            numbers: &[
                ("Work", "+49 (0)30 23125-042"),
                ("Mobile", "+49 171 3920042"),
            ],
        },
        DemoContact {
            name: "王小明",
            organization: Some("明日科技"),
            role: Some("采购经理"),
            numbers: &[("Work", "+44 20 7946 0321")],
        },
        DemoContact {
            name: "ليلى الحسن",
            organization: Some("شركة النور للتجارة"),
            role: None,
            numbers: &[("Mobile", "+33 1 99 00 12 34")],
        },
        DemoContact {
            name: "Nguyễn Thị Ánh",
            organization: Some("Harbour Lights Ltd"),
            role: Some("Accounts"),
            numbers: &[("Work", "+44 20 79460959")],
        },
        DemoContact {
            name: "María José Fernández-Núñez",
            organization: None,
            role: None,
            numbers: &[("Mobile", "+1 (212) 555-0123"), ("Home", "+1 212.555.0124")],
        },
        DemoContact {
            name: "Łukasz Wójcik",
            organization: Some("Weiß & Söhne GmbH"),
            role: Some("Service"),
            numbers: &[("Work", "+49 30 23125 043")],
        },
        DemoContact {
            name: "Ольга Петрова",
            organization: None,
            role: None,
            numbers: &[("Mobile", "+46 70 174 06 12")],
        },
        DemoContact {
            name: "Aroha Ngata",
            organization: Some("Southern Cross Freight"),
            role: Some("Dispatcher"),
            numbers: &[("Work", "+61 2 5550 0144")],
        },
        DemoContact {
            name: "Björk Þórsdóttir",
            organization: Some("Southern Cross Freight"),
            role: None,
            numbers: &[("Work", "+61 2 5550 0145"), ("Extension", "145")],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::phone_number::PhoneNumber;

    /// What a number is in every country where the first run may happen.
    fn e164(number: &str) -> Option<String> {
        let read = |region| PhoneNumber::parse(number, region).e164;
        let here = read("US");
        assert!(
            ["DE", "GB", "JP", "IN"]
                .iter()
                .all(|region| read(region) == here)
        );
        here
    }

    fn numbers() -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = demo_contacts().iter();
        all.flat_map(|it| {
            it.numbers
                .iter()
                .map(|(label, number)| (it.name, (label, *number)))
        })
        .filter(|(_, (label, _))| **label != "Extension")
        .map(|(name, (_, number))| (name, number))
    }

    #[test]
    fn every_number_is_public_and_has_one_owner() {
        let mut seen: Vec<String> = numbers().filter_map(|(_, number)| e164(number)).collect();
        assert_eq!(seen.len(), numbers().count());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), numbers().count());
    }

    #[test]
    fn the_known_caller_is_one_contact_the_unknown_caller_none() {
        let owners = |caller: &str| -> Vec<&str> {
            numbers()
                .filter(|(_, number)| e164(number).as_deref() == Some(caller))
                .map(|(name, _)| name)
                .collect()
        };
        assert_eq!(owners(KNOWN), ["Zoë Brontë-Okafor"]);
        assert!(owners(UNKNOWN).is_empty());
        assert!(e164(UNKNOWN).is_some());
    }

    #[test]
    fn the_maybe_caller_shares_at_least_seven_last_digits_with_one_contact() {
        let ends_alike = |number: &str| e164(number).is_some_and(|it| it.ends_with(MAYBE));
        let alike: Vec<_> = numbers().filter(|(_, number)| ends_alike(number)).collect();
        assert_eq!(alike.len(), 1);
        assert!(MAYBE.len() >= 7);
        assert_eq!(e164(MAYBE), None);
    }
}
