//! What opens when a call is answered, by the settings; and whom an unknown number becomes.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::phone::{Phone, ringdesk};
use crate::sipp::Sipp;

/// A phone that answers, with these settings, in a folder that may hold something already.
fn phone_with(folder: TempDir, settings: &str) -> Phone {
    let config = format!("[settings]\n{settings}\n");
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut phone = Phone::spawn(
        folder,
        &["--no-register", "--auto-answer=50", "--control", "stdin"],
    );
    phone.wait("started");
    phone
}

/// What a call of a German number opens; none where nothing does.
fn opened(phone: &mut Phone, opens: bool) -> Value {
    let caller = Sipp::to(phone.address(), "call-in", &["-s", "+493012345678"]);
    let opened = if opens {
        phone.wait("opens")
    } else {
        Value::Null
    };
    caller.passes();
    phone.wait("ended");
    opened
}

#[test]
fn how_old_a_ticket_may_be_and_whether_anything_opens_is_a_setting() {
    let mut phone = phone_with(TempDir::new().unwrap(), "");
    let anna = ["contacts", "--add", "Anna", "--number", "+49 30 12345678"];
    ringdesk(&phone, &anna);
    assert_eq!(opened(&mut phone, true)["open"], "draft");
    ringdesk(&phone, &["tickets", "add", "Printer", "--contact", "1"]);
    let opens = opened(&mut phone, true);
    assert_eq!(opens["open"], "profile", "{opens:#}");
    assert_eq!(opens["ticket"]["title"], "Printer", "{opens:#}");

    let folder = phone.stop().into_folder();
    let mut phone = phone_with(folder, "ticket_days = 0");
    let opens = opened(&mut phone, true);
    assert_eq!(opens["open"], "draft", "{opens:#}");
    assert_eq!(opens["subject"], json!({"kind": "contact", "id": 1}));

    let folder = phone.stop().into_folder();
    let mut phone = phone_with(folder, "open_on_answer = false");
    opened(&mut phone, false);
    let ended = phone.stop();
    assert!(ended.events.iter().all(|event| event["event"] != "opens"));
}

#[test]
fn an_unknown_number_becomes_a_lead_or_an_organization_and_its_calls_follow() {
    let mut phone = phone_with(TempDir::new().unwrap(), "");
    let opens = opened(&mut phone, true);
    assert_eq!(opens["subject"], Value::Null, "{opens:#}");
    let number = "+49 30 12345678";
    let shown = |phone: &Phone| phone.only_call()["contact_name"].clone();
    for (add, kind, name) in [
        ("leads", "contact", "Lena"),
        ("organizations", "organization", "Example AG"),
    ] {
        let added = &ringdesk(&phone, &[add, "--add", name, "--number", number])[0];
        assert_eq!(added["linked_calls"], 1, "{added:#}");
        assert_eq!(shown(&phone), name, "{kind}");
        let draft = &ringdesk(&phone, &["tickets", "--filter", "drafts"])[0];
        let customer = if kind == "contact" {
            "contact_name"
        } else {
            "organization_name"
        };
        assert_eq!(draft[customer], name, "{draft:#}");
        let subject = format!("{kind}:{}", added["id"]);
        let timeline = &ringdesk(&phone, &["show", &subject])[0]["timeline"];
        assert!(
            timeline
                .as_array()
                .unwrap()
                .iter()
                .any(|entry| entry["entry"] == "call"),
            "{timeline:#}"
        );
        // Taken back, the call and its draft are nobody's again.
        let steps = ringdesk(&phone, &["undo"]);
        ringdesk(&phone, &["undo", &steps[0]["id"].to_string()]);
        assert_eq!(shown(&phone), Value::Null);
        let draft = &ringdesk(&phone, &["tickets", "--filter", "drafts"])[0];
        assert_eq!(draft[customer], Value::Null, "{draft:#}");
        ringdesk(&phone, &["delete", &subject]);
    }
    assert_eq!(phone.stop().code, Some(0));
}
