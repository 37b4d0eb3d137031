//! What an agent does with several calls, against SIPp.

use std::time::{Duration, Instant};

use crate::junit::scenario;
use crate::phone::Phone;
use crate::sipp::Sipp;

#[test]
fn bye_never_answered() {
    scenario("bye-never-answered", || {
        let dead = Sipp::called("bye-never-answered", &["-nr"]);
        let next = Sipp::called("call-out", &[]);
        let target = |sipp: &Sipp| format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&[
            "--no-register",
            "--max-calls",
            "1",
            "--call",
            &target(&dead),
        ]);
        phone.wait("answered");
        phone.command("hangup");
        let since = Instant::now();
        let ended = phone.wait("ended");
        assert!(since.elapsed() < Duration::from_secs(2), "it ends at once");
        assert_eq!(ended["durable"], true, "{ended:#}");
        let row = phone.only_call();
        assert_eq!(row["state"], "completed", "{row:#}");
        assert_eq!(row["end_reason"], "you hung up", "{row:#}");
        assert!(row["ended_at"].is_string(), "{row:#}");
        // The only line is free again, long before the far end is given up.
        let next_call = serde_json::json!({"command": "call", "uri": target(&next)});
        phone.send(&next_call);
        phone.wait("answered");
        phone.command("hangup");
        phone.wait("ended");
        next.passes();
        assert!(since.elapsed() < Duration::from_secs(20));
        let told = phone.wait_for("word of the silence", Duration::from_secs(40), |event| {
            event["event"] == "error" && event["call_id"] == row["id"]
        });
        assert!(
            told["message"]
                .as_str()
                .unwrap()
                .contains("never confirmed"),
            "{told:#}"
        );
        dead.passes();
        let rows = phone.calls();
        let first = rows.iter().find(|other| other["id"] == row["id"]).unwrap();
        let reason = first["end_reason"].as_str().unwrap();
        assert!(reason.contains("peer unreachable"), "{first:#}");
        assert_eq!(first["ended_at"], row["ended_at"], "the moment stays");
        assert_eq!(first["talking_millis"], row["talking_millis"]);
        assert_eq!(phone.stop().code, Some(0));
    });
}
