//! What kind of number is dialled: what it may cost, and whether it calls for help.

use serde::{Deserialize, Serialize};

use crate::base::phone_number::PhoneNumber;

/// The kind of a dialled number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum DialClass {
    /// Calls for help: nothing may stand in its way.
    Emergency,
    /// Premium-rate, shared-cost, satellite and network numbers.
    Premium,
    /// A number of another country, or of none.
    International,
    /// Holds `*` or `#`: it may change the settings of the telephone system.
    ServiceCode,
    /// An internal number.
    Short,
    /// Everything else: numbers of the own country, names, addresses.
    #[default]
    Ordinary,
}

/// A class that costs money or changes settings, as a person names it to allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostlyClass {
    /// [`DialClass::Premium`].
    Premium,
    /// [`DialClass::International`].
    International,
    /// [`DialClass::ServiceCode`].
    Codes,
}

impl DialClass {
    /// Classifies a number for an account of a region (ISO 3166); `extra` are emergency numbers of
    /// the account beside those of the region.
    pub fn of(number: &PhoneNumber, region: &str, extra: &[String]) -> Self {
        if is_emergency(&number.dialable, region, extra) {
            Self::Emergency
        } else if number.dialable.contains(['*', '#']) {
            Self::ServiceCode
        } else if number.cost_warning().is_some() {
            Self::Premium
        } else if number.e164.is_some() {
            match &number.region {
                Some(home) if home == region => Self::Ordinary,
                Some(_) | None => Self::International,
            }
        } else if number.dialable.starts_with('+') {
            Self::International
        } else if number.internal {
            Self::Short
        } else {
            Self::Ordinary
        }
    }

    /// The class by which it must be allowed, when somebody else than the agent asks for it.
    pub fn costly(self) -> Option<CostlyClass> {
        match self {
            Self::Premium => Some(CostlyClass::Premium),
            Self::International => Some(CostlyClass::International),
            Self::ServiceCode => Some(CostlyClass::Codes),
            Self::Emergency | Self::Short | Self::Ordinary => None,
        }
    }
}

impl CostlyClass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Premium, Self::International, Self::Codes];

    /// The word in the configuration and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Premium => "premium",
            Self::International => "international",
            Self::Codes => "codes",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// What is special about it, to follow "it is".
    pub fn words(self) -> &'static str {
        match self {
            Self::Premium => "a number that may be expensive",
            Self::International => "a number of another country",
            Self::Codes => "a code that may change the settings of the telephone system",
        }
    }
}

/// Whether digits call for help in a region (ITU-T E.161.1 and the national regulators' lists) or
/// by the account's own list. 112 and 911 do everywhere (3GPP TS 22.101 section 10.1).
pub fn is_emergency(digits: &str, region: &str, extra: &[String]) -> bool {
    const EVERYWHERE: [&str; 2] = ["112", "911"];
    EVERYWHERE.contains(&digits)
        || extra.iter().any(|number| number == digits)
        || EMERGENCY
            .iter()
            .filter(|(regions, _)| regions.split(' ').any(|known| known == region))
            .any(|(_, numbers)| numbers.split(' ').any(|number| number == digits))
}

/// Regions and their emergency numbers beside 112 and 911.
const EMERGENCY: &[(&str, &str)] = &[
    ("DE", "110"),
    ("AT", "122 133 144"),
    ("CH LI", "117 118 144 1414"),
    ("GB IE MT HK MY KE GH", "999"),
    ("FR MC RE GP MQ GF YT", "15 17 18 114 115 119 191 196"),
    ("IT SM VA", "113 115 118"),
    ("ES", "061 062 080 091 092"),
    ("BE", "100 101"),
    ("LU", "113"),
    ("DK FO GL", "114"),
    ("NO SJ", "110 113"),
    ("PL", "997 998 999"),
    ("CZ SK", "150 155 158"),
    ("HU", "104 105 107"),
    ("GR CY", "100 166 199"),
    ("HR RS ME BA MK", "122 123 124 192 193 194"),
    ("SI", "113"),
    ("BG", "150 160 166"),
    ("LV", "110 113"),
    ("TR", "110 155 156"),
    ("RU BY KZ UA UZ AM AZ GE MD", "101 102 103 104"),
    ("IL", "100 101 102"),
    ("AE SA QA KW OM BH", "997 998 999"),
    ("EG", "122 123 180"),
    ("IR", "110 115 125"),
    ("IN", "100 101 102 108"),
    ("PK", "15 16 115 1122"),
    ("BD", "999"),
    ("CN", "110 119 120 122"),
    ("TW", "110 119"),
    ("JP", "110 118 119"),
    ("KR", "119"),
    ("SG", "995 999"),
    ("TH", "191 199 1669"),
    ("VN", "113 114 115"),
    ("ID", "110 118 119"),
    ("AU", "000 106"),
    ("NZ", "111"),
    ("ZA", "10111 10177"),
    ("NG", "199"),
    ("BR", "190 192 193"),
    ("AR", "100 101 107"),
    ("CL", "131 132 133"),
    ("CO", "123"),
    ("PE", "105 106 116"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str, region: &str) -> DialClass {
        DialClass::of(
            &PhoneNumber::parse(text, region),
            region,
            &["7112".to_owned()],
        )
    }

    #[test]
    fn numbers_fall_into_their_classes() {
        use DialClass::{Emergency, International, Ordinary, Premium, ServiceCode, Short};
        for (text, region, expected) in [
            ("112", "DE", Emergency),
            ("110", "DE", Emergency),
            ("110", "US", Short),
            ("999", "GB", Emergency),
            ("999", "DE", Short),
            ("9-1-1", "FR", Emergency),
            ("7112", "DE", Emergency),
            ("0900 1123456", "DE", Premium),
            ("+1 900 555 0123", "US", Premium),
            ("+881 6 1234 5678", "DE", Premium),
            ("+44 20 7946 0958", "DE", International),
            ("0044 20 7946 0958", "DE", International),
            ("+999 123 4567", "DE", International),
            ("+1 876 555 0123", "US", International),
            ("*21*0301234567#", "DE", ServiceCode),
            ("##002#", "DE", ServiceCode),
            ("101", "DE", Short),
            ("030 1234567", "DE", Ordinary),
            ("+49 30 1234567", "DE", Ordinary),
            ("0800 1234567", "DE", Ordinary),
        ] {
            assert_eq!(class(text, region), expected, "{text} in {region}");
        }
    }

    #[test]
    fn each_costly_class_has_its_word() {
        for class in CostlyClass::ALL {
            assert_eq!(CostlyClass::parse(class.as_str()), Some(class));
        }
        assert_eq!(CostlyClass::parse("emergency"), None);
        assert_eq!(DialClass::Emergency.costly(), None);
    }
}
