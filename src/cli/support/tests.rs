//! What must not be in a bundle is planted everywhere, and looked for.

use super::phone::people_of;
use super::*;
use crate::base::id::CallId;
use crate::crm::row::{CallLadder, CallRow, LadderMessage};

/// What must not be in it, and where each is planted.
const SECRETS: [&str; 9] = [
    "hunter2secret",
    "tokenABCDEF",
    "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
    "6629fae49393a05397450978507c4ef1",
    "asd88fgpdd777uzjYhagZg",
    "7391548",
    "Zacharias",
    "4930901820",
    "berta.beispiel",
];

fn message(text: &str) -> LadderMessage {
    LadderMessage {
        at: jiff::Timestamp::UNIX_EPOCH,
        sent: true,
        transport: "UDP".to_owned(),
        local: "192.0.2.9:5060".parse().unwrap(),
        remote: "192.0.2.1:5060".parse().unwrap(),
        omitted: 0,
        text: text.replace('\n', "\r\n"),
    }
}

fn planted() -> (tempfile::TempDir, Paths, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::in_data_dir(folder.path());
    std::fs::create_dir_all(&paths.log_dir).unwrap();
    std::fs::write(
        paths.log_dir.join("ringdesk.log"),
        "INFO login with password=hunter2secret and token: tokenABCDEF\n\
         INFO From: \"Zacharias Zott\" <sip:berta.beispiel@example.com>\n\
         INFO Authorization: Digest username=\"berta.beispiel\", response=\"6629fae49393a05397450978507c4ef1\"\n\
         INFO dtmf=7391548 to +49 30 901820\n",
    )
    .unwrap();
    // A file that the phone cannot read goes in as it stands.
    std::fs::write(
        &paths.config_file,
        "[settings]\nagent = \"Zacharias\"\npassword = \"hunter2secret\"\n\
         [[accounts]]\naddress = \"sip:berta.beispiel@example.com\"\n\
         [accounts.rules]\nforward_always = \"+4930901820\"\n",
    )
    .unwrap();
    let mut call = CallRow::ringing(
        CallId::new(1, [1; 10]),
        "sip:+4930901820@example.com",
        jiff::Timestamp::UNIX_EPOCH,
    );
    call.contact_name = Some("Zacharias Zott".to_owned());
    call.end_reason = Some("Zacharias Zott hung up".to_owned());
    let people = people_of(call.clone()).collect();
    let invite = "INVITE sip:+4930901820@example.com SIP/2.0\nFrom: Zacharias Zott <sip:berta.beispiel@example.com>\n\
                  Proxy-Authorization: Digest response=\"6629fae49393a05397450978507c4ef1\"\nContent-Type: application/sdp\n\n\
                  v=0\no=berta.beispiel 1 1 IN IP4 192.0.2.9\ns=Zacharias\na=ice-pwd:asd88fgpdd777uzjYhagZg\n\
                  a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n";
    let info = "INFO sip:a@b SIP/2.0\nContent-Type: application/dtmf-relay\n\nSignal=7\n7391548\n";
    let text =
        "MESSAGE sip:a@b SIP/2.0\nContent-Type: text/plain\n\nhunter2secret, says Zacharias\n";
    let phone = Phone {
        notices: vec!["password=\"hunter2secret\" of sip:berta.beispiel@example.com".to_owned()],
        registrations: vec![(
            "sip:berta.beispiel@example.com".to_owned(),
            vec![message(invite)],
        )],
        ladders: vec![CallLadder {
            call,
            messages: vec![message(invite), message(info), message(text)],
        }],
        people,
        ..Phone::default()
    };
    (folder, paths, phone)
}

#[tokio::test]
async fn nothing_that_was_planted_is_in_the_bundle() {
    let (_folder, paths, phone) = planted();
    let bundle = gather(&paths, &[], phone, false).await;
    assert!(bundle.files.len() >= 9, "{}", bundle.files.len());
    for file in &bundle.files {
        for secret in SECRETS {
            assert!(
                !file.text.contains(secret) && !file.name.contains(secret),
                "{secret} is in {}: {}",
                file.name,
                file.text
            );
        }
    }
    let all: String = bundle.files.iter().map(|file| file.text.as_str()).collect();
    // What helps is there.
    for useful in [
        "INVITE sip:",
        "192.0.2.1:5060",
        "example.com",
        "forward_always",
    ] {
        assert!(all.contains(useful), "{useful} is missing: {all}");
    }
}

#[tokio::test]
async fn people_stay_where_the_agent_says_so_and_secrets_never() {
    let (_folder, paths, phone) = planted();
    let bundle = gather(&paths, &[], phone, true).await;
    let all: String = bundle.files.iter().map(|file| file.text.as_str()).collect();
    for secret in &SECRETS[..6] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    for person in &SECRETS[6..] {
        assert!(all.contains(person), "{person}");
    }
}
