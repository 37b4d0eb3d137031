//! What settings are refused, and the sentence that says so.

use super::*;

fn account() -> Account {
    Account {
        address: "sip:alice@example.com".to_owned(),
        ..Account::default()
    }
}

#[test]
fn a_plain_account_is_sound() {
    assert_eq!(account().validate(), Ok(()));
}

#[test]
fn each_fault_has_its_own_sentence() {
    type Spoil = fn(&mut Account);
    let rows: [(Spoil, &str); 26] = [
        (
            |it| it.address = "alice@example.com".into(),
            "not a SIP address",
        ),
        (
            |it| it.address = "sip:example.com".into(),
            "not a SIP address",
        ),
        (
            |it| it.address = "tel:+4930123456".into(),
            "not a SIP address",
        ),
        (
            |it| {
                it.address = "sips:alice@example.com".into();
                it.transport = TransportChoice::Tcp;
            },
            "demands encryption",
        ),
        (|it| it.websocket_path = "ws".into(), "begins with /"),
        (|it| it.websocket_path = "/a b".into(), "begins with /"),
        (
            |it| it.tls.pinned_certificate = "12:34".into(),
            "64 hexadecimal digits",
        ),
        (
            |it| it.tls.client_certificate = "phone.pem".into(),
            "belong together",
        ),
        (|it| it.registrar = "alice@example.com".into(), "registrar"),
        (|it| it.registrar = "example.com:99999".into(), "registrar"),
        (|it| it.outbound_proxy = "proxy".into(), "outbound proxy"),
        (|it| it.display_name = "A\r\nVia: x".into(), "display name"),
        (|it| it.expires_seconds = 0, "from 1 to 86400"),
        (|it| it.voicemail = "my box".into(), "voice mail"),
        (|it| it.ring_limit_seconds = 0, "from 1 to 3600"),
        (|it| it.codecs.clear(), "codecs is empty"),
        (|it| it.codecs = vec!["mp3".into()], "\"mp3\" is unknown"),
        (|it| it.codecs = vec!["PCMU".into(), "pcmu".into()], "twice"),
        (|it| it.dial_plan.outside_prefix = "0w".into(), "prefix"),
        (
            |it| it.dial_plan.emergency_numbers = vec!["help".into()],
            "emergency number \"help\"",
        ),
        (|it| it.packet_millis = 30, "10, 20, 40 or 60"),
        (|it| it.rules.do_not_disturb_status = 200, "480"),
        (|it| it.rules.forward_no_answer_seconds = 0, "from 1 to 600"),
        (
            |it| it.rules.forward_busy = "http://x".into(),
            "cannot be forwarded to \"http://x\"",
        ),
        (|it| it.rules.forward_always = "alice".into(), "to itself"),
        (
            |it| it.rules.forward_no_answer = "sip:alice@EXAMPLE.com:5060".into(),
            "to itself",
        ),
    ];
    for (spoil, sentence) in rows {
        let mut spoiled = account();
        spoil(&mut spoiled);
        let error = spoiled.validate().unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}

#[test]
fn an_unknown_codec_is_refused_with_those_that_are_known() {
    let named = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let problem = codecs(&named(&["opus", "speex"])).unwrap_err().to_string();
    assert!(problem.contains("speex"), "{problem}");
    for known in CODECS {
        assert!(problem.contains(known), "{problem}");
        assert!(codecs(&named(&[known])).is_ok());
    }
    assert_eq!(
        codecs(&named(&["PCMA", "pcma"])),
        Err(Problem::SameCodec("pcma".to_owned()))
    );
    assert_eq!(codecs(&[]), Err(Problem::NoCodec));
}

#[test]
fn registrar_and_proxy_may_be_addresses() {
    let account = Account {
        registrar: "[2001:db8::1]:5070".to_owned(),
        outbound_proxy: "sip:127.0.0.1:5060;lr;transport=tcp".to_owned(),
        ..account()
    };
    assert_eq!(account.validate(), Ok(()));
    let link_local = Account {
        registrar: "[fe80::1%eth0]:5070".to_owned(),
        outbound_proxy: "sip:[fe80::2%25eth1];lr".to_owned(),
        ..account
    };
    assert_eq!(link_local.validate(), Ok(()));
    let (bare, zones) = link_local.without_zones();
    assert_eq!(bare.registrar, "[fe80::1]:5070");
    assert_eq!(bare.outbound_proxy, "sip:[fe80::2];lr");
    let zones: Vec<_> = zones.into_iter().map(|(_, zone)| zone).collect();
    assert_eq!(zones, ["eth0", "eth1"]);
}

#[test]
fn two_accounts_need_two_addresses() {
    let config = Config {
        accounts: vec![account(), account()],
        ..Config::default()
    };
    assert!(matches!(config.validate(), Err(Problem::SameAddress(_))));
}

#[test]
fn colleagues_are_checked() {
    let with = |addresses: &[&str]| {
        let colleague = |address: &&str| Colleague {
            address: (*address).to_owned(),
            ..Colleague::default()
        };
        Settings {
            colleagues: addresses.iter().map(colleague).collect(),
            ..Settings::default()
        }
        .validate()
    };
    assert_eq!(with(&["201", "sip:bob@example.com", "*8"]), Ok(()));
    for wrong in ["", "my friend", "sip:example.com", "tel:+4930123", "a@b"] {
        assert!(
            matches!(with(&[wrong]), Err(Problem::Colleague(_))),
            "{wrong}"
        );
    }
    assert!(matches!(
        with(&["201", "201"]),
        Err(Problem::SameColleague(_))
    ));
    assert!(matches!(
        with(&["201"; 101]),
        Err(Problem::TooManyColleagues(101))
    ));
}

#[test]
fn settings_are_checked_too() {
    let with = |change: fn(&mut Settings)| {
        let mut config = Config::default();
        change(&mut config.settings);
        config.validate()
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(
        with(|it| it.ladder_days = 3_651),
        Err(Problem::LadderDays(3_651))
    );
    assert_eq!(with(|it| it.silence_limit_seconds = 0), Ok(()));
    assert_eq!(with(|it| it.silence_limit_seconds = 10), Ok(()));
    assert_eq!(
        with(|it| it.silence_limit_seconds = 9),
        Err(Problem::SilenceLimit(9))
    );
    assert_eq!(
        with(|it| it.silence_limit_seconds = 3_601),
        Err(Problem::SilenceLimit(3_601))
    );
    assert_eq!(with(|it| it.wrap_up_seconds = 3_600), Ok(()));
    assert_eq!(
        with(|it| it.wrap_up_seconds = 3_601),
        Err(Problem::WrapUp(3_601))
    );
    assert_eq!(with(|it| it.list_length = 100_000), Ok(()));
    assert_eq!(with(|it| it.list_length = 0), Err(Problem::ListLength(0)));
    assert_eq!(
        with(|it| it.list_length = 100_001),
        Err(Problem::ListLength(100_001))
    );
    assert_eq!(with(|it| it.speaker_volume = 0), Ok(()));
    assert_eq!(with(|it| it.ringer_volume = 150), Ok(()));
    assert_eq!(
        with(|it| it.microphone_volume = 9),
        Err(Problem::Volume("microphone", 9, 10))
    );
    assert_eq!(
        with(|it| it.speaker_volume = 151),
        Err(Problem::Volume("speaker", 151, 0))
    );
    assert_eq!(with(|it| it.max_calls = 0), Err(Problem::MaxCalls(0)));
    assert_eq!(
        with(|it| it.dialling.calls_per_hour = 0),
        Err(Problem::CallsPerHour(0))
    );
    assert_eq!(
        with(|it| it.region = "germany".into()),
        Err(Problem::Region("germany".to_owned()))
    );
}

#[test]
fn name_servers_are_few_and_addresses() {
    let check = |servers: &[&str]| {
        let mut config = Config::default();
        config.settings.name_servers = servers.iter().map(|&it| it.to_owned()).collect();
        let addresses = config.settings.name_server_addresses();
        config.validate().map(|()| addresses[0].to_string())
    };
    for (text, address) in [
        ("192.0.2.1", "192.0.2.1:53"),
        ("192.0.2.1:5353", "192.0.2.1:5353"),
        ("2001:db8::1", "[2001:db8::1]:53"),
        ("[2001:db8::1]", "[2001:db8::1]:53"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
    ] {
        assert_eq!(check(&[text]), Ok(address.to_owned()));
    }
    for bad in ["", "dns.example.com", "192.0.2.1:99999"] {
        assert_eq!(check(&[bad]), Err(Problem::NameServer(bad.to_owned())));
    }
    assert_eq!(check(&["192.0.2.1"; 9]), Err(Problem::NameServers(9)));
}
