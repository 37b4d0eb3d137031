//! Files that somebody takes out of the phone: the SIP messages of a call, for Wireshark, and figures, for a
//! spreadsheet.

use std::io;
use std::path::{Path, PathBuf};

use crate::app::engine::{Engine, Internal};
use crate::app::pcap;
use crate::app::records::Records;
use crate::base::id::CallId;
use crate::base::private_dir;
use crate::control::{ExportView, ExportedWhat, FiguresTable};
use crate::crm::{Store, StoreError, figures_table};

/// What Wireshark calls its files.
const CAPTURE: &str = "pcapng";
/// What spreadsheets open.
const TABLE: &str = "csv";

impl Engine {
    /// Writes the SIP messages of a call to a file, beside the engine; a snapshot tells what became
    /// of it.
    pub(super) fn export_ladder(&mut self, call: CallId, file: String) {
        self.exported = None;
        let records = Records::of(self.store.clone(), self.ladders.clone());
        let folder = self.options.paths.exports.clone();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let outcome = export(&records, call, path(&folder, &file, CAPTURE)).await;
            let outcome = outcome.map(|path| path.to_string_lossy().into_owned());
            let what = ExportedWhat::Ladder(call);
            let told = Internal::Exported(ExportView { what, outcome });
            drop(internal.send(told).await);
        });
    }

    /// Writes figures to a file, in the same way.
    pub(super) fn export_figures(&mut self, table: FiguresTable, file: String) {
        self.exported = None;
        let store = self.store.clone();
        let path = path(&self.options.paths.exports, &file, TABLE);
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let outcome = figures(&store, table, path).await;
            let outcome = outcome.map(|path| path.to_string_lossy().into_owned());
            let what = ExportedWhat::Figures(table);
            let told = Internal::Exported(ExportView { what, outcome });
            drop(internal.send(told).await);
        });
    }
}

/// The file that is meant, in the folder for such files unless another one is named.
pub(super) fn path(folder: &Path, file: &str, extension: &str) -> PathBuf {
    let file = Path::new(file.trim());
    let mut path = match (file.strip_prefix("~"), std::env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        (Ok(_) | Err(_), _) => folder.join(file),
    };
    if path.extension().is_none() {
        path.set_extension(extension);
    }
    path
}

async fn export(records: &Records, call: CallId, path: PathBuf) -> Result<PathBuf, String> {
    let ladder = records.ladder_of(call).await.map_err(|it| it.to_string())?;
    let messages = ladder.map(|it| it.messages).unwrap_or_default();
    if messages.is_empty() {
        return Err("no SIP messages are kept of this call, so there is nothing to export".into());
    }
    write(path, move |path| pcap::write_new(path, &messages)).await
}

async fn figures(store: &Store, table: FiguresTable, path: PathBuf) -> Result<PathBuf, String> {
    let mut octets = Vec::new();
    let read = store.read(move |reader| {
        let written = match table {
            FiguresTable::Queues { since, until } => {
                let rows = reader.figures(since, until)?;
                figures_table::queues(&mut octets, &rows)
            }
            FiguresTable::Hours { since, until } => {
                let rows = reader.hours(since, until)?;
                figures_table::hours(&mut octets, &rows)
            }
        };
        written.map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(octets)
    });
    let octets = read.await.unwrap_or(Err(StoreError::Closed));
    let octets = octets.map_err(|error| error.to_string())?;
    write(path, move |path| pcap::write_octets(path, &octets)).await
}

/// Writes a new file, and its folder where it is not there yet.
pub(super) async fn write(
    path: PathBuf,
    content: impl FnOnce(&Path) -> io::Result<PathBuf> + Send + 'static,
) -> Result<PathBuf, String> {
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || {
        if let Some(folder) = path.parent() {
            private_dir::create(folder)?;
        }
        content(&path)
    });
    match written.await {
        Ok(Ok(path)) => Ok(path),
        Ok(Err(error)) => Err(format!(
            "the file {shown} cannot be written ({error}); name another folder"
        )),
        Err(error) => Err(format!("the file {shown} was not written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::flow::Transport;
    use crate::base::redact::WireMessage;
    use crate::crm::call_ladders::{LadderBatch, WireRung};
    use crate::crm::row::CallRow;
    use crate::crm::store::Write;

    #[test]
    fn a_name_alone_lies_in_the_folder_for_exports_and_gets_its_ending() {
        let folder = Path::new("/home/ada/Downloads");
        for (file, meant) in [
            (" call ", "/home/ada/Downloads/call.pcapng"),
            ("call.pcap", "/home/ada/Downloads/call.pcap"),
            ("/tmp/call", "/tmp/call.pcapng"),
        ] {
            assert_eq!(path(folder, file, CAPTURE), Path::new(meant), "{file}");
        }
        if let Some(home) = std::env::home_dir() {
            assert_eq!(
                path(folder, "~/x/call", CAPTURE),
                home.join("x/call.pcapng")
            );
        }
    }

    #[tokio::test]
    async fn figures_become_a_table_without_formulas_and_overwrite_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "DE").unwrap();
        let at = jiff::Timestamp::UNIX_EPOCH;
        let row = CallRow {
            queue: Some("=1+1, \"a\"".to_owned()),
            ..CallRow::ringing(CallId::new(1, [1; 10]), "0301", at)
        };
        let written = store.write(Write::InsertCall(Box::new(row)));
        written.await.unwrap().unwrap();
        let (since, until) = (at, jiff::Timestamp::from_second(3_600).unwrap());
        let path = folder.path().join("figures.csv");
        let queues = FiguresTable::Queues { since, until };
        let first = figures(&store, queues, path.clone()).await.unwrap();
        assert_eq!(first, path);
        let text = std::fs::read_to_string(&first).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some(
                "queue,calls,inbound,answered,missed,called_back,call_back_s,waiting_s,talking_s,\
                 wrap_up_s"
            )
        );
        let line = lines.next().unwrap();
        assert!(line.starts_with("\"'=1+1, \"\"a\"\"\",1,1,0,"), "{line}");
        let hours = FiguresTable::Hours { since, until };
        let second = figures(&store, hours, path.clone()).await.unwrap();
        assert_eq!(second, path.with_file_name("figures-2.csv"));
        let text = std::fs::read_to_string(&second).unwrap();
        assert!(text.starts_with("hour,answered,missed,outbound\r\n1970-01-01T00:00:00Z,"));
    }

    #[tokio::test]
    async fn the_messages_of_a_call_become_a_private_file_and_overwrite_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "DE").unwrap();
        let (call, at) = (CallId::new(1, [1; 10]), jiff::Timestamp::UNIX_EPOCH);
        let row = CallRow::ringing(call, "0301", at);
        let rung = WireRung {
            at,
            sent: false,
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.2:5070".parse().unwrap(),
            omitted: 0,
            message: WireMessage::new(b"BYE sip:a SIP/2.0\r\n\r\n"),
        };
        let records = Records::of(store.into(), crate::app::ladders::SharedLadders::default());
        let target = folder.path().join("taken/out/call.pcapng");
        let written = records.store().write(Write::InsertCall(Box::new(row)));
        written.await.unwrap().unwrap();
        let nothing = export(&records, call, target.clone()).await.unwrap_err();
        assert!(nothing.contains("nothing to export"), "{nothing}");
        let written = records.store().write(Write::SaveLadders(LadderBatch {
            ladders: vec![(call, vec![rung])],
            saved_at: at,
            kept_since: at,
        }));
        written.await.unwrap().unwrap();
        assert_eq!(
            export(&records, call, target.clone()).await,
            Ok(target.clone())
        );
        let second = export(&records, call, target.clone()).await.unwrap();
        assert_eq!(second, target.with_file_name("call-2.pcapng"));
        let file = std::fs::read(&second).unwrap();
        assert!(file.windows(9).any(|octets| octets == b"BYE sip:a"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                second.metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let refused = export(&records, call, second.join("below"))
            .await
            .unwrap_err();
        assert!(refused.contains("name another folder"), "{refused}");
    }
}
