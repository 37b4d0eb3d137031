//! How the phone reads numbers, by what its user set: the country of those without a country code, and
//! which are its own lines. The running phone and a command beside it read them alike.

use crate::base::phone_number::PhoneNumber;
use crate::config::{Account, Settings};

/// The region (ISO 3166) by which numbers without a country code are read where no account's call says
/// it, as of contacts: the first account's, else the settings'.
pub fn default_region<'a>(
    mut accounts: impl Iterator<Item = &'a Account>,
    settings: &'a Settings,
) -> &'a str {
    accounts
        .next()
        .map(|account| account.dial_plan.region.as_str())
        .filter(|region| !region.is_empty())
        .unwrap_or(&settings.region)
}

/// The accounts' own lines, each as its region reads it: another region may make another number of it.
pub fn own_lines<'a>(accounts: impl Iterator<Item = &'a Account>) -> Vec<String> {
    accounts
        .map(|account| {
            let number = PhoneNumber::parse(&account.address, &account.dial_plan.region);
            number.e164.unwrap_or_else(|| account.address.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str, region: &str) -> Account {
        let mut account = Account {
            address: address.to_owned(),
            ..Account::default()
        };
        region.clone_into(&mut account.dial_plan.region);
        account
    }

    #[test]
    fn each_account_reads_its_own_line_and_the_first_one_all_others() {
        let accounts = [
            account("sip:03023125123@trunk.example.com", "DE"),
            account("sip:2125550123@trunk.example.com", "US"),
            account("sip:alice@pbx.example.com", ""),
        ];
        assert_eq!(
            own_lines(accounts.iter()),
            ["+493023125123", "+12125550123", "sip:alice@pbx.example.com"]
        );
        let settings = Settings {
            region: "AT".to_owned(),
            ..Settings::default()
        };
        assert_eq!(default_region(accounts.iter(), &settings), "DE");
        assert_eq!(default_region(accounts[2..].iter(), &settings), "AT");
        assert_eq!(default_region([].iter(), &settings), "AT");
    }
}
