//! Reads mails for their senders' numbers.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::crm::mining::mail;
use crate::crm::mining::mbox::Messages;
use crate::crm::row::MailHints;

/// Reads the mails of a file one after the other: a mailbox (mbox) or a single mail (`.eml`).
pub struct Mails {
    messages: Messages<BufReader<File>>,
    region: String,
}

impl Mails {
    /// Opens a file; numbers without a country code are read as `region` (ISO 3166) writes them.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be opened.
    pub fn open(path: &Path, region: &str) -> io::Result<Self> {
        Ok(Self {
            messages: Messages::new(BufReader::new(File::open(path)?)),
            region: region.to_owned(),
        })
    }
}

impl Iterator for Mails {
    /// What a mail says of its sender, or why it says nothing; the file itself may fail too.
    type Item = io::Result<Result<MailHints, String>>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = self.messages.next()?;
        Some(
            message.map(|message| {
                mail::read(&message, &self.region).map_err(|fault| fault.to_string())
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::Records;
    use crate::app::desk::{DeskRequest, HintRequest};
    use crate::app::lists::ListRequest;
    use crate::base::id::HintId;
    use crate::crm::row::{HintFilter, HintVerdict};

    const MAILBOX: &str = "From a Tue May 12 10:12:00 2026\nFrom: Anna <anna@example.de>\nSubject: Offer\n\
        Date: Tue, 12 May 2026 10:12:00 +0200\n\nHallo\n-- \nAnna\nTel. 0171/2345678\n\n\
        From b Tue May 12 10:13:00 2026\nSubject: from nobody\n\nTel. 030 1234567\n";

    #[tokio::test]
    async fn a_mailbox_is_read_kept_and_judged_as_scripts_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mail.mbox");
        std::fs::write(&file, MAILBOX).unwrap();
        let read: Vec<_> = Mails::open(&file, "US")
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.len(), 2);
        assert!(
            read[1].as_ref().unwrap_err().contains("no sender"),
            "{read:?}"
        );
        let mails: Vec<MailHints> = read.into_iter().filter_map(Result::ok).collect();
        let records = Records::open(folder.path(), "DE").unwrap();
        let kept = records
            .desk(DeskRequest::Hints(HintRequest::AddMails(mails.clone())))
            .await
            .unwrap();
        assert_eq!(kept, json!({"new": 1}));
        let again = records
            .desk(DeskRequest::Hints(HintRequest::AddMails(mails)))
            .await
            .unwrap();
        assert_eq!(again, json!({"new": 0}));
        let list = DeskRequest::List(ListRequest::Hints {
            filter: HintFilter::default(),
            after: None,
            limit: 10,
        });
        let answer = records.desk(list).await.unwrap();
        assert_eq!(answer["next"], json!(null));
        let rows = &answer["rows"];
        assert_eq!(rows[0]["number"], "+491712345678");
        assert_eq!(rows[0]["name"], "Anna");
        assert_eq!(rows[0]["state"], "open");
        let id = HintId(rows[0]["id"].as_i64().unwrap());
        let judged = records
            .desk(DeskRequest::Hints(HintRequest::Judge(
                id,
                HintVerdict::Confirm,
            )))
            .await
            .unwrap();
        assert_eq!(judged["contact"], 1);
        assert!(Mails::open(&folder.path().join("none"), "DE").is_err());
    }
}
